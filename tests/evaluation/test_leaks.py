"""A leak between training and test pictures is told with every number that it touches."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from daybreak.data.recognise import recognise
from daybreak.data.registry import get_dataset
from daybreak.evaluation import rows
from daybreak.evaluation.leaks import leak, leaks
from daybreak.evaluation.lists import open_list
from daybreak.evaluation.protocol import Column, Protocol
from daybreak.evaluation.results import Results, Row, Score
from daybreak.evaluation.rows import Tally, make_row
from daybreak.evaluation.subjects import parse_subjects
from daybreak.evaluation.tables import footnotes, text_table

LOL = Path(os.environ.get("DAYBREAK_DATA", Path(__file__).parents[3] / "shared" / "data")) / "LOL"

TRAINED = "LOL v1 our485, the dark pictures of the 436 training pairs of a scene-disjoint split"


@pytest.mark.parametrize(
    ("dataset", "split", "said"),
    [
        ("lol-v1", "test", "14 of the 15"),
        ("lol-v2-real", "test", "86 of the 100"),
        ("lol-v1", "train", "trained on pictures of lol-v1:train"),
        ("lol-v1", "our485", "trained on pictures of lol-v1:our485"),
        ("lol-v1", "val", ""),
        ("lol-v2-synthetic", "test", ""),
        ("lime", "test", ""),
    ],
)
def test_what_is_known_of_our485(dataset, split, said):
    card = get_dataset(dataset).card
    told = leak(TRAINED, card, split)
    assert said in told
    assert bool(told) == bool(said)
    assert leak("BSDS500, darkened by the generator", card, split) == ""


def test_a_row_carries_the_leak_of_the_weight_that_ran(monkeypatch, pairs):
    card = SimpleNamespace(training_data=TRAINED, parameters=1327, macs_per_pixel=1300)
    monkeypatch.setattr(rows, "card_of", {"a" * 64: card}.get)
    pictures = open_list("paired", pairs)
    subject = parse_subjects(["gamma"])[0]
    lol = type(pictures)(get_dataset("lol-v1").card, "test", pictures.samples, True)
    ran = Tally({}, weights={"a" * 64: None})
    found = make_row(subject, ran, "", lol)
    assert "14 of the 15" in found.leak
    assert (found.parameters, found.macs_per_pixel) == (1327, 1300)
    assert make_row(subject, ran, "", pictures).leak == ""
    assert make_row(subject, Tally({}, weights={"d" * 64: None}), "", lol).leak == ""


def test_a_leaking_row_is_marked_warned_of_and_never_the_best():
    column = Column("psnr", Protocol("x"))

    def row(name, value, told):
        score = Score(column=column, better="higher", each={str(i): value + i / 10 for i in range(5)})
        return Row(name=name, kind="method", method=name, settings={}, leak=told, scores=(score,))

    results = Results(
        daybreak="0",
        date=datetime.date(2026, 1, 1),
        machine={"cpu": "a processor", "cores": 2},
        dataset="lol-v1",
        split="test",
        images=(),
        images_sha256="x",
        rows=(row("seen", 30.0, "It has seen them."), row("honest", 17.0, "")),
    )
    lines = list(text_table(results))
    assert "*" not in next(line for line in lines if line.startswith("seen †"))
    assert "*" in next(line for line in lines if line.startswith("honest"))
    assert any(note.startswith("† seen: It has seen them.") for note in footnotes(results))


def test_known_pictures_leak_under_any_name():
    paired = get_dataset("paired").card
    (told,) = leaks(TRAINED, paired, "all", {"lol-v1:test": 3, "lol-v1:val": 9})
    assert told.startswith("3 of these pictures are of lol-v1:test. 14 of the 15")
    assert leaks("BSDS500", paired, "all", {"lol-v1:test": 3}) == []
    assert len(leaks(TRAINED, get_dataset("lol-v1").card, "test", {"lol-v1:test": 15})) == 1  # said once


@pytest.mark.skipif(not LOL.is_dir(), reason=f"no LOL at {LOL}; set DAYBREAK_DATA")
@pytest.mark.parametrize("split", ["test", "val"])
def test_the_pictures_of_lol_are_recognised_by_their_pixels(split):
    samples = get_dataset("lol-v1").samples(LOL, split)[:15]
    lows = [sample.load()[0] for sample in samples]
    assert {recognise(low) for low in lows} == {f"lol-v1:{split}"}
    assert recognise(lows[0][:, ::-1]) == recognise(np.ascontiguousarray(lows[0][1:])) == ""


@pytest.mark.skipif(not LOL.is_dir(), reason=f"no LOL at {LOL}; set DAYBREAK_DATA")
def test_eval15_as_a_folder_of_ones_own_is_warned_of(evaluate):
    _, out, _, results = evaluate("-m", "cascade", "--metrics", "psnr", root=LOL / "eval15")
    assert "15 of these pictures are of lol-v1:test" in results.rows[0].leak
    assert "cascade †" in out
