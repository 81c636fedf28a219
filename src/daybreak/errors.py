"""One tree of errors, each saying what came, what was expected and what to type instead.

The parts of the sentence are attributes, so that a front end can lay them out anew. The library never
prints and never exits: `daybreak.cli` turns these into one line and an exit code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable


class DaybreakError(Exception):
    """Base of every error that daybreak raises on purpose.

    Args:
        came: what was found, as a sentence without its full stop; names the file or the value.
        expected: what would have been right ("" where that is plain).
        hint: what to type or do instead ("" where there is nothing to do).
    """

    def __init__(self, came: str, expected: str = "", hint: str = "") -> None:
        self.came = came
        self.expected = expected
        self.hint = hint
        sentence = came + (f"; expected {expected}" if expected else "")
        super().__init__(sentence + (f". {hint}" if hint else ""))

    def __reduce__(self) -> tuple[Callable[..., DaybreakError], tuple[object, ...]]:
        """As it is, from another process: what made the sentence differs from kind to kind."""
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[DaybreakError], args: tuple[object, ...], parts: dict[str, object]) -> DaybreakError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(parts)
    return error


class UnknownName(DaybreakError, KeyError):
    """A method, network, metric, data set or setting that is not there; carries the nearest names.

    Attributes:
        name: the name as given.
        known: every name that would have been right.
        nearest: up to three known names that look like it.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        from difflib import get_close_matches  # most runs mistype nothing

        self.name = name
        self.known = tuple(known)
        self.nearest = tuple(get_close_matches(name.lower(), self.known, n=3, cutoff=0.5))
        meant = f"Did you mean {' or '.join(self.nearest)}?" if self.nearest else ""
        all_known = f"one of {', '.join(self.known)}" if self.known else "none, for there are none"
        listed = "" if self.nearest else all_known
        super().__init__(f"there is no {kind} named {name!r}", listed, " ".join(filter(None, (meant, hint))))

    __str__ = Exception.__str__  # KeyError would show the sentence in quotes


class BadSetting(DaybreakError, ValueError):
    """A setting, a strength or an option whose value is out of its range or of another kind."""


class BadPixels(DaybreakError, ValueError):
    """An array that is no picture: wrong shape, wrong kind of number, NaN or infinity."""


class UnreadablePicture(DaybreakError):
    """A file that cannot be read as a picture: missing, empty, truncated, not a picture, too large."""


class PictureTooLarge(UnreadablePicture):
    """A picture whose header claims more pixels than are allowed; nothing was decoded."""


class NotEnoughMemory(DaybreakError):
    """Work that does not fit into the memory there is, or that somebody allowed; nothing was begun."""


class UnwritablePicture(DaybreakError):
    """An output that cannot be written: no permission, no space, a format that cannot hold it."""


class OutputExists(DaybreakError):
    """An output that is there already and was not made by the same settings, or is an input."""


class MissingExtra(DaybreakError, ImportError):
    """An optional part that is not installed; the hint is the line that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{what} needs an optional part", hint=f'Type: pip install "daybreak[{extra}]"')


class WeightsError(DaybreakError):
    """A weight file that is missing, does not match its card or cannot be run."""


class EngineError(DaybreakError):
    """A device that is not there, cannot be used here, or failed while it ran."""


class AssetError(DaybreakError):
    """A file from elsewhere (pretrained parameters) that is damaged or cannot be fetched."""


class MissingAsset(AssetError):
    """Files from elsewhere that are needed and were not fetched; the hint is the line that fetches them.

    Attributes:
        names: of the assets.
    """

    def __init__(self, *names: str) -> None:
        self.names = names
        what, are = ("the asset", "is") if len(names) == 1 else ("the assets", "are")
        super().__init__(
            f"{what} {' and '.join(names)} {are} not here",
            hint=f"Type: daybreak assets fetch {' '.join(names)}",
        )


class RegistryError(DaybreakError):
    """A name registered twice; nothing was changed."""


class DataError(DaybreakError):
    """A data set, pair of folders or split file that is missing, incomplete or does not fit together."""


class MetricError(DaybreakError, ValueError):
    """A metric asked of pictures it cannot score: too small, of different sizes, no reference."""


class TrainingError(DaybreakError):
    """A training run that cannot start or go on: data, recipe, checkpoint or a loss that is not finite."""


class PlaceError(DaybreakError):
    """A bucket, folder or server of files that cannot be reached, listed, read or written."""


class ClusterError(DaybreakError):
    """A cluster that does not answer, or on which no worker can be started."""
