"""The two pages in a real browser: no request, usable by keyboard and screen reader, fit for a phone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from daybreak.enhancing.compare import compare_page
from daybreak.enhancing.gallery import GalleryEntry, write_gallery

NASTY = '<script>window.hacked = 1</script>" onerror="window.hacked = 1" .jpg'
LONG = "a-name-without-any-space-" * 8 + ".jpg"


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    """Ten pictures, black before and white after, of extreme shapes too; one failed."""
    path = tmp_path_factory.mktemp("gallery") / "g.html"
    shapes = {NASTY: (40, 60), LONG: (60, 40), "1x1.png": (1, 1), "row.png": (1, 960), "column.png": (960, 1)}
    shapes |= {f"{number}.jpg": (200, 300) for number in range(5)}
    entries = [
        GalleryEntry(
            name, np.zeros((*shape, 3), np.uint8), np.full((*shape, 3), 255, np.uint8), method="gamma"
        )
        for name, shape in shapes.items()
    ]
    write_gallery([*entries, GalleryEntry(LONG, error="empty: " + LONG)], path, "Gallery " + LONG)
    return path


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    """One gray picture through three "methods" that make it red, green and blue."""
    path = tmp_path_factory.mktemp("compare") / "c.html"
    results = {}
    for channel, name in enumerate(["red", "green", LONG]):
        results[name] = np.zeros((90, 120, 3), np.float32)
        results[name][..., channel] = 1
    path.write_bytes(compare_page(LONG, np.full((90, 120, 3), 0.5, np.float32), results))
    return path


@pytest.fixture
def view(browser):
    """Open a file; fails the test at its end if the page asked for anything or reported an error."""
    asked, wrong = [], []
    context = browser.new_context(viewport={"width": 1000, "height": 700})

    def show(path, width=1000):
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text))
        page.set_viewport_size({"width": width, "height": 700})
        page.goto(path.as_uri())
        return page

    yield show
    context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in asked if url.startswith("file:")]) == 1
    assert wrong == []


def seen(locator):
    """Mean colour of what an element shows, RGB in [0, 1]."""
    picture = cv2.imdecode(np.frombuffer(locator.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    return picture[:, :, ::-1].mean(axis=(0, 1)) / 255


def test_arrow_keys_move_the_slider_and_what_is_seen(view, gallery):
    page = view(gallery)
    slider = page.get_by_role("slider", name="Before and after: 0.jpg")
    pair = page.locator(".pair").filter(has=slider)
    slider.focus()
    middle = seen(pair).mean()
    for _ in range(4):
        slider.press("ArrowRight")
    assert slider.input_value() == "70"
    assert slider.get_attribute("aria-valuetext") == "70 % before, 30 % after"
    assert seen(pair).mean() == pytest.approx(middle - 0.2, abs=0.03)
    slider.press("Home")
    assert seen(pair).mean() > 0.9
    slider.press("End")
    assert seen(pair).mean() < 0.1


def test_the_pointer_moves_it_too(view, gallery):
    page = view(gallery)
    pair = page.locator(".pair").filter(has=page.get_by_role("slider", name="Before and after: 1.jpg"))
    pair.hover()  # waits until the page has come to rest
    box = pair.bounding_box()
    page.mouse.down()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 20)
    page.mouse.up()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 20)  # released: no longer followed
    assert float(pair.get_by_role("slider").input_value()) == pytest.approx(20, abs=1)
    assert seen(pair).mean() == pytest.approx(0.8, abs=0.04)


def test_the_keyboard_reaches_every_slider_and_shows_where_it_is(view, gallery):
    page = view(gallery)
    names = []
    for _ in range(11):  # the filter, then ten pictures
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert names[0] is None
    assert names[1] == f"Before and after: {NASTY}"
    assert len(set(names)) == 11
    ring = page.evaluate("getComputedStyle(document.activeElement.closest('.pair')).outlineStyle")
    assert ring == "solid"


def test_nothing_in_a_name_runs(view, gallery):
    page = view(gallery)
    assert page.evaluate("window.hacked") is None
    assert page.get_by_role("heading", name=NASTY).is_visible()
    assert page.get_by_role("img", name=f"{NASTY}, before").count() == 1


def test_the_filter_leaves_what_is_wanted(view, gallery):
    page = view(gallery)
    box = page.get_by_label("Filter by name or method")
    box.fill("COLUMN")
    assert page.locator("article:visible").count() == 1
    assert page.get_by_role("status").text_content() == ", 1 shown"
    box.fill("")
    assert page.locator("article:visible").count() == 10


def test_every_picture_can_be_seen_whatever_its_shape(view, gallery):
    page = view(gallery)
    for pair in page.locator(".pair").all():
        box = pair.bounding_box()
        assert box["width"] >= 100
        assert 40 <= box["height"] <= 700


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("kind", ["gallery", "comparison"])
def test_a_phone_needs_no_sideways_scrolling(view, kind, width, request):
    page = view(request.getfixturevalue(kind), width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_and_light_follow_the_system(view, gallery):
    page = view(gallery)
    grounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(246, 246, 244)", "rgb(20, 20, 20)"]


def test_any_two_methods_can_be_compared_by_keyboard(view, comparison):
    page = view(comparison)
    slider = page.get_by_role("slider", name="Left and right picture")
    pair = page.locator(".pair")
    slider.press("End")
    assert np.allclose(seen(pair), 0.5, atol=0.03)
    page.get_by_label("Left", exact=True).select_option("green")
    assert np.allclose(seen(pair), (0, 1, 0), atol=0.05)
    slider.press("Home")
    assert np.allclose(seen(pair), (1, 0, 0), atol=0.05)
    page.get_by_label("Right", exact=True).select_option("green")  # the same on both sides
    assert np.allclose(seen(pair), (0, 1, 0), atol=0.05)
    assert slider.get_attribute("aria-valuetext") == "0 % green, 100 % green"
    assert page.get_by_role("img", name="Darkest detail, red, enlarged").is_visible()
