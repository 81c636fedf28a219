"""How much of the machine training uses: images/s and GFLOP/s per network against its convolution ceiling.

    python benchmarks/train_step.py [neid msdrs-cyclegan ...] [--steps 10] [--precision fp32] [--save]

What is timed is `daybreak.training.fit` itself, step to step: sampling, every phase forward and backward,
clipping, Adam, averaged weights and Lightning's loop; no scoring, no checkpoint. The operations of a step
are those of the convolutions and matrix products it runs, counted at their shapes, forward (two per
multiply-add) and backward: about three times the forward pass, less where a part is frozen.

The ceiling is the best of a few large 3×3 convolutions, forward and backward, in channels_last and the
precision that the networks train in. It is measured anew before the first and after every step, for a machine
that others share may lose a third of its speed from one minute to the next: a step is held against the mean
of the two ceilings around it, and the median of these shares is what is given.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import statistics
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from daybreak.networks.registry import NETWORKS
from daybreak.training.fit import fit
from daybreak.training.machine import keep_memory, precision
from daybreak.training.material import Material
from daybreak.training.recipe import Recipe, list_recipes, load_recipe, parse_recipe
from daybreak.training.report import Progress
from daybreak.training.stop import Stop
from machine import save

Precision = Literal["auto", "fp32", "bf16"]

SHAPES = ((8, 64, 96), (8, 128, 64), (8, 256, 48), (8, 512, 24))  # batch, channels, side
WARM_UP = 2


class After(Stop):
    """Ends a run after so many steps, without what a finished one does at its end."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._left = steps

    def reason(self) -> Literal["time"] | None:
        self._left -= 1
        return "time" if self._left <= 0 else None


class Ceiling:
    """A few large convolutions that can be timed again and again.

    Args:
        bf16: run them under autocast, as the networks are.
    """

    def __init__(self, bf16: bool) -> None:
        self._bf16 = bf16
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._layers = [self._made(*shape) for shape in SHAPES]
        for _ in range(WARM_UP):
            self.measure()

    def _made(self, batch: int, channels: int, side: int) -> tuple[nn.Module, torch.Tensor, int]:
        layer = nn.Conv2d(channels, channels, 3, padding=1, bias=False, device=self._device)
        given = torch.rand(batch, channels, side, side, device=self._device)
        given = given.to(memory_format=torch.channels_last).requires_grad_()
        operations = 3 * 2 * 9 * channels * channels * batch * side * side
        return layer.to(memory_format=torch.channels_last), given, operations

    def measure(self) -> float:
        """GFLOP/s of the fastest, each taken five times; forward and backward."""
        return max(self._once(*each) for each in self._layers * 5)

    def _once(self, layer: nn.Module, given: torch.Tensor, operations: int) -> float:
        start = time.perf_counter()
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16):
            output = layer(given)
        output.backward(torch.ones_like(output))
        if self._device.type == "cuda":
            torch.cuda.synchronize()
        return operations / (time.perf_counter() - start) / 1e9


def recipe_of(name: str, asked: Precision) -> Recipe:
    """The first shipped recipe of a network, else its preset with one crop of 256² a step."""
    quiet = {"save_every": "1000000", "score_every": "1000000", "log_every": "1000000", "panels_every": "0"}
    quiet |= {"data.darkened": "0", "precision": asked}
    shipped = [recipe for recipe in list_recipes() if recipe.partition(".")[0] == name]
    if shipped:
        return load_recipe(shipped[0], quiet | {"steps": "1000000"})
    preset = {"network": name, "tag": "preset", "steps": 1000000, "precision": asked, "data": {"batch": 1}}
    return parse_recipe(preset)


def noise(recipe: Recipe) -> Material:
    """Pictures of the size of LOL's, or of the crop where that is larger."""
    random = np.random.default_rng(0)
    shape = (max(400, recipe.data.crop), max(600, recipe.data.crop), 3)
    pictures = {str(n): random.integers(0, 256, shape, dtype=np.uint8) for n in range(recipe.data.batch)}
    return Material(pictures, pictures, pictures)


def measure(name: str, steps: int, asked: Precision) -> dict[str, Any]:
    """What a network's training step takes."""
    recipe = recipe_of(name, asked)
    material, ceiling = noise(recipe), Ceiling(precision(asked) == "bf16")
    began, ended, tops = [0.0], [], [ceiling.measure()]

    def watch(_: Progress) -> None:
        ended.append(time.perf_counter())
        tops.append(ceiling.measure())
        began.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        with FlopCounterMode(display=False) as counter:
            fit(recipe, material, Path(folder) / "counted", stop=After(1))
        operations = counter.get_total_flops() / 1e9
        fit(recipe, material, Path(folder) / "timed", stop=After(steps + WARM_UP + 1), watch=watch)
    counted = slice(WARM_UP, -1)  # the last step writes a checkpoint
    taken = [end - start for start, end in zip(began, ended, strict=False)][counted]
    around = [(before + after) / 2 for before, after in itertools.pairwise(tops)][counted]
    shares = [operations / seconds / top for seconds, top in zip(taken, around, strict=True)]
    seconds = statistics.median(taken)
    return {
        "recipe": recipe.name,
        "crop": recipe.data.crop,
        "batch": recipe.data.batch,
        "precision": precision(recipe.precision),
        "steps": len(taken),
        "gflop_per_step": round(operations, 2),
        "seconds_median": round(seconds, 4),
        "seconds_min": round(min(taken), 4),
        "seconds_max": round(max(taken), 4),
        "images_per_second": round(recipe.data.batch / seconds, 2),
        "gflop_per_second": round(operations / seconds, 1),
        "ceiling_gflop_per_second": round(statistics.median(around), 1),
        "of_ceiling": round(statistics.median(shares), 3),
        "of_ceiling_range": [round(min(shares), 3), round(max(shares), 3)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("networks", nargs="*", help="names; all where none is given")
    parser.add_argument("--steps", type=int, default=10, help="timed, after two that are not")
    parser.add_argument(
        "--precision", choices=get_args(Precision), default="auto", help="as `daybreak train` takes it"
    )
    parser.add_argument("--save", action="store_true", help="write results/train_step.json")
    told = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning").setLevel(logging.ERROR)
    keep_memory()
    names = told.networks or [spec.name for spec in NETWORKS]
    print(f"{'network':20} crop batch  images/s  GFLOP/s  ceiling  of the ceiling (range)")
    rows = {}
    for name in names:
        row = rows[name] = measure(name, told.steps, told.precision)
        low, high = row["of_ceiling_range"]
        print(
            f"{name:20} {row['crop']:4} {row['batch']:5}  {row['images_per_second']:8.2f}"
            f"  {row['gflop_per_second']:7.1f}  {row['ceiling_gflop_per_second']:7.0f}"
            f"  {row['of_ceiling']:14.0%} ({low:.0%} to {high:.0%})",
            flush=True,
        )
    if told.save:
        device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
        results = {"device": device, "torch": torch.__version__, "threads": torch.get_num_threads()}
        print(save("train_step", results | {"networks": rows}))


if __name__ == "__main__":
    main()
