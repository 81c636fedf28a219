"""From a checkpoint to a weight, and what is refused on the way."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from daybreak.cli.main import run
from daybreak.engines import REFERENCE, OnnxEngine, Place
from daybreak.errors import BadSetting, EngineError, OutputExists, TrainingError
from daybreak.image.read import read_record
from daybreak.networks import load
from daybreak.training import graph
from daybreak.training.export import export, in_bf16, load_network, succeeding
from daybreak.training.fit import fit
from daybreak.training.processes import alone
from daybreak.weights import find_weight, list_weights

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec"),
]


@pytest.fixture
def checkpoint(tmp_path, tiny, material):
    return fit(tiny(steps=2), material, tmp_path / "run").checkpoint


@pytest.mark.parametrize("name", list_weights())
def test_shipped_onnx_equals_torch_with_the_shipped_parameters(name):
    weight = find_weight(name)
    network = load(weight)
    graph.check_parity(network, weight.onnx, sizes=graph.SIZES[:2])  # both hold the same rounded parameters
    assert network.inference_parameters() == weight.card.parameters
    assert graph.macs_per_pixel(network.inference()) == weight.card.macs_per_pixel
    assert (network.halo, network.multiple, network.scale) == (
        weight.card.halo,
        weight.card.multiple,
        weight.card.scale,
    )


def test_a_weight_holds_what_the_checkpoint_held(checkpoint, tmp_path, monkeypatch):
    def after(card):
        return card.model_copy(update={"summary": "as it was"})

    monkeypatch.setattr("daybreak.training.export.succeeding", after)
    card = export(checkpoint, "cascade.mine", tmp_path / "weights")
    assert (card.name, card.parameters, card.steps, card.halo) == ("cascade.mine", 1327, 2, 7)
    weight = find_weight("cascade.mine", tmp_path / "weights")
    assert weight.card == card
    assert card.summary == "as it was"
    network, recipe, *_ = load_network(checkpoint)
    assert card.recipe_sha256 == recipe.digest()
    assert card.changed == recipe.changed()
    low = torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before, after = network.inference()(low), load(weight).inference()(low)
    assert torch.equal(before, after)
    np.testing.assert_allclose(OnnxEngine(weight.onnx).run(low.numpy()), after.numpy(), atol=1e-4)
    assert b".py" not in weight.onnx.read_bytes(), "the graph names files of the machine it was made on"


def test_the_card_of_a_successor_keeps_what_no_export_finds_out():
    """Of a graph of another size nothing that was measured holds."""
    shipped = find_weight("daybreak.fast").card
    fresh = {"summary": "the network's", "memory_per_pixel": 0.0, "bf16": True, "steps": 1, "notes": ""}
    assert fresh["memory_per_pixel"] != shipped.memory_per_pixel
    same = shipped.model_copy(update=fresh)
    assert succeeding(same) == shipped.model_copy(update={"steps": 1, "notes": ""})
    mine = same.model_copy(update={"tag": "mine"})
    assert succeeding(mine) == mine.model_copy(update={"memory_per_pixel": shipped.memory_per_pixel})
    for another in ({"macs_per_pixel": shipped.macs_per_pixel + 1}, {"guide": 32}):
        assert succeeding(card := same.model_copy(update=another)) == card


class Brighter(OnnxEngine):
    """What is computed moves a grey level or so too far."""

    def run(self, batch, besides=None):
        return super().run(batch, besides or {}) + np.float32(5 / 255)


def test_that_bf16_will_do_is_measured_where_it_can_be(monkeypatch):
    weight = find_weight("daybreak.fast")
    right = Place(replace(REFERENCE, load=lambda path, *_: OnnxEngine(path)), "bf16")
    wrong = Place(replace(REFERENCE, load=lambda path, *_: Brighter(path)), "bf16")
    for among, found in (([right], True), ([wrong], False), ([right, wrong], False)):
        monkeypatch.setattr("daybreak.training.export.places", lambda _, among=among: among)
        assert in_bf16(weight).bf16 == found

    def nowhere(_):
        raise EngineError("none")

    monkeypatch.setattr("daybreak.training.export.places", nowhere)
    for said in (True, False):
        card = weight.card.model_copy(update={"bf16": said})
        assert in_bf16(replace(weight, card=card)) == card


def test_what_is_exported_is_a_method_at_once(checkpoint, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DAYBREAK_WEIGHTS", str(tmp_path / "own"))
    assert run(["export", str(checkpoint), "cascade.lol"]) == 2
    assert "cascade.lol, the name of a weight that ships; expected cascade.ANOTHER" in capsys.readouterr().err
    assert run(["export", str(checkpoint), "cascade.mine"]) == 0
    assert "daybreak enhance PHOTO -m cascade.mine" in capsys.readouterr().out
    assert run(["weights", "list", "cascade.mine"]) == 0
    assert f"yours, in {tmp_path / 'own'}" in capsys.readouterr().out
    Image.new("RGB", (40, 30), (20, 30, 25)).save(tmp_path / "dark.png")
    command = [sys.executable, "-m", "daybreak", "enhance", "dark.png", "-m", "cascade.mine", "-o", "out.png"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert read_record(tmp_path / "out.png")["method"] == "cascade.mine"


def test_a_card_names_what_the_weight_it_began_from_has_seen(tiny, material, tmp_path):
    recipe = tiny(steps=1).model_copy(update={"start": "cascade.lol"})
    card = export(fit(recipe, material, tmp_path / "run").checkpoint, "cascade.mine", tmp_path / "weights")
    before = find_weight("cascade.lol").card
    assert card.training_data.endswith(f"; before that {before.training_data}")
    assert before.training_terms in card.training_terms


def pairs_of(material):
    return {"own": list(zip(material.lows.values(), material.highs.values(), strict=True))}


def test_a_small_weight_keeps_full_precision_in_both_files(checkpoint, tmp_path, material):
    """Its graph holds float32: halved safetensors would be of another network than the one scored."""
    card = export(checkpoint, "cascade.mine", tmp_path / "weights", pairs=pairs_of(material))
    assert (card.precision, card.shared, len(card.scores)) == ("fp32", False, 2)
    weight = find_weight("cascade.mine", tmp_path / "weights")
    assert graph.check_parity(load(weight), weight.onnx) <= 1e-4


@pytest.mark.parametrize(("allowed", "precision"), [(2e-3, "fp16"), (0.0, "fp32")])
def test_half_precision_is_taken_where_it_costs_nothing(
    checkpoint, tmp_path, material, monkeypatch, allowed, precision
):
    """Where a value is off by more than is allowed, full precision is what ships, not nothing."""
    monkeypatch.setitem(graph.TOLERANCE, "fp16", allowed)
    monkeypatch.setattr("daybreak.training.export.SHARED", 1000)
    card = export(checkpoint, "cascade.mine", tmp_path / "weights", pairs=pairs_of(material))
    assert (card.precision, card.shared) == (precision, True)
    weight = find_weight("cascade.mine", tmp_path / "weights")
    weight.verify()
    assert graph.check_parity(load(weight), weight.onnx) <= 1e-4, "both files hold the same numbers"


def test_another_name_and_a_second_export_are_refused(checkpoint, tmp_path):
    for name in ("neid.mine", "cascade", "cascade.a/b"):
        with pytest.raises(BadSetting, match=r"expected cascade\.TAG"):
            export(checkpoint, name, tmp_path)
    (tmp_path / "cascade.mine.toml").write_text("")
    with pytest.raises(OutputExists, match=r"cascade\.mine is in .* already\. .*--overwrite"):
        export(checkpoint, "cascade.mine", tmp_path)


def test_a_weight_is_replaced_when_asked_to_and_only_by_a_whole_one(checkpoint, tmp_path, monkeypatch):
    first = export(checkpoint, "cascade.mine", tmp_path)
    (tmp_path / ".cascade.mine~killed").mkdir()
    with monkeypatch.context() as patched:
        patched.setattr("daybreak.training.export.make_onnx", None)
        with pytest.raises(TypeError):
            export(checkpoint, "cascade.mine", tmp_path, overwrite=True)
    weight = find_weight("cascade.mine", tmp_path)
    weight.verify()
    assert weight.card == first
    second = export(checkpoint, "cascade.mine", tmp_path, notes="again", overwrite=True)
    weight = find_weight("cascade.mine", tmp_path)
    weight.verify()
    assert weight.card == second
    assert second.notes == "again"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("cascade")) == [
        f"cascade.mine.{kind}" for kind in ("onnx", "safetensors", "toml")
    ]
    assert not list(tmp_path.glob(".cascade*"))


def test_two_exports_of_one_name_do_not_take_each_others_files(checkpoint, tmp_path):
    with alone(tmp_path, "export of cascade.mine"):
        with pytest.raises(OutputExists, match=r"another export of cascade\.mine is at work in"):
            export(checkpoint, "cascade.mine", tmp_path)
        export(checkpoint, "cascade.other", tmp_path)
    export(checkpoint, "cascade.mine", tmp_path)
    find_weight("cascade.mine", tmp_path).verify()
    assert not list(tmp_path.glob(".export-of-cascade.*"))


def test_a_graph_that_differs_is_refused_and_leaves_nothing(checkpoint, tmp_path, monkeypatch):
    run = OnnxEngine.run
    monkeypatch.setattr(OnnxEngine, "run", lambda self, *given: run(self, *given) + 2e-4)
    with pytest.raises(TrainingError, match=r"differs from torch by 0\.0002 at 64×96"):
        export(checkpoint, "cascade.mine", tmp_path / "weights")
    assert not list((tmp_path / "weights").iterdir())


def test_a_checkpoint_of_another_version_is_refused(checkpoint):
    kept = torch.load(checkpoint, weights_only=True)
    kept["state_dict"]["network.illumination.head.0.weight"] = torch.zeros(5, 11, 3, 3)
    torch.save(kept, checkpoint)
    with pytest.raises(TrainingError, match="another version of the network cascade"):
        load_network(checkpoint)
