"""Networks in words and pictures; the pages in the docs are what the code says."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from torch import nn

from daybreak.errors import UnknownName
from daybreak.networks import NETWORKS
from daybreak.networks.registry import get_network
from daybreak.training.diagram import draw
from daybreak.training.explain import BEGIN, END, explain, picture_of, renewed, write
from daybreak.training.provenance import CHANGED, USUAL, meanings, provenance, tell_recipe
from daybreak.training.recipe import BOOKKEEPING, Data, Optimiser, Recipe, implied, list_recipes, load_recipe
from daybreak.training.tracing import PICTURE, Block, trace
from daybreak.weights import find_weight, list_weights
from daybreak.weights.card import write_card

DOCS = Path(__file__).parents[2] / "docs" / "methods"
EVERY = pytest.mark.parametrize("spec", NETWORKS, ids=lambda s: s.name)
KEYS = {k for k in Recipe.model_fields if k not in ("network", "tag", "settings", "data", "optimiser")}
KEYS |= {f"data.{k}" for k in Data.model_fields} | {f"optimiser.{k}" for k in Optimiser.model_fields}


def blank(spec):
    with torch.device("meta"):
        return spec.build(spec.settings()).eval()


@EVERY
def test_the_page_in_the_docs_is_what_the_code_says(spec):
    hint = "run: daybreak explain '*' --write docs/methods"
    page = (DOCS / f"{spec.name}.md").read_text(encoding="utf-8")
    assert page == renewed(page, explain(spec.name)), hint
    picture = (DOCS / f"{spec.name}.svg").read_text(encoding="utf-8")
    assert picture == picture_of(spec, spec.settings()), hint


@EVERY
def test_every_hyper_parameter_is_told_with_its_source(spec):
    text = " ".join(explain(spec.name).split())
    for name, field in spec.settings.model_fields.items():
        assert f"- `{name}` = " in text
        assert " ".join(field.description.split()) in text
        assert " ".join(field.json_schema_extra["source"].split()) in text


@EVERY
def test_what_was_published_is_about_keys_of_a_recipe_and_says_where(spec):
    assert spec.published.keys() <= KEYS
    for key, (_, source) in spec.published.items():
        assert source.startswith(("paper", "cited: ", "assumed: ")), key


@pytest.mark.parametrize("name", list_recipes())
def test_every_key_of_a_recipe_is_told_with_where_it_is_from(name):
    text = explain(name)
    part = text.partition(f"## Training: {name}\n")[2].partition("\n## ")[0]
    for key in KEYS:
        assert f"`{key}` = " in part, key
    entries = re.findall(r"^- `[\w.]+` = [^*]*?: [^*]+\*([^*]+)\*", part, re.MULTILINE)
    assert len(entries) == len(KEYS) - len(BOOKKEEPING)
    assert all(
        e.startswith(("paper", "cited: ", "assumed: ", "ours, for the reasons above")) for e in entries
    )


@pytest.mark.parametrize("name", list_weights())
def test_a_weight_is_told_with_its_scores(name):
    text, card = explain(name), find_weight(name).card
    part = text.partition("## The weight")[2]
    assert f"Trained by {card.recipe} for {card.steps:,} steps" in part
    assert f"## Training: {card.recipe}\n" in text
    assert " dB" in part


def test_a_weight_of_ones_own_is_told_with_what_its_run_changed(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYBREAK_WEIGHTS", str(tmp_path))
    recipe = load_recipe("sci.lol", {"optimiser.lr": "2e-4", "data.source": "mine", "save_every": "7"})
    assert recipe.changed() == ('data.source="mine"', "optimiser.lr=0.0002")
    card = find_weight("sci.lol").card.model_copy(update={"tag": "mine", "changed": recipe.changed()})
    (tmp_path / "sci.mine.toml").write_text(write_card(card))
    assert find_weight("sci.mine").card == card
    text = explain("sci.mine")
    assert (
        """daybreak train sci.lol --data ROOT --set 'data.source="mine"' --set optimiser.lr=0.0002""" in text
    )
    assert re.search(r"- `optimiser.lr` = 0.0002: .*\n  \*as the run had it\*", text)
    assert "as the run had it" not in explain("sci.lol")
    again = load_recipe("sci.lol", dict(text.split("=", 1) for text in recipe.changed()))
    assert again == recipe.model_copy(update={"save_every": again.save_every})
    assert recipe.model_copy(update={"tag": "unheard-of"}).changed() == ()


def test_the_line_to_type_names_the_data_that_the_run_had():
    def line(name, folders, normal):
        recipe = load_recipe(name, implied(load_recipe(name), folders, normal))
        return next(tell_recipe(get_network(recipe.network), recipe)).strip()

    assert line("neid.lol", 1, False) == "daybreak train neid.lol --data ROOT"
    assert line("neid.lol", 0, True) == "daybreak train neid.lol --from-normal PHOTOS --set data.darkened=1.0"
    both = "daybreak train neid.lol --data ROOT --from-normal PHOTOS --set data.darkened=0.5"
    assert line("neid.lol", 1, True) == both
    assert line("alpha-residual.synthetic", 0, True).endswith("synthetic --from-normal PHOTOS")


def test_no_key_is_without_meaning_or_reason():
    assert meanings().keys() >= KEYS
    assert USUAL.keys() | {"steps"} | set(BOOKKEEPING) == KEYS
    assert CHANGED.keys() <= USUAL.keys()
    for source in (*USUAL.values(), *CHANGED.values()):
        assert source.startswith(("cited: ", "assumed: "))


def test_a_value_is_the_sources_or_ours_in_place_of_it():
    spec = get_network("alpha-residual")
    assert provenance(spec, "optimiser.lr", 1e-3, 1e-4) == "paper: section 4.2, printed 10-e3"
    assert provenance(spec, "optimiser.lr", 0.5, 1e-4).endswith(
        "in place of 0.001 (paper: section 4.2, printed 10-e3)"
    )
    assert provenance(spec, "ema", 0.0, 0.0) == USUAL["ema"]
    assert provenance(spec, "ema", 0.9, 0.0) == CHANGED["ema"]


def test_settings_that_a_recipe_changes_are_told_beside_the_preset():
    assert load_recipe("neid.lol-le").settings["streams"] == "LE"
    text = explain("neid.lol-le")
    assert "- `settings.streams` = LE in place of the preset, LE+DR+FF." in text
    assert "- `streams` = LE: " in text
    assert "*in place of the preset, LE+DR+FF (paper: " in text
    assert "- `streams` = LE+DR+FF: " in explain("neid")


def test_unknown_names():
    with pytest.raises(UnknownName, match="cascade"):
        explain("cascad")
    with pytest.raises(UnknownName, match="neid"):
        explain("neid.nowhere")


def test_writing_keeps_what_was_written_by_hand(tmp_path):
    page = tmp_path / "sci.md"
    assert write("sci", tmp_path) == [page, tmp_path / "sci.svg"]
    made = page.read_text(encoding="utf-8")
    assert made.startswith("# sci\n")
    page.write_text(
        made.replace("# sci\n", "# sci\n\nBefore.\n").replace("## Layers", "## Lairs") + "After.\n"
    )
    write("s*", tmp_path)
    again = page.read_text(encoding="utf-8")
    assert again == made.replace("# sci\n", "# sci\n\nBefore.\n") + "After.\n"
    assert again.count(BEGIN) == again.count(END) == 1
    with pytest.raises(UnknownName):
        write("x*", tmp_path)


@EVERY
def test_the_blocks_hold_every_parameter_once_and_end_in_the_result(spec):
    network = blank(spec)
    traced = trace(network.inference())
    assert sum(block.parameters for block in traced.blocks) == network.inference_parameters()
    assert traced.result == (3, 256 * network.scale, 256 * network.scale)
    assert any(PICTURE in block.inputs for block in traced.blocks)
    for place, block in enumerate(traced.blocks):
        assert block.inputs, block.name
        assert all(PICTURE <= source < place for source in block.inputs)
    fed = {source for block in traced.blocks for source in block.inputs} | set(traced.ends)
    assert fed >= set(range(len(traced.blocks))), "every block leads somewhere"


def test_what_feeds_what_and_what_is_one_block():
    class Skip(nn.Module):
        def __init__(self):
            super().__init__()
            self.open, self.act = nn.Conv2d(3, 4, 3, padding=1), nn.ReLU()
            self.deep = nn.Sequential(*(nn.Conv2d(4, 4, 1) for _ in range(3)))
            self.close = nn.Conv2d(8, 3, 1)

        def forward(self, low):
            wide = self.act(self.open(low * 2))
            return self.close(torch.cat([wide, self.deep(wide)], dim=1)) + low

    traced = trace(Skip(), side=8)
    assert traced.blocks == (
        Block("", "open", "conv 3×3 + ReLU", (4, 8, 8), 112, (PICTURE,)),
        Block("deep", "0 … 2", "conv 1×1", (4, 8, 8), 60, (0,), times=3),
        Block("", "close", "conv 1×1", (3, 8, 8), 27, (0, 1)),
    )
    assert traced.ends == (PICTURE, 2)


def test_the_unet_has_its_four_skips():
    traced = trace(blank(get_network("unet")).inference())
    skips = [block.inputs[0] for place, block in enumerate(traced.blocks) if block.inputs[0] < place - 1]
    assert skips == [3, 2, 1, 0]


@EVERY
def test_the_picture_is_an_svg_with_a_box_for_each_block(spec):
    traced = trace(blank(spec).inference())
    root = ElementTree.fromstring(draw(f"{spec.name} & <co>", "", traced))
    space = "{http://www.w3.org/2000/svg}"
    boxes = [r for r in root.iter(f"{space}rect") if r.get("class") in ("block", "free", "end")]
    assert len(boxes) == len(traced.blocks) + 2
    tops = [int(box.get("y")) for box in boxes]
    assert tops == sorted(tops)
    assert tops[-1] + int(boxes[-1].get("height")) < int(root.get("height"))
    arrows = list(root.iter(f"{space}path"))[1:]
    assert len(arrows) == sum(len(block.inputs) for block in traced.blocks) + len(traced.ends)
