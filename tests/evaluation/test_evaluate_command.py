"""`daybreak evaluate` on small data sets, run as it is typed."""

from __future__ import annotations

import json
import math
import os

import cv2
import numpy as np
import pytest

from daybreak import metrics
from daybreak.cli.main import run
from daybreak.evaluation.leaderboard import merge
from daybreak.metrics import PristineModel, save_pristine


def means(results):
    return {
        row.name: {score.column.title: (score.mean, score.n) for score in row.scores} for row in results.rows
    }


def test_the_numbers_are_those_of_the_metrics_on_8_bit_outputs(evaluate, pairs):
    code, _, errors, results = evaluate("-m", "input,gamma:gamma=2.2", "--metrics", "psnr,ssim")
    assert (code, errors) == (0, [])
    lows, highs = (
        [cv2.imread(str(pairs / side / f"{n}.png"))[..., ::-1] for n in range(1, 7)]
        for side in ("low", "high")
    )
    outputs = [np.rint((low / 255.0) ** (1 / 2.2) * 255).astype(np.uint8) for low in lows]
    found = means(results)
    for name, pictures in {"input": lows, "gamma gamma=2.2": outputs}.items():
        plain = [metrics.psnr(ours, truth) for ours, truth in zip(pictures, highs, strict=True)]
        scaled = [
            metrics.psnr(metrics.gt_mean(ours, truth), truth)
            for ours, truth in zip(pictures, highs, strict=True)
        ]
        assert found[name]["psnr"] == (pytest.approx(np.mean(plain)), 6)
        assert found[name]["psnr GT-mean"] == (pytest.approx(np.mean(scaled)), 6)
    assert found["gamma gamma=2.2"]["psnr"][0] > 35 > 20 > found["input"]["psnr"][0]


def test_the_table_has_every_row_and_column_and_how_it_was_taken(evaluate):
    code, out, _, results = evaluate("-m", "input,gamma,clahe", "--metrics", "psnr,ssim,loe")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split()[:5] == ["method", "n", "psnr", "dB", "↑"]
    assert lines[1].split()[:2] == ["GT-mean", "GT-mean"]
    assert [line.split()[0] for line in lines[2::2][:3]] == ["gamma", "clahe", "input"]  # best first
    assert "*" in lines[2]
    assert f"sha256 of names and pixels {results.images_sha256[:16]}" in out
    assert f"Seconds on {results.machine['cpu']}, {results.machine['cores']} cores." in out
    assert "psnr: rgb, GT-mean off and on, 8 bits, rounded" in out
    gamma = next(row for row in results.rows if row.name == "gamma")
    assert len(gamma.seconds) == 6
    assert gamma.parameters is None
    assert {score.column.protocol.images for row in results.rows for score in row.scores} == {
        results.images_sha256
    }


def test_the_results_file_says_which_differences_are_real(evaluate, tmp_path):
    evaluate("-m", "input,gamma,clahe", "--metrics", "psnr", "--gt-mean", "off")
    told = json.loads((tmp_path / "r.json").read_text())
    (table,) = told["differences"]
    assert table["best"] == "gamma"
    assert table["against_best"]["input"]["real"] is True
    assert table["against_best"]["input"]["high"] < 0
    assert len(table["pairs"]) == 3
    pair = dict(zip(table["pair_fields"], table["pairs"][0], strict=True))
    assert (pair["row"], pair["less"], pair["n"]) == ("input", "gamma", 6)
    assert pair["low"] < pair["mean"] < pair["high"] < 0
    assert told["rows"][0]["scores"][0]["n"] == 6
    assert told["machine"]["cores"] >= 1


@pytest.mark.parametrize(("switch", "titles"), [("on", ["psnr GT-mean"]), ("off", ["psnr"])])
def test_the_gt_mean_switch(evaluate, switch, titles):
    *_, results = evaluate("-m", "input", "--metrics", "psnr", "--gt-mean", switch)
    assert [column.title for column in results.columns] == titles


def test_channel_truncation_and_crop_change_the_numbers_and_stand_in_the_protocol(evaluate):
    plain = means(evaluate("-m", "gamma", "--metrics", "psnr", "--gt-mean", "off")[3])["gamma"]
    args = ["-m", "gamma", "--metrics", "psnr", "--gt-mean", "off"]
    for extra, title in {
        ("--channel", "y"): "psnr y",
        ("--truncate",): "psnr truncated",
        ("--crop", "4"): "psnr cut 4 px",
    }.items():
        found = means(evaluate(*args, *extra)[3])["gamma"]
        assert list(found) == [title]
        assert found[title][0] != plain["psnr"][0]
    # what is 8 bits already stays as it is
    exact = means(evaluate("-m", "input", "--metrics", "psnr", "--gt-mean", "off")[3])["input"]["psnr"]
    cut = means(evaluate("-m", "input", "--metrics", "psnr", "--gt-mean", "off", "--truncate")[3])["input"]
    assert cut["psnr truncated"] == exact


def test_pictures_of_another_program_are_scored_by_their_names(evaluate, pairs, tmp_path):
    assert run(["enhance", str(pairs / "low"), "-o", str(tmp_path / "theirs"), "-m", "gamma"]) == 0
    (tmp_path / "theirs" / "3_daybreak.png").unlink()
    code, _, errors, results = evaluate("-m", f"gamma,folder:{tmp_path / 'theirs'}", "--metrics", "psnr")
    ours, theirs = results.rows
    shared = {name: value for name, value in ours.scores[0].each.items() if name != "3"}
    assert theirs.scores[0].each == shared
    assert (theirs.n, ours.n, code) == (5, 6, 1)
    assert any("no picture of that name" in line and "1 picture (3)" in line for line in errors)


def test_outputs_are_saved_as_they_were_scored(evaluate, tmp_path):
    out = tmp_path / "out"
    *_, results = evaluate("-m", "input,gamma:gamma=2.0", "--metrics", "psnr", "--save", str(out))
    assert sorted(path.name for path in out.rglob("*.png")) == [f"{n}.png" for n in range(1, 7)]
    *_, again = evaluate("-m", f"folder:{out / 'gamma_gamma=2'}", "--metrics", "psnr")
    assert again.rows[0].scores[0].each == results.rows[1].scores[0].each


def test_without_references_only_what_needs_none_is_scored(evaluate, pairs):
    code, out, _, results = evaluate(
        "-m", "input,gamma", "--metrics", "psnr,loe", dataset="unpaired", root=pairs / "low"
    )
    assert code == 0
    assert [column.metric for column in results.columns] == ["loe"]
    assert "psnr was not computed: it compares with a reference" in out


def test_a_metric_without_its_parameters_is_a_dash_and_a_line_to_type(evaluate):
    code, out, errors, results = evaluate("-m", "gamma", "--metrics", "psnr,niqe")
    assert (code, errors) == (0, [])
    assert [column.metric for column in results.columns] == ["psnr"] * 2
    assert "niqe was not computed: the asset niqe-pristine is not here. Type: daybreak assets fetch" in out
    assert out.splitlines()[2].split()[4] == "-"


def test_synthetic_pairs_need_nothing_but_clean_pictures(evaluate, pairs):
    *_, results = evaluate("-m", "input,gamma", "--metrics", "psnr", dataset="synthetic:high")
    *_, again = evaluate("-m", "input,gamma", "--metrics", "psnr", dataset="synthetic:high")
    assert len(results.images) == 6
    assert again.images_sha256 == results.images_sha256
    assert again.rows[1].scores == results.rows[1].scores


def test_a_perfect_output_is_infinite_and_survives_the_file(evaluate, pairs):
    code, out, _, results = evaluate("-m", f"input,folder:{pairs / 'high'}", "--metrics", "psnr,ssim")
    assert code == 0
    assert "∞*" in out
    assert means(results)[f"folder:{pairs / 'high'}"]["psnr"] == (math.inf, 6)


def test_a_name_that_is_no_utf8_survives_the_file_and_the_page(evaluate, pairs, tmp_path):
    name = os.fsdecode(b"caf\xe9")
    for side in ("low", "high"):
        (pairs / side / "3.png").rename(pairs / side / f"{name}.png")
    page = tmp_path / "p.html"
    code, out, errors, results = evaluate("-m", "input,gamma", "--metrics", "psnr", "--html", str(page))
    assert (code, errors) == (0, [])
    assert name in [image.name for image in results.images]
    assert name in results.rows[1].scores[0].each
    assert "6 pictures" in out
    assert "caf\\udce9" in page.read_text(encoding="utf-8")
    assert run(["leaderboard", str(tmp_path / "r.json")]) == 0


def test_two_niqe_models_of_one_name_are_two_columns(evaluate, tmp_path):
    runs = {}
    for place, scale in {"a": 1.0, "b": 2.0}.items():
        (tmp_path / place).mkdir()
        path = tmp_path / place / "published.npz"
        save_pristine(PristineModel("mine", np.zeros(36), scale * np.eye(36)), path)
        runs[place] = evaluate("-m", "input", "--metrics", "niqe", "--niqe-model", str(path))[3]
    (first,), (second,) = (results.columns for results in runs.values())
    for column in (first, second):
        name, _, digest = column.protocol.niqe.partition(" ")
        assert (name, len(digest)) == ("published", 8)
        assert column.protocol.niqe in column.title
    assert len(merge(runs)[0].columns) == 2


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (["-m", "gama"], "gamma"),
        (["-m", ","], "no method"),
        (["-m", "gamma,gamma"], "twice"),
        (["-m", "gamma:gama=2"], "gamma"),
        (["-m", "gamma:gamma"], "METHOD:KEY=VALUE"),
        (["-m", "gamma:gamma=99"], "99"),
        (["-m", "gamma", "--metrics", "psmr"], "psnr"),
        (["-m", "gamma", "--gt-mean", "maybe"], "maybe"),
        (["-m", "gamma", "--metrics", "psnr,ssim", "--niqe-model", "m.npz"], "niqe among them"),
        (["-m", "gamma", "-d", "lol"], "lol-v1"),
    ],
)
def test_a_line_that_is_to_be_corrected_is_refused_before_any_work(evaluate, args, wanted):
    code, out, errors, results = evaluate(*args)
    assert (code, out, results) == (2, "", None)
    assert len(errors) == 1
    assert wanted in errors[0]


def test_a_page_without_references_or_scores_is_still_a_page(evaluate, pairs, tmp_path):
    page = tmp_path / "p.html"
    code, *_ = evaluate(
        "-m", "gamma", "--metrics", "loe", "--html", str(page), dataset="unpaired", root=pairs / "low"
    )
    assert code == 0
    text = page.read_text(encoding="utf-8")
    assert "Error of" not in text
    assert "Histogram of gamma" in text
    assert evaluate("-m", "gamma", "--html", str(tmp_path / "p.png"))[0] == 2
    code, *_ = evaluate(
        "-m", "gamma", "--metrics", "psnr", "--html", str(page), dataset="unpaired", root=pairs / "low"
    )
    assert code == 0
    assert "psnr was not computed" in page.read_text(encoding="utf-8")
