"""Evidence of a film: what was asked, what was done to it, and doing it again.

The bytes of H.264 and HEVC depend on how many threads encode them, so evidence is encoded by one; and not
gone on with after a stop, for two parts encoded one after the other are not one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.environment import environment
from daybreak.enhancing.evidence import check_repeatable
from daybreak.enhancing.manifest import FilmAsked, FilmChoice, FilmEntry, FilmRan, fact_of, now
from daybreak.enhancing.operations import Operation
from daybreak.enhancing.verify import Verdict, as_then, changed_environment, changed_file, verdict
from daybreak.enhancing.video.encoder import plan_encoding
from daybreak.enhancing.video.mux import wanted_codec
from daybreak.enhancing.video.options import VideoOptions, VideoResult
from daybreak.enhancing.video.run import enhance_video
from daybreak.enhancing.video.source import Film
from daybreak.errors import BadSetting, DaybreakError
from daybreak.text import counted
from daybreak.types import Array

THREADS = 1
_REPEATED = {"codec", "quality", "speed", "start", "end", "denoise", "steady"}
"""The options that decide what a film's result is; `VideoOptions` and `FilmAsked` both have them."""


def repeatable(enhancer: Enhancer, options: VideoOptions) -> VideoOptions:
    """The options with which the same film comes out every time.

    Raises:
        BadSetting: what cannot be repeated is asked for.
    """
    check_repeatable(enhancer, None)
    if options.resume:
        raise BadSetting(
            "evidence with --resume: two parts encoded one after the other are not what one run makes",
            "one of the two",
        )
    return replace(options, threads=THREADS)


def film_entry(enhancer: Enhancer, options: VideoOptions, result: VideoResult) -> FilmEntry:
    """What is to be said of a film that was enhanced with `repeatable` options.

    Raises:
        OSError: one of the files cannot be read.
    """
    asked = FilmAsked(
        method=enhancer.method.card.name,
        settings=enhancer.settings.model_dump(mode="json"),
        strength=enhancer.strength,
        exposure=enhancer.exposure,
        threads=THREADS,
        **{name: getattr(options, name) for name in _REPEATED},
    )
    ran = FilmRan(
        method=result.method,
        weights_sha256=enhancer.method.card.weights_sha256,
        note=result.note,
        frames=result.frames,
        broken=result.broken,
        notes=list(result.notes),
        choices=[FilmChoice(**asdict(choice)) for choice in result.choices],
    )
    return FilmEntry(
        made=now(),
        input=fact_of(result.source),
        output=fact_of(result.target),
        asked=asked,
        ran=ran,
        operations=_operations(enhancer, options, result),
        environment=environment(),
    )


def _operations(enhancer: Enhancer, options: VideoOptions, result: VideoResult) -> list[Operation]:
    """Every one in order, as `daybreak.enhancing.operations` has them for a picture."""
    about = Film(result.source).about
    scale = int(getattr(enhancer.settings, "upscale", enhancer.method.card.scale))
    codec = wanted_codec(options.codec, result.target)
    encoding, _ = plan_encoding(about, scale, codec, options.quality, options.speed)
    amount: Operation = {"operation": "strength", "s": enhancer.strength}
    if enhancer.exposure is not None:
        amount = {"operation": "exposure", "ev": enhancer.exposure}
    steps: list[Operation] = [
        {
            "operation": "decode",
            "decoder": "FFmpeg",
            "codec": about.codec,
            "format": about.format,
            "width": about.width,
            "height": about.height,
            "start": options.start,
            "end": options.end,
        },
        {"operation": "to RGB", "colors": str(about.colors)},
        {"operation": "HDR up to white as sRGB", "white": "203 cd/m² of PQ, 0.75 of HLG"},
        {"operation": "average over time", "frames": options.denoise},
        {
            "operation": "method",
            "name": enhancer.method.card.name,
            "settings": enhancer.settings.model_dump(mode="json"),
            "weights_sha256": enhancer.method.card.weights_sha256,
            **({"engine": enhancer.method.engine} if enhancer.method.engine else {}),
            "by frame": "an automatic method decides anew for each: see `choices`",
        },
        amount,
        {"operation": "hold steady over time", "seconds": options.steady},
        {"operation": "back to HDR", "highlights": "as many times brighter than white as they were"},
        {
            "operation": "encode",
            "encoder": encoding.encoder,
            "format": encoding.format,
            "width": encoding.width,
            "height": encoding.height,
            "options": encoding.options(),
            "threads": THREADS,
        },
        {"operation": "copy what lies beside the picture", "container": result.target.suffix.lower()},
    ]
    kept = {
        "average over time": options.denoise > 1.0,
        "hold steady over time": options.steady > 0.0,
        "HDR up to white as sRGB": about.colors.hdr,
        "back to HDR": about.colors.hdr,
    }
    return [step for step in steps if kept.get(step["operation"], True)]


def verify_film(entry: FilmEntry, folder: Path) -> Verdict:
    """Look at both files, make the film again in a temporary folder, and compare.

    Args:
        entry: of a manifest.
        folder: that the manifest lies in.
    """
    source, target = folder / entry.input.path, folder / entry.output.path
    changed = changed_environment(entry)
    other_input = changed_file(source, entry.input, "input")
    findings = [*other_input, *changed_file(target, entry.output, "output")]
    if other_input:
        findings.append("so the film could not be made again")
    else:
        with as_then(entry):
            findings += _made_again(entry, source, target)
    return verdict(source, target, findings, changed)


def _made_again(entry: FilmEntry, source: Path, target: Path) -> list[str]:
    asked = entry.asked
    options = VideoOptions(**asked.model_dump(include=_REPEATED))
    try:
        enhancer = Enhancer(asked.method, strength=asked.strength, exposure=asked.exposure, **asked.settings)
        with TemporaryDirectory(prefix="daybreak-") as room:
            again = Path(room) / f"again{target.suffix}"
            result = enhance_video(source, again, enhancer, repeatable(enhancer, options))
            new = film_entry(enhancer, options, result)
            return [*_compared(entry, new), *_films_apart(new, target, again)]
    except DaybreakError as error:
        return [f"the film cannot be made again: {error}"]


def _compared(entry: FilmEntry, new: FilmEntry) -> list[str]:
    """Where the manifest and a new one are not the same."""
    findings = []
    if new.ran != entry.ran:
        findings.append(
            "the manifest tells another method or choice, other weights, or other frames than what ran now"
        )
    if new.operations != entry.operations:
        findings.append("the manifest's operations are not those of now")
    if new.output.sha256 != entry.output.sha256:
        findings.append("made again, the film has other bytes than the manifest says")
    return findings


def _films_apart(new: FilmEntry, target: Path, again: Path) -> list[str]:
    """How far the film that lies there is from the one made again; nothing where it is the same."""
    try:
        if fact_of(target).sha256 == new.output.sha256:
            return []
        return [f"the output against the film made again: {frames_apart(target, again)}"]
    except OSError:  # told already
        return []
    except DaybreakError as error:
        return [f"the output is no readable film any more ({error})"]


def frames_apart(one: Path, other: Path) -> str:
    """How far the pictures of two films are apart, in a clause.

    Raises:
        UnreadablePicture: one of them is no film.
    """
    frames = differ = most = 0
    for first, second in zip_longest(_frames(one), _frames(other)):
        frames += 1
        if first is None or second is None or first.shape != second.shape:
            return f"from frame {frames} on, one has frames of another size, or none"
        apart = int(cv2.absdiff(first, second).max())
        differ, most = differ + (apart > 0), max(most, apart)
    if not differ:
        return "every frame is the same; what differs lies beside the picture, or in how it is packed"
    return f"{differ:,} of {counted(frames, 'frame')} differ, by at most {counted(most, 'level')}"


def _frames(path: Path) -> Iterator[Array]:
    film = Film(path)
    for shot in film.frames(film.about.begins, None):
        yield np.ascontiguousarray(shot.levels.whole if shot.hdr is None else shot.hdr)
