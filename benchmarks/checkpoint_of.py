"""A checkpoint that `daybreak export` takes, of weights that side_by_side.py left, or of a mean of several.

    python benchmarks/checkpoint_of.py OUT/neid.lol.last.safetensors neid.ckpt --data LOL

Beside the weights lies RECIPE.json, which says by what recipe and for how many steps. Only the part that is
exported is in them; the rest of the network in the checkpoint is as a run begins, and training cannot go on
from it. Values are rounded to half precision, as the weights were.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file

from daybreak.training.lesson import OURS, Lesson
from daybreak.training.material import gather
from daybreak.training.recipe import parse_recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("weights", type=Path, help="RECIPE.last.safetensors or RECIPE.best.safetensors")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="trained on, for the card")
    parser.add_argument("--photos", type=Path, nargs="*", default=[], help="as for side_by_side.py")
    parser.add_argument(
        "--and",
        dest="others",
        type=Path,
        nargs="*",
        default=[],
        help="take the mean with these, of the same run; one named twice counts twice",
    )
    parser.add_argument(
        "--add",
        nargs=2,
        metavar=("PARAMETER", "NUMBER"),
        help="to all values of a parameter: generator.close.bias, where pictures come out too dark",
    )
    given = parser.parse_args()
    name = given.weights.name.removesuffix(".safetensors").rpartition(".")[0]
    told = json.loads((given.weights.parent / f"{name}.json").read_text())
    recipe = parse_recipe(told["recipe"] | {"steps": told["steps"]})
    all_of_them = [load_file(file) for file in (given.weights, *given.others)]
    state = {key: torch.stack([one[key].float() for one in all_of_them]).mean(0) for key in all_of_them[0]}
    if given.add:
        state[given.add[0]] += float(given.add[1])
    lesson = Lesson(recipe)
    lesson.shown.inference().load_state_dict({key: value.half().float() for key, value in state.items()})
    material = gather(recipe.data.source, given.data, given.photos, sensor=recipe.data.sensor > 0)
    phases = len(lesson.phases)
    torch.save(
        {
            "state_dict": lesson.state_dict(),
            "global_step": told["steps"] * phases,
            "optimizer_states": [{}] * phases,
            OURS: {"recipe": recipe.complete(), "about": {"data": material.told, "terms": material.terms}},
        },
        given.checkpoint,
    )


if __name__ == "__main__":
    main()
