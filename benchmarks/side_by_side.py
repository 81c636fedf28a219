"""Recipes trained side by side on one GPU until the time is up, each step replayed as a CUDA graph.

    python benchmarks/side_by_side.py PACK neid.lol msdrs-cyclegan.lol --seconds 540 --out weights
    ... daybreak.best neid.wild --photos BSDS500/train neid.wild:BSDS500/val --share daybreak.best=2

For a GPU that is at hand for minutes. `daybreak train` launches every small operation of a step from Python,
and a fast GPU waits for it: on an H100 a step of msdrs-cyclegan with four pictures took 226 ms, one of eight
replayed as a graph 54 ms. So here the pictures lie on the GPU (those of LOL's size, brought down to six
sizes), crops are drawn there, and sampling, every phase, clipping, Adam and the averaged weights are one
graph. Two recipes are in flight at a time, so that one fills the gaps of the other, and they take turns so
that each has had its share of the GPU's time. The schedule of each spreads over the time there is.

PACK is one of `daybreak data pack lol-v1`; shards that arrive later are taken up as they do, and so are
folders of photos, to be moved into place whole. For each recipe OUT gets the averaged weights of its exported
part in half precision, those of the last step and those that scored best on eight validation pairs (of all
that were scored with --keep-all), and a JSON file of what was done. They are written anew at every score:
who fetches them too early, or is cut off, has what there was.

Objectives, networks and what is drawn are the package's own. Otherwise than there, pictures are drawn with
replacement, a recipe's `shrink` in steps of 4^(1/5), half of what is darkened are photos where there are
references too, the pool of a CycleGAN begins full, all is bf16, the rate moves every ten steps, and averaging
begins after a hundred. Of photos none is kept back. checkpoint_of.py makes checkpoints of it.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from daybreak.data.synthetic import ALPHA, GAMMA, NOISY, SIGMA
from daybreak.metrics.psnr import psnr
from daybreak.networks.base import Batch, Sampling
from daybreak.training import sensor
from daybreak.training.lesson import Lesson
from daybreak.training.pictures import Bytes
from daybreak.training.recipe import Data, load_recipe
from daybreak.training.scoring import enhance

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
LOL = (400, 600)
PHOTO = (321, 481)  # BSDS500, upright ones laid down
SIZES = tuple((round(LOL[0] / 4 ** (k / 5)), round(LOL[1] / 4 ** (k / 5))) for k in range(6))
SCORED = 8


def rand(*shape: int) -> Tensor:
    return torch.rand(*shape, device=DEVICE)


def wide(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)


class Heap:
    """Pictures of one size as bytes in one row, at that size and at smaller ones."""

    def __init__(self, sizes: Sequence[tuple[int, int]], most: int) -> None:
        self.sizes, self.held = sizes, 0
        ends = np.cumsum([height * width * most for height, width in sizes]).tolist()
        self.bases = [0, *ends[:-1]]
        self.row = torch.zeros(ends[-1] * 3, dtype=torch.uint8, device=DEVICE)
        self.count = torch.ones((), device=DEVICE)  # on the device: graphs read it

    def add(self, picture: Bytes) -> None:
        whole = torch.from_numpy(np.ascontiguousarray(picture)).to(DEVICE)
        planes = whole.permute(2, 0, 1)[None].float()
        for size, base in zip(self.sizes, self.bases, strict=True):
            small = whole
            if size != whole.shape[:2]:
                mean = nn.functional.interpolate(planes, size, mode="bilinear", antialias=True)
                small = mean[0].permute(1, 2, 0).round().clamp(0, 255).byte()
            start = (base + self.held * size[0] * size[1]) * 3
            self.row[start : start + small.numel()] = small.reshape(-1)
        self.held += 1

    def ready(self) -> None:
        self.count.fill_(self.held)


class Pictures:
    """What there is to learn from, as it arrives."""

    def __init__(self, pack: Path, folders: Sequence[tuple[Path, ...]]) -> None:
        self._pack, self._seen, self._held = pack, set[Path](), dict[str, bytes]()
        self._index = json.loads((pack / "index.json").read_text())
        self.low, self.high = (Heap(SIZES, len(self._index["samples"])) for _ in range(2))
        self.photos = {some: Heap([PHOTO], 300) for some in folders}
        self.pairs: list[tuple[Bytes, Bytes]] = []
        self.look()

    def look(self) -> None:
        """Take up the photos and shards that have come since."""
        for folder in {folder for some in self.photos for folder in some}:
            if folder not in self._seen and folder.is_dir():
                self._seen.add(folder)
                clean = [cv2.imread(str(file))[..., ::-1] for file in sorted(folder.iterdir())]
                for heap in (heap for some, heap in self.photos.items() if folder in some):
                    for picture in clean:
                        lying = picture.shape[0] < picture.shape[1]
                        heap.add(picture if lying else picture.transpose(1, 0, 2))
                    heap.ready()
                print(f"{folder}: {len(clean)} photos", flush=True)
        for shard, length in self._index["shards"].items():
            file = self._pack / shard
            if shard not in self._held and file.is_file() and file.stat().st_size == length:
                self._held[shard] = file.read_bytes()
                self._take(shard)

    def _take(self, shard: str) -> None:
        """Take up the pairs of which a side, or both, lie in a shard and the other has come before."""
        members = self._index["members"]

        def where(sample: dict[str, str]) -> tuple[dict[str, Any], ...]:
            return tuple(members[sample[side]] for side in ("input", "reference"))

        def read(sample: dict[str, str]) -> list[Bytes]:
            return [_decoded(self._held[member["shard"]], member) for member in where(sample)]

        mine = []
        for sample in self._index["samples"]:
            lie = {member["shard"] for member in where(sample)}
            if shard in lie and lie <= self._held.keys():
                mine.append(sample)
        with ThreadPoolExecutor() as pool:
            for sample, (low, high) in zip(mine, pool.map(read, mine), strict=True):
                if sample["split"] == "val":
                    self.pairs.append((low, high))
                elif low.shape[:2] == LOL:
                    self.low.add(low)
                    self.high.add(high)
        self.low.ready()
        self.high.ready()
        print(f"{shard}: {self.low.held} pairs to train on, {len(self.pairs)} to score on", flush=True)


def _decoded(data: bytes, member: dict[str, Any]) -> Bytes:
    coded = np.frombuffer(data, np.uint8, member["length"], member["start"])
    return np.asarray(cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB))


class Cutter:
    """Draws places of crops in a heap: random picture, size, place, flips and turn."""

    def __init__(self, heap: Heap, data: Data) -> None:
        self._heap, self._turn = heap, data.rotate
        kept = [k for k in range(len(heap.sizes)) if 4 ** (k / 5) <= data.shrink * 1.02]
        number = [[heap.sizes[k][0], heap.sizes[k][1], heap.bases[k]] for k in kept]
        self._sizes = torch.tensor(number, device=DEVICE)
        self._crop = data.crop
        self._colors = torch.arange(3, device=DEVICE)

    def places(self, count: int, more: int = 0) -> Tensor:
        """Places in the heap's row, count×side×side×3; those of pairs lie alike in both heaps.

        Args:
            count: of crops.
            more: px by which the side is longer than the crop's.
        """
        crop, each = self._crop + more, (count, 1, 1)
        picture = (rand(count) * self._heap.count).long().view(each)
        height, width, base = self._sizes[(rand(count) * len(self._sizes)).long()].unbind(1)
        top = (rand(count) * (height - crop + 1)).long().view(each)
        left = (rand(count) * (width - crop + 1)).long().view(each)
        upset, mirrored, turned = ((rand(count) < 0.5).view(each) for _ in range(3))
        side = torch.arange(crop, device=DEVICE)
        down, right = (way.expand(count, crop, crop) for way in (side.view(1, -1, 1), side.view(1, 1, -1)))
        if self._turn:
            down, right = torch.where(turned, right, down), torch.where(turned, down, right)
        down = top + torch.where(upset, crop - 1 - down, down)
        right = left + torch.where(mirrored, crop - 1 - right, right)
        area = (height * width).view(each)
        pixel = base.view(each) + picture * area + down * width.view(each) + right
        return 3 * pixel[..., None] + self._colors


def crops(heap: Heap, places: Tensor) -> Tensor:
    """B×3×crop×crop in [0, 1], channels last."""
    return (heap.row[places].float() / 255.0).permute(0, 3, 1, 2)


def exposed(low: Tensor, stops: float) -> Tensor:
    """`daybreak.training.darkening.exposed`, each by another amount."""
    factor = 255.0 * 2.0 ** ((2 * rand(len(low)) - 1) * stops)
    return (low * wide(factor)).round().clamp(max=255.0) / 255.0


def flattened(low: Tensor, high: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """`daybreak.training.darkening.flattened` in the place of a share of the pairs."""
    count = len(low)
    dark, bright = (side.mean((1, 2, 3)).clamp(1e-3, 1 - 1e-3) for side in (low, high))
    slope = bright * (1 - dark) / (dark * (1 - bright)) * 2.0 ** (3.0 * rand(count))
    level, sigma = rand(count) ** 3, 0.02 * rand(count) ** 2
    noisy = (wide(level) + wide(sigma) * torch.randn_like(low)).clamp(0, 1)
    lit = slope * level / (1 + (slope - 1) * level)
    flat = wide(rand(count) < share)
    low = torch.where(flat, (noisy * 255).round() / 255, low)
    return low, torch.where(flat, wide(lit).expand_as(high), high)


def darkened(high: Tensor) -> tuple[Tensor, Tensor]:
    """Paper 3's generator, `daybreak.training.darkening.darken`, with another draw for each; and each α."""
    count = len(high)
    alpha, gamma, sigma = (low + (top - low) * rand(count) for low, top in (ALPHA, GAMMA, SIGMA))
    dark = (high - wide(alpha) * (1 - high ** wide(gamma)) * high).clamp(min=0)
    dark = dark + wide(sigma * (rand(count) < NOISY)) * torch.randn_like(dark)
    return (dark.clamp(0, 1) * 255).round() / 255, alpha


BLOCK = 16
"""px of a JPEG's blocks of colour: what a camera darkens is cut so much larger, and again afterwards."""


def photographed(high: Tensor) -> Tensor:
    """`daybreak.training.sensor.photograph`, with another draw for each; sides multiples of 16."""
    count, (height, width) = len(high), high.shape[2:]

    def between(low: float, top: float) -> Tensor:
        return low + (top - low) * rand(count)

    lamp = [rand(count), rand(count), between(*sensor.LAMP), (rand(count) < 0.5) * between(0.5, 1.0)]
    noise = torch.randn_like(high)
    noise = torch.where(wide(rand(count) < 0.5), sensor.grainy(noise), noise)
    stops = wide(between(*sensor.STOPS)) * sensor.missing(height, width, torch.stack(lamp, 1))
    off = [2.0 ** between(-sensor.BALANCE, sensor.BALANCE) for _ in range(2)]
    levels = sensor.exposed(
        high,
        noise,
        stops,
        gains=torch.stack([off[0], torch.ones_like(off[0]), off[1]], 1),
        variances=torch.stack([10.0 ** between(*sensor.SHOT), 100.0 ** between(*sensor.READ)], 1),
        pedestal=between(0.0, sensor.PEDESTAL),
    )
    low, top = sensor.QUALITY
    coded = sensor.jpeg(levels, between(low, top + 1).floor())
    return torch.where(wide(rand(count) < 0.5), coded, levels) / 255.0


def again(pictures: Tensor, places: Tensor, side: int) -> Tensor:
    """side×side of each of B×3×H×W, from B×2 places down and to the right on."""
    span = torch.arange(side, device=DEVICE)
    rows, columns = (places[:, way, None] + span for way in (0, 1))
    each = torch.arange(len(pictures), device=DEVICE)[:, None, None]
    return pictures.permute(0, 2, 3, 1)[each, rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2)


def made(data: Data, cuts: Sequence[tuple[Heap, Cutter, int]]) -> Callable[[], Batch]:
    """What draws pictures and their dark versions: so many of each heap.

    Raises:
        ValueError: there is nothing in a heap yet, or its pictures are too small.
    """
    count = sum(share for *_, share in cuts)
    more = BLOCK if data.sensor else 0
    for heap, _, share in cuts:
        if share and not heap.held:
            raise ValueError("photos or references are to be darkened, and none of them are there yet")
        if share and data.crop + more > min(heap.sizes[0]):
            raise ValueError(f"{data.crop + more} px are cut of pictures of {min(heap.sizes[0])} px")

    def draw() -> Batch:
        clean = torch.cat([crops(heap, cut.places(share, more)) for heap, cut, share in cuts])
        gray = wide((256 * rand(count)).floor() / 255).expand_as(clean)
        clean = torch.where(wide(rand(count) < data.flat), gray, clean)
        low, alpha = darkened(clean)
        if more:
            low = torch.where(wide(rand(count) < data.sensor), photographed(clean), low)
            places = (BLOCK * torch.rand(count, 2, device=DEVICE)).long()
            low, clean = (again(side, places, data.crop) for side in (low, clean))
        low = torch.where(wide(rand(count) < data.lit), clean, low) if data.lit else low
        return Batch(low, clean, alpha)

    return draw


def batches(pictures: Pictures, data: Data, sampling: Sampling, photos: Heap) -> Callable[[], Batch]:
    """What draws a recipe's batches.

    Raises:
        ValueError: the recipe wants what is not drawn here.
    """
    low, high = pictures.low, pictures.high
    cut, cut_photos = Cutter(low, data), Cutter(photos, data)
    if sampling == "unpaired":
        if data.flat or data.exposure or data.darkened:
            raise ValueError("unpaired pictures are drawn here as they are: no flat, exposure or darkened")
        return lambda: Batch(crops(low, cut.places(data.batch)), crops(high, cut.places(data.batch)))
    if data.whole or sampling == "low":
        raise ValueError("only crops of pairs, unpaired pictures, references and photos are drawn here")
    if sampling == "darkened":
        return made(data, [(photos, cut_photos, data.batch)])
    dark = round(data.darkened * data.batch)
    of_photos = (dark + 1) // 2 if data.darken_highs else dark
    make = made(data, [(photos, cut_photos, of_photos), (high, cut, dark - of_photos)])

    def draw() -> Batch:
        places = cut.places(data.batch - dark)
        low_side, lit = crops(low, places), crops(high, places)
        low_side = exposed(low_side, data.exposure) if data.exposure else low_side
        low_side, lit = flattened(low_side, lit, data.flat)
        if not dark:
            return Batch(low_side, lit)
        more = make()
        return Batch(torch.cat([low_side, more.low]), torch.cat([lit, more.reference()]))

    return draw


class Pool:
    """`daybreak.losses.pool.Pool` on the device, full of the first pictures that come."""

    def __init__(self, size: int) -> None:
        self._size, self._held = size, None

    def swap(self, new: Tensor) -> Tensor:
        if self._held is None:
            self._held = new.detach().repeat(-(-self._size // len(new)), 1, 1, 1)[: self._size].clone()
        place = (rand(len(new)) * self._size).long()
        old, swapped = self._held[place], wide(rand(len(new)) < 0.5)
        self._held.index_copy_(0, place, torch.where(swapped, new, old))
        return torch.where(swapped, old, new)


class Run:
    """One recipe: its lesson, its graph, and how far it is."""

    def __init__(
        self, name: str, changes: dict[str, str], pictures: Pictures, photos: Heap, share: float, every: bool
    ) -> None:
        self._keeps_all = every
        self.name, self.recipe, self.share = name, load_recipe(name, changes), share
        self.lesson = Lesson(self.recipe).to(DEVICE).train()
        self._photos = photos
        self._draw = batches(pictures, self.recipe.data, self.recipe.sampling, photos)
        for pool in ("pool_high", "pool_low"):
            if hasattr(self.lesson.objective, pool):
                setattr(self.lesson.objective, pool, Pool(getattr(self.lesson.objective, pool).size))
        told, self._adams = self.recipe.optimiser, []
        for phase in self.lesson.phases:
            lr = told.critic_lr if phase.name == "discriminators" and told.critic_lr else told.lr
            learning = [p for module in phase.modules for p in module.parameters()]
            held = torch.tensor(lr, device=DEVICE)
            adam = torch.optim.Adam(
                learning, lr=held, betas=told.betas, eps=told.eps, weight_decay=told.weight_decay,
                fused=True, capturable=DEVICE.type == "cuda",
            )  # fmt: skip
            self._adams.append((adam, lr, learning))
        self.average = self.lesson.average.eval() if self.lesson.average is not None else None
        if self.average is not None:
            self._kept = list(self.average.parameters())
            self._now = [p.detach() for p in self.lesson.network.parameters()]
            self._buffers = [list(of.buffers()) for of in (self.average, self.lesson.network)]
        self.steps, self.used, self.next_score = 0, 0.0, time.time()
        self.scores: list[tuple[int, float]] = []
        self._flying = False

    def step(self) -> Tensor:
        """One whole step; the terms of its losses."""
        batch, told = self._draw(), []
        with torch.autocast(DEVICE.type, torch.bfloat16):
            for phase, (adam, _, learning) in zip(self.lesson.phases, self._adams, strict=True):
                self.lesson._let_learn(phase)
                terms = torch.stack([term.float() for term in phase.terms(batch).values()])
                adam.zero_grad(set_to_none=True)
                terms.sum().backward()
                nn.utils.clip_grad_norm_(learning, self.recipe.optimiser.clip)
                adam.step()
                told.append(terms.detach())
        if self.average is not None:
            torch._foreach_lerp_(self._kept, self._now, 1 - self.recipe.ema)
            if self._buffers[0]:
                torch._foreach_copy_(*self._buffers)
        return torch.cat(told)

    def capture(self) -> None:
        """Make the graph of a step; three steps are done on the way."""
        self.stream = torch.cuda.Stream()
        with torch.cuda.stream(self.stream):
            for _ in range(3):
                self.step()
        torch.cuda.synchronize()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, stream=self.stream):
            self.step()
        self._begin, self._end = (torch.cuda.Event(enable_timing=True) for _ in range(2))

    def launch(self, share: float) -> None:
        """Replay the graph once; `share` of the time is over."""
        with torch.cuda.stream(self.stream):
            if self.steps % 10 == 0:
                self._pace(share)
                if self.average is not None and self.steps < 100:  # the first weights are soon forgotten
                    torch._foreach_copy_(self._kept, self._now)
            self._begin.record()
            self._graph.replay()
            self._end.record()
        self.steps += 1
        self._flying = True

    def _pace(self, share: float) -> None:
        told = self.recipe.optimiser
        factor = min(1.0, 2 * (1 - share)) if told.schedule == "linear" else 1.0
        factor = 0.5 * (1 + math.cos(math.pi * share)) if told.schedule == "cosine" else factor
        factor = 0.1 ** sum(share >= drop for drop in told.drops) if told.schedule == "step" else factor
        factor *= min(1.0, (self.steps + 1) / (told.warmup + 1))
        for adam, lr, _ in self._adams:
            for group in adam.param_groups:
                group["lr"].fill_(lr * max(0.0, factor))

    @property
    def flying(self) -> bool:
        """Whether the last replay is not over."""
        if self._flying and self._end.query():
            self.used += self._begin.elapsed_time(self._end) / 1000
            self._flying = False
        return self._flying

    def weights(self) -> dict[str, Tensor]:
        held = self.lesson.shown.inference().state_dict()
        return {key: value.detach().half().cpu().contiguous().clone() for key, value in held.items()}

    def keep(self, out: Path, pictures: Pictures) -> None:
        """Write what there is by now; where there are pairs to score on, its PSNR on a few of them too."""
        weights, marks = self.weights(), ["last"]
        if len(pictures.pairs) >= SCORED:
            score, before = self._score(pictures.pairs), [score for _, score in self.scores]
            self.scores.append((self.steps, score))
            marks += (
                [str(self.steps)] if self._keeps_all else ["best"] if score > max(before, default=0) else []
            )
        for mark in marks:
            _write(save(weights), out / f"{self.name}.{mark}.safetensors")
        told = {
            "steps": self.steps,
            "gpu_seconds": round(self.used, 1),
            "pairs": pictures.low.held,
            "photos": self._photos.held,
            "scores": self.scores,
            "recipe": self.recipe.complete(),
        }
        _write(json.dumps(told, indent=1).encode(), out / f"{self.name}.json")

    @torch.no_grad()
    def _score(self, pairs: Sequence[tuple[Bytes, Bytes]]) -> float:
        some = [pairs[round(k * (len(pairs) - 1) / (SCORED - 1))] for k in range(SCORED)]
        with torch.cuda.stream(self.stream):
            return round(
                float(np.mean([psnr(enhance(self.lesson.shown, low), high) for low, high in some])), 3
            )


def _write(data: bytes, file: Path) -> None:
    """The file whole or as it was: whoever collects may come at any time."""
    part = file.with_suffix(".part")
    part.write_bytes(data)
    part.replace(file)


def train(runs: Sequence[Run], pictures: Pictures, out: Path, seconds: float, every: float) -> None:
    """Let all of them learn until the time is up, take up what arrives, and keep what they have become."""
    start = told = time.time()
    with ThreadPoolExecutor(1) as aside:
        looking = aside.submit(pictures.look)
        while (now := time.time()) < start + seconds:
            free = [run for run in runs if not run.flying]
            for run in free:
                if now > run.next_score:
                    run.next_score = now + every
                    run.keep(out, pictures)
            if len(runs) - len(free) < min(2, len(runs)):
                min(free, key=lambda run: run.used / run.share).launch((now - start) / seconds)
            else:
                time.sleep(0.0002)
            if now - told > 10 and looking.done():
                told = now
                looking.result()
                looking = aside.submit(pictures.look)
                print(*(f"{run.name} {run.steps} {run.scores[-1:]}" for run in runs), sep="; ", flush=True)
    torch.cuda.synchronize()
    for run in runs:
        run.keep(out, pictures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("recipes", nargs="+")
    parser.add_argument("--photos", nargs="*", default=[], metavar="[RECIPE:]FOLDER", help="for it, or all")
    parser.add_argument("--share", action="append", default=[], metavar="RECIPE=TIMES", help="of the time")
    parser.add_argument("--set", action="append", default=[], metavar="RECIPE:KEY=VALUE")
    parser.add_argument("--keep-all", nargs="*", default=[], metavar="RECIPE", help="keep all of its weights")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--score-every", type=float, default=70.0, metavar="SECONDS")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    heard = [text.rpartition(":") for text in given.photos]
    sets = [text.partition(":") for text in given.set]
    shares = {name: float(times) for name, _, times in (text.partition("=") for text in given.share)}
    if strangers := {
        *shares,
        *given.keep_all,
        *(of for of, *_ in sets),
        *(of for of, *_ in heard if of),
    } - {*given.recipes}:
        parser.error(f"not among the recipes: {', '.join(sorted(strangers))}")
    given.out.mkdir(parents=True, exist_ok=True)
    torch.backends.cudnn.benchmark = True
    changes = {name: dict(one.split("=", 1) for of, _, one in sets if of == name) for name in given.recipes}
    folders = {name: tuple(Path(at) for of, _, at in heard if of in ("", name)) for name in given.recipes}
    pictures = Pictures(given.pack, list(folders.values()))
    runs = [
        Run(
            name,
            changes[name],
            pictures,
            pictures.photos[folders[name]],
            shares.get(name, 1.0),
            name in given.keep_all,
        )
        for name in given.recipes
    ]
    if DEVICE.type != "cuda":
        for run in runs:
            print(run.name, "one step on the CPU:", run.step().tolist())
        raise SystemExit("training needs a GPU that CUDA graphs run on; daybreak train runs anywhere")
    for run in runs:
        run.capture()
    train(runs, pictures, given.out, given.seconds, given.score_every)


if __name__ == "__main__":
    main()
