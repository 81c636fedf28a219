"""The names that programs build on: a change of this list is a change of the version."""

from __future__ import annotations

import inspect
import shutil
import subprocess

import pytest

import daybreak

PUBLIC = [
    "DaybreakError",
    "Enhancer",
    "Photo",
    "VideoOptions",
    "__version__",
    "enhance",
    "enhance_video",
    "get_method",
    "list_methods",
    "load_image",
    "save_image",
]


def test_the_public_names_are_these():
    assert sorted(daybreak.__all__) == dir(daybreak) == sorted(PUBLIC)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = daybreak.nonsense


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_says_what_it_is(name):
    if name == "VideoOptions":
        pytest.importorskip("av")
    value = getattr(daybreak, name)
    assert isinstance(value, str) or inspect.getdoc(value)


def test_pictures_and_films_are_asked_for_in_the_same_words():
    of_pictures = inspect.signature(daybreak.enhance).parameters
    of_films = inspect.signature(daybreak.enhance_video).parameters
    for name in ("method", "strength", "exposure", "settings"):
        assert of_pictures[name] == of_films[name]


def test_a_film_is_enhanced(tmp_path):
    pytest.importorskip("av")
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg on the PATH")
    made = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=8:duration=1,eq=brightness=-0.35"]
    subprocess.run(["ffmpeg", "-v", "error", *made, "-c:v", "libx264", tmp_path / "night.mp4"], check=True)
    seen = []
    options = daybreak.VideoOptions(end=0.5, speed="fast")
    paths = (str(tmp_path / "night.mp4"), tmp_path / "bright.mp4")
    result = daybreak.enhance_video(*paths, "gamma", gamma=3.0, options=options, progress=seen.append)
    assert (result.frames, len(seen)) == (4, 4)
    assert paths[1].stat().st_size > 0
    with pytest.raises(daybreak.DaybreakError, match="there already"):
        daybreak.enhance_video(*paths, "gamma")
    with pytest.raises(daybreak.DaybreakError, match="lime"):
        daybreak.enhance_video(*paths, "lme")
