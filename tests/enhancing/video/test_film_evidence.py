"""Evidence of films: the same file at any number of cores, and words for what differs."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from av import CodecContext

from daybreak.cli.main import run
from daybreak.enhancing.enhancer import Enhancer
from daybreak.enhancing.manifest import read_manifests
from daybreak.enhancing.video.encoder import plan_encoding
from daybreak.enhancing.video.evidence import frames_apart, repeatable, verify_film
from daybreak.enhancing.video.options import VideoOptions
from daybreak.enhancing.video.source import Film
from daybreak.errors import BadSetting

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="makes its clip with ffmpeg")


def ffmpeg(*words: object) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, words)], check=True, timeout=60)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A dark clip of six frames; commands are typed beside it."""
    picture = "testsrc2=size=64x48:rate=25:duration=0.24,eq=brightness=-0.35"
    ffmpeg("-f", "lavfi", "-i", picture, "-pix_fmt", "yuv420p", "-c:v", "libx264", tmp_path / "in.mp4")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def enhanced(*words):
    return run(["video", "in.mp4", "-o", "out.mp4", "-m", "gamma", "--evidence", "e.json", "-q", *words])


def findings(path: Path) -> str:
    (film,) = read_manifests(path)[0].films
    return "; ".join(verify_film(film, path.parent).findings)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_any_number_of_cores_makes_the_same_file(codec, folder, monkeypatch, capsys):
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    assert enhanced("--codec", codec) == 0
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert run(["verify", "e.json"]) == 0
    assert "out.mp4: confirmed bit for bit" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "sound"), [("out.mkv", "aac"), ("out.mov", "aac"), ("out.webm", "libopus")])
def test_every_container_is_the_same_file_again(name, sound, folder, capsys):
    tone = ["-f", "lavfi", "-i", "sine=duration=0.24", "-c:v", "copy", "-c:a", sound, "-shortest"]
    ffmpeg("-i", "in.mp4", *tone, "with.mkv")
    assert run(["video", "with.mkv", "-o", name, "-m", "gamma", "--evidence", "e.json", "-q"]) == 0
    assert run(["verify", "e.json"]) == 0
    assert f"{name}: confirmed bit for bit" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("codec", "threads", "avx512", "told"),
    [
        ("h264", 1, True, "asm=avx2"),
        ("h264", 1, False, None),
        ("h264", 2, True, None),
        ("hevc", 1, True, "log-level=none:open-gop=0"),
    ],
)
def test_one_threads_h264_is_made_without_avx512(codec, threads, avx512, told, folder, monkeypatch):
    monkeypatch.setattr("cv2.checkHardwareSupport", lambda _feature: avx512)
    encoding, _ = plan_encoding(Film(Path("in.mp4")).about, 1, codec, None, "medium")
    context = CodecContext.create(encoding.encoder, "w")
    replace(encoding, threads=threads).apply(context)
    given = context.options
    assert given.get("x264-params", given.get("x265-params")) == told


def test_what_differs_is_told(folder):
    assert enhanced() == 0
    manifest = folder / "e.json"
    made = (folder / "out.mp4").read_bytes()

    ffmpeg("-i", "out.mp4", "-c", "copy", "-metadata", "title=another", "other.mp4")
    (folder / "other.mp4").replace(folder / "out.mp4")
    assert "every frame is the same" in findings(manifest)

    ffmpeg("-i", "in.mp4", "-c:v", "libx264", "-crf", "40", "out.mp4")
    assert "6 of 6 frames differ, by at most" in findings(manifest)

    (folder / "out.mp4").write_bytes(b"no film")
    assert "no readable film any more" in findings(manifest)

    (folder / "out.mp4").write_bytes(made)
    told = json.loads(manifest.read_text())
    told["films"][0]["operations"][2]["name"] = "he"
    told["films"][0]["asked"]["quality"] = 50
    manifest.write_text(json.dumps(told))
    assert "the manifest's operations are not those of now" in findings(manifest)
    assert "made again, the film has other bytes" in findings(manifest)

    (folder / "in.mp4").write_bytes(made)
    assert "the input was changed" in findings(manifest)
    (folder / "in.mp4").unlink()
    assert "the input cannot be read" in findings(manifest)


def test_what_auto_chose_for_each_frame_stands_in_the_manifest(folder):
    """A dark room, then the light goes on: two choices, and a forged one is found."""
    scene = "color=c=0x{}:s=64x48:r=25:d=0.2,noise=alls=4:allf=t:all_seed=1"
    lit = "testsrc2=size=64x48:rate=25:duration=0.2"
    both = ("-f", "lavfi", "-i", scene.format("101418"), "-f", "lavfi", "-i", lit)
    ffmpeg(*both, "-filter_complex", "concat=n=2", "-pix_fmt", "yuv420p", "-c:v", "libx264", "in.mp4")
    assert enhanced("-m", "auto") == 0
    told = json.loads((folder / "e.json").read_text())
    choices = told["films"][0]["ran"]["choices"]
    assert [(choice["frame"], choice["method"]) for choice in choices] == [(0, "daybreak"), (5, "")]
    assert choices[0]["settings"] == {"light": 0.0}
    assert choices[0]["strength"] == 1.0
    assert findings(folder / "e.json") == ""
    told["films"][0]["ran"]["choices"][0]["strength"] = 0.5
    (folder / "e.json").write_text(json.dumps(told))
    assert "another method or choice" in findings(folder / "e.json")


def test_a_manifest_that_lists_no_choices_is_read(folder):
    assert enhanced() == 0
    told = json.loads((folder / "e.json").read_text())
    assert told["films"][0]["ran"].pop("choices") == []
    (folder / "e.json").write_text(json.dumps(told))
    assert read_manifests(folder / "e.json")[0].films[0].ran.choices == []


def test_what_cannot_be_repeated_is_refused(folder, capsys):
    with pytest.raises(BadSetting, match="--resume"):
        repeatable(Enhancer("gamma"), VideoOptions(resume=True))
    assert enhanced("--resume") == 2
    assert run(["video", "in.mp4", "-o", "out.mp4", "--evidence", "e.txt"]) == 2
    assert sorted(path.name for path in folder.iterdir()) == ["in.mp4"]


def test_a_shorter_film_is_told(folder):
    ffmpeg("-i", "in.mp4", "-frames:v", "3", "short.mp4")
    assert "from frame" in frames_apart(folder / "in.mp4", folder / "short.mp4")
