"""Tiny clips, made once, and what ffprobe says of a file."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

DARK = "eq=brightness=-0.35:contrast=0.4,noise=alls=6:allf=t:all_seed=1"
UNEVEN = "settb=1/1000,setpts='(N*40+if(gt(mod(N\\,5)\\,2)\\,17\\,0))'"  # a variable frame rate
SUBTITLES = "1\n00:00:00,100 --> 00:00:00,600\nhello\n\n2\n00:00:00,700 --> 00:00:01,000\nworld\n"
TAGS = (
    ";FFMETADATA1\ntitle=Night walk\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=One\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=500\nEND=1200\ntitle=Two\n"
)
CODECS = {
    "h264": ("libx264", ".mp4"),
    "hevc": ("libx265", ".mp4"),
    "vp9": ("libvpx-vp9", ".webm"),
    "av1": ("libsvtav1", ".mkv"),
    "mjpeg": ("mjpeg", ".avi"),
}


def ffmpeg(*arguments: object, **options) -> subprocess.CompletedProcess[bytes]:
    command = ["ffmpeg", "-v", "error", "-y", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, timeout=120, **options)


def ffprobe(path: Path) -> dict:
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_chapters", "-show_format", "-of", "json"]
    done = subprocess.run([*command, str(path)], check=True, capture_output=True, text=True, timeout=60)
    return json.loads(done.stdout)


def times(path: Path, stream: str = "v:0") -> list[str]:
    """When each frame is shown, by ffprobe."""
    command = ["ffprobe", "-v", "error", "-select_streams", stream, "-show_entries", "frame=pts_time"]
    done = subprocess.run([*command, "-of", "csv=p=0", str(path)], check=True, capture_output=True, text=True)
    return [line.strip(",") for line in done.stdout.split()]


def sums(path: Path, kind: str) -> list[str]:
    """A checksum of the packets of each stream of a kind, and for sound of what they decode to."""
    made = []
    for how in (("-c", "copy"), ())[: 2 if kind == "a" else 1]:
        done = ffmpeg("-i", path, "-map", f"0:{kind}", *how, "-f", "streamhash", "-hash", "md5", "-")
        made += done.stdout.decode().split()
    return made


class Tools:
    """The functions above, for tests that cannot import this file."""

    CODECS = CODECS
    DARK = DARK
    ffmpeg = staticmethod(ffmpeg)
    ffprobe = staticmethod(ffprobe)
    times = staticmethod(times)
    sums = staticmethod(sums)


@pytest.fixture(scope="session")
def tools() -> type[Tools]:
    if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
        pytest.skip("there is no ffmpeg to make clips with")
    pytest.importorskip("av", reason="the extra [video] is not installed")
    return Tools


@pytest.fixture(scope="session")
def full(tools, tmp_path_factory) -> Path:
    """H.264 at uneven times, turned, two sounds, subtitles, chapters, a title, BT.709 tags."""
    folder = tmp_path_factory.mktemp("full")
    (folder / "s.srt").write_text(SUBTITLES)
    (folder / "tags.txt").write_text(TAGS)
    plain, path = folder / "plain.mp4", folder / "full.mp4"
    tags = [f"-{tag}" for tag in ("colorspace", "color_primaries", "color_trc")]
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=s=64x48:r=25:d=1.2,{DARK},{UNEVEN}"),
        *("-f", "lavfi", "-i", "sine=440:d=1.2", "-f", "lavfi", "-i", "sine=880:d=1.2"),
        *("-i", folder / "s.srt", "-i", folder / "tags.txt"),
        *("-map", "0", "-map", "1", "-map", "2", "-map", "3", "-map_metadata", "4", "-map_chapters", "4"),
        *("-fps_mode", "passthrough", "-enc_time_base", "1/1000", "-video_track_timescale", "16000"),
        *("-c:v", "libx264", "-pix_fmt", "yuv420p", "-color_range", "tv"),
        *(word for tag in tags for word in (tag, "bt709")),
        *("-c:a", "aac", "-c:s", "mov_text", "-metadata:s:a:0", "language=eng"),
        *("-metadata:s:a:1", "language=deu", "-disposition:a:1", "0", plain),
    )
    ffmpeg(
        *("-i", plain, "-map", "0:v", "-map", "0:a", "-map", "0:s", "-metadata:s:v:0", "rotate=90"),
        *("-c", "copy", path),
    )
    return path


@pytest.fixture(scope="session")
def clips(tools, tmp_path_factory):
    """name -> a dark clip of 20 frames: a codec, or "ten" for 10 bits, "odd" for odd sides."""
    folder = tmp_path_factory.mktemp("clips")

    def clip(name: str) -> Path:
        codec, suffix = CODECS.get(name, ("libx265" if name == "ten" else "libvpx-vp9", ".mkv"))
        path = folder / (name + suffix)
        if not path.exists():
            size = "63x49" if name == "odd" else "64x64"
            more = ("-x265-params", "log-level=none") if codec == "libx265" else ()
            format = {"ten": "yuv420p10le", "mjpeg": "yuvj420p"}.get(name, "yuv420p")
            source = f"testsrc2=s={size}:r=25:d=0.8,{DARK}"
            if name == "odd":  # what makes a clip dark halves the planes first
                source = f"testsrc=s={size}:r=25:d=0.8"
            ffmpeg("-f", "lavfi", "-i", source, "-pix_fmt", format, "-c:v", codec, *more, path)
        return path

    return clip
