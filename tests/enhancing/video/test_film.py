"""A film from file to file: nothing is lost beside the picture, and the picture keeps its times and depth."""

from __future__ import annotations

import os
import subprocess
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from daybreak.enhancing.enhancer import Enhancer
from daybreak.errors import BadSetting, OutputExists, UnreadablePicture, UnwritablePicture

video = pytest.importorskip("daybreak.enhancing.video", reason="the extra [video] is not installed")
source = pytest.importorskip("daybreak.enhancing.video.source")
Film = source.Film
GAMMA = Enhancer("gamma")


def run(source, target, enhancer=GAMMA, **options):
    return video.enhance_video(source, target, enhancer, video.VideoOptions(**options))


def decoded(path, size, format="rgb24"):
    """All frames of a file, T×H×W×3, by ffmpeg."""
    command = ["ffmpeg", "-v", "error", "-noautorotate", "-i", str(path), "-map", "0:v:0"]
    command += ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", format, "-"]
    data = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    kind = np.uint8 if format == "rgb24" else np.uint16
    return np.frombuffer(data, kind).reshape(-1, *size, 3)


def of_kind(probe, kind):
    return [stream for stream in probe["streams"] if stream["codec_type"] == kind]


def test_everything_beside_the_picture_is_kept(tools, full, tmp_path):
    out = tmp_path / "out.mp4"
    result = run(full, out)
    before, after = tools.ffprobe(full), tools.ffprobe(out)
    assert [s["codec_name"] for s in after["streams"]] == [s["codec_name"] for s in before["streams"]]
    for old, new in zip(before["streams"], after["streams"], strict=True):
        for key in ("time_base", "start_pts", "duration_ts", "nb_frames", "disposition", "width", "height"):
            assert new.get(key) == old.get(key), (old["index"], key)
        tags = dict(old.get("tags", {}))
        tags.pop("encoder", None)
        assert new.get("tags", {}) == tags
    assert after["chapters"] == before["chapters"]
    assert after["format"]["duration"] == before["format"]["duration"]
    assert after["format"]["tags"]["title"] == "Night walk"
    assert tools.sums(out, "a") == tools.sums(full, "a")
    assert len(tools.sums(full, "a")) == 4
    assert tools.sums(out, "s") == tools.sums(full, "s")
    assert result.notes == ()


def test_times_rotation_and_colour_tags_are_kept(tools, full, tmp_path):
    out = tmp_path / "out.mp4"
    run(full, out)
    assert tools.times(out) == tools.times(full)
    steps = {round(float(b) - float(a), 4) for a, b in pairwise(tools.times(full))}
    assert len(steps) > 1, "the clip is to have a variable frame rate"
    before, after = (of_kind(tools.ffprobe(path), "video")[0] for path in (full, out))
    for key in ("color_range", "color_space", "color_primaries", "color_transfer", "pix_fmt"):
        assert after[key] == before[key]
    assert before["side_data_list"][0]["rotation"] == 90
    assert after["side_data_list"] == before["side_data_list"]


@pytest.mark.parametrize("name", ["h264", "hevc", "vp9", "av1", "mjpeg"])
def test_every_codec_is_read(name, tools, clips, tmp_path):
    source, out = clips(name), tmp_path / "out.mkv"
    result = run(source, out)
    assert result.codec == {"hevc": "hevc", "av1": "av1"}.get(name, "h264")
    assert tools.times(out) == pytest.approx([]) or len(tools.times(out)) == len(tools.times(source)) == 20
    before, after = decoded(source, (64, 64)), decoded(out, (64, 64))
    assert after.mean() > 1.5 * before.mean()


def test_webm_gets_av1_where_no_codec_was_asked_for(clips, tools, tmp_path):
    result = run(clips("vp9"), tmp_path / "out.webm", speed="fast")
    assert result.codec == "av1"
    assert tools.ffprobe(tmp_path / "out.webm")["format"]["format_name"] == "matroska,webm"
    with pytest.raises(BadSetting, match="cannot hold h264"):
        run(clips("vp9"), tmp_path / "other.webm", codec="h264")


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_every_codec_is_written_and_ten_bits_stay_ten(codec, tools, clips, tmp_path):
    out = tmp_path / "out.mp4"
    result = run(clips("ten"), out, codec=codec, speed="fast")
    stream = of_kind(tools.ffprobe(out), "video")[0]
    assert (stream["codec_name"], stream["pix_fmt"]) == (codec, "yuv420p10le")
    assert (result.codec, result.pixel_format) == (codec, "yuv420p10le")
    levels = decoded(out, (64, 64), "rgb48le")
    assert len(levels) == 20
    assert len(np.unique(levels[5] >> 6)) > 300, "more levels than eight bits have"


@pytest.mark.parametrize("name", ["h264", "ten", "mjpeg"])
def test_strength_zero_changes_no_brightness(name, clips, tmp_path):
    out = tmp_path / "out.mkv"
    run(clips(name), out, Enhancer("gamma", strength=0.0), quality=100)
    gray = np.array([0.299, 0.587, 0.114])
    before, after = (decoded(path, (64, 64)) @ gray for path in (clips(name), out))
    assert np.abs(before.mean(axis=(1, 2)) - after.mean(axis=(1, 2))).max() < 0.7
    assert np.sqrt(np.square(before - after).mean()) < 6.5  # colours out of range are clipped


@pytest.mark.parametrize(
    ("source", "rows", "codec"),
    [
        (("libx264rgb", "rgb24", ".mkv"), 64, "h264"),
        (("libx264rgb", "rgb24", ".mkv"), 720, "hevc"),
        (("ffv1", "bgr0", ".mkv"), 64, "h264"),
        (("png", "rgb24", ".mov"), 64, "av1"),
    ],
)
def test_a_film_in_rgb_keeps_its_colours(source, rows, codec, tools, tmp_path):
    (encoder, format, suffix), colour = source, (0xC0, 0x30, 0x10)
    made, out = tmp_path / f"in{suffix}", tmp_path / "out.mp4"
    picture = f"color=c=0xC03010:s=64x{rows}:r=25:d=0.2,format={format}"
    tools.ffmpeg("-f", "lavfi", "-i", picture, "-c:v", encoder, "-pix_fmt", format, made)
    run(made, out, Enhancer("gamma", strength=0.0), codec=codec, quality=95)
    stream = of_kind(tools.ffprobe(out), "video")[0]
    assert (stream["color_space"], stream["color_range"]) == ("bt709" if rows == 720 else "bt470bg", "pc")
    assert np.abs(decoded(out, (rows, 64)).mean(axis=(0, 1, 2)) - colour).max() < 4.0


def test_quality_decides_the_size(clips, tmp_path):
    for quality in (10, 90):
        run(clips("h264"), tmp_path / f"{quality}.mp4", quality=quality)
    small, large = (tmp_path / f"{quality}.mp4" for quality in (10, 90))
    assert small.stat().st_size < 0.7 * large.stat().st_size


def test_odd_sides_are_made_even_and_told(clips, tmp_path, tools):
    result = run(clips("odd"), tmp_path / "out.mp4")
    assert (result.width, result.height) == (64, 50)
    assert any("63x49 became 64x50" in note for note in result.notes)
    assert tools.times(tmp_path / "out.mp4")


def test_a_part_begins_at_zero_with_its_sound(tools, full, tmp_path):
    out = tmp_path / "out.mp4"
    run(full, out, start=0.4, end=0.8)
    shown = [float(time) for time in tools.times(full) if 0.4 <= float(time) < 0.8]
    assert [float(time) for time in tools.times(out)] == pytest.approx(
        [t - shown[0] for t in shown], abs=2e-3
    )
    probe = tools.ffprobe(out)
    assert len(of_kind(probe, "audio")) == 2
    for sound in of_kind(probe, "audio"):
        assert float(sound["duration"]) == pytest.approx(0.4, abs=0.06)
    assert [chapter["tags"]["title"] for chapter in probe["chapters"]] == ["One", "Two"]


def test_the_subtitles_of_a_part_end_with_it(tools, full, tmp_path):
    """A player shows a file as long as the longest stream in it."""
    out = tmp_path / "out.mp4"
    run(full, out, start=0.4, end=0.8)  # "hello" has begun already, "world" goes on
    probe = tools.ffprobe(out)
    (subtitles,) = of_kind(probe, "subtitle")
    assert float(subtitles["duration"]) == pytest.approx(0.4, abs=0.03)
    assert float(probe["format"]["duration"]) == pytest.approx(0.4, abs=0.06)  # sound comes in blocks
    shown = tools.ffmpeg("-i", out, "-map", "0:s:0", "-f", "srt", "-").stdout.decode().split("\n\n")
    begins = [line.splitlines()[1:3] for line in shown if line.strip()]
    assert [words for _, words in begins] == ["hello", "world"]
    assert begins[0][0].startswith("00:00:00,000 --> 00:00:00,")


def test_a_start_after_the_end_of_the_film_is_told(full, tmp_path):
    with pytest.raises(BadSetting, match=r"start 9 s in a film of 1\.2 s"):
        run(full, tmp_path / "out.mp4", start=9.0)
    assert list(tmp_path.iterdir()) == []


def stopping(after):
    """A `stop` that says so after some frames."""
    asked = iter(range(10_000))
    return lambda: next(asked) >= after


def test_a_stopped_run_leaves_nothing(full, tmp_path):
    with pytest.raises(video.Stopped):
        video.enhance_video(full, tmp_path / "out.mp4", GAMMA, stop=stopping(8))
    assert list(tmp_path.iterdir()) == []


def test_a_stopped_run_is_gone_on_with(tools, clips, tmp_path, monkeypatch):
    monkeypatch.setattr("daybreak.enhancing.video.encoder.KEY_SECONDS", 0.2)  # a mark every five frames
    source, out, whole = clips("h264"), tmp_path / "out.mp4", tmp_path / "whole.mp4"
    options = video.VideoOptions(resume=True, speed="fast")
    with pytest.raises(video.Stopped):
        video.enhance_video(source, out, GAMMA, options, stop=stopping(18))
    part = tmp_path / ".out.mp4.daybreak-part"
    with part.open("ab") as file:
        file.write(b"P\0\0\0")  # what a kill leaves in the middle of a packet
    with pytest.raises(OutputExists, match="another strength"):
        video.enhance_video(source, out, Enhancer("gamma", strength=0.5), options)
    os.utime(source)  # it is the same film
    result = video.enhance_video(source, out, GAMMA, options)
    assert 0 < result.resumed < 20
    assert result.frames == 20
    assert list(tmp_path.iterdir()) == [out]
    video.enhance_video(source, whole, GAMMA, video.VideoOptions(speed="fast"))
    assert tools.times(out) == tools.times(whole) == tools.times(source)
    one, other = (decoded(path, (64, 64)).astype(float) for path in (out, whole))
    assert np.sqrt(np.square(one - other).mean()) < 6.0


def test_the_input_is_not_replaced_through_a_folder_that_is_yet_to_be_made(clips, tmp_path):
    source = tmp_path / "a.mkv"
    source.write_bytes(clips("odd").read_bytes())
    before = source.read_bytes()
    with pytest.raises(OutputExists, match="is the input"):
        run(source, tmp_path / "new" / ".." / "a.mkv", overwrite=True)
    assert source.read_bytes() == before
    assert list(tmp_path.iterdir()) == [source]


def test_frames_with_exif(tools, tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    for number in range(3):
        pixels = np.full((48, 64, 3), 10 + number, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.jpg", exif=exif)
    film, out = tmp_path / "film.mov", tmp_path / "out.mp4"
    tools.ffmpeg("-framerate", "5", "-i", tmp_path / "%d.jpg", "-c", "copy", film)
    assert run(film, out).frames == 3
    assert len(decoded(out, (48, 64))) == 3
    plain = tmp_path / "plain.mov"
    tools.ffmpeg("-f", "lavfi", "-i", "color=gray:s=64x48:d=0.2", "-c:v", "mjpeg", plain)
    for degrees in (90, 180, 270):
        matrices = []
        for number, one in enumerate((film, plain)):
            turned = tmp_path / f"{number}-{degrees}.mov"
            tools.ffmpeg("-i", one, "-metadata:s:v:0", f"rotate={degrees}", "-c", "copy", turned)
            matrices.append(Film(turned).about.matrix)
        assert matrices[1] is not None
        assert matrices[0][:6] == matrices[1][:6]


def test_what_cannot_be_kept_of_the_picture_is_told(tools, tmp_path):
    clear, out = tmp_path / "clear.mov", tmp_path / "out.mp4"
    tools.ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:d=0.2", "-pix_fmt", "argb", "-c:v", "qtrle", clear)
    assert run(clear, out).notes == ("its transparency was left out",)
    webm, gif = tmp_path / "clear.webm", tmp_path / "plain.gif"
    tools.ffmpeg("-i", clear, "-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", webm)
    tools.ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:d=0.2", gif)
    assert [Film(path).about.alpha for path in (webm, gif)] == [True, False]
    parts = []
    for size in ("64x48", "128x96"):
        part = tmp_path / f"{size}.ts"
        tools.ffmpeg("-f", "lavfi", "-i", f"testsrc=s={size}:r=25:d=0.4", "-c:v", "mpeg2video", part)
        parts.append(part.read_bytes())
    (tmp_path / "both.ts").write_bytes(b"".join(parts))
    result = run(tmp_path / "both.ts", out, overwrite=True)
    assert "10 frames of another size brought to 64×48, as it began" in result.notes


def test_quicktime_holds_no_av1(clips, tmp_path):
    with pytest.raises(
        BadSetting, match=r"out\.mov cannot hold av1\. Give a name that ends in \.mp4 or \.mkv"
    ):
        run(clips("odd"), tmp_path / "out.mov", codec="av1")
    assert list(tmp_path.iterdir()) == []


def test_a_film_that_begins_bright_says_what_was_done_to_the_rest(tools, tmp_path):
    film, out = tmp_path / "film.mkv", tmp_path / "out.mp4"
    fade = "color=gray:s=64x48:r=25:d=2,fade=out:0:40"
    tools.ffmpeg("-f", "lavfi", "-i", fade, "-c:v", "ffv1", film)
    result = run(film, out, Enhancer("auto"), steady=0.0)
    assert result.choices[0].strength == 0.0
    assert "already" not in result.note
    assert "dark" in result.note


def gone_on_with(source, out, after, **options):
    """A run that is stopped after some frames and done in a second one."""
    told = video.VideoOptions(resume=True, **options)
    with pytest.raises(video.Stopped):
        video.enhance_video(source, out, GAMMA, told, stop=stopping(after))
    return video.enhance_video(source, out, GAMMA, told)


def test_a_stopped_run_that_holds_nothing_steady_is_gone_on_with(clips, tools, tmp_path, monkeypatch):
    monkeypatch.setattr("daybreak.enhancing.video.encoder.KEY_SECONDS", 0.2)
    source, out = clips("h264"), tmp_path / "out.mp4"
    result = gone_on_with(source, out, 18, steady=0.0, speed="fast")
    assert 0 < result.resumed < 20
    assert result.frames == 20
    assert tools.times(out) == tools.times(source)


def test_noise_is_as_low_after_the_joint_as_in_an_unbroken_run(tools, tmp_path, monkeypatch):
    """The codec alone has the two 2 levels apart; an average that began at the joint would have them 10."""
    monkeypatch.setattr("daybreak.enhancing.video.encoder.KEY_SECONDS", 0.8)
    source, out, whole = (tmp_path / name for name in ("in.mkv", "out.mp4", "whole.mp4"))
    grain = "color=c=0x303438:s=64x64:r=25:d=1.6,noise=alls=12:allf=t:all_seed=1"
    tools.ffmpeg("-f", "lavfi", "-i", grain, "-c:v", "ffv1", "-pix_fmt", "yuv420p", source)
    options = {"denoise": 4.0, "quality": 100, "speed": "fast", "threads": 1}
    joint = gone_on_with(source, out, 36, **options).resumed
    assert joint == 20, "farther from the beginning than the average looks back"
    run(source, whole, **options)
    one, other = (decoded(path, (64, 64)).astype(float) for path in (out, whole))
    assert np.sqrt(np.square(one - other).mean(axis=(1, 2, 3))).max() < 3.0
    grains = one[joint:].std(axis=(1, 2)) / other[joint:].std(axis=(1, 2))
    assert np.abs(grains - 1.0).max() < 0.1


def test_damage_is_counted_and_the_rest_is_done(tools, clips, tmp_path):
    data = bytearray(clips("h264").read_bytes())
    middle = data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 3
    data[middle : middle + 400] = bytes(400)
    (tmp_path / "hurt.mp4").write_bytes(data)
    result = run(tmp_path / "hurt.mp4", tmp_path / "out.mp4")
    assert result.broken > 0
    assert any("damaged" in note for note in result.notes)
    assert 10 <= len(tools.times(tmp_path / "out.mp4")) <= 20


def test_what_is_no_film_is_refused_before_any_work(tools, clips, full, tmp_path):
    sound, text, empty = tmp_path / "a.m4a", tmp_path / "t.mp4", tmp_path / "e.mp4"
    tools.ffmpeg("-i", full, "-map", "0:a:0", "-c", "copy", sound)
    text.write_text("milk, bread\n" * 50)
    empty.touch()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clips("h264").read_bytes()[:1500])
    out = tmp_path / "out.mp4"
    for source, told in (
        (sound, "no video stream"),
        (text, "cannot be read as a video"),
        (cut, "cannot be read as a video"),
        (empty, "is empty"),
        (tmp_path / "none.mp4", "does not exist"),
        (tmp_path, "is a folder"),
    ):
        with pytest.raises(UnreadablePicture, match=told):
            run(source, out)
    assert not list(tmp_path.glob("*out*"))


def test_frames_that_did_not_get_as_bright_as_was_asked_are_counted(full, tmp_path):
    result = run(full, tmp_path / "out.mp4", Enhancer("gamma", exposure=10.0), end=0.2)
    assert f"the exposure asked for was not reached in {result.frames} frames" in result.notes
    assert not run(full, tmp_path / "half.mp4", Enhancer("gamma", exposure=0.3), end=0.2).notes


def test_targets_that_cannot_be_are_refused_before_any_work(tools, clips, full, tmp_path):
    source = tmp_path / "source.mp4"
    source.write_bytes(full.read_bytes())
    before = source.read_bytes()
    with pytest.raises(BadSetting, match=r"is a folder; expected the name of a film\. Type for example: -o"):
        run(source, tmp_path)
    with pytest.raises(OutputExists, match="is the input"):
        run(source, source, overwrite=True)
    (tmp_path / "there.mp4").touch()
    with pytest.raises(OutputExists, match="--overwrite"):
        run(source, tmp_path / "there.mp4")
    with pytest.raises(BadSetting, match="is no name of a video"):
        run(source, tmp_path / "out.jpg")
    with pytest.raises(BadSetting, match=r"--codec av1"):
        run(source, tmp_path / "out.webm", codec="h264")
    with pytest.raises(UnwritablePicture, match=r"webm cannot hold audio stream 1 .*\.mp4"):
        run(source, tmp_path / "out.webm")
    srt = tmp_path / "srt.mkv"
    tools.ffmpeg("-i", full, "-map", "0:v", "-map", "0:s:0", "-c:v", "copy", "-c:s", "srt", srt)
    with pytest.raises(UnwritablePicture, match=r"cannot hold subtitle stream 1 .*\.mkv"):
        run(srt, tmp_path / "out.mp4")
    assert source.read_bytes() == before
    assert not list(tmp_path.glob(".*part"))
    assert not list(tmp_path.glob("out*"))


def test_the_container_that_is_named_holds_what_the_asked_one_does_not(tools, full, tmp_path):
    with pytest.raises(UnwritablePicture, match=r"subtitle stream 3 \(mov_text\)\. Give .* in \.mp4"):
        run(full, tmp_path / "out.mkv")
    both = tmp_path / "both.mov"
    sound = ("-f", "lavfi", "-i", "sine=d=0.8", "-map", "0:v", "-map", "0:s", "-map", "1", "-c:a", "wmav2")
    tools.ffmpeg("-i", full, *sound, "-c:v", "copy", "-c:s", "copy", both)
    with pytest.raises(UnwritablePicture, match="Leave it out first: ffmpeg -i IN -map 0 -map -0:1 "):
        run(both, tmp_path / "out.mkv")


def test_progress_counts_up_to_the_whole(clips, tmp_path):
    told = []
    video.enhance_video(clips("h264"), tmp_path / "out.mp4", GAMMA, progress=told.append)
    assert [step.frames for step in told] == list(range(1, 21))
    assert {step.total for step in told} == {20}
    assert told[-1].seconds_left == 0.0
    assert all(step.fps > 0.0 for step in told)


def test_a_method_at_work_on_several_frames_keeps_their_order(clips, tmp_path):
    for workers in (1, 3):
        run(clips("h264"), tmp_path / f"{workers}.mp4", workers=workers)
    one, three = (decoded(tmp_path / f"{n}.mp4", (64, 64)) for n in (1, 3))
    assert np.array_equal(one, three)


def test_as_many_threads_as_the_enhancer_may_use(clips, tmp_path, monkeypatch):
    from daybreak.enhancing.video import run as module

    used, at_once, encoder = [], module.in_order, module.Encoder
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr(
        module, "in_order", lambda work, items, workers: used.append(workers) or at_once(work, items, workers)
    )
    monkeypatch.setattr(module, "Encoder", lambda told: used.append(told.threads) or encoder(told))
    before = cv2.getNumThreads()
    try:
        run(clips("h264"), tmp_path / "out.mp4", Enhancer("gamma", threads=2))
    finally:
        cv2.setNumThreads(before)
    assert used == [2, 2]


def test_a_cover_and_a_timecode_are_kept(tools, clips, tmp_path):
    cover, made, out = tmp_path / "cover.png", tmp_path / "in.mp4", tmp_path / "out.mp4"
    tools.ffmpeg("-f", "lavfi", "-i", "testsrc=s=16x16:d=0.04", "-frames:v", "1", cover)
    words = ("-map", "0:v", "-map", "1", "-c", "copy", "-disposition:v:1", "attached_pic")
    tools.ffmpeg("-i", clips("h264"), "-i", cover, *words, "-timecode", "01:02:03:04", made)
    result = run(made, out)
    for streams in (tools.ffprobe(path)["streams"] for path in (made, out)):
        assert {stream["codec_tag_string"] for stream in streams} >= {"avc1", "tmcd"}
        assert [stream["disposition"]["attached_pic"] for stream in streams].count(1) == 1
        assert streams[0]["tags"]["timecode"] == "01:02:03:04"
    assert result.notes == ()


def test_a_part_keeps_the_cover(tools, clips, tmp_path):
    cover, made, out = tmp_path / "cover.png", tmp_path / "in.mp4", tmp_path / "out.mp4"
    tools.ffmpeg("-f", "lavfi", "-i", "testsrc=s=16x16:d=0.04", "-frames:v", "1", cover)
    words = ("-map", "0:v", "-map", "1", "-c", "copy", "-disposition:v:1", "attached_pic")
    tools.ffmpeg("-i", clips("h264"), "-i", cover, *words, made)
    assert run(made, out, start=0.2, end=0.6).frames == 10
    tools.ffmpeg("-i", out, "-map", "0:v:1", "-c", "copy", tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == cover.read_bytes()


def test_a_recording_that_was_cut_off_is_told(tools, full, tmp_path):
    whole, short = tmp_path / "whole.mkv", tmp_path / "short.mkv"
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=64x64:r=25:d=4,{tools.DARK}", "-c:v", "libx264", "-g", "5")
    tools.ffmpeg(*picture, whole)
    short.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    notes = run(short, tmp_path / "out.mkv").notes
    assert any("of the 4.0 s that the file tells of" in note for note in notes)
    assert not run(whole, tmp_path / "out2.mkv").notes


def test_what_an_edit_list_hides_is_not_missed(tools, tmp_path):
    whole, clip = tmp_path / "whole.mp4", tmp_path / "clip.mp4"
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=64x48:r=25:d=8,{tools.DARK}")
    tools.ffmpeg(*picture, "-c:v", "libx264", "-g", "250", whole)
    tools.ffmpeg("-ss", "5", "-t", "2", "-i", whole, "-c", "copy", clip)
    assert int(tools.ffprobe(clip)["streams"][0]["nb_frames"]) > 150, "most of them hidden"
    told = []
    result = video.enhance_video(clip, tmp_path / "out.mp4", GAMMA, progress=told.append)
    assert result.frames < 60
    assert result.notes == ()
    assert abs(told[-1].total - result.frames) <= 5
    with pytest.raises(BadSetting, match=r"start 4 s in a film of 2\.\d s"):
        run(clip, tmp_path / "late.mp4", start=4.0)


@pytest.mark.parametrize("codec", ["h264", "av1"])
def test_a_recording_without_a_rate_has_that_of_its_times(codec, tools, tmp_path, monkeypatch):
    """As browsers record: a frame when there is one, in milliseconds; FFmpeg takes it for 1000 a second."""
    monkeypatch.setattr("daybreak.enhancing.video.encoder.KEY_SECONDS", 1.0)
    source, out = tmp_path / "in.webm", tmp_path / "out.mkv"
    uneven = "settb=1/1000,setpts='N*33+mod(N*N*7\\,11)'"
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=64x48:r=30:d=3,{tools.DARK},{uneven}")
    how = ("-fps_mode", "passthrough", "-enc_time_base", "1/1000", "-c:v", "libvpx", "-live", "1")
    tools.ffmpeg(*picture, *how, "-f", "webm", source)
    assert tools.ffprobe(source)["streams"][0]["r_frame_rate"] == "1000/1"
    assert run(source, out, codec=codec, speed="fast").frames == 90
    assert tools.times(out) == tools.times(source)
    rate = Fraction(tools.ffprobe(out)["streams"][0]["avg_frame_rate"])
    assert 29 < rate < 31
    command = ["ffprobe", "-v", "error", "-skip_frame", "nokey", "-show_entries", "frame=pts_time"]
    done = subprocess.run([*command, "-of", "csv=p=0", str(out)], check=True, capture_output=True, text=True)
    keys = [float(line.strip(",")) for line in done.stdout.split()]
    assert np.diff([*keys, 3.0]).max() < 1.2


def test_a_transport_stream_begins_at_zero_in_a_file(tools, full, tmp_path):
    source, out = tmp_path / "in.ts", tmp_path / "out.mp4"
    tools.ffmpeg("-i", full, "-map", "0:v", "-map", "0:a:0", "-c", "copy", source)
    run(source, out)
    before, after = tools.ffprobe(source)["format"], tools.ffprobe(out)["format"]
    assert float(before["start_time"]) > 1.0
    assert abs(float(after["start_time"])) < 0.05
    assert float(after["duration"]) == pytest.approx(float(before["duration"]), abs=0.05)
    first, second = ([float(time) for time in tools.times(path)] for path in (source, out))
    gaps = np.array(first) - np.array(second)
    assert gaps == pytest.approx(gaps[0], abs=1e-3)


def test_an_uneven_start_does_not_lengthen_the_film(tools, tmp_path):
    source, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
    times = "setpts='if(lt(N,20),N,N*2-20)/25/TB'"  # 25 frames a second first, then half of that
    picture = f"testsrc2=s=64x64:r=25:d=2,{tools.DARK},{times}"
    tools.ffmpeg("-f", "lavfi", "-i", picture, "-fps_mode", "vfr", "-c:v", "libx264", "-bf", "3", source)
    run(source, out)
    lengths = [float(tools.ffprobe(path)["format"]["duration"]) for path in (source, out)]
    assert lengths[0] == pytest.approx(lengths[1], abs=1e-3)
    assert tools.times(source) == tools.times(out)


@pytest.mark.parametrize("name", ["concat:a.mp4", "a:b.mp4", "50%d.mp4"])
def test_names_that_ffmpeg_would_read_otherwise(name, clips, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source, target = Path(name), Path("out:put", name)
    source.write_bytes(clips("h264").read_bytes())
    assert run(source, target).frames == 20
    assert target.is_file()
