"""One network learning: its objective, its optimiser and what a checkpoint has to hold besides."""

from __future__ import annotations

import math
from typing import Any

import lightning as L
import torch
from torch import Tensor

from daybreak.errors import TrainingError
from daybreak.losses.perceptual import Features
from daybreak.networks.base import Network
from daybreak.networks.registry import get_network, parse_settings
from daybreak.training.crops import Bytes
from daybreak.training.recipe import Recipe

OURS = "daybreak"
"""Key of our own part of a checkpoint."""


class Lesson(L.LightningModule):
    """A network and its objective, made by a recipe.

    Args:
        recipe: what is trained, and how.
        features: extractor of a perceptual loss, or None.

    Attributes:
        network: the network as it trains.
        last: the loss and its terms at the last step, by name.
        best: step and score of the best scoring so far, or None.
    """

    def __init__(self, recipe: Recipe, features: Features | None = None) -> None:
        super().__init__()
        spec = get_network(recipe.network)
        settings = parse_settings(spec, recipe.settings)
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.network: Network = spec.build(settings).to(memory_format=torch.channels_last)
        self.objective = spec.objective(settings, features)
        self.last: dict[str, float] = {}
        self.best: tuple[int, float] | None = None

    def training_step(self, batch: Bytes, index: int) -> Tensor:  # noqa: ARG002 - Lightning passes it
        """One step on a batch of B×crop×crop×3 uint8; gives the loss.

        Raises:
            TrainingError: the loss is not finite.
        """
        low = torch.from_numpy(batch).to(self.device).permute(0, 3, 1, 2).float() / 255.0  # B×3×H×W
        terms: dict[str, Tensor] = self.objective(self.network, low)
        loss = torch.stack(list(terms.values())).sum()
        self.last = {name: term.item() for name, term in (("loss", loss), *terms.items())}
        if not math.isfinite(self.last["loss"]):
            raise TrainingError(f"the loss is {self.last['loss']} at step {self.global_step + 1}")
        return loss

    def configure_optimizers(self) -> Any:
        """Adam and its schedule, which moves on at every step."""
        told = self.recipe.optimiser
        optimiser = torch.optim.Adam(
            self.parameters(), lr=told.lr, betas=told.betas, eps=told.eps, weight_decay=told.weight_decay
        )
        steps = self.recipe.steps

        def factor(step: int) -> float:
            return 0.5 * (1 + math.cos(math.pi * step / steps)) if told.schedule == "cosine" else 1.0

        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what Lightning leaves out: the recipe, the random generator and the best score."""
        checkpoint[OURS] = {
            "recipe": self.recipe.complete(),
            "random": torch.get_rng_state(),
            "best": list(self.best) if self.best else None,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take it up again."""
        kept = checkpoint[OURS]
        torch.set_rng_state(kept["random"])
        self.best = (int(kept["best"][0]), float(kept["best"][1])) if kept["best"] else None
