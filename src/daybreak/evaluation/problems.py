"""What went wrong in a run, said once however many pictures it befell."""

from __future__ import annotations

from collections.abc import Iterator

LISTED = 5


class Problems:
    """Collects what could not be done, by cause."""

    def __init__(self) -> None:
        self._pictures: dict[tuple[str, str], list[str]] = {}

    def add(self, what: str, why: str, picture: str) -> None:
        """Note one picture.

        Args:
            what: what could not be done, for example "niqe of gamma".
            why: the cause, one sentence.
            picture: its name.
        """
        self._pictures.setdefault((what, why), []).append(picture)

    def forget(self, picture: str) -> None:
        """Take back all that was noted of a picture."""
        for key, names in list(self._pictures.items()):
            self._pictures[key] = [name for name in names if name != picture]
            if not self._pictures[key]:
                del self._pictures[key]

    def sentences(self) -> Iterator[str]:
        """One line a cause: what, on how many pictures, which, and why."""
        for (what, why), names in self._pictures.items():
            more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
            listed = ", ".join(names[:LISTED]) + more
            count = f"{len(names)} picture{'' if len(names) == 1 else 's'} ({listed})"
            yield f"{what}: {count}: {why}" if what else f"{count}: {why}"
