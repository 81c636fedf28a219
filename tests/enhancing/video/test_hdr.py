"""HDR levels as a plain picture and back, and a film in PQ whose highlights stay where they were."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest

from daybreak.enhancing.enhancer import Enhancer
from daybreak.image.rows import Levels

pytest.importorskip("daybreak.enhancing.video", reason="the extra [video] is not installed")
from daybreak.enhancing import video
from daybreak.enhancing.video.hdr import HLG, PQ, put_back, shown_levels


def gray(*signals):
    """One row of grays of an HDR signal in [0, 1], as 16-bit levels."""
    levels = np.rint(65535 * np.array(signals)).astype(np.uint16)
    return np.repeat(levels[np.newaxis, :, np.newaxis], 3, axis=2)


def srgb(light):
    """By IEC 61966-2-1."""
    return 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055


@pytest.mark.parametrize(
    ("transfer", "signal", "light"),
    [
        # BT.2408, table 1: PQ 0.58 and HLG 0.75 are 203 cd/m²; PQ 0.38 and HLG 0.38 an 18 % gray of 26
        (PQ, 0.5807, 1.0),
        (PQ, 0.3795, 26 / 203),
        (HLG, 0.75, 1.0),
        (HLG, 0.38, 26 / 203),
        (PQ, 0.7518, 1.0),  # 1,000 cd/m², cut
        (HLG, 1.0, 1.0),
        (PQ, 0.0, 0.0),
        (HLG, 0.0, 0.0),
    ],
)
def test_a_method_is_given_the_light_up_to_white(transfer, signal, light):
    shown = shown_levels(Levels(gray(signal), 65535), transfer)
    assert shown.peak == 65535
    assert shown.whole[0, 0] / 65535 == pytest.approx([srgb(light)] * 3, abs=0.004)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_what_a_method_leaves_alone_comes_back(transfer):
    before = gray(*(np.arange(1024) / 1023))
    shown = shown_levels(Levels(before, 65535), transfer).whole
    back = put_back(shown, before, transfer)
    apart = np.abs(back.astype(int) - before) / 65535 * 1023  # in levels of 10 bits
    assert apart[:, 60:].max() < 0.5  # to the bit
    assert apart.max() < 7  # where 16 bits of sRGB are coarser than PQ: below 0.001 cd/m²


def pq(nits):
    """The signal of a light by ST 2084's inverse EOTF, which daybreak does not compute."""
    power = (nits / 10_000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def test_a_highlight_stays_as_many_times_brighter_than_white():
    assert [pq(100), pq(1000), pq(10_000)] == pytest.approx([0.5081, 0.7518, 1.0], abs=1e-4)  # as published
    before = gray(pq(203), pq(1000), pq(10_000))
    half = np.full(before.shape, round(65535 * srgb(0.5)), np.uint16)  # as if white were half as bright
    made = put_back(half, before, PQ)[0, :, 0] / 65535
    assert made == pytest.approx([pq(101.5), pq(500), pq(5000)], abs=1e-4)
    white = put_back(np.full_like(half, 65535), before, PQ)
    assert np.abs(white.astype(int) - before).max() <= 2


def test_a_larger_result_takes_each_level_as_often():
    before = gray(0.3, 0.9).repeat(2, axis=0)
    made = shown_levels(Levels(before, 65535), PQ).whole.repeat(2, axis=0).repeat(2, axis=1)
    assert np.array_equal(
        put_back(made, before, PQ), put_back(made[::2, ::2], before, PQ).repeat(2, 0).repeat(2, 1)
    )


def planes(path):
    """The luma of every frame as 10-bit levels, by ffmpeg."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "yuv420p10le", "-"]
    data = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    return np.frombuffer(data, np.uint16).reshape(-1, 96 * 64)[:, : 64 * 64].reshape(-1, 64, 64)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_a_film_in_hdr_gets_brighter_in_the_dark_alone(transfer, tools, tmp_path):
    source, out = tmp_path / "in.mkv", tmp_path / "out.mkv"
    # three bars: 0.25 of the signal, then 0.45, then 0.9, which is a lamp on both scales
    bars = "geq=lum='if(lt(X,21),283,if(lt(X,42),458,852))':cb=512:cr=512"
    told = f"log-level=none:transfer={transfer}:colorprim=bt2020:colormatrix=bt2020nc"
    tools.ffmpeg(
        *("-f", "lavfi", "-i", f"color=black:s=64x64:r=25:d=0.4,format=yuv420p10le,{bars}"),
        *("-c:v", "libx265", "-x265-params", told, "-crf", "4", source),
    )
    result = video.enhance_video(source, out, Enhancer("gamma"), video.VideoOptions(quality=100))
    stream = tools.ffprobe(out)["streams"][0]
    assert (stream["color_transfer"], stream["color_primaries"]) == (transfer, "bt2020")
    assert (stream["color_space"], stream["pix_fmt"]) == ("bt2020nc", "yuv420p10le")
    assert any("HDR" in note for note in result.notes)
    before, after = planes(source)[4], planes(out)[4]
    dark, middle, lamp = slice(4, 17), slice(26, 38), slice(48, 60)
    assert after[:, dark].mean() > before[:, dark].mean() + 60
    assert before[:, middle].mean() + 20 < after[:, middle].mean() < 64 + 876 * 0.75
    assert after[:, lamp].mean() == pytest.approx(before[:, lamp].mean(), abs=4)
