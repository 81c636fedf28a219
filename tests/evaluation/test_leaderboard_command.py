"""`daybreak leaderboard`: many runs, one table a list of pictures, protocols apart."""

from __future__ import annotations

import cv2
import pytest

from daybreak.cli.main import run
from daybreak.evaluation.leaderboard import merge
from daybreak.evaluation.results import read_results
from daybreak.evaluation.tables import text_table


@pytest.fixture
def board(pairs, tmp_path, capsys):
    """Make results files with `evaluate` and show their leaderboard."""
    made = []

    def add(*args):
        path = tmp_path / f"{len(made)}.json"
        assert run(["evaluate", "-d", "paired", "--root", str(pairs), *args, "--json", str(path)]) == 0
        made.append(str(path))

    def show(*args):
        capsys.readouterr()
        code = run(["leaderboard", *made, *args])
        told = capsys.readouterr()
        return code, told.out, told.err

    return add, show


def test_rows_of_one_protocol_come_together_and_the_best_is_found_over_all_runs(board):
    add, show = board
    add("-m", "input", "--metrics", "psnr", "--gt-mean", "off")
    add("-m", "gamma", "--metrics", "psnr", "--gt-mean", "off")
    add("-m", "gamma", "--metrics", "ssim", "--gt-mean", "off")
    code, out, _ = show()
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == [
        "method",
        "n",
        "psnr",
        "dB",
        "↑",
        "ssim",
        "↑",
        "seconds",
        "parameters",
        "MACs",
    ]
    assert [line.split()[0] for line in lines[2:5:2]] == ["gamma", "input"]
    assert "*" in lines[2]
    assert sum(line.startswith("gamma") for line in lines) == 1


def test_another_protocol_is_another_column(board):
    add, show = board
    add("-m", "clahe", "--metrics", "psnr")
    add("-m", "clahe", "--metrics", "psnr", "--truncate")
    add("-m", "clahe", "--metrics", "psnr", "--channel", "y")
    _, out, _ = show("--markdown")
    head, _, row = out.splitlines()[:3]
    assert [cell.strip() for cell in head.split("|")[3:9]] == [
        "psnr dB ↑",
        "psnr dB ↑ GT-mean",
        "psnr dB ↑ truncated",
        "psnr dB ↑ GT-mean truncated",
        "psnr dB ↑ y",
        "psnr dB ↑ y GT-mean",
    ]
    cells = [cell.split()[0] for cell in row.split("|")[3:9]]
    assert len(set(cells)) == 6
    assert "-" not in cells


def test_another_list_of_pictures_is_another_table(board, pairs):
    add, show = board
    add("-m", "gamma", "--metrics", "psnr")
    path = pairs / "low" / "1.png"
    changed = cv2.imread(str(path))
    changed[0, 0, 0] ^= 1  # one level of one pixel
    cv2.imwrite(str(path), changed)
    add("-m", "clahe", "--metrics", "psnr")
    _, out, _ = show()
    assert sum(line.startswith("method") for line in out.splitlines()) == 2


def test_rows_of_one_name_that_disagree_stay_two(board, tmp_path):
    add, show = board
    add("-m", "gamma", "--metrics", "psnr")
    add("-m", "gamma", "--metrics", "psnr")
    path = tmp_path / "1.json"
    text = path.read_text()
    path.write_text(text.replace('"each": {"1": ', '"each": {"1": 1'))
    assert path.read_text() != text
    _, out, _ = show()
    assert sorted(line.split()[1] for line in out.splitlines() if line.startswith("gamma (")) == [
        f"({tmp_path}/0.json)",
        f"({tmp_path}/1.json)",
    ]


def test_the_order_follows_a_metric(board):
    add, show = board
    add("-m", "input,gamma,he", "--metrics", "psnr,loe", "--gt-mean", "off")
    names = [
        [line.split()[0] for line in show("--sort", metric)[1].splitlines()[2:8:2]]
        for metric in ("psnr", "loe")
    ]
    assert names[0][0] == "gamma"
    assert names[1][0] == "input"
    code, _, err = show("--sort", "niqe")
    assert code == 2
    assert "psnr" in err


@pytest.mark.parametrize("content", [None, "", "[]", '{"rows": 3}', "hello"])
def test_a_file_that_holds_no_results_is_named(content, tmp_path, capsys):
    path = tmp_path / "other.json"
    if content is not None:
        path.write_text(content)
    assert run(["leaderboard", str(path)]) == 1
    told = capsys.readouterr().err
    assert "other.json" in told
    assert "daybreak evaluate --json" in told
    assert told.count("\n") == 1


def test_quality_is_plotted_against_cost(board, tmp_path):
    add, show = board
    add("-m", "gamma,clahe,input", "--metrics", "psnr,ssim")
    path = tmp_path / "new" / "cost.png"
    assert show("--plot", str(path))[0] == 0
    shown = cv2.imread(str(path))
    assert min(shown.shape[:2]) > 400
    assert shown.std() > 5
    assert show("--plot", str(tmp_path / "cost.svg"))[0] == 0
    assert (tmp_path / "cost.svg").read_text().startswith("<?xml")


def test_one_list_under_two_names_is_one_table(board, tmp_path):
    add, show = board
    add("-m", "gamma", "--metrics", "psnr")
    add("-m", "input", "--metrics", "psnr")
    other = tmp_path / "1.json"
    other.write_text(other.read_text().replace('"dataset": "paired"', '"dataset": "mine"'))
    assert read_results(other).title != read_results(tmp_path / "0.json").title
    code, out, _ = show()
    assert code == 0
    assert sum(line.startswith("method ") for line in out.splitlines()) == 1
    first, second = (read_results(tmp_path / f"{n}.json") for n in range(2))
    seen, unseen = (first.rows[0].model_copy(update={"leak": leak}) for leak in ("seen", ""))
    runs = {
        "a": first.model_copy(update={"rows": (seen,)}),
        "b": second.model_copy(update={"rows": (unseen,)}),
    }
    (table,) = merge(runs)
    assert [row.leak for row in table.rows] == ["seen"], "under whichever name it was known"


def test_lists_of_two_kinds_are_not_plotted_together(board, pairs, tmp_path):
    add, show = board
    add("-m", "gamma", "--metrics", "psnr")
    (pairs / "low" / "1.png").unlink()
    (pairs / "high" / "1.png").unlink()
    add("-m", "gamma", "--metrics", "psnr")
    code, _, err = show("--plot", str(tmp_path / "cost.png"))
    assert code == 2
    assert "one list" in err


def test_a_plot_of_another_kind_is_refused_before_the_table(board, tmp_path):
    add, show = board
    add("-m", "gamma", "--metrics", "psnr")
    code, out, error = show("--plot", str(tmp_path / "p.txt"))
    assert (code, out) == (2, "")
    assert "a name that ends in .png, .svg, .pdf" in error


def test_what_went_wrong_in_a_run_is_told_again(board, pairs, tmp_path):
    add, show = board
    add("-m", "gamma", "--metrics", "psnr")
    assert show()[2] == ""
    (pairs / "high" / "1.png").unlink()
    path = str(tmp_path / "part.json")
    line = ["evaluate", "-d", "paired", "--root", str(pairs), "-m", "gamma", "--metrics", "psnr", "--json"]
    assert run([*line, path]) == 1
    code, out, err = show(path)
    assert code == 0
    assert sum(line.startswith("method") for line in out.splitlines()) == 2
    (told,) = err.splitlines()
    assert told.startswith("daybreak: paired:all: 1.png in ")
    assert "without a partner" in told


def test_a_narrow_terminal_gets_the_columns_below_each_other(board, tmp_path):
    add, _ = board
    add("-m", "input,gamma", "--metrics", "psnr,ssim,mae,ciede2000")
    results = read_results(tmp_path / "0.json")
    wide, narrow = list(text_table(results)), list(text_table(results, width=80))
    assert max(map(len, wide)) > 120
    assert max(map(len, narrow)) <= 80
    assert sorted(" ".join(narrow).split()) == sorted(
        [*" ".join(wide).split(), *["method", "gamma", "input"] * narrow.count("")]
    )
    assert list(text_table(results, width=1))  # one column at a time at least
