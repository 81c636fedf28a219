"""Random crops from pictures held in memory, as a pure function of the seed and the step.

There is no position to save: batch number k is the same whether the run got there unbroken or was killed and
started again, and on however many machines it runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count

import numpy as np
from numpy.typing import NDArray

from daybreak.errors import TrainingError

Bytes = NDArray[np.uint8]


class Crops:
    """Square crops with random flips; every picture once per epoch, in a new order each time.

    Args:
        pictures: name -> H×W×3 uint8, RGB.
        crop: px, side of the square.
        batch: crops per step.
        seed: of the order, the places and the flips.

    Raises:
        TrainingError: fewer pictures than one batch, or a picture smaller than the crop.
    """

    def __init__(self, pictures: Mapping[str, Bytes], crop: int, batch: int, seed: int) -> None:
        if len(pictures) < batch:
            raise TrainingError(
                f"there are {len(pictures)} pictures to train on",
                f"at least one batch of {batch}",
                "Add pictures, or type --set data.batch=1",
            )
        for name, pixels in pictures.items():
            if min(pixels.shape[:2]) < crop:
                size = f"{pixels.shape[1]}×{pixels.shape[0]}"
                raise TrainingError(
                    f"{name} is {size} pixels",
                    f"at least the crop, {crop}×{crop}",
                    f"Leave it out, or type --set data.crop={min(pixels.shape[:2])}",
                )
        self._pictures = list(pictures.values())
        self._crop = crop
        self._batch = batch
        self._seed = seed

    def at(self, step: int) -> Bytes:
        """The batch of one step, counted from 0: B×crop×crop×3 uint8."""
        total = len(self._pictures)
        random = np.random.default_rng((self._seed, 0, step))
        crops = []
        for position in range(step * self._batch, (step + 1) * self._batch):
            epoch, place = divmod(position, total)
            pixels = self._pictures[self._order(epoch)[place]]
            top = random.integers(pixels.shape[0] - self._crop + 1)
            left = random.integers(pixels.shape[1] - self._crop + 1)
            cut = pixels[top : top + self._crop, left : left + self._crop]
            cut = cut[:, :: random.choice((1, -1))]
            crops.append(cut[:: random.choice((1, -1))])
        return np.stack(crops)

    def _order(self, epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng((self._seed, 1, epoch)).permutation(len(self._pictures))

    def since(self, step: int) -> Iterator[Bytes]:
        """Every batch from one step on, without end."""
        return (self.at(number) for number in count(step))
