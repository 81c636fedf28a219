"""The web page as a person uses it: upload, move a slider, look, download, and check what came down."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time
import zipfile
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from daybreak.enhancing.enhancer import Enhancer
from daybreak.image.read import read_photo
from daybreak.methods.registry import get_method
from daybreak.web import actions

ROCKET = Path(__file__).parents[2] / "examples" / "rocket-dark.jpg"
SHOTS = os.environ.get("DAYBREAK_SCREENSHOTS", "")
"""A folder: the screenshots of docs/ are made anew there."""


def shoot(page, name):
    if not SHOTS:
        return
    page.evaluate("Promise.all([...document.images].map((image) => image.decode()))")
    page.wait_for_timeout(500)
    shot = cv2.imdecode(np.frombuffer(page.screenshot(full_page=True), np.uint8), cv2.IMREAD_COLOR)
    small = cv2.resize(shot, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    Image.fromarray(small[:, :, ::-1]).quantize(256).save(Path(SHOTS) / name, optimize=True)


def upload(page, *files, where="#pictures"):
    page.locator(f"{where} input[type=file]").set_input_files(list(files))
    for file in files:
        page.locator(where).get_by_text(Path(file).stem).first.wait_for()


def enhance(page):
    page.get_by_role("button", name="Enhance", exact=True).click()
    page.locator("#download:not([disabled])").wait_for()


def download(page, button="#download"):
    with page.expect_download() as coming:
        page.locator(button).click()
    return coming.value.suggested_filename, Path(coming.value.path()).read_bytes()


def apart(one, other):
    """Levels of 65,535; files are worked on as levels and bytes as floats, which may round apart by one."""
    one, other = (read_photo(data).stored.whole.astype(int) for data in (one, other))
    return np.abs(one - other).max()


@pytest.fixture
def deep(tmp_path):
    """A dark 16-bit PNG with EXIF."""
    levels = np.random.default_rng(0).integers(0, 9000, (90, 120), np.uint16)
    tags = Image.Exif()
    tags[271], tags[315] = "Maker", "Someone"
    Image.fromarray(levels).save(tmp_path / "deep night.png", exif=tags)
    return tmp_path / "deep night.png"


def test_upload_change_strength_look_and_download(page, deep):
    upload(page, deep)
    page.get_by_label("Method", exact=True).click()
    page.get_by_role("option", name="gamma", exact=True).click()
    strength = page.get_by_role("spinbutton", name=re.compile("Strength"))
    strength.fill("0.5")
    strength.press("Enter")
    enhance(page)
    told = page.get_by_label("What was done")
    assert told.input_value() == "deep night.png: gamma, strength 0.5"
    name, data = download(page)
    assert name == "deep night_daybreak.png"
    assert read_photo(data).bit_depth == 16
    assert apart(data, Enhancer("gamma", strength=0.5)(deep.read_bytes())) <= 1
    exif = Image.open(BytesIO(data)).getexif()
    assert (exif[271], exif[315]) == ("Maker", "Someone")


def seen(locator):
    picture = cv2.imdecode(np.frombuffer(locator.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    return float(picture.mean()) / 255


def test_the_slider_goes_by_keyboard_and_zooms(page):
    upload(page, ROCKET)
    enhance(page)
    shoot(page, "web-page.png")
    slider = page.get_by_role("slider", name="Left and right picture")
    pair = page.locator(".pair")
    slider.press("End")
    dark = seen(pair)
    slider.press("Home")
    assert seen(pair) > dark + 0.15
    assert slider.get_attribute("aria-valuetext") == "0 % original, 100 % daybreak.best"
    wide = pair.bounding_box()["width"]
    page.get_by_label("Zoom").select_option("4")
    assert pair.bounding_box()["width"] == pytest.approx(4 * wide, rel=0.02)
    page.get_by_label("Left", exact=True).select_option("original")
    slider.press("End")
    assert page.get_by_role("img", name=re.compile("How often each brightness")).count() == 1


def test_a_setting_of_the_method_reaches_the_picture(page, deep):
    upload(page, deep)
    page.get_by_label("Method", exact=True).click()
    page.get_by_role("option", name="gamma", exact=True).click()
    page.get_by_role("button", name="Settings of the method").click()
    value = page.get_by_role("spinbutton", name=re.compile("^number input for gamma|gamma"))
    value.fill("4")
    value.press("Enter")
    enhance(page)
    _, data = download(page)
    assert apart(data, Enhancer("gamma", gamma=4.0)(deep.read_bytes())) <= 1


def test_what_is_typed_before_the_next_frame_is_kept(page):
    page.get_by_label("Method", exact=True).click()
    page.get_by_role("option", name="gamma", exact=True).click()
    page.get_by_text(get_method("gamma").card.summary).wait_for()
    page.evaluate("frames = []; requestAnimationFrame = (called) => frames.push(called); null")
    fields = [page.get_by_label("number input for gamma"), page.get_by_label("Quality")]
    for part, field in zip(("Settings of the method", "Result"), fields, strict=True):
        assert not field.is_visible(), "a part is closed at first"
        page.get_by_role("button", name=part).click()
        field.fill("4")
    page.evaluate("for (let frame = 0; frame < 10; frame++) frames.splice(0).forEach((called) => called(0))")
    page.wait_for_timeout(200)
    assert [field.input_value() for field in fields] == ["4", "4"]


def test_how_the_result_is_written_can_be_looked_at_and_set(page):
    upload(page, ROCKET)
    page.get_by_role("button", name="Result").click()
    quality = page.get_by_label("Quality, 1 to 100")
    assert quality.input_value() == ""
    enhance(page)
    usual = download(page)[1]
    quality.fill("101")
    page.get_by_role("button", name="Enhance", exact=True).click()
    page.get_by_text("quality='101'; expected less than or equal to 100").wait_for()
    quality.fill("20")
    page.get_by_role("button", name="Enhance", exact=True).click()
    until = time.monotonic() + 60
    while len(data := download(page)[1]) >= len(usual) / 2 and time.monotonic() < until:
        time.sleep(0.2)
    assert len(data) < len(usual) / 2


def test_many_pictures_come_back_in_a_zip(page, deep, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture at all")
    upload(page, ROCKET, deep, tmp_path / "broken.jpg")
    enhance(page)
    name, data = download(page)
    assert name == "pictures_daybreak.zip"
    with zipfile.ZipFile(BytesIO(data)) as archive:
        assert set(archive.namelist()) == {
            "rocket-dark_daybreak.jpg", "deep night_daybreak.png", "report.json"
        }  # fmt: skip
        assert read_photo(archive.read("deep night_daybreak.png")).bit_depth == 16
    assert "broken.jpg is plain text" in page.get_by_label("What was done").input_value()


def test_a_strength_that_is_let_go_does_one_picture_again_and_never_many(page, deep):
    strength = page.locator("input[type=range][aria-label*=Strength]")
    told = page.get_by_label("What was done")

    def release():
        strength.press("ArrowLeft")
        strength.dispatch_event("pointerup")
        page.wait_for_timeout(1000)

    release()
    assert page.get_by_text("no picture").count() == 0
    upload(page, deep)
    release()
    page.wait_for_function("document.querySelector('#download:not([disabled])')")
    assert "strength 0.9" in told.input_value()
    upload(page, ROCKET, deep)
    enhance(page)
    page.get_by_role("button", name="Download pictures_daybreak.zip").wait_for()
    before = told.input_value()
    release()
    assert told.input_value() == before


def test_work_ends_when_the_page_is_closed(page, deep, monkeypatch, endless):
    monkeypatch.setattr("daybreak.web.actions.enhance_bytes", endless)
    upload(page, deep)
    page.get_by_role("button", name="Enhance", exact=True).click()
    assert endless.began.wait(60)
    page.close()
    assert endless.stopped.wait(60)


def test_the_newest_answer_stays_though_an_older_one_comes_after_it(page, deep, monkeypatch):
    real, began, newer, over = actions.enhance_bytes, threading.Event(), threading.Event(), threading.Event()

    def enhance_bytes(*args, **options):
        if began.is_set():
            made = real(*args, **options)
            newer.set()
            return made
        began.set()
        newer.wait(60)
        time.sleep(1.0)
        over.set()
        return real(*args, **options)

    monkeypatch.setattr(actions, "enhance_bytes", enhance_bytes)
    upload(page, deep)
    strength = page.locator("input[type=range][aria-label*=Strength]")
    strength.press("ArrowLeft")
    strength.dispatch_event("pointerup")
    assert began.wait(60)
    page.get_by_label("Method", exact=True).click()
    page.get_by_role("option", name="gamma", exact=True).click()
    page.get_by_text(get_method("gamma").card.summary).wait_for()
    page.get_by_role("button", name="Enhance", exact=True).click()
    assert over.wait(60)
    page.wait_for_timeout(1500)
    assert page.get_by_label("What was done").input_value().startswith("deep night.png: gamma")
    assert page.get_by_text("Stopped").count() == 0


def test_methods_side_by_side(page):
    upload(page, ROCKET)
    page.get_by_role("tab", name="Compare methods").click()
    page.get_by_role("checkbox", name="crm", exact=True).uncheck()
    for name in ("gamma", "he"):
        page.get_by_role("checkbox", name=name, exact=True).check()
    page.get_by_role("button", name="Compare on the first picture").click()
    page.locator(".beside figure").nth(4).wait_for()
    names = page.locator(".beside figcaption").all_text_contents()
    assert names == ["original", "auto", "daybreak", "gamma", "he"]
    page.get_by_label("Right", exact=True).select_option("daybreak")
    assert page.locator(".pair").get_attribute("data-right") == "daybreak"
    shoot(page, "web-compare.png")


def test_a_film_is_previewed_and_can_be_seen(page, tmp_path):
    pytest.importorskip("av")
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg on the PATH")
    made = ["-f", "lavfi", "-i", "testsrc2=size=96x64:rate=12:duration=12,eq=brightness=-0.35"]
    subprocess.run(["ffmpeg", "-v", "error", *made, "-c:v", "libx264", tmp_path / "night.mp4"], check=True)
    preview(page, tmp_path / "night.mp4")
    assert page.evaluate("document.querySelector('#result video').duration") == pytest.approx(10, abs=0.2)
    assert download(page, "#download-film")[0] == "night_daybreak.mp4"


def preview(page, film):
    page.get_by_role("tab", name="Video").click()
    upload(page, film, where="#film")
    page.get_by_role("button", name="Preview 10 seconds").click()
    page.locator("#result video").wait_for()
    page.wait_for_function("document.querySelector('#result video').readyState >= 1")


@pytest.mark.filterwarnings("ignore:Video does not have browser-compatible container")  # Gradio makes an MP4
def test_a_film_with_text_subtitles_keeps_them(page, tmp_path):
    pytest.importorskip("av")
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg on the PATH")
    made = ["-f", "lavfi", "-i", "testsrc2=size=96x64:rate=12:duration=2,eq=brightness=-0.35"]
    (tmp_path / "lines.srt").write_text("1\n00:00:00,100 --> 00:00:01,600\nhello\n")
    made += ["-i", tmp_path / "lines.srt", "-c:v", "libx264", "-c:s", "srt", tmp_path / "night.mkv"]
    subprocess.run(["ffmpeg", "-v", "error", *made], check=True)
    preview(page, tmp_path / "night.mkv")
    name, data = download(page, "#download-film")
    assert name == "night_daybreak.mkv"
    assert b"hello" in data
    page.get_by_role("button", name="Enhance all of it").click()
    page.locator("#result video").wait_for(state="detached")
    name, data = download(page, "#download-film")
    assert name == "night_daybreak.mkv"
    assert b"hello" in data


def test_what_is_wrong_is_said_on_the_page(page, tmp_path):
    (tmp_path / "notes.png").write_bytes(b"hello")
    upload(page, tmp_path / "notes.png")
    page.get_by_role("button", name="Enhance", exact=True).click()
    page.get_by_text("notes.png is plain text").wait_for()


def test_pasted_pictures_are_taken(page, deep):
    page.evaluate(
        """(bytes) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], "pasted.png", { type: "image/png" }));
          const paste = { clipboardData: data, bubbles: true, cancelable: true };
          document.dispatchEvent(new ClipboardEvent("paste", paste));
        }""",
        list(deep.read_bytes()),
    )
    page.locator("#pictures").get_by_text("pasted").first.wait_for()


def test_a_phone_needs_no_sideways_scrolling(page):
    page.set_viewport_size({"width": 390, "height": 800})
    upload(page, ROCKET)
    enhance(page)
    page.locator(".pair").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    places = [page.locator(part).bounding_box()["y"] for part in ("#pictures", "#asking")]
    assert places == sorted(places), "first the picture, then what can be set"
    shoot(page, "web-phone.png")


def test_a_finger_pans_what_is_zoomed_and_moves_the_line(page):
    page.set_viewport_size({"width": 390, "height": 800})
    upload(page, ROCKET)
    enhance(page)
    box, line = page.locator(".zoomed"), page.locator(".pair .line")
    tools = page.context.new_cdp_session(page)
    tools.send("Emulation.setTouchEmulationEnabled", {"enabled": True})

    def drag(x, y, by):
        tools.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for step in range(1, 11):
            moved = [{"x": x + by * step / 10, "y": y}]
            tools.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": moved})
        tools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(500)
        left = float(page.get_by_role("slider", name="Left and right picture").input_value())
        return left, box.evaluate("box => box.scrollLeft")

    def at(locator):
        locator.scroll_into_view_if_needed()
        place = locator.bounding_box()
        return place["x"] + place["width"] / 2, place["y"] + place["height"] / 2

    x, y = at(box)
    left, scrolled = drag(x + 60, y, -40)
    assert (left, scrolled) == (pytest.approx(50, abs=20), 0)
    assert left != 50
    page.get_by_label("Zoom").select_option("4")
    before = box.evaluate("box => box.scrollLeft")
    x, y = at(box)
    place = line.bounding_box()["x"]
    far = x - 100 if place > x else x + 100
    same, scrolled = drag(far, y, -80)
    assert same == left
    assert scrolled > before + 50
    line.evaluate("line => line.scrollIntoView({inline: 'center', block: 'center'})")
    x, y = line.bounding_box()["x"] + 12, at(box)[1]
    still = box.evaluate("box => box.scrollLeft")
    moved, scrolled = drag(x, y, 100)
    assert (moved > left, scrolled) == (True, still)


def test_the_keyboard_reaches_what_is_needed(page):
    reached = []
    for _ in range(25):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "(() => { const e = document.activeElement;"
                " return e.getAttribute('aria-label') || e.labels?.[0]?.innerText || e.innerText; })()"
            )
        )
    whole = "\n".join(map(str, reached))
    for name in ("Method", "Strength", "Settings of the method", "Pictures", "Enhance"):
        assert name in whole


def test_everything_that_can_be_used_has_a_name(page):
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("input, select, button, textarea, [role=button], [role=tab]")]
          .filter((e) => e.offsetParent !== null && e.type !== "file")
          .filter((e) => !(e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.title
            || e.labels?.length || e.innerText?.trim()))
          .map((e) => e.outerHTML.slice(0, 200))"""
    )
    assert nameless == []
    assert page.evaluate("document.documentElement.lang") == "en"
