"""The new picture and everything that was beside the old one, in one file."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from daybreak.enhancing.video.clock import FollowingClock, Jump, move
from daybreak.enhancing.video.encoder import Encoding
from daybreak.enhancing.video.options import Codec, check_stop
from daybreak.enhancing.video.packets import Entry, PacketLog, decoding_times
from daybreak.enhancing.video.priority import usual_priority
from daybreak.enhancing.video.source import ATTACHED, About, any_start, open_film
from daybreak.errors import BadSetting, UnwritablePicture
from daybreak.image.paths import shown

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
_MADE_ANEW = {"major_brand", "minor_version", "compatible_brands", "encoder", "duration"}
_MUST = ("audio", "subtitle")
_TWICE = 1 << 17  # AVFMT_TS_NONSTRICT, of a format: packets of one stream may have one time


def container_of(target: Path, codec: str) -> str:
    """FFmpeg's name of the container that a suffix stands for.

    Raises:
        BadSetting: another suffix, or a container that cannot hold the codec.
    """
    name = CONTAINERS.get(target.suffix.lower())
    if name is None:
        endings = f"one that ends in {', '.join(CONTAINERS)}"
        raise BadSetting(f"{shown(target)} is no name of a video", endings)
    if (name == "webm") != (codec == "av1") and name in ("webm", "mov"):  # QuickTime's knows no AV1
        came = f"{shown(target)} cannot hold {codec}"
        other = "Type --codec av1, or a name that ends in .mkv"
        raise BadSetting(came, hint=other if name == "webm" else "Give a name that ends in .mp4 or .mkv")
    return name


def wanted_codec(asked: Codec | None, target: Path) -> Codec | None:
    """What was asked for; where nothing was, AV1 for WebM, which holds no other of ours."""
    return "av1" if asked is None and target.suffix.lower() == ".webm" else asked


def what_fits(about: About, container: str) -> tuple[list[int], list[str]]:
    """Which streams beside the picture the container can hold, and a line about each that is left out.

    Raises:
        UnwritablePicture: it cannot hold the sound or the subtitles.
    """
    fitting, left_out = [], []
    with open_film(about.path) as film:
        chapters = bool(film.chapters())
        for stream in film.streams:
            if stream.index == about.index or _made_anew(stream, chapters):
                continue
            name = getattr(stream, "name", None) or "unknown"
            if _holds(container, stream):
                fitting.append(stream.index)
            elif stream.type in _MUST:
                came = f"{container} cannot hold {stream.type} stream {stream.index} ({name})"
                must = [one for one in film.streams if one.type in _MUST]
                raise UnwritablePicture(came, hint=_way_out(must, stream))
            else:
                left_out.append(
                    f"{stream.type} stream {stream.index} ({name}) was left out: {container} holds none"
                )
    return fitting, left_out


def _way_out(must: list[Stream], stream: Stream) -> str:
    """What to do where a container cannot hold a stream: one that holds all that must be, or go without."""
    for suffix in (".mkv", ".mp4", ".mov"):
        if all(_holds(CONTAINERS[suffix], one) for one in must):
            return f"Give a name that ends in {suffix}"
    return f"Leave it out first: ffmpeg -i IN -map 0 -map -0:{stream.index} -c copy OUT"


def _made_anew(stream: Stream, chapters: bool) -> bool:
    """Whether a data stream only says again what the chapters or the picture's tags say already."""
    if stream.type != "data":
        return False
    return "timecode" in stream.metadata or (chapters and _is_chapter_track(stream))


def _is_chapter_track(stream: Stream) -> bool:
    name = stream.metadata.get("handler_name", "")
    return getattr(stream, "name", None) == "bin_data" and name.startswith("Subtitle")


def _holds(container: str, stream: Stream) -> bool:
    """Whether a container takes a stream; asked by beginning such a file in memory."""
    out = av.open(io.BytesIO(), "w", format=container)
    try:
        _copy_of(out, stream)
        out.start_encoding()
        out.close()
    except (FFmpegError, ValueError):
        return False
    return True


def _copy_of(out: OutputContainer, stream: Stream) -> Stream:
    made = cast(Any, out).add_stream_from_template(stream, opaque=True)
    made.metadata.update(stream.metadata)
    made.disposition = stream.disposition
    return cast(Stream, made)


def mux(
    log: PacketLog,
    encoding: Encoding,
    about: About,
    hidden: Path,
    container: str,
    streams: list[int],
    span: tuple[int, int | None],
    cut: bool,
    jumps: list[Jump],
    stop: Callable[[], bool] | None = None,
) -> int:
    """Write the file.

    Args:
        log: the new picture.
        encoding: what its encoder was told.
        about: the source, whose other streams, chapters and tags are copied.
        hidden: where to.
        container: from `container_of`.
        streams: from `what_fits`.
        span: start and end in units of the picture's time base.
        cut: whether it is a part, which then begins at 0.
        jumps: of the source's clock.
        stop: asked before each packet.

    Returns:
        How many frames the picture has.

    Raises:
        Stopped: `stop` said so.
    """
    entries = log.entries()
    finish = span[1] * about.time_base if cut and span[1] is not None else None
    whole = str(hidden.absolute())  # as in `open_film`
    with (
        open_film(about.path) as film,
        av.open(whole, "w", format=container, options=_options(container)) as out,
    ):
        zero = min((entry.pts for entry in entries), default=0) * about.time_base if cut else _zero(film)
        part = _Part(zero, cut, finish)
        out.metadata.update(_kept(film.metadata))
        copies: dict[int, Stream] = {}
        picture: VideoStream | None = None
        for stream in film.streams:
            if stream.index == about.index:
                picture = _picture(out, encoding, about)
                picture.metadata.update(_kept(stream.metadata))
                cast(Any, picture).disposition = stream.disposition
            elif stream.index in streams:
                copies[stream.index] = _copy_of(out, stream)
        assert picture is not None
        out.set_chapters(_chapters(film.chapters(), part))
        with usual_priority():  # which opens the encoder once more, to write down how it encodes
            out.start_encoding()
        others = _beside(film, copies, part, jumps, twice=bool(out.format.flags & _TWICE))
        for packet in _merged(_shown(log, entries, picture, about, part), others):
            check_stop(stop)
            out.mux_one(packet)
    return len(entries)


def _options(container: str) -> dict[str, str]:
    """What FFmpeg is told of the file. Matroska would number it and its tracks at random."""
    return {"movflags": "+faststart"} if container in ("mp4", "mov") else {"fflags": "+bitexact"}


@dataclass(frozen=True)
class _Part:
    """What of the source is in the result.

    Attributes:
        zero: seconds of the source at which the result begins to count.
        cut: what lies before that is left out.
        finish: seconds of the source from which on all is left out; None for nothing.
    """

    zero: Fraction
    cut: bool
    finish: Fraction | None

    def shift(self, time_base: Fraction) -> int:
        """What is taken off every time, in units."""
        return round(self.zero / time_base)


def _zero(film: InputContainer) -> Fraction:
    """Where the time of a whole film begins: MPEG streams begin anywhere, and no player counts that."""
    return Fraction(film.start_time or 0, av.time_base) if any_start(film) else Fraction(0)


def _kept(tags: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in tags.items() if name.lower() not in _MADE_ANEW}


def _picture(out: OutputContainer, encoding: Encoding, about: About) -> VideoStream:
    stream = cast(VideoStream, out.add_stream(encoding.encoder, rate=encoding.rate))
    encoding.apply(stream.codec_context)
    cast(Any, stream).time_base = encoding.time_base
    if encoding.codec == "hevc" and out.format.name in ("mp4", "mov"):
        stream.codec_context.codec_tag = "hvc1"  # the tag that Apple's players know
    if about.matrix is not None:
        stream.set_display_matrix(about.matrix)
    return stream


def _shown(
    log: PacketLog, entries: list[Entry], stream: VideoStream, about: About, part: _Part
) -> Iterator[Packet[Any]]:
    """The picture's packets, stamped."""
    shift = part.shift(about.time_base)
    times = decoding_times([entry.pts for entry in entries])
    if entries and about.length is not None and not part.cut:  # MP4 counts a length by times of decoding
        rest = about.length - (times[-1] - times[0])
        if 0 < rest <= 4 * about.frame_units:
            entries = [*entries[:-1], entries[-1]._replace(duration=rest)]
    for entry, dts in zip(entries, times, strict=True):
        packet = log.packet(entry)
        packet.pts, packet.dts, packet.time_base = entry.pts - shift, dts - shift, about.time_base
        packet.stream = stream
        yield packet


def _beside(
    film: InputContainer, copies: dict[int, Stream], part: _Part, jumps: list[Jump], *, twice: bool
) -> Iterator[Packet[Any]]:
    """The packets of the other streams, as they are; of a part those that belong to it, moved with it.

    Args:
        film, part, jumps: of the source.
        copies: the streams that they go to, by the source's index.
        twice: whether the file takes two packets of one time in a stream.
    """
    if not copies:
        return
    last: dict[int, int] = {}
    sparse = {index: film.streams[index].type not in ("audio", "video") for index in copies}
    clocks = {index: FollowingClock(jumps, sparse=sparse[index]) for index in copies}
    packets = film.demux(*(film.streams[index] for index in copies))
    while True:
        try:
            packet = next(packets, None)
        except FFmpegError:  # a hole in the file; the picture ended there too
            return
        if packet is None:
            return
        if packet.size == 0:
            continue
        index = packet.stream_index
        if film.streams[index].disposition & ATTACHED:
            packet.pts = packet.dts = 0  # a cover picture has no time
        elif packet.pts is None and packet.dts is None:
            continue
        else:
            clocks[index](packet)
            kind = film.streams[index].type
            if part.cut and not _belongs(packet, part, kind):
                continue
            if part.cut and kind == "subtitle":
                _trim(packet, part)
            move(packet, -part.shift(packet.time_base))
        _in_order(packet, last, 0 if twice or sparse[index] else 1)
        packet.stream = copies[index]
        yield packet


def _belongs(packet: Packet[Any], part: _Part, kind: str) -> bool:
    """Whether a packet lies in the part; of a subtitle, any of the time that it is shown."""
    at = packet.pts if packet.pts is not None else packet.dts
    assert at is not None
    until = at + (packet.duration or 0) if kind == "subtitle" else at
    if until * packet.time_base < part.zero or (at < until and until * packet.time_base == part.zero):
        return False
    return part.finish is None or at * packet.time_base < part.finish


def _trim(packet: Packet[Any], part: _Part) -> None:
    """Have a subtitle begin and end within the part: a file is as long as the longest that lies in it."""
    if packet.pts is None or not packet.duration:
        return
    begin, end = packet.pts, packet.pts + packet.duration
    begin = max(begin, math.ceil(part.zero / packet.time_base))
    if part.finish is not None:
        end = min(end, math.floor(part.finish / packet.time_base))
    packet.pts, packet.dts, packet.duration = begin, begin, max(end - begin, 1)


def _in_order(packet: Packet[Any], last: dict[int, int], step: int) -> None:
    """Give a copied packet a time of decoding that is `step` after the last one's: no file takes others."""
    index = packet.stream_index
    dts = packet.dts if packet.dts is not None else packet.pts
    assert dts is not None
    packet.dts = last[index] = max(dts, last.get(index, dts - step) + step)
    if packet.pts is not None:
        packet.pts = max(packet.pts, packet.dts)


def _merged(first: Iterator[Packet[Any]], second: Iterator[Packet[Any]]) -> Iterator[Packet[Any]]:
    """Two streams of packets by their time of decoding, each in its own order."""
    heads = [next(first, None), next(second, None)]
    sources = [first, second]
    while any(head is not None for head in heads):
        times = [_time(head) for head in heads]
        chosen = 0 if times[0] <= times[1] else 1
        head = heads[chosen]
        assert head is not None
        yield head
        heads[chosen] = next(sources[chosen], None)


def _time(packet: Packet[Any] | None) -> float:
    if packet is None:
        return float("inf")
    at = packet.dts if packet.dts is not None else packet.pts
    return float((at or 0) * packet.time_base)


def _chapters(chapters: list[Any], part: _Part) -> list[Any]:
    """Those of the part, in its time."""
    if not part.cut:
        return chapters
    kept = []
    for chapter in chapters:
        base = chapter["time_base"]
        moved = part.shift(base)
        start = max(chapter["start"], moved)
        end = chapter["end"] if part.finish is None else min(chapter["end"], round(part.finish / base))
        if end > start:
            kept.append({**chapter, "start": start - moved, "end": end - moved})
    return kept
