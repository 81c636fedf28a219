"""A job of one film; every frame enhanced, sound and subtitles copied, gone on with after a restart.

With evidence it begins anew then: two parts encoded one after the other are not what one run makes. So does
one that another version began.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from daybreak.enhancing.manifest import FilmEntry, manifest_bytes, named
from daybreak.errors import BadSetting, OutputExists, PictureTooLarge, UnreadablePicture, UnwritablePicture
from daybreak.files import whole_file
from daybreak.image.paths import shown
from daybreak.serving.archive import EVIDENCE, marked_name
from daybreak.serving.asking import Asked
from daybreak.serving.limits import Limits
from daybreak.stopping import asking

_CONTAINERS = (
    (4, b"ftyp", "mov"),
    (4, b"moov", "mov"),
    (4, b"mdat", "mov"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (8, b"AVI ", "avi"),
    (0, b"\x00\x00\x01\xba", "mpeg"),
    (0, b"\x47", "mpegts"),
    (4, b"\x47", "mpegts"),
    (0, b"OggS", "ogg"),
)
"""(where, what, whose): how the containers begin that are taken, by FFmpeg's names."""


def container(path: Path) -> str:
    """The container of a film, by its first bytes, as FFmpeg calls it; "" for anything else.

    FFmpeg would read playlists and lists of files too, and open what they name: no such file is shown to it.
    """
    with path.open("rb") as file:
        start = file.read(16)
    return next((name for at, sign, name in _CONTAINERS if start[at:].startswith(sign)), "")


@contextmanager
def as_sent(name: str, *paths: Path) -> Iterator[None]:
    """Tell what is wrong with a film by the name that people know it by.

    Args:
        name: of the film.
        paths: where it and what is made of it lie here; advice that names one is left out.
    """
    try:
        yield
    except (UnreadablePicture, UnwritablePicture, OutputExists) as error:
        came, hint = error.came, error.hint
        for path in paths:
            came = came.replace(shown(path), name)
            hint = "" if shown(path) in hint else hint
        raise type(error)(came, error.expected, hint) from error


def check_film(path: Path, name: str, asked: Asked, limits: Limits) -> None:
    """Refuse what is no film, or too large a one.

    Raises:
        BadSetting: a format of pictures was asked for.
        UnreadablePicture: it is no film.
        PictureTooLarge: its frames have more pixels than are allowed.
        MissingExtra: the extra `video` is not installed.
    """
    if asked.output.format is not None or asked.output.bit_depth is not None:
        raise BadSetting("a format or bit depth for a film", "none: it keeps its own")
    if not (format := container(path)):
        raise UnreadablePicture(f"{name} is no video", "MP4, MOV, MKV, WebM, AVI, MPEG or Ogg")
    from daybreak.enhancing.video.source import Film, open_film

    with as_sent(name, path):
        open_film(path, format).close()  # a list of files may begin so too, and FFmpeg finds it all the same
        about = Film(path).about
    if about.width * about.height > limits.pixels:
        raise PictureTooLarge(
            f"{name} has frames of {about.width}x{about.height} pixels",
            f"at most {limits.pixels / 1e6:,.0f} million",
        )


def run_film(
    inputs: Sequence[Path],
    names: Sequence[str],
    outputs: Path,
    result: Path,
    asked: Asked,
    limits: Limits,
    progress: Callable[[int, int, int, int], None],
) -> None:
    """Make the film.

    Args:
        inputs, names: one of each.
        outputs: folder for what is done so far.
        result: the film: MP4 for MP4 and MOV, else Matroska; with evidence, a zip of it and its manifest.
        asked: what to do with each frame.
        limits: of the server.
        progress: is told (frames done, 0, frames in all, bytes made so far); may raise to stop the work, as
            `stoppable` does, also while the film is put together.
    """
    check_film(inputs[0], names[0], asked, limits)
    from daybreak.enhancing.video import Progress, VideoOptions, enhance_video
    from daybreak.enhancing.video.evidence import film_entry, repeatable
    from daybreak.enhancing.video.packets import log_path

    target = outputs / ("film.mp4" if container(inputs[0]) == "mov" else "film.mkv")

    def told(now: Progress) -> None:
        made = sum(path.stat().st_size for path in outputs.iterdir())
        progress(now.frames, 0, max(now.total or 0, now.frames), made)

    evidence = asked.output.evidence
    options = VideoOptions(quality=asked.output.quality, resume=not evidence, overwrite=True)
    if evidence:
        options = repeatable(asked.enhancer, options)
    make = partial(enhance_video, inputs[0], target, asked.enhancer, options, progress=told, stop=asking())
    log = log_path(target)
    with as_sent(names[0], inputs[0], target, log):
        try:
            made = make()
        except OutputExists:  # half done by another version
            log.unlink(missing_ok=True)
            made = make()
    if not evidence:
        target.replace(result)
        return
    _pack(target, names[0], film_entry(asked.enhancer, options, made), result)


def _pack(film: Path, name: str, entry: FilmEntry, result: Path) -> None:
    """A zip of a film and its manifest, to lie beside the original, which has that name."""
    called = marked_name(name, film.suffix)
    with (
        whole_file(result, overwrite=True) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive,  # films are compressed already
    ):
        archive.write(film, called)
        archive.writestr(EVIDENCE, manifest_bytes(films=[named(entry, name, called)]))
