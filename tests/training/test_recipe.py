"""Recipes: the shipped ones load, what is wrong is named."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak.errors import BadSetting, UnknownName
from daybreak.training.material import Material
from daybreak.training.recipe import FOLDER, implied, list_recipes, load_recipe, parse_recipe
from daybreak.training.sampler import Sampler

GOOD = {"network": "cascade", "tag": "x", "steps": 5}


@pytest.mark.parametrize("name", list_recipes())
def test_shipped_recipes_load_and_say_what_they_take(name):
    recipe = load_recipe(name)
    assert recipe.name == name
    head = (FOLDER / f"{name}.toml").read_text(encoding="utf-8").splitlines()[:10]
    for word in ("hardware", "time", "score"):
        assert any(line.startswith(f"# {word}: ") for line in head), word


@pytest.mark.parametrize("name", list_recipes())
def test_no_shipped_recipe_asks_for_bf16_of_a_machine_without_it(name):
    assert load_recipe(name).precision in ("auto", "fp32")


def test_a_change_reaches_its_key_and_the_hash():
    plain = load_recipe("cascade.lol")
    changed = load_recipe("cascade.lol", {"optimiser.lr": "0.5", "settings.stages": "2", "tag": "mine"})
    assert (changed.optimiser.lr, changed.settings["stages"], changed.tag) == (0.5, 2, "mine")
    assert changed.digest() != plain.digest() == load_recipe("cascade.lol").digest()


@pytest.mark.parametrize("tag", ["../mine", "-x", "", "a b"])
def test_a_tag_that_is_no_name_for_a_folder_is_refused(tag):
    with pytest.raises(BadSetting, match=r"tag='.*' in the recipe; expected letters, digits, - and _"):
        load_recipe("cascade.lol", {"tag": tag})


def test_the_hash_does_not_depend_on_what_is_spelled_out():
    assert parse_recipe(GOOD).digest() == parse_recipe(GOOD | {"settings": {"stages": 3}}).digest()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"stepz": 3}, "key of a recipe named 'stepz'. Did you mean steps"),
        ({"optimiser": {"learn": 3}}, "named 'optimiser.learn'"),
        ({"settings": {"stage": 3}}, "hyper-parameter of cascade named 'stage'. Did you mean stages"),
        ({"network": "cascde"}, "network named 'cascde'. Did you mean cascade"),
    ],
)
def test_unknown_keys_are_refused(values, sentence):
    with pytest.raises(UnknownName, match=sentence):
        parse_recipe(GOOD | values)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"steps": 0}, "steps=0 in the recipe; expected greater than 0"),
        ({"data": {"crop": "wide"}}, "data.crop='wide'"),
        ({"settings": {"stages": 9}}, "stages=9 of network cascade; expected less than or equal to 5"),
        ({"precision": "fp8"}, "precision='fp8'"),
    ],
)
def test_bad_values_are_refused(values, sentence):
    with pytest.raises(BadSetting, match=sentence):
        parse_recipe(GOOD | values)


@pytest.mark.parametrize("name", list_recipes())
def test_photos_alone_are_enough_for_every_recipe(name):
    """α is told to the network that asks for it."""
    made = load_recipe(name, implied(load_recipe(name), 0, True))
    darkened = made.sampling == "darkened"
    assert darkened == (made.network == "alpha-residual")
    assert made.data.darkened == (0 if darkened else 1)
    photos = {str(n): np.zeros((made.data.crop, made.data.crop, 3), np.uint8) for n in range(made.data.batch)}
    batch = Sampler(Material(clean=photos), made.data, made.sampling, 0).at(0)
    assert batch.low.shape == batch.high.shape
    assert (batch.alpha is None) == (not darkened)


def test_photos_beside_pairs_make_half_of_each_batch_or_what_the_recipe_says():
    assert implied(load_recipe("neid.lol"), 1, True) == {"data.darkened": "0.5"}
    assert implied(load_recipe("neid.wild"), 1, True) == {}


def test_two_folders_are_no_pairs_for_a_network_that_needs_them():
    assert implied(load_recipe("cyclegan.lol"), 2, False) == {}
    with pytest.raises(
        BadSetting, match=r"no pairs, for neid; expected one --data.*Without pairs learn msdrs"
    ):
        implied(load_recipe("neid.lol"), 2, False)


def test_missing_keys_files_that_are_no_recipe_and_unknown_names(tmp_path):
    with pytest.raises(BadSetting, match="no steps in the recipe"):
        parse_recipe({"network": "cascade", "tag": "x"})
    (tmp_path / "a.toml").write_text("steps = = 3")
    with pytest.raises(BadSetting, match=r"a\.toml is no TOML"):
        load_recipe(str(tmp_path / "a.toml"))
    with pytest.raises(UnknownName, match=r"Did you mean cascade\.lol"):
        load_recipe("cascade.lll")
    with pytest.raises(BadSetting, match="steps is a single value"):
        load_recipe("cascade.lol", {"steps.many": "3"})
