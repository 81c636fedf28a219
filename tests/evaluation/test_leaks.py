"""A leak between training and test pictures is told with every number that it touches."""

from __future__ import annotations

import datetime
from types import SimpleNamespace

import pytest

from daybreak.data.registry import get_dataset
from daybreak.evaluation import rows
from daybreak.evaluation.leaks import leak
from daybreak.evaluation.lists import open_list
from daybreak.evaluation.protocol import Column, Protocol
from daybreak.evaluation.results import Results, Row, Score
from daybreak.evaluation.rows import Tally, make_row
from daybreak.evaluation.subjects import parse_subjects
from daybreak.evaluation.tables import footnotes, text_table

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
        machine={},
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
