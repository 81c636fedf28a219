"""What can be asked of a video run, and what it tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from daybreak.enhancing.video.denoise import MOST
from daybreak.enhancing.video.steady import SECONDS
from daybreak.errors import BadSetting, DaybreakError

Codec = Literal["h264", "hevc", "av1"]
Speed = Literal["fast", "medium", "slow"]


class Stopped(DaybreakError):
    """A run that was asked to stop before its end; nothing lies at the target."""


def check_stop(stop: Callable[[], bool] | None) -> None:
    """End the run where it was asked to.

    Raises:
        Stopped: it was.
    """
    if stop is not None and stop():
        raise Stopped("stopped before the end", hint="Type --resume to go on")


@dataclass(frozen=True)
class VideoOptions:
    """How a film is read and written.

    Attributes:
        codec: of the result; None keeps that of the source where it can be written, else H.264; in WebM, AV1.
        quality: 1 (small) to 100 (as the source); None for `DEFAULT_QUALITY`.
        speed: of the encoder: "fast" makes larger files, "slow" smaller ones.
        start, end: part of the film in seconds from its beginning; `end` None is all the rest. What is cut
            out begins at time 0, with everything beside the picture cut alike.
        denoise: frames' worth of averaging over time where nothing moves, 1 (off) to 32: for a camera that
            stands still.
        steady: seconds over which a method's decisions are averaged; 0 leaves each frame to itself.
        overwrite: replace the target, and what is left of another run to it.
        resume: go on with a run of the same options that was stopped or killed, and when stopped keep what is
            done for the next.
        workers: frames at the same time; None for as many as there are cores and fit into memory.
        threads: of the encoder; None for as many as the enhancer may use, or one a core. The bytes of H.264
            and HEVC depend on their number.
    """

    codec: Codec | None = None
    quality: int | None = None
    speed: Speed = "medium"
    start: float = 0.0
    end: float | None = None
    denoise: float = 1.0
    steady: float = SECONDS
    overwrite: bool = False
    resume: bool = False
    workers: int | None = None
    threads: int | None = None

    def check(self) -> None:
        """Refuse values out of their range.

        Raises:
            BadSetting: one of them is.
        """
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise BadSetting(f"quality {self.quality}", "a whole number from 1 to 100")
        if self.start < 0.0:
            raise BadSetting(f"start {self.start:g}", "seconds from the beginning, 0 or more")
        if self.end is not None and self.end <= self.start:
            raise BadSetting(f"end {self.end:g} with start {self.start:g}", "an end after the start")
        if not 1.0 <= self.denoise <= MOST:
            raise BadSetting(f"denoising over {self.denoise:g} frames", f"1 (off) to {MOST}")
        if self.steady < 0.0:
            raise BadSetting(f"steady {self.steady:g}", "seconds, 0 (off) or more")


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        frames: done so far, those of an earlier run that is gone on with included.
        total: expected, by the file's own word; None where it does not say.
        fps: frames a second in this run.
        seconds_left: None where it cannot be told.
    """

    frames: int
    total: int | None
    fps: float
    seconds_left: float | None


@dataclass(frozen=True)
class Chosen:
    """What an automatic method decided for a frame and those after it, up to the next decision.

    Attributes:
        frame: of the result, counted from 0.
        method: "" where the frame is left as it is.
        settings: of the method, as JSON values.
        strength: share of its result.
    """

    frame: int
    method: str
    settings: dict[str, Any]
    strength: float


@dataclass(frozen=True)
class VideoResult:
    """What became of a film.

    Attributes:
        source, target: files.
        frames: in the result.
        resumed: of these, taken over from an earlier run.
        codec, pixel_format: of the result: "h264", "yuv420p10le" …
        width, height: of the result, in pixels as stored (a rotation is applied by the player).
        method: that ran on the last frame ("" where it was left as it is).
        note: what an automatic method decided on the first frame.
        broken: frames or packets that could not be decoded.
        seconds: wall time.
        notes: what a person should know: what was left out, padded …
        choices: of an automatic method, for every frame of this run; none of the others.
    """

    source: Path
    target: Path
    frames: int
    resumed: int
    codec: str
    pixel_format: str
    width: int
    height: int
    method: str
    note: str
    broken: int
    seconds: float
    notes: tuple[str, ...] = ()
    choices: tuple[Chosen, ...] = ()
