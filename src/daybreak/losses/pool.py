"""Pictures that a generator made some steps ago, for a discriminator to look back on.

Source: Shrivastava et al., "Learning from simulated and unsupervised images through adversarial training",
CVPR 2017; CycleGAN keeps 50 of them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Pool:
    """Holds up to `size` pictures and swaps half of those that come for older ones.

    Draws with a random generator of its own, seeded by torch's.

    Args:
        size: how many; with 0, what comes is what goes.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.pictures: list[Tensor] = []
        self.random = torch.Generator().manual_seed(int(torch.randint(2**62, ())))

    def swap(self, pictures: Tensor) -> Tensor:
        """As many pictures as come, B×3×h×w: new ones until the pool is full, then every other one old."""
        return torch.stack([self._swap(one) for one in pictures]) if self.size else pictures

    def _swap(self, picture: Tensor) -> Tensor:
        if len(self.pictures) < self.size:
            self.pictures.append(picture.clone())
            return picture
        if torch.rand((), generator=self.random) < 0.5:
            return picture
        place = int(torch.randint(self.size, (), generator=self.random))
        old, self.pictures[place] = self.pictures[place], picture.clone()
        return old.to(picture.device)

    def state(self) -> dict[str, Any]:
        """The pictures and the state of the random generator."""
        return {"pictures": list(self.pictures), "random": self.random.get_state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what `state` gave."""
        self.pictures = list(state["pictures"])
        self.random.set_state(state["random"].cpu())
