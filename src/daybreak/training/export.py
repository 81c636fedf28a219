"""From a checkpoint to a weight that ships: safetensors, ONNX and a card, all three or none."""

from __future__ import annotations

import copy
import datetime
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from safetensors.torch import save
from torch import Tensor

from daybreak.data.registry import parse_dataset
from daybreak.engines import OnnxEngine, Runtime, places
from daybreak.errors import BadSetting, EngineError, MissingExtra, OutputExists, TrainingError
from daybreak.files import make_folder, write_whole, writing
from daybreak.methods.pretrained import run_weight
from daybreak.methods.trying import keeps_its_picture
from daybreak.networks.base import Network
from daybreak.networks.registry import get_network
from daybreak.training import checkpoint as checkpoints
from daybreak.training.graph import TOLERANCE, check_parity, macs_per_pixel, make_onnx
from daybreak.training.lesson import OURS
from daybreak.training.measuring import Pair, measure, score_lines
from daybreak.training.pictures import Bytes, read_pair, to_bytes, to_floats
from daybreak.training.processes import alone, lock_of
from daybreak.training.recipe import Recipe
from daybreak.training.sharing import halved, share
from daybreak.weights.card import Control, Score, WeightCard, write_card
from daybreak.weights.store import FOLDER, Weight, find_weight, list_weights, sha256

SHARED = 100_000
"""Parameters from which the graph reads them from the safetensors file instead of holding them once more."""

COSTS_NOTHING = 0.01
"""dB; half precision is taken where the score on the validation pairs moves by less."""

_KINDS = ("onnx", "safetensors", "toml")

_Precision = Literal["fp32", "fp16"]

_GRAPH = (
    *("network", "parameters", "macs_per_pixel", "context", "halo"),
    *("point", "multiple", "scale", "guide", "shared"),
)
"""What two cards of the same graph agree in."""


def load_network(path: Path) -> tuple[Network, Recipe, dict[str, str], int]:
    """The network in a checkpoint, its recipe, what it was trained on, and the steps it was trained for.

    The averaged weights where the recipe asks for them.

    Raises:
        TrainingError: no checkpoint of ours, or of another version of the network.
    """
    kept = checkpoints.load(path)
    steps = int(kept["global_step"]) // len(kept["optimizer_states"])
    return checkpoints.network_of(kept, path), checkpoints.recipe_of(kept), kept[OURS]["about"], steps


def export(
    path: Path,
    name: str,
    folder: Path,
    *,
    pairs: Mapping[str, Sequence[Pair]] | None = None,
    notes: str = "",
    overwrite: bool = False,
) -> WeightCard:
    """Write `NAME.TAG.{safetensors,onnx,toml}` from a checkpoint.

    Where a weight of that name ships and its graph is of the same size and kind, what its card says and was
    measured or written by hand goes on: summary, memory per pixel, and whether bf16 will do where this
    machine cannot say.

    Args:
        path: the checkpoint.
        name: NETWORK.TAG; the network must be the checkpoint's.
        folder: where the three files go.
        pairs: data set and part -> pairs to score on, for the card; the first one also decides whether half
            precision is good enough.
        notes: for the card.
        overwrite: replaces a weight of that name, once the new one is whole.

    Raises:
        BadSetting: the name is not NETWORK.TAG, or of another network.
        OutputExists: a weight of that name lies in the folder and is not to be replaced, or one is being
            written there.
        UnwritablePicture: the folder cannot be written, or the disk is full.
        TrainingError: no checkpoint of ours, or ONNX Runtime and torch do not agree.
    """
    network, recipe, about, steps = load_network(path)
    of, _, tag = name.partition(".")
    if of != recipe.network or not tag.replace("-", "_").isidentifier():
        raise BadSetting(
            f"the name {name} for a checkpoint of {recipe.network}",
            f"{recipe.network}.TAG, the tag of letters, digits, - and _, and no digit first",
        )
    make_folder(folder)
    with _alone(folder, name):
        if (folder / f"{name}.toml").exists() and not overwrite:
            came = f"a weight {name} is in {folder} already"
            raise OutputExists(came, hint="Export under another tag, or type --overwrite")
        for left in folder.glob(f".{name}~*"):  # by an export that was killed
            shutil.rmtree(left, ignore_errors=True)
        with writing(folder):
            beside = TemporaryDirectory(prefix=f".{name}~", dir=folder)
        with beside as making:
            onnx, safetensors, target = (Path(making, f"{name}.{kind}") for kind in _KINDS)
            weight = Weight(succeeding(_card(network, recipe, tag, about, steps, notes)), onnx, safetensors)
            card = in_bf16(replace(weight, card=_whole(weight, network, pairs or {})))
            write_whole(target, write_card(card).encode())
            Weight(card, onnx, safetensors).verify()
            (folder / target.name).unlink(missing_ok=True)
            for made in (onnx, safetensors, target):  # a weight without a card is no weight
                with writing(folder / made.name):
                    made.replace(folder / made.name)
    return card


@contextmanager
def _alone(folder: Path, name: str) -> Iterator[None]:
    """Hold one name of a folder: a second export would take the first one's files away."""
    work = f"export of {name}"
    with alone(folder, work):
        try:
            yield
        finally:
            with suppress(OSError):  # Windows keeps an open file
                lock_of(folder, work).unlink()


def _whole(weight: Weight, network: Network, pairs: Mapping[str, Sequence[Pair]]) -> WeightCard:
    """Write both files, in half precision where that is good enough, and score them; gives their card."""
    first, *others = pairs.items() or [("", ())]
    card, scores = _write(weight, network, "fp32", first)
    if first[1] and weight.card.shared:  # a small graph holds its parameters itself, as float32
        half = _half(weight, network, first, scores[0].psnr)
        card, scores = half or _write(weight, network, "fp32", first)
    weight = Weight(card, weight.onnx, weight.safetensors)
    for dataset, some in others:
        scores += _scores(weight, dataset, some)
    return card.model_copy(update={"scores": tuple(scores)})


def read_pairs(text: str, root: Path) -> list[Pair]:
    """The pairs of a data set to score on.

    Args:
        text: DATASET or DATASET:SPLIT, as `daybreak evaluate` takes it.
        root: where it lies.

    Raises:
        UnknownName: no such data set or split.
        DataError: it is not there, or not of pairs.
        UnreadablePicture: a picture cannot be read.
    """
    dataset, split = parse_dataset(text)
    return [read_pair(sample) for sample in dataset.samples(root, split)]


def _write(
    weight: Weight, network: Network, precision: _Precision, scored: tuple[str, Sequence[Pair]]
) -> tuple[WeightCard, list[Score]]:
    """Write both files, prove them against torch, and score them."""
    written = _rounded(network) if precision == "fp16" else network
    graph = written.inference().eval()
    state: dict[str, Tensor] = {key: value.contiguous() for key, value in graph.state_dict().items()}
    stored = save(halved(state) if precision == "fp16" else state)
    write_whole(weight.safetensors, stored, overwrite=True)
    model, shared = make_onnx(written), weight.card.shared
    if shared:
        share(model, state, weight.safetensors)
    write_whole(weight.onnx, model.SerializeToString(), overwrite=True)
    check_parity(network, weight.onnx, TOLERANCE[precision if shared else "fp32"])
    sums = {"onnx_sha256": sha256(weight.onnx), "safetensors_sha256": sha256(weight.safetensors)}
    card = weight.card.model_copy(update={**sums, "precision": precision})
    return card, _scores(Weight(card, weight.onnx, weight.safetensors), *scored)


def _rounded(network: Network) -> Network:
    """A copy with the numbers of half precision, so that what stays inside the graph equals the file too."""
    rounded = copy.deepcopy(network)
    rounded.load_state_dict({name: value.float() for name, value in halved(network.state_dict()).items()})
    return rounded


def _half(
    weight: Weight, network: Network, scored: tuple[str, Sequence[Pair]], psnr: float
) -> tuple[WeightCard, list[Score]] | None:
    """Write both files in half precision; None where that costs too much to keep them.

    Args:
        weight, network, scored: as for `_write`.
        psnr: what full precision comes to, dB.
    """
    try:
        card, scores = _write(weight, network, "fp16", scored)
    except TrainingError:  # a value is off by more than is allowed
        return None
    return (card, scores) if abs(scores[0].psnr - psnr) < COSTS_NOTHING else None


def _scores(weight: Weight, dataset: str, pairs: Sequence[Pair]) -> list[Score]:
    """What the weight's own files come to on some pairs, run as they will be."""
    if not pairs:
        return []
    engine = OnnxEngine(weight.onnx, threads=2)

    def run(low: Bytes) -> Bytes:
        return to_bytes(run_weight(engine, weight.card, to_floats(low)))

    return score_lines(dataset, measure(run, pairs))


def in_bf16(weight: Weight) -> WeightCard:
    """The weight's card, with what this machine says of bf16, if it computes in it."""
    try:
        right = all(keeps_its_picture(weight, place) for place in places(Runtime(precision="bf16")))
    except (EngineError, MissingExtra):
        return weight.card
    return weight.card.model_copy(update={"bf16": right})


def succeeding(card: WeightCard) -> WeightCard:
    """The card, with what those that ship say of the same graph and no export finds out.

    Of one of the same name that is its summary, its memory per pixel and whether bf16 will do; of another tag
    the memory alone.
    """
    for name in sorted(list_weights(FOLDER), key=lambda name: name != card.name):
        shipped = find_weight(name, FOLDER).card
        if all(getattr(shipped, part) == getattr(card, part) for part in _GRAPH):
            kept = ("summary", "memory_per_pixel", "bf16") if name == card.name else ("memory_per_pixel",)
            return card.model_copy(update={part: getattr(shipped, part) for part in kept})
    return card


def _card(
    network: Network, recipe: Recipe, tag: str, about: Mapping[str, str], steps: int, notes: str
) -> WeightCard:
    """The card before anything is written: with sums of nothing."""
    spec, graph, count = get_network(recipe.network), network.inference(), network.inference_parameters()
    control = network.control
    return WeightCard(
        network=recipe.network,
        tag=tag,
        summary=spec.summary,
        paper=spec.paper,
        date=datetime.datetime.now(datetime.UTC).date(),
        parameters=count,
        macs_per_pixel=macs_per_pixel(graph),
        context=network.context,
        halo=network.halo,
        point=network.point,
        multiple=network.multiple,
        scale=network.scale,
        bf16=False,
        guide=network.guide,
        upscales=network.enlarging() is not None,
        shared=count >= SHARED,
        control=Control(**asdict(control)) if control else None,
        preprocessing="none: takes and gives B×3×H×W, RGB, sRGB-encoded, float32 in [0, 1]; clamps inside",
        onnx_sha256="0" * 64,
        safetensors_sha256="0" * 64,
        settings=recipe.complete()["settings"],
        recipe=recipe.name,
        recipe_sha256=recipe.digest(),
        changed=recipe.changed(),
        steps=steps,
        training_data=about["data"],
        training_terms=about["terms"],
        licence="Apache-2.0",
        notes=notes,
    )
