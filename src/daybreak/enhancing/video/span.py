"""Which part of a film is asked for, and how long it ought to be."""

from __future__ import annotations

from daybreak.enhancing.video.options import VideoOptions
from daybreak.enhancing.video.source import About
from daybreak.errors import BadSetting

_SHORT = (0.5, 0.05)  # s, and a share of the whole: a picture that ends so much early was cut off


def span_of(about: About, options: VideoOptions) -> tuple[int, int | None]:
    """Start and end in units of the time base.

    Raises:
        BadSetting: the film is over before the start.
    """
    start = about.begins + round(options.start / about.time_base)
    if about.frames is not None and options.start * float(about.rate) >= about.frames:
        length = about.frames / float(about.rate)
        raise BadSetting(f"start {options.start:g} s in a film of {length:.1f} s", "a start before its end")
    end = None if options.end is None else about.begins + round(options.end / about.time_base)
    return start, end


def expected_frames(about: About, options: VideoOptions) -> int | None:
    """How many frames the result will have, by the file's word."""
    if about.frames is None:
        return None if options.end is None else round((options.end - options.start) * about.rate)
    left = about.frames - round(options.start * about.rate)
    if options.end is not None:
        left = min(left, round((options.end - options.start) * about.rate))
    return max(left, 0)


def shorter(about: About, ends: int) -> list[str]:
    """What is to be said where the picture ends long before the file's own word, as of a cut recording.

    Args:
        ends: when the last frame does, in units of the time base.
    """
    if about.frames is None:
        return []
    told = float(about.frames / about.rate)
    found = float((ends - about.begins) * about.time_base)
    if told - found <= max(_SHORT[0], _SHORT[1] * told):
        return []
    return [f"the picture ends after {found:.1f} s of the {told:.1f} s that the file tells of"]
