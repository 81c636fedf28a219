from __future__ import annotations

import shutil
import struct
import subprocess
import zlib
from functools import partial
from io import BytesIO

import httpx
import numpy as np
import pytest
from PIL import Image

from daybreak.enhancing.enhancer import Enhancer
from daybreak.image.read import read_photo
from daybreak.methods.base import Settings
from daybreak.methods.registry import every_method, get_method, list_methods
from daybreak.serving.asking import Wish, properties, understand

post = partial(httpx.post, timeout=60)  # machines differ and are shared


def pixels(data):
    return read_photo(data).pixels


def problem(response, status):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["detail"]
    assert "Traceback" not in response.text
    return body


def test_a_raw_body_and_a_form_give_what_the_library_gives(api, png):
    wanted = Enhancer("gamma", strength=0.5, gamma=3.0)(png)
    words = {"method": "gamma", "gamma": "3", "strength": "0.5"}
    raw = api.post("/v1/enhance", params=words, content=png, headers={"content-type": "image/png"})
    form = api.post("/v1/enhance", data=words, files={"picture": ("night.png", png)})
    for answer in (raw, form):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["daybreak-method"] == "gamma"
        assert float(answer.headers["daybreak-seconds"]) > 0
        assert "daybreak-weights-sha256" not in answer.headers
        assert np.array_equal(pixels(answer.content), pixels(wanted))


def test_the_weights_are_named(api, png):
    answer = api.post("/v1/enhance?method=cascade", content=png)
    assert answer.headers["daybreak-weights-sha256"] == get_method("cascade").card.weights_sha256


def test_sixteen_bits_profile_and_exif_come_back(api, tmp_path):
    levels = (np.arange(64 * 48, dtype=np.uint16) * 5).reshape(48, 64)
    tags = Image.Exif()
    tags[271], tags[315] = "Maker", "Someone"
    with BytesIO() as file:
        Image.fromarray(levels).save(file, "PNG", exif=tags)
        data = file.getvalue()
    answer = api.post("/v1/enhance?method=gamma&format=tiff", content=data)
    assert answer.headers["content-type"] == "image/tiff"
    photo = read_photo(answer.content)
    assert photo.bit_depth == 16
    assert len(np.unique(photo.pixels)) > 2000
    if shutil.which("exiftool"):
        (tmp_path / "out.tif").write_bytes(answer.content)
        told = subprocess.run(
            ["exiftool", "-s3", "-Make", "-Artist", tmp_path / "out.tif"], capture_output=True, text=True
        )
        assert told.stdout.split() == ["Maker", "Someone"]


def test_a_well_lit_picture_comes_back_byte_for_byte(api):
    with BytesIO() as file:
        Image.fromarray(np.full((40, 40, 3), 170, np.uint8)).save(file, "JPEG")
        data = file.getvalue()
    answer = api.post("/v1/enhance", content=data)
    assert answer.content == data
    assert answer.headers["daybreak-method"] == "none"
    assert "well lit" in answer.headers["daybreak-note"]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("method=lme", "Did you mean lime"),
        ("method=gamma&gama=2", "Did you mean gamma"),
        ("method=gamma&gamma=99", "gamma='99'"),
        ("strength=3", "strength"),
        ("strength=nan", "strength"),
        ("strength=0.5&exposure=1", "together"),
        ("strength=", "strength"),
        ("strength=1&strength=0.5", "twice"),
        ("format=exe", "format"),
        ("quality=0", "quality"),
        ("bit_depth=12", "bit_depth"),
        ("format=jpg&bit_depth=16", "16 bits"),
        ("target=/etc/passwd", "target"),
        ("method=../../etc/passwd", "no method named"),
    ],
)
def test_what_is_wrong_is_said(api, png, query, told):
    body = problem(api.post(f"/v1/enhance?{query}", content=png), 422)
    assert told in body["detail"] + body.get("hint", "")


def test_a_name_in_query_and_form_is_refused(api, png):
    answer = api.post("/v1/enhance?strength=1", data={"strength": "1"}, files={"picture": ("a.png", png)})
    assert "twice" in problem(answer, 422)["detail"]


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"%PDF-1.4", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff" + bytes(40)]
)
def test_no_picture(api, data):
    problem(api.post("/v1/enhance", content=data), 422)


def test_truncated_pictures(api, png):
    for length in (20, 40, len(png) // 2):
        problem(api.post("/v1/enhance", content=png[:length]), 422)


def test_a_body_that_is_no_picture_by_its_own_word(api):
    for kind in ("application/json", "application/x-www-form-urlencoded", "text/plain"):
        problem(api.post("/v1/enhance", content=b"{}", headers={"content-type": kind}), 415)


HEAD = b'--xx\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\n'


@pytest.mark.parametrize(
    ("kind", "cut"),
    [
        ("multipart/form-data", lambda whole: whole),  # no boundary
        ("multipart/form-data; boundary=", lambda whole: whole),
        ("multipart/form-data; boundary=xx; charset=undefined", lambda whole: whole),
        ("multipart/form-data; boundary=yy", lambda whole: whole),  # another one
        ("multipart/form-data; boundary=xx", lambda whole: whole[:60]),
        ("multipart/form-data; boundary=xx", lambda whole: whole[: len(whole) // 2]),
        ("multipart/form-data; boundary=xx", lambda whole: whole[:-8]),
        ("multipart/form-data; boundary=xx", lambda _: b""),
        ("multipart/form-data; boundary=xx", lambda whole: whole.replace(b'name="picture"; ', b"")),
        ("multipart/form-data; boundary=xx", lambda whole: whole.replace(b"filename", b"nofile")),
        ("multipart/form-data; boundary=xx", lambda whole: whole.replace(b"picture", b"/etc/passwd")),
        ("multipart/form-data; boundary=xx", lambda whole: whole[:-6] + b"\r\n" + whole),  # two files
        ("multipart/form-data; boundary=" + "x" * 5000, lambda whole: whole),
        ("multipart/form-data; boundary=xx; charset=nonsense", lambda whole: whole.replace(b"--xx--", b"")),
    ],
)
def test_truncated_and_lying_forms(api, png, kind, cut):
    whole = HEAD + png + b"\r\n--xx--\r\n"
    answer = api.post("/v1/enhance", content=cut(whole), headers={"content-type": kind})
    assert answer.status_code in (400, 413, 422)
    problem(answer, answer.status_code)


def test_a_file_named_like_a_path_is_only_named_so(api, png):
    answer = api.post("/v1/enhance?method=gamma", files={"picture": ("../../../etc/passwd\0.png", png)})
    assert answer.status_code == 200
    told = api.post("/v1/enhance", files={"picture": ("../../secret/night.jpg", b"hello")})
    assert problem(told, 422)["detail"].startswith("night.jpg is plain text")
    told = api.post("/v1/enhance", files={"picture": ("night.mp4", b"\0\0\0\x18ftypmp42" + bytes(50))})
    assert problem(told, 422)["hint"] == "Films: kind=video at /v1/jobs"


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(side):
    """A PNG whose few bytes unfold to side x side pixels."""
    rows = zlib.compressobj(9)
    packed = b"".join(rows.compress(bytes(1 + 3 * side)) for _ in range(side)) + rows.flush()
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def test_a_decompression_bomb_is_refused_by_its_header(serve):
    data = bomb(2000)
    assert len(data) < 20_000
    with serve(pixels=1_000_000) as address:
        answer = post(f"{address}/v1/enhance", content=data)
        assert "2000x2000" in problem(answer, 413)["detail"]
        lying = data.replace(struct.pack(">II", 2000, 2000), struct.pack(">II", 20, 20), 1)
        assert post(f"{address}/v1/enhance", content=lying).status_code == 422


def test_gif_tiff_and_webp_bombs_too(serve):
    with serve(pixels=10_000) as address:
        for kind in ("GIF", "TIFF", "WEBP", "JPEG", "BMP"):
            with BytesIO() as file:
                Image.new("RGB", (300, 300)).save(file, kind)
                problem(post(f"{address}/v1/enhance", content=file.getvalue()), 413)


def test_too_many_bytes(serve, png):
    with serve(bytes=1000) as address:
        problem(post(f"{address}/v1/enhance", content=png), 413)

        def unknown_length():
            yield from (png[at : at + 500] for at in range(0, len(png), 500))

        problem(post(f"{address}/v1/enhance", content=unknown_length()), 413)


def test_cards_hold_the_schema_of_the_settings(api):
    cards = {card["name"]: card for card in api.get("/v1/methods").json()}
    assert list(cards) == list_methods()
    rule = cards["lime"]["settings"]["properties"]["gamma"]
    assert (rule["default"], rule["minimum"], rule["maximum"]) == (0.8, 0.0, 1.0)


def test_everything_a_method_can_be_set_to_is_in_the_schema():
    for method in every_method():
        taken = set(Wish.model_fields) & set(method.card.settings.model_fields)
        assert not taken, "a setting of this name could not be asked for"
        assert set(method.card.settings.model_fields) <= set(properties())
        assert issubclass(method.card.settings, Settings)


def test_the_words_of_a_request_give_the_same_again():
    asked = understand({"method": "lime", "gamma": "0.7", "format": "png"})
    again = understand(asked.values)
    assert again.enhancer.settings == asked.enhancer.settings
    assert again.output == asked.output


def test_the_reference_loads_nothing(api):
    text = api.get("/docs").text
    for word in ("src=", "<script", "@import", "url(", "<link"):
        assert word not in text
    for path in ("/v1/enhance", "/v1/jobs", "/metrics"):
        assert f"<code>{path}</code>" in text
