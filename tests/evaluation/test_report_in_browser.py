"""The HTML report in a real browser: no request, tables that sort, sliders that move, fit for a phone."""

from __future__ import annotations

import pytest

from daybreak.cli.main import run


@pytest.fixture
def report(pairs, tmp_path):
    """The page of four rows on six pictures, one of them named like a script."""
    for side in ("low", "high"):
        (pairs / side / "6.png").rename(pairs / side / "<b onclick=x>6.png")
    page = tmp_path / "new" / "report.html"
    args = ["-d", "paired", "--root", str(pairs), "-m", "input,gamma,clahe,he", "--metrics", "psnr,ssim,loe"]
    assert run(["evaluate", *args, "--html", str(page)]) == 0
    return page


@pytest.fixture
def view(report, browser):
    """The open page; fails the test at its end if it asked for anything or reported an error."""
    asked, wrong = [], []
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text))
    page.goto(report.as_uri())
    yield page
    page.close()
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]
    assert wrong == []


def column(table, place):
    return [
        row.locator("th, td").nth(place).inner_text().split("\n")[0]
        for row in table.locator("tbody tr").all()
    ]


def test_the_report(view):
    """One page, one browser: sorting, the slider, what is shown, and a phone."""
    scores = view.get_by_role("region", name="Scores").locator("table")
    assert column(scores, 0)[0] == "gamma"

    head = scores.get_by_role("button", name="psnr dB ↑").first
    head.click()
    psnr = [float(shown.strip("*≈")) for shown in column(scores, 2)]
    assert psnr == sorted(psnr, reverse=True)
    head.press("Enter")
    assert [float(shown.strip("*≈")) for shown in column(scores, 2)] == sorted(psnr)
    assert scores.locator("th[aria-sort]").count() == 1
    assert scores.locator("th[aria-sort=ascending]").inner_text().startswith("psnr")
    scores.get_by_role("button", name="method").click()
    assert column(scores, 0) == ["clahe", "gamma", "he", "input"]
    scores.get_by_role("button", name="seconds").click()
    assert column(scores, 0)[-1] == "input"  # a dash stays last

    cases = view.locator("article.case")
    assert 1 <= cases.count() <= 6
    assert view.locator("article.case p.facts").all_inner_texts()[0].count("of") >= 1
    case = cases.first
    slider = case.get_by_role("slider")
    slider.focus()
    slider.press("End")
    assert slider.get_attribute("aria-valuetext") == "100 % input, 0 % gamma"
    case.get_by_label("Right", exact=True).select_option("reference")
    assert slider.get_attribute("aria-valuetext") == "100 % input, 0 % reference"
    assert cases.nth(1).get_by_role("slider").get_attribute("aria-valuetext").endswith("50 % gamma")
    for what in ("Darkest detail, he, enlarged", "Error of gamma", "Histogram of clahe"):
        assert case.get_by_role("img", name=what).count() == 1
    assert view.locator("[onclick]").count() == 0

    view.set_viewport_size({"width": 360, "height": 700})
    assert view.evaluate("document.documentElement.scrollWidth") <= 360
