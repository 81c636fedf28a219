"""Cards and the files beside them."""

from __future__ import annotations

import datetime
import hashlib

import pytest

from daybreak.errors import UnknownName, WeightsError
from daybreak.methods import get_method
from daybreak.weights import Score, WeightCard, find_weight, list_weights
from daybreak.weights.card import read_card, write_card
from daybreak.weights.store import FOLDER, own_folder, unreadable

FILES = {"onnx": b"a graph", "safetensors": b"some tensors"}


@pytest.fixture
def card():
    return WeightCard(
        network="cascade",
        tag="test",
        summary="a test",
        paper="none",
        date=datetime.date(2026, 11, 20),
        parameters=1327,
        macs_per_pixel=1296,
        context="local",
        halo=7,
        preprocessing='none; "quotes", \\ and a ×',
        **{f"{ending}_sha256": hashlib.sha256(content).hexdigest() for ending, content in FILES.items()},
        settings={"stages": 3, "smoothness": 0.65, "smooth_on": "illumination", "fast": True},
        recipe="cascade.test",
        recipe_sha256="0" * 64,
        steps=12,
        training_data="nothing",
        training_terms="none",
        licence="Apache-2.0",
        notes="two\nlines",
        scores=(
            Score(dataset="LOL eval15", images=15, protocol="RGB", psnr=17.5, ssim=0.5),
            Score(dataset="val", images=24, protocol="RGB", psnr=17.0),
        ),
    )


@pytest.fixture
def folder(tmp_path, card):
    (tmp_path / "cascade.test.toml").write_text(write_card(card), encoding="utf-8")
    for ending, content in FILES.items():
        (tmp_path / f"cascade.test.{ending}").write_bytes(content)
    return tmp_path


def test_a_card_reads_back_as_it_was_written(folder, card):
    assert read_card(folder / "cascade.test.toml") == card
    assert card.name == "cascade.test"


def test_find_and_verify(folder):
    assert list_weights(folder) == ["cascade.test"]
    weight = find_weight("cascade.test", folder)
    weight.verify()
    assert weight.verified_onnx().read_bytes() == FILES["onnx"]
    with pytest.raises(UnknownName, match=r"Did you mean cascade\.test"):
        find_weight("cascade.tset", folder)


def test_ones_own_stand_behind_what_ships(folder, card, monkeypatch):
    for name in ("cascade.lol.toml", "notes.toml"):
        (folder / name).write_text("not looked at")
    assert find_weight("cascade.lol").onnx.parent == FOLDER
    before = list_weights()
    monkeypatch.setenv("DAYBREAK_WEIGHTS", str(folder))
    assert list_weights() == [*before, "cascade.test"]
    assert find_weight("cascade.lol").onnx.parent == FOLDER
    assert find_weight("cascade.test").card == card
    (folder / "cascade.torn.toml").write_text("{")
    assert list_weights() == [*before, "cascade.test"], "the others can be used"
    (fault,) = unreadable()
    assert "cascade.torn.toml cannot be read" in str(fault)
    with pytest.raises(WeightsError, match=r"cascade\.torn\.toml cannot be read"):
        get_method("cascade.torn")
    monkeypatch.setenv("DAYBREAK_WEIGHTS", "/" + 300 * "a")  # that the system will not look into
    assert list_weights() == before
    assert unreadable() == []
    monkeypatch.setenv("DAYBREAK_WEIGHTS", str(folder / "cascade.torn.toml"))
    assert list_weights() == before
    (fault,) = unreadable()
    assert "is a file; expected a folder of weights" in str(fault)
    monkeypatch.delenv("DAYBREAK_WEIGHTS")
    assert own_folder().parts[-2:] == ("daybreak", "weights")


def test_the_sum_of_what_runs_covers_every_file_that_does(card):
    assert card.sha256 == card.onnx_sha256, "the graph holds its parameters"
    shared = card.model_copy(update={"shared": True})
    sums = f"{card.onnx_sha256} {card.safetensors_sha256}"
    assert shared.sha256 == hashlib.sha256(sums.encode()).hexdigest()
    for name in ("onnx_sha256", "safetensors_sha256"):
        assert shared.model_copy(update={name: "1" * 64}).sha256 != shared.sha256


@pytest.mark.parametrize("ending", FILES)
def test_a_changed_or_missing_file_is_refused(folder, ending):
    path = folder / f"cascade.test.{ending}"
    path.write_bytes(FILES[ending] + b"!")
    with pytest.raises(WeightsError, match=rf"cascade\.test\.{ending} has SHA-256 .*expected"):
        find_weight("cascade.test", folder).verify()
    path.unlink()
    with pytest.raises(WeightsError, match="cannot be read: No such file"):
        find_weight("cascade.test", folder).verify()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("halo = 7", "halo = -7", "not right at 'halo'"),
        ("halo = 7", "hallo = 7", "'hallo'|'halo'"),
        ("halo = 7", "halo = = 7", "cannot be read"),
        ('tag = "test"', 'tag = "other"', "is of the weight cascade.other"),
    ],
)
def test_a_bad_card_is_refused(folder, old, new, sentence):
    path = folder / "cascade.test.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(WeightsError, match=sentence):
        find_weight("cascade.test", folder)


@pytest.mark.parametrize("name", list_weights())
def test_shipped_weights_match_their_cards(name):
    weight = find_weight(name)
    weight.verify()
    assert weight.card.scores
    assert weight.card.training_terms
