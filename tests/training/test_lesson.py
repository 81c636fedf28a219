"""What one step of training moves, and the crops it can take."""

from __future__ import annotations

import shutil

import pytest
import torch
from safetensors.torch import load_file

from daybreak.errors import BadSetting, TrainingError
from daybreak.training.fit import fit
from daybreak.training.lesson import Lesson, check_crop
from daybreak.training.recipe import list_recipes, load_recipe
from daybreak.weights import find_weight


@pytest.mark.parametrize("kind", ["gan", "neid"])
def test_a_phase_freezes_what_the_others_move(tiny, kind):
    lesson = Lesson(tiny(kind))
    for phase in lesson.phases:
        lesson._let_learn(phase)
        mine = {id(p) for module in phase.modules for p in module.parameters()}
        learning = {id(p) for p in lesson.network.parameters() if p.requires_grad}
        assert learning == mine
    assert len(lesson.phases) == (2 if kind == "gan" else 1)


def test_of_several_weights_each_gives_what_fits_of_it_the_first_before_the_others():
    """As daybreak.base begins: a look at the whole from one weight, and a local part from another."""
    recipe = load_recipe("daybreak.base")
    made = Lesson(recipe).network.inference().state_dict()
    curve, fast = (load_file(find_weight(name).safetensors) for name in recipe.start.split("+"))
    assert all(torch.equal(made[key], value.float()) for key, value in curve.items())
    taken = {key for key in fast if torch.equal(made[key], fast[key].float())}
    assert {"detail.open.weight", "detail.look.bias", "detail.close.weight"} <= taken
    assert not {key for key in taken if key.startswith("glance.")}


def test_a_weight_of_which_little_fits_is_refused():
    recipe = load_recipe("daybreak.base").model_copy(update={"settings": {}})
    with pytest.raises(TrainingError, match=r"[\d,]+ of the 101,820 parameters of daybreak.curve fit"):
        Lesson(recipe)


def test_colors_are_taught_to_a_weight_and_to_nothing_else():
    recipe = load_recipe("msdrs-cyclegan.lol-colors")
    with pytest.raises(TrainingError, match=r"none to start from.*a weight of msdrs-cyclegan"):
        Lesson(recipe.model_copy(update={"start": ""}))
    lesson = Lesson(recipe)
    held = load_file(find_weight("msdrs-cyclegan.lol").safetensors)
    before = lesson.objective.state()["before"]
    assert all(torch.equal(before[key], held[key].float()) for key in held)


def test_a_card_whose_path_has_a_plus_in_it_is_one_weight(tmp_path):
    weight = find_weight("daybreak.fast")
    folder = tmp_path / "a+b"
    folder.mkdir()
    for file in (weight.safetensors, weight.onnx, weight.safetensors.with_suffix(".toml")):
        shutil.copy(file, folder)
    recipe = load_recipe("daybreak.fast").model_copy(update={"start": str(folder / "daybreak.fast.toml")})
    made = Lesson(recipe).network.inference().state_dict()
    held = load_file(weight.safetensors)
    assert all(torch.equal(made[key], value.float()) for key, value in held.items())


def test_a_look_that_is_kept_with_nothing_beside_it_is_refused():
    recipe = load_recipe("daybreak.curve")
    settings = {**recipe.settings, "look": "kept"}
    with pytest.raises(BadSetting, match="look=learned"):
        Lesson(recipe.model_copy(update={"settings": settings}))


@pytest.mark.parametrize("name", list_recipes())
def test_shipped_recipes_have_crops_that_their_networks_take(name):
    check_crop(load_recipe(name))


@pytest.mark.parametrize(
    ("kind", "crop", "sentence"),
    [
        ("neid", 33, r"crops of 33×33 pixels for neid; expected a multiple of 32. Type --set data.crop=32"),
        ("neid", 16, r"crops of 16×16 .* Type --set data.crop=32"),
        ("gan", 16, r"for msdrs-cyclegan; expected a multiple of 8, 24 at least. Type --set data.crop=24"),
    ],
)
def test_a_crop_that_the_network_cannot_take_is_refused_before_anything_is_written(
    tiny, material, tmp_path, kind, crop, sentence
):
    with pytest.raises(TrainingError, match=sentence):
        fit(tiny(kind, data={"crop": crop, "batch": 2}), material, tmp_path / "run")
    assert not (tmp_path / "run").exists()
