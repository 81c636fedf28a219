"""Batches of random crops, each a pure function of the seed and its place in the run.

There is no position to save: batch number k is the same whether the run got there unbroken or was killed and
started again, and however many processes share it out. The pictures lie as bytes on the device that learns;
cutting, turning and darkening happen there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

import numpy as np
import torch
from torch import Tensor, nn

from daybreak.data.synthetic import draw
from daybreak.errors import TrainingError
from daybreak.networks.base import Batch, Sampling
from daybreak.text import counted
from daybreak.training import sensor
from daybreak.training.darkening import darken, exposed, flattened
from daybreak.training.material import Material
from daybreak.training.pictures import Bytes
from daybreak.training.recipe import Data


@dataclass(frozen=True)
class _Side:
    """One heap of pictures, gone through once per epoch in a new order each time."""

    pictures: list[Tensor]
    seed: tuple[int, int]

    def picture(self, position: int) -> Tensor:
        epoch, place = divmod(position, len(self.pictures))
        return self.pictures[_order(self.seed, epoch, len(self.pictures))[place]]


@lru_cache(maxsize=8)
def _order(seed: tuple[int, int], epoch: int, count: int) -> list[int]:
    """The order of one epoch; each step asks for a batch of places in it."""
    order: list[int] = np.random.default_rng((*seed, epoch)).permutation(count).tolist()
    return order


class Sampler:
    """Makes the batches of a run.

    Args:
        material: what there is to learn from.
        data: how it is cut.
        sampling: the kind of batch, for the part that is not darkened.
        seed: of the order, the places, the turns and the darkening.
        device: where the pictures are kept and the batches made.

    Raises:
        TrainingError: fewer pictures of a kind than one batch takes, or a picture smaller than the crop.
    """

    def __init__(
        self,
        material: Material,
        data: Data,
        sampling: Sampling,
        seed: int,
        device: torch.device | str = "cpu",
    ) -> None:
        self._data, self._sampling, self._seed, self._device = data, sampling, seed, torch.device(device)
        if sampling == "aligned":
            _check_pairs(material)
        if sampling == "darkened" and data.sensor:
            raise TrainingError(
                "some crops are to be darkened as a camera would, for a network that is told α",
                "paper 3's generator alone, which has one",
                "Type --set data.sensor=0",
            )
        if sampling == "darkened" and data.exposure:
            raise TrainingError(
                "exposures are to be off by chance, for a network that learns from darkened photos alone",
                "pairs or dark pictures for that",
                "Type --set data.exposure=0",
            )
        clean = dict(material.clean)
        if sampling == "darkened" or data.darken_highs:
            clean |= {f"high/{name}": picture for name, picture in material.highs.items()}
        heaps: dict[str, Mapping[str, Bytes]] = {}
        if sampling != "darkened":
            heaps["first"] = material.lows
        if sampling in ("aligned", "unpaired"):
            heaps["second"] = material.highs
        if sampling == "darkened" or data.darkened > 0:
            if not clean:
                raise TrainingError(
                    "a part of each batch is to be darkened, and there are no photos to darken",
                    "some, with --from-normal",
                    "Or type --set data.darken_highs=true to take the references of pairs",
                )
            heaps["clean"] = clean
        self._share = data.batch if sampling == "darkened" else _share(data)
        needed = {kind for kind in heaps if kind == "clean" or self._share < data.batch}
        self._sides = {
            kind: self._side(number, pictures)
            for number, (kind, pictures) in enumerate(heaps.items())
            if kind in needed
        }

    def _side(self, number: int, pictures: Mapping[str, Bytes]) -> _Side:
        batch, crop = self._data.batch, self._data.crop
        if len(pictures) < batch:
            raise TrainingError(
                f"{counted(len(pictures), 'picture')} to train on",
                f"at least one batch of {batch}",
                f"Add pictures, or type --set data.batch={max(1, len(pictures))}",
            )
        for name, pixels in pictures.items():
            if min(pixels.shape[:2]) < crop:
                fits = min(pixels.shape[:2]) // 32 * 32  # what every network can take
                raise TrainingError(
                    f"{name} is {pixels.shape[1]}×{pixels.shape[0]} pixels",
                    f"at least the crop, {crop}×{crop}",
                    "Leave it out" + (f", or type --set data.crop={fits}" if fits else ""),
                )
        number = 0 if self._sampling == "aligned" and number < 2 else number + 1  # pairs keep one order
        held = [torch.from_numpy(np.ascontiguousarray(p)).to(self._device) for p in pictures.values()]
        return _Side(held, (self._seed, number))

    def at(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """The batch of one step, counted from 0, or the part of it that one of `world` processes takes."""
        size, darkened = self._data.batch, self._share
        places = range(rank, size, world)
        samples = [
            self._darkened(step * darkened + place) if place < darkened
            else self._sample(step * (size - darkened) + place - darkened)
            for place in places
        ]  # fmt: skip
        lows, highs, alphas = zip(*samples, strict=True)
        whole = all(high is not None for high in highs)  # else the network learns from dark pictures alone
        high = torch.stack(highs).permute(0, 3, 1, 2) if whole else None  # B×3×H×W
        alpha = torch.tensor(alphas, device=self._device) if self._sampling == "darkened" else None
        return Batch(torch.stack(lows).permute(0, 3, 1, 2), high, alpha)

    def _sample(self, position: int) -> tuple[Tensor, Tensor | None, float]:
        random = np.random.default_rng((self._seed, 7, position))
        first = self._sides["first"].picture(position)
        cut = self._cut(first.shape, random)
        low = cut(first)
        if limit := self._data.exposure:
            low = exposed(low, float(random.uniform(-limit, limit)))
        if self._sampling == "low":
            return low, None, 0.0
        second = self._sides["second"].picture(position)
        if self._sampling == "unpaired":
            cut = self._cut(second.shape, random)
        high = cut(second)
        if self._flat(random):
            low, high = flattened(low, high, random.random() ** 3, int(random.integers(2**62)))
        return low, high, 0.0

    def _darkened(self, position: int) -> tuple[Tensor, Tensor, float]:
        random = np.random.default_rng((self._seed, 8, position))
        picture = self._sides["clean"].picture(position)
        high = self._cut(picture.shape, random)(picture)
        if self._flat(random):
            high = torch.full_like(high, random.integers(256) / 255.0)
        if self._data.lit and random.random() < self._data.lit:
            return high, high, 0.0
        if self._data.sensor and random.random() < self._data.sensor:
            exposure = sensor.draw(random)
            return sensor.photograph(high, exposure, int(random.integers(2**62))), high, 0.0
        drawn = draw(random)
        return darken(high, drawn, int(random.integers(2**62))), high, drawn.alpha

    def _cut(self, shape: torch.Size, random: np.random.Generator) -> _Cut:
        crop, shrink, whole = self._data.crop, self._data.shrink, self._data.whole
        if whole and random.random() < whole:
            return _view(shape, crop, self._channels(random), random)
        window = crop
        if shrink > 1:  # else nothing is drawn for it, and runs of before the key go on as they began
            window = min(round(crop * shrink ** random.uniform()), *shape[:2])
        top, left = (int(random.integers(side - window + 1)) for side in shape[:2])
        flips = tuple(axis for axis in (0, 1) if random.integers(2))
        turn = int(random.integers(2)) if self._data.rotate else 0
        return _Cut(top, left, window, window, crop, flips, turn, self._channels(random))

    def _channels(self, random: np.random.Generator) -> list[int] | None:
        """The order of a crop's channels; None, and nothing drawn, where all keep their own."""
        share = self._data.channel_shuffle
        return random.permutation(3).tolist() if share and random.random() < share else None

    def _flat(self, random: np.random.Generator) -> bool:
        """Whether a crop gives way to a gray one; nothing is drawn where none ever does."""
        return self._data.flat > 0 and random.random() < self._data.flat

    def since(self, step: int, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """Every batch from one step on, without end."""
        return (self.at(number, rank, world) for number in count(step))


def _check_pairs(material: Material) -> None:
    if material.lows.keys() != material.highs.keys():
        raise TrainingError("the dark pictures and their references have other names", "pairs")
    for name, low in material.lows.items():
        if low.shape != material.highs[name].shape:
            sizes = (f"{wide}×{high}" for high, wide, _ in (low.shape, material.highs[name].shape))
            raise TrainingError(f"the pair {name} is of {' and '.join(sizes)} pixels", "two of one size")


def _share(data: Data) -> int:
    """How many crops of a batch are darkened.

    Raises:
        TrainingError: the batch is so small that one of its two parts would never come up.
    """
    share = round(data.darkened * data.batch)
    if 0 < data.darkened < 1 and share in (0, data.batch):
        raise TrainingError(
            f"{data.darkened:g} of a batch of {data.batch} is to be darkened, which comes to {share} crops",
            "some of each kind in every batch",
            "Type --set data.batch=2 or more, or --set data.darkened=0 or 1",
        )
    return share


@dataclass(frozen=True)
class _Cut:
    """One draw of place, size, turn and channels: H×W×3 uint8 to crop×crop×3 float32 in [0, 1], of 8 bits."""

    top: int
    left: int
    tall: int
    wide: int
    crop: int
    flips: tuple[int, ...]
    turn: int
    channels: list[int] | None

    def __call__(self, picture: Tensor) -> Tensor:
        cut = picture[self.top : self.top + self.tall, self.left : self.left + self.wide]
        cut = cut.transpose(0, 1) if self.turn else cut
        cut = cut if self.channels is None else cut[..., self.channels]
        cut = (cut.flip(self.flips) if self.flips else cut).float()
        return (cut if self.tall == self.wide == self.crop else _smaller(cut, self.crop)) / 255.0


def _view(shape: torch.Size, crop: int, channels: list[int] | None, random: np.random.Generator) -> _Cut:
    """Half to all of a picture, each side up to a fifth longer or shorter for it, mirrored or not."""
    share, tilt = random.uniform(0.5, 1.0) ** 0.5, 2.0 ** random.uniform(-0.25, 0.25)
    (height, width), parts = shape[:2], (share * tilt, share / tilt)
    tall, wide = (
        max(crop, min(side, round(side * part))) for side, part in zip((height, width), parts, strict=True)
    )
    top, left = int(random.integers(height - tall + 1)), int(random.integers(width - wide + 1))
    return _Cut(top, left, tall, wide, crop, (1,) if random.integers(2) else (), 0, channels)


def _smaller(picture: Tensor, side: int) -> Tensor:
    """H×W×3 in [0, 255] to side×side×3, each value the rounded mean of what it covers."""
    planes = nn.functional.interpolate(
        picture.permute(2, 0, 1)[None], (side, side), mode="bilinear", antialias=True
    )
    return planes[0].permute(1, 2, 0).round()
