"""Evidence over HTTP: what comes back is confirmed beside the original, by the command that people type."""

from __future__ import annotations

import hashlib
import json
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from daybreak.enhancing.cores import opencv_threads
from daybreak.image.photo import Photo
from daybreak.image.read import read_photo
from daybreak.image.write import encode_photo


def asked(api, data, name="night.png", **words):
    """The answer to a picture that is sent as a form."""
    return api.post("/v1/enhance", data={"evidence": "true", **words}, files={"picture": (name, data)})


def encoded(kind, level=20, **options):
    with BytesIO() as file:
        Image.fromarray(np.full((40, 56, 3), level, np.uint8)).save(file, kind, **options)
        return file.getvalue()


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"method": "gamma", "gamma": "3", "strength": "0.5", "format": "jpg", "quality": "80"},
        {"method": "cascade", "bit_depth": "16"},
        {"method": "lime", "exposure": "1.5", "format": "tiff"},
    ],
    ids=lambda words: words.get("method", "auto"),
)
def test_unpacked_beside_the_original_it_is_confirmed(api, png, beside, words):
    answer = asked(api, png, **words)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="night_daybreak.zip"'
    suffix = {"jpg": ".jpg", "tiff": ".tif"}.get(words.get("format"), ".png")
    assert beside(answer.content, {"night.png": png}) == ["evidence.json", f"night_daybreak{suffix}"]
    code, told = beside.verify()
    assert code == 0
    assert f"night_daybreak{suffix}: confirmed bit for bit\n" in told
    assert f"SHA-256 {answer.headers['daybreak-evidence-sha256']}" in told  # the number that was to be noted


def test_the_picture_is_the_one_without_evidence(api, png, beside):
    plain = api.post("/v1/enhance?method=gamma&evidence=false", content=png)
    assert "daybreak-evidence-sha256" not in plain.headers
    assert "content-disposition" not in plain.headers
    proven = asked(api, png, method="gamma")
    beside(proven.content, {"night.png": png})
    assert (beside.folder / "night_daybreak.png").read_bytes() == plain.content
    assert plain.headers["daybreak-method"] == proven.headers["daybreak-method"] == "gamma"


def test_a_bare_body_has_no_name(api, png, beside):
    answer = api.post("/v1/enhance?method=gamma&evidence=true", content=png)
    assert beside(answer.content, {"picture": png}) == ["evidence.json", "picture_daybreak.png"]
    assert beside.verify()[0] == 0


def test_of_a_well_lit_picture_the_copy_is_evidence(api, beside):
    lit = encoded("JPEG", 170)
    answer = asked(api, lit, "day.jpg")
    assert answer.headers["daybreak-method"] == "none"
    beside(answer.content, {"day.jpg": lit})
    assert beside.verify()[0] == 0


def test_a_retouched_result_is_told(api, png, beside):
    beside(asked(api, png, method="gamma").content, {"night.png": png})
    target = beside.folder / "night_daybreak.png"
    levels = read_photo(target).stored.whole.copy()
    levels[3:5, 7:10] += 9
    target.write_bytes(encode_photo(Photo.from_pixels(levels / np.float32(255), bit_depth=8), "png"))
    code, told = beside.verify()
    assert code == 1
    assert "the output was changed: its SHA-256 was" in told
    assert "pixels differ by at most 9 levels of 255, in 6 of 4,800 pixels" in told


def test_another_original_is_told(api, png, beside):
    beside(asked(api, png, method="gamma").content, {"night.png": encoded("PNG")})
    code, told = beside.verify()
    assert code == 1
    assert "the input was changed" in told


@pytest.mark.parametrize(
    ("kind", "words", "told"),
    [
        ("PNG", {"format": "avif"}, "evidence in AVIF: AVIF is packed by as many threads"),
        ("AVIF", {}, "evidence in AVIF: AVIF is packed by as many threads"),
        ("PNG", {"method": "lime", "denoise": "bm3d"}, "evidence with denoise=bm3d"),
        ("PNG", {"evidence": "maybe"}, "evidence='maybe'; expected true or false"),
        ("PNG", {"evidence": "1"}, "evidence='1'; expected true or false"),
    ],
)
def test_what_cannot_be_repeated_is_refused(api, kind, words, told):
    answer = asked(api, encoded(kind), **words)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.json()["detail"]
    if "AVIF" in told:
        assert answer.json()["hint"] == "Ask for format png or tiff"


def test_an_avif_is_confirmed_as_a_png(api, beside):
    data = encoded("AVIF")
    answer = asked(api, data, "a.avif", method="gamma", format="png")
    assert beside(answer.content, {"a.avif": data}) == ["a_daybreak.png", "evidence.json"]
    assert beside.verify()[0] == 0


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../x.png", "x.png"),
        ("..\\..\\x.png", "x.png"),
        ("/etc/x.png", "x.png"),
        ("..", "picture"),
        ("夜 1.png", "夜 1.png"),
        ("night.v2", "night.v2"),
    ],
)
def test_names_that_climb_stay_names(api, png, beside, tmp_path, sent, kept):
    answer = asked(api, png, sent, method="gamma")
    target = f"{kept.removesuffix('.png')}_daybreak.png"
    assert beside(answer.content, {kept: png}) == sorted(["evidence.json", target])
    (entry,) = json.loads((beside.folder / "evidence.json").read_bytes())["entries"]
    assert (entry["input"]["path"], entry["output"]["path"]) == (kept, target)
    assert entry["input"]["sha256"] == hashlib.sha256(png).hexdigest()
    assert beside.verify()[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["person"]


@pytest.mark.parametrize("name", ["evidence.json", "report.json"])
def test_an_original_that_the_manifest_would_lie_on_is_refused(api, png, name):
    answer = asked(api, png, name)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(f"evidence of {name}: there is another file of that name")


def test_the_least_number_of_threads_holds_and_the_first_comes_back_with_the_last_block():
    before = cv2.getNumThreads()
    cv2.setNumThreads(4)
    film, evidence = opencv_threads(3), opencv_threads(1)
    try:
        film.__enter__()
        assert cv2.getNumThreads() == 3
        evidence.__enter__()
        with opencv_threads(2):
            assert cv2.getNumThreads() == 1, "whatever else goes on"
        film.__exit__(None, None, None)
        assert cv2.getNumThreads() == 1
        evidence.__exit__(None, None, None)
        assert cv2.getNumThreads() == 4
    finally:
        cv2.setNumThreads(before)
