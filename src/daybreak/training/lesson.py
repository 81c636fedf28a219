"""One network learning: its objective's phases, each with its optimiser and schedule, under Lightning."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import lightning as L
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from daybreak.errors import TrainingError
from daybreak.layers.looking import vgg_eye
from daybreak.losses.perceptual import Features
from daybreak.networks.base import Batch, Network, Phase
from daybreak.networks.registry import build, get_network, parse_settings
from daybreak.training.recipe import Recipe
from daybreak.training.schedule import factor
from daybreak.weights import Weight, find_weight

OURS = "daybreak"
"""Key of our own part of a checkpoint."""


class Lesson(L.LightningModule):
    """A network and its objective, made by a recipe.

    Args:
        recipe: what is trained, and how.
        features: extractor of a perceptual loss, or None.
        about: plain values that every checkpoint carries along.

    Attributes:
        network: the network as it trains.
        average: the average of its weights, where the recipe asks for one.
        last: the loss and its terms at the last step, by name.
        best: step and score of the best scoring so far, or None.
    """

    def __init__(
        self, recipe: Recipe, features: Features | None = None, about: dict[str, str] | None = None
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        spec = get_network(recipe.network)
        settings = parse_settings(spec, recipe.settings)
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.network: Network = spec.build(settings)
        if recipe.start:
            take_up(self.network, recipe)
        self.network = self.network.to(memory_format=torch.channels_last)
        self.average: Network | None = None
        if recipe.ema:
            self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.objective = spec.objective(self.network, settings, features)
        if self.objective.continues and not recipe.start:
            raise TrainingError(
                f"{recipe.name} learns on from a weight, and has none to start from",
                hint=f"Type --set start=NAME, a weight of {recipe.network} or the path of its card",
            )
        self.phases: tuple[Phase, ...] = self.objective.phases()
        self.about = about or {}
        self.last: dict[str, float] = {}
        self.best: tuple[int, float] | None = None

    @property
    def shown(self) -> Network:
        """The network that is scored, drawn samples of and exported."""
        return self.average or self.network

    @property
    def done(self) -> int:
        """Steps done; Lightning counts the optimisers' steps, of which each of ours has one per phase."""
        return self.global_step // len(self.phases)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:  # noqa: ARG002
        """The sampler made it on the device."""
        return batch

    def training_step(self, batch: Batch, index: int) -> None:  # noqa: ARG002 - Lightning passes it
        """One step: every phase in turn, on the same batch.

        Raises:
            TrainingError: a loss or a gradient is not finite, in any process.
        """
        step, total = self.done + 1, 0.0
        values: dict[str, float] = {}
        optimisers, schedules = _several(self.optimizers()), _several(self.lr_schedulers())
        for phase, optimiser, schedule in zip(self.phases, optimisers, schedules, strict=True):
            self._let_learn(phase)
            terms = phase.terms(batch)
            parts = torch.stack([term.float() for term in terms.values()])
            loss = parts.sum()
            shared = self.trainer.strategy.reduce(parts.detach().clone(), reduce_op="mean")
            *each, whole = torch.cat([shared, shared.sum()[None]]).tolist()  # of all processes together
            values |= dict(zip(terms, each, strict=True))
            total += whole
            _insist(whole, "loss", step)
            optimiser.zero_grad()
            self.manual_backward(loss)
            learning = [p for group in optimiser.param_groups for p in group["params"]]
            norm = nn.utils.clip_grad_norm_(learning, self.recipe.optimiser.clip)
            _insist(norm.item(), "gradient", step)  # else the next checkpoint would hold NaN
            optimiser.step()
            schedule.step()
        self.last = {"loss": total, **values}
        self._follow(step)

    def _let_learn(self, phase: Phase) -> None:
        """Freeze what other phases move."""
        moved = {id(p) for module in phase.modules for p in module.parameters()}
        for parameter in self.network.parameters():
            parameter.requires_grad_(id(parameter) in moved)

    @torch.no_grad()
    def _follow(self, step: int) -> None:
        if self.average is None:
            return
        decay = min(self.recipe.ema, (1 + step) / (10 + step))  # the first weights are soon forgotten
        kept, now = (list(network.parameters()) for network in (self.average, self.network))
        get_ema_multi_avg_fn(decay)(kept, now, self.done)  # type: ignore[no-untyped-call]
        for held, new in zip(self.average.buffers(), self.network.buffers(), strict=True):
            held.copy_(new)

    def configure_optimizers(self) -> Any:
        """Adam and its schedule for each phase, which moves on at every step."""
        told, steps = self.recipe.optimiser, self.recipe.steps
        optimisers, schedules = [], []
        for phase in self.phases:
            critics = phase.name == "discriminators" and told.critic_lr
            optimiser = torch.optim.Adam(
                chain.from_iterable(module.parameters() for module in phase.modules),
                lr=told.critic_lr if critics else told.lr,
                betas=told.betas,
                eps=told.eps,
                weight_decay=told.weight_decay,
                fused=True,  # a tenth of a small step is Adam's otherwise
            )
            optimisers.append(optimiser)
            schedules.append(
                torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: factor(told, step, steps))
            )
        return optimisers, schedules

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what Lightning leaves out: recipe, random generators, the objective's own state, best score."""
        checkpoint[OURS] = {
            "recipe": self.recipe.complete(),
            "about": self.about,
            "random": [torch.get_rng_state(), *torch.cuda.get_rng_state_all()],
            "objective": self.objective.state(),
            "best": list(self.best) if self.best else None,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take it up again."""
        kept = checkpoint[OURS]
        torch.set_rng_state(kept["random"][0])
        if len(kept["random"]) == 1 + torch.cuda.device_count():
            torch.cuda.set_rng_state_all(kept["random"][1:])
        self.objective.load_state(kept["objective"])
        self.best = (int(kept["best"][0]), float(kept["best"][1])) if kept["best"] else None


def take_up(network: Network, recipe: Recipe) -> None:
    """Give the exported part of a network the parameters of the weight that its recipe starts from.

    Of several weights each gives those whose names and shapes the network has, unless one before it did.

    Raises:
        UnknownName, WeightsError: there is no such weight, or its files are not what its card says.
        TrainingError: it is of another network, of other hyper-parameters, or less than a third of one of
            several fits.
    """
    into = network.inference()
    found = {name: _parameters(name, weight, recipe.network) for name, weight in begun_from(recipe).items()}
    alone = len(found) == 1
    given = next(iter(found.values())) if alone else _fitting(found, into.state_dict())
    try:
        into.load_state_dict(given, strict=alone)
    except RuntimeError as error:
        told = " ".join(str(error).split())
        raise TrainingError(f"start={recipe.start} has other hyper-parameters: {told[:200]}") from None


def begun_from(recipe: Recipe) -> dict[str, Weight]:
    """The weights that a recipe starts from, by the names or paths of cards that it gives.

    Raises:
        UnknownName, WeightsError: there is no such weight, or its card cannot be read.
    """
    alone = Path(recipe.start)
    names = [recipe.start] if alone.suffix == ".toml" and alone.is_file() else recipe.start.split("+")
    return {name: _weight(name) for name in names if name}


def _weight(name: str) -> Weight:
    path = Path(name)
    return find_weight(path.stem, path.parent) if path.suffix == ".toml" else find_weight(name)


def _parameters(name: str, weight: Weight, network: str) -> dict[str, Tensor]:
    """Of a weight, which has to be of the network."""
    weight.verify()
    if weight.card.network != network:
        raise TrainingError(f"start={name} is a weight of {weight.card.network}", network)
    return load_file(weight.safetensors)


def _fitting(found: Mapping[str, dict[str, Tensor]], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What fits of each of several weights, the first before the others."""
    given: dict[str, Tensor] = {}
    for name, held in found.items():
        fits = {k: v for k, v in held.items() if k in own and own[k].shape == v.shape}
        fit, all_of_it = (sum(value.numel() for value in some.values()) for some in (fits, held))
        if 3 * fit < all_of_it:
            came = f"start: {fit:,} of the {all_of_it:,} parameters of {name} fit what is trained"
            raise TrainingError(came, "at least a third of each weight's")
        given = fits | given
    return given


def check_crop(recipe: Recipe) -> None:
    """Refuse crops that the recipe's network cannot take.

    Raises:
        TrainingError: no multiple of what it halves down to, or too small.
    """
    with torch.device("meta"):  # without memory or work
        network = build(recipe.network, **recipe.settings)
    crop, many = recipe.data.crop, network.multiple
    least = -(-network.least_crop // many) * many
    if crop % many or crop < least:
        raise TrainingError(
            f"crops of {crop}×{crop} pixels for {recipe.network}",
            f"a multiple of {many}" + (f", {least} at least" if least > many else ""),
            f"Type --set data.crop={max(crop // many * many, least)}",
        )


def features_of(recipe: Recipe) -> Features | None:
    """The extractor that the network's perceptual loss wants, or None: it has none, or the asset is absent.

    Raises:
        AssetError: the file in the cache is damaged.
    """
    settings = parse_settings(get_network(recipe.network), recipe.settings)
    return vgg_eye() if getattr(settings, "perceptual", 0.0) else None


def _insist(value: float, what: str, step: int) -> None:
    if not math.isfinite(value):
        raise TrainingError(f"the {what} is {value} at step {step}")


def _several(one_or_more: Any) -> list[Any]:
    return list(one_or_more) if isinstance(one_or_more, list | tuple) else [one_or_more]
