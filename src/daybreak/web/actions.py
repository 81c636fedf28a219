"""What the page's buttons do: the same words as the HTTP API's, the same way through `enhancing`."""

from __future__ import annotations

import json
import logging
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daybreak.enhancing.batch import Result, enhance_bytes
from daybreak.enhancing.enhancer import Enhancer
from daybreak.errors import BadSetting, DaybreakError, UnwritablePicture
from daybreak.files import write_whole
from daybreak.image.photo import Photo
from daybreak.image.read import read_photo
from daybreak.image.rows import Rows
from daybreak.serving.archive import REPORT, SUFFIX, free_name, marked_name, result_name
from daybreak.serving.asking import Asked, understand
from daybreak.serving.jobs.films import as_sent, check_film
from daybreak.serving.limits import Limits
from daybreak.serving.work import fitting_pixels
from daybreak.stopping import Stopped, asking, look
from daybreak.web.folder import PageFolder

LOG = logging.getLogger("daybreak.serving")

PREVIEW_SECONDS = 10.0

Tell = Callable[[float, str], None]
"""(share done in [0, 1], words)."""


@dataclass(frozen=True)
class Done:
    """What came of one press of a button.

    Attributes:
        file: to be downloaded.
        words: what was done, in a line for each picture.
        pictures: name -> pixels, to be shown; the original first. Of many pictures, the first. None where
            nothing can be shown.
    """

    file: Path
    words: str
    pictures: Mapping[str, Rows]


class Actions:
    """The page's work, within the server's limits.

    Args:
        limits: of the server.
        folder: where results lie until they are fetched.
        at_once: works that the page does at the same time, for all its visitors.
    """

    def __init__(self, limits: Limits, folder: PageFolder, at_once: int) -> None:
        self.limits, self.folder, self.at_once = limits, folder, at_once

    def enhance(self, files: Sequence[str], words: Mapping[str, str], tell: Tell) -> Done:
        """Enhance one picture, or many into a zip.

        Args:
            files: the uploaded ones.
            words: as of a request to the API.
            tell: hears of each picture.

        Raises:
            DaybreakError: nothing could be done; of many pictures those that fail are told of and left out.
        """
        asked = understand(words)
        paths = [Path(file) for file in files]
        if not paths:
            raise BadSetting("no picture", "one or more, dropped or chosen above")
        if len(paths) > self.limits.job_pictures:
            raise BadSetting(f"{len(paths)} pictures", f"at most {self.limits.job_pictures} at once")
        folder = self.folder.fresh()
        with self.folder.held(paths, folder) as held:
            if len(held) > 1:
                return self._many(held, asked, folder / f"pictures{SUFFIX}.zip", tell)
            data, made, result = self._one(held[0], asked)
        file = folder / result_name(paths[0].name, made)
        write_whole(file, made)
        return Done(file, _line(result), _shown(data, made, result))

    def compare(self, files: Sequence[str], methods: Sequence[str]) -> Mapping[str, Rows]:
        """The first picture through several methods, each with its defaults.

        Raises:
            DaybreakError: no picture, no method, or the picture cannot be read.
        """
        if not files:
            raise BadSetting("no picture", "one, dropped or chosen above")
        if not methods:
            raise BadSetting("no method to compare", "one or more")
        enhancers = {name: Enhancer(name) for name in methods}  # each once, however often it is named
        with self.folder.held([Path(files[0])], self.folder.fresh()) as [path]:
            photo = self._read(path, list(enhancers.values()))
        made, go_on = {"original": photo.stored}, look()
        for name, enhancer in enhancers.items():
            go_on()
            made[name] = enhancer.photo(photo)[1].rows
        return made

    def video(self, file: str | None, words: Mapping[str, str], tell: Tell, *, whole: bool) -> Path:
        """Enhance a film, or its first ten seconds, into MP4, which every browser shows, where that fits.

        Returns:
            The result; it ends in .mkv where only Matroska holds the sound and the subtitles.

        Raises:
            DaybreakError: no film, one that cannot be read, or the extra `video` is missing.
            Stopped: that was asked for.
        """
        if not file:
            raise BadSetting("no video", "one, dropped or chosen above")
        from daybreak.enhancing import video
        from daybreak.enhancing.video.packets import log_path

        asked = understand(words)
        options = video.VideoOptions(
            codec="h264", quality=asked.output.quality, end=None if whole else PREVIEW_SECONDS
        )  # every browser shows H.264
        folder, go_on = self.folder.fresh(), look()

        def progress(now: video.Progress) -> None:
            go_on()
            self.folder.touch(folder)
            tell(now.frames / (now.total or now.frames + 1), f"frame {now.frames}, {now.fps:.1f} a second")

        with self.folder.held([Path(file)], folder) as [source]:
            check_film(source, source.name, asked, self.limits)
            target = folder / marked_name(source.name, _suffix(source))
            log = log_path(target)
            try:
                with as_sent(source.name, source, target, log):
                    video.enhance_video(
                        source, target, asked.enhancer, options, progress=progress, stop=asking()
                    )
            except video.Stopped:
                raise Stopped from None
            finally:  # it is kept where it cannot be put together, and nobody here goes on from it
                log.unlink(missing_ok=True)
        return target

    def _read(self, path: Path, enhancers: Sequence[Enhancer]) -> Photo:
        self._check_size(path)
        data = path.read_bytes()
        most = min(self._most(enhancer, data) for enhancer in enhancers)
        return read_photo(data, max_pixels=most, name=path.name)

    def _most(self, enhancer: Enhancer, data: bytes) -> int:
        """Pixels that a picture of this file may have."""
        return min(self.limits.pixels, fitting_pixels(enhancer, self.at_once, data) or self.limits.pixels)

    def _check_size(self, path: Path) -> None:
        size = path.stat().st_size
        if size > self.limits.bytes:
            raise BadSetting(f"{path.name} of {size:,} bytes", f"at most {self.limits.bytes:,}")

    def _one(self, path: Path, asked: Asked) -> tuple[bytes, bytes, Result]:
        """The bytes of a picture, those of its result, and what was done."""
        self._check_size(path)
        data = path.read_bytes()
        most = self._most(asked.enhancer, data)
        name = Path(path.name)
        return data, *enhance_bytes(data, asked.enhancer, asked.output, name, None, max_pixels=most)

    def _many(self, paths: Sequence[Path], asked: Asked, target: Path, tell: Tell) -> Done:
        """A zip of all results and a report; the first that succeeds is shown."""
        lines: list[str] = []
        shown: Mapping[str, Rows] = {}
        taken = {REPORT}
        report: list[dict[str, Any]] = []
        go_on = look()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for place, path in enumerate(paths):
                go_on()
                self.folder.touch(target.parent)
                tell(place / len(paths), f"{place + 1} of {len(paths)}: {path.name}")
                try:
                    data, made, result = self._one(path, asked)
                except Stopped:
                    raise
                except Exception as error:
                    told = _fault(path.name, error)
                    lines.append(told)
                    report.append({"input": path.name, "output": None, "error": told})
                    continue
                name = free_name(result_name(path.name, made), taken)
                archive.writestr(name, made)
                lines.append(_line(result))
                report.append({"input": path.name, "output": name, "method": result.method, "error": ""})
                shown = shown or _shown(data, made, result)
            archive.writestr(REPORT, json.dumps({"files": report}, indent=2))
        return Done(target, "\n".join(lines), shown)


def _suffix(film: Path) -> str:
    """Of what a film becomes: .mp4, or .mkv where MP4 cannot hold its sound or subtitles."""
    from daybreak.enhancing.video.mux import what_fits
    from daybreak.enhancing.video.source import Film

    try:
        what_fits(Film(film).about, "mp4")
    except UnwritablePicture:
        return ".mkv"
    return ".mp4"


def _fault(name: str, error: Exception) -> str:
    """What went wrong with one picture; the others go on."""
    if isinstance(error, DaybreakError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"{name}: there is not enough memory for this picture now"
    LOG.error("unexpected error with a picture of the page", exc_info=error)
    return f"{name}: an unexpected fault of the server; it is in its log"


def _shown(data: bytes, made: bytes, result: Result) -> Mapping[str, Rows]:
    """Before and after, as the two files have it; nothing where they cannot be shown: the result is there."""
    try:
        return {"original": read_photo(data).stored, result.method or "unchanged": read_photo(made).stored}
    except Stopped:
        raise
    except Exception as error:
        LOG.error("a result of the page cannot be shown", exc_info=error)
        return {}


def _line(result: Result) -> str:
    what = f"{result.method}, strength {result.strength:g}" if result.method else "left as it is"
    return "; ".join((f"{result.source}: {what}", *result.notes, *result.lost))
