"""The published figures as data, and `daybreak reproduce` with little, nothing and something on the disk."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from daybreak.cli.main import run
from daybreak.data.lol import EVAL15
from daybreak.data.registry import parse_dataset
from daybreak.errors import DataError
from daybreak.evaluation.documents import write_between
from daybreak.evaluation.plates import CLASSICAL, GRIDS
from daybreak.evaluation.published import PARAMETERS, read_papers
from daybreak.evaluation.reproduce import TOLERANCE, judge
from daybreak.evaluation.subjects import parse_subjects
from daybreak.methods import list_methods
from daybreak.methods.registry import PRETRAINED, weight_methods
from daybreak.training.recipe import list_recipes

TABLES = [table for paper in read_papers().values() for table in paper.tables]
LINES = [(table, line) for table in TABLES for line in table.lines]


def test_the_five_papers_are_there_with_their_own_results():
    papers = read_papers()
    assert list(papers) == [f"paper{number}" for number in range(5)]
    claims = {
        ("paper0", "Table 1"): ("psnr", 24.62),
        ("paper0", "Table 2"): ("ssim", 0.8753),
        ("paper1", "Table 2"): ("niqe", 7.0241),
        ("paper1", "Table 3"): ("lpips-alex", 0.338),
        ("paper1", "Table 4"): ("psnr", 23.04),
        ("paper1", "Table 5"): ("ssim", 0.712),
        ("paper2", "Table 1"): ("psnr", 17.02),
        ("paper2", "Table 2"): (PARAMETERS, 1300),
        ("paper3", "Table 1"): ("psnr", 18.12),
        ("paper4", "Table 1"): ("psnr", 22.83),
        ("paper4", "Table 2"): ("psnr", 22.83),
    }
    assert {(table.paper, table.name) for table in TABLES} == set(claims)
    for table in TABLES:
        metric, value = claims[table.paper, table.name]
        assert table.lines[-1].figures[metric] == value


@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"{table.paper}-{table.name}")
def test_data_metrics_and_rows_of_every_table_exist(table):
    if table.data:
        parse_dataset(table.data)
    assert set(table.metrics) <= set(TOLERANCE)
    for line in table.lines:
        name = line.row.partition(":")[0]
        if name and name in list_methods():
            (subject,) = parse_subjects([line.row])
            assert subject.name == line.row.replace(":", " ")
        elif name:  # once its weight ships, it is a method of that name
            weight = PRETRAINED.get(name, name)
            assert weight in list_recipes()
            assert name in weight_methods([weight])
        assert set(line.tolerance) <= set(line.figures)


def test_a_network_is_judged_by_the_weight_that_is_trained_as_its_paper_trains():
    """A name that comes to mean another weight, for pictures from anywhere say, is no row of a paper."""
    named = {
        line.method: PRETRAINED.get(line.row, line.row)
        for _, line in LINES
        if "." in PRETRAINED.get(line.row, line.row)
    }
    assert named == {
        "MSDRS-CycleGAN": "msdrs-cyclegan.lol",
        "SCI": "sci.lol",
        "CycleGAN": "cyclegan.lol",
        "CycleGAN + EMA": "ema-aspp-cyclegan.lol-ema",
        "CycleGAN + ASPP": "ema-aspp-cyclegan.lol-aspp",
        "CycleGAN + EMA + ASPP": "ema-aspp-cyclegan.lol",
        "Light cascade": "cascade.lol",
        "Estimate-Net + Enhance-Net": "alpha-residual.synthetic",
        "NEID": "neid.lol",
        "U-Net": "unet.lol",
        "LE": "neid.lol-le",
        "LE + DR": "neid.lol-ledr",
        "LE + DR + FF": "neid.lol-all",
    }


def test_a_row_runs_once_its_weight_ships(with_lol, monkeypatch):
    """The cascade's weight, under the name of one that does not ship yet, stands in for it."""
    from daybreak.methods import registry
    from daybreak.methods.pretrained import load

    _, call = with_lol
    if "neid.lol-ledr" not in list_methods():
        assert any(
            line.startswith("LE + DR  ") and line.endswith("not runnable: a trained weight neid.lol-ledr")
            for line in call("paper4")[1].splitlines()
        )
    names = {**registry._names(), "neid.lol-ledr": "neid.lol-ledr"}
    shipped = registry._shipped() | {"neid.lol-ledr": "cascade.lol"}
    monkeypatch.setattr(registry, "_names", lambda: names)
    monkeypatch.setattr(registry, "_shipped", lambda: shipped)
    registry._method.cache_clear()
    try:
        assert load("neid.lol-ledr", "cascade.lol").card.name == "neid.lol-ledr"
        (line,) = (line for line in call("paper4")[1].splitlines() if line.startswith("LE + DR  "))
    finally:
        registry._method.cache_clear()
    assert "n=15" in line
    assert "short by" in line or "better by" in line


def test_every_figure_shows_known_methods_and_data():
    assert set(CLASSICAL) <= set(list_methods())
    for grid in GRIDS:
        parse_dataset(grid.data)


@pytest.mark.parametrize(
    ("metric", "published", "ours", "verdict"),
    [
        ("psnr", 20.0, 20.04, "matched"),
        ("psnr", 20.0, 19.94, "short by 0.06"),
        ("psnr", 20.0, 21.5, "better by 1.50"),
        ("ssim", 0.58, 0.582, "matched"),
        ("ssim", 0.58, 0.5701, "short by 0.0099"),
        ("niqe", 7.0, 8.0, "short by 1.00"),
        ("niqe", 7.0, 6.0, "better by 1.00"),
        ("lpips-alex", 0.3, 0.4, "short by 0.1000"),
        (PARAMETERS, 1300, 1327, "matched"),
        (PARAMETERS, 1300, 2327, "short by 1,027"),
    ],
)
def test_verdicts_follow_the_better_direction(metric, published, ours, verdict):
    assert judge(metric, published, ours) == verdict


@pytest.fixture
def reproduce(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("DAYBREAK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DAYBREAK_DATA", raising=False)
    root = tmp_path / "data"
    root.mkdir()

    def call(*args):
        code = run(["reproduce", "--root", str(root), *args])
        told = capsys.readouterr()
        return code, told.out, told.err

    return root, call


@pytest.fixture
def with_lol(reproduce):
    """Fifteen small pairs under the names of eval15, and two clean pictures."""
    root, call = reproduce
    rng = np.random.default_rng(0)
    for side in ("low", "high"):
        (root / "LOL" / "eval15" / side).mkdir(parents=True)
    (root / "Kodak24").mkdir()
    for name in EVAL15:
        bright = cv2.resize(rng.integers(40, 250, (6, 8, 3), dtype=np.uint8), (48, 36))
        cv2.imwrite(str(root / "LOL" / "eval15" / "high" / f"{name}.png"), bright)
        cv2.imwrite(str(root / "LOL" / "eval15" / "low" / f"{name}.png"), bright // 8)
        if name in ("1", "22"):
            cv2.imwrite(str(root / "Kodak24" / f"{name}.png"), bright)
    return root, call


def test_with_nothing_on_the_disk_every_row_says_what_it_needs(reproduce):
    _, call = reproduce
    code, out, err = call()
    assert (code, err) == (0, "")
    assert "129 published figures" in out
    for line in (line for line in out.splitlines() if "not runnable" in line and "published" not in line):
        assert line.split("not runnable: ")[1].strip()
    assert "the data set lol-v1:test (see: daybreak data where lol-v1)" in out
    assert "the data set brightening" in out


def test_what_is_there_is_run_and_judged(with_lol):
    root, call = with_lol
    code, out, _ = call("paper4", "paper3")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line and not line[0].isspace()}
    assert "n=15" in lines["BIMEF"]
    assert "matched" in lines["BIMEF"] or " by " in lines["BIMEF"]
    assert "not runnable: a weight of its authors" in lines["KinD"]
    assert ", n=2  " in out  # the two pictures of paper 3's list
    assert "(other pictures)" in out
    assert "(another convention)" in out
    assert str(root) not in out


def test_a_picture_that_cannot_be_read_is_told(with_lol):
    root, call = with_lol
    (root / "LOL" / "eval15" / "low" / "1.png").write_bytes(b"")
    code, out, err = call("paper4")
    assert code == 1
    (told,) = err.splitlines()
    assert told.startswith("daybreak: lol-v1:test: left out: 1 picture (1): ")
    assert ", n=14  " in out


def test_data_that_are_there_and_cannot_be_used_say_why(with_lol):
    root, call = with_lol
    (root / "LOL" / "eval15" / "low" / "1.bmp").touch()
    code, out, err = call("paper4")
    assert code == 1
    (told,) = err.splitlines()
    assert "1.bmp and 1.png" in told
    assert "both stand for '1'" in told
    (line,) = (line for line in out.splitlines() if line.startswith("BIMEF  "))
    assert "not runnable: 1.bmp and 1.png in " in line
    assert "the data set" not in line


def test_tables_of_other_pictures_than_ours_say_so():
    """A list of ours that is not the paper's: those who draw at random, or name none of theirs."""
    assert {(table.paper, table.name) for table in TABLES if table.other} == {
        ("paper0", "Table 2"),
        ("paper1", "Table 3"),
        ("paper3", "Table 1"),
    }


def test_the_page_is_written_between_its_markers_alone(with_lol, tmp_path):
    _, call = with_lol
    page = tmp_path / "results.md"
    page.write_text(
        "above\n<!-- eval15 -->x<!-- /eval15 -->\n<!-- reproduce -->\nold\n<!-- /reproduce -->\nbelow\n"
    )
    assert call("paper4", "--write", str(page))[0] == 0
    text = page.read_text()
    assert text.startswith("above\n<!-- eval15 -->x<!-- /eval15 -->\n<!-- reproduce -->\n")
    assert text.endswith("\n<!-- /reproduce -->\nbelow\n")
    assert "old" not in text
    assert "| BIMEF | psnr | 13.88 |" in text
    assert str(tmp_path) not in text


def test_a_page_without_markers_stays_as_it_was(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- reproduce -->\n")
    with pytest.raises(DataError, match="lacks the lines"):
        write_between(page, "reproduce", "new")
    assert page.read_text() == "<!-- reproduce -->\n"


def test_a_page_that_is_not_there_is_made(tmp_path):
    page = tmp_path / "new.md"
    for text in ("one", "two"):
        write_between(page, "reproduce", text)
        assert page.read_text() == f"<!-- reproduce -->\n{text}\n<!-- /reproduce -->\n"


def test_figures_are_drawn_from_what_is_there(with_lol, tmp_path):
    _, call = with_lol
    folder = tmp_path / "figures"
    code, out, _ = call("paper3", "paper4", "--figures", str(folder))
    assert code == 0
    drawn = {path.name for path in folder.iterdir()}
    assert {"paper3-fig1.png", "paper3-fig2-1.png", "paper3-fig5-22.png", "paper4-fig5-111.png"} <= drawn
    for path in folder.iterdir():
        assert cv2.imread(str(path)).std() > 5
    assert "paper4 Fig. 7: not drawn: " in out
    told = "the first two: synthetic:Kodak24 has no picture 05 or 23"
    assert f"paper3 Fig. 2: paper3-fig2-1.png, paper3-fig2-22.png ({told})" in out
    assert "paper4 Fig. 5: paper4-fig5-111.png, paper4-fig5-748.png\n" in out
    assert "paper0" not in out


def test_a_page_that_cannot_be_written_is_told_before_anything_is_run(reproduce, tmp_path):
    _, call = reproduce
    (tmp_path / "bare.md").write_text("no markers")
    (tmp_path / "bytes.md").write_bytes(b"\xff")
    hint = "Make a page with the lines <!-- reproduce -->"
    for page, told in {"bytes.md": hint, "bare.md": "lacks", "bare.md/no.md": "cannot be made"}.items():
        code, out, err = call("paper2", "--write", str(tmp_path / page))
        assert (code, out) == (1, "")
        assert told in err


def test_an_unknown_paper_is_refused(reproduce):
    _, call = reproduce
    code, out, err = call("paper7")
    assert (code, out) == (2, "")
    assert "paper" in err
