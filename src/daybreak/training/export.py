"""From a checkpoint to a weight that ships: safetensors, ONNX and a card, all three or none."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import save

from daybreak.errors import BadSetting, OutputExists, TrainingError
from daybreak.networks.base import Network
from daybreak.networks.registry import build, get_network
from daybreak.training import checkpoint as checkpoints
from daybreak.training.graph import check_parity, macs_per_pixel, write_onnx
from daybreak.training.recipe import Recipe
from daybreak.weights.card import Score, WeightCard, write_card
from daybreak.weights.store import Weight, sha256

TERMS = {
    "lol-v1": (
        "LOL v1 our485, the dark pictures of the 436 training pairs of a scene-disjoint split",
        "no licence stated by its authors; research use",
    ),
}
"""Per data set: what a weight was trained on, and on what terms."""


def load_network(path: Path) -> tuple[Network, Recipe, int]:
    """The network in a checkpoint, its recipe, and the steps it was trained for.

    Raises:
        TrainingError: no checkpoint of ours, or of another version of the network.
    """
    kept = checkpoints.load(path)
    recipe = checkpoints.recipe_of(kept)
    network = build(recipe.network, **recipe.settings)
    prefix = "network."
    state = {key.removeprefix(prefix): v for key, v in kept["state_dict"].items() if key.startswith(prefix)}
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        told = " ".join(str(error).split())
        raise TrainingError(f"{path} holds another version of the network {recipe.network}: {told}") from None
    return network.eval(), recipe, int(kept["global_step"])


def export(
    path: Path, name: str, folder: Path, *, scores: Sequence[Score] = (), notes: str = ""
) -> WeightCard:
    """Write `NAME.TAG.{safetensors,onnx,toml}` from a checkpoint.

    Args:
        path: the checkpoint.
        name: NETWORK.TAG; the network must be the checkpoint's.
        folder: where the three files go.
        scores: measured lines for the card.
        notes: for the card.

    Raises:
        BadSetting: the name is not NETWORK.TAG, or of another network.
        OutputExists: a weight of that name lies in the folder.
        TrainingError: no checkpoint of ours, or ONNX Runtime and torch do not agree.
    """
    network, recipe, steps = load_network(path)
    of, _, tag = name.partition(".")
    if of != recipe.network or not tag.isidentifier():
        raise BadSetting(f"the name {name} for a checkpoint of {recipe.network}", f"{recipe.network}.TAG")
    target = folder / f"{name}.toml"
    if target.exists():
        raise OutputExists(f"{target} is there already", hint="Export under another tag or to another folder")
    folder.mkdir(parents=True, exist_ok=True)
    onnx, tensors = (folder / f"{name}.{ending}" for ending in ("onnx", "safetensors"))
    graph = network.inference().eval()
    parts = [p.with_name(p.name + ".part") for p in (onnx, tensors)]
    try:
        write_onnx(graph, parts[0])
        check_parity(graph, parts[0], network.multiple)
        parts[1].write_bytes(save({key: value.contiguous() for key, value in graph.state_dict().items()}))
        for part, whole in zip(parts, (onnx, tensors), strict=True):
            part.replace(whole)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    spec = get_network(recipe.network)
    data, terms = TERMS[recipe.data.source]
    card = WeightCard(
        network=recipe.network,
        tag=tag,
        summary=spec.summary,
        paper=spec.paper,
        date=datetime.datetime.now(datetime.UTC).date(),
        parameters=network.inference_parameters(),
        macs_per_pixel=macs_per_pixel(graph),
        context="local",
        halo=network.halo,
        multiple=network.multiple,
        scale=network.scale,
        preprocessing="none: takes and gives B×3×H×W, RGB, sRGB-encoded, float32 in [0, 1]; clamps inside",
        onnx_sha256=sha256(onnx),
        safetensors_sha256=sha256(tensors),
        settings=recipe.complete()["settings"],
        recipe=recipe.name,
        recipe_sha256=recipe.digest(),
        steps=steps,
        training_data=data,
        training_terms=terms,
        licence="Apache-2.0",
        notes=notes,
        scores=tuple(scores),
    )
    target.write_text(write_card(card), encoding="utf-8")  # last: a weight without a card is no weight
    Weight(card, onnx, tensors).verify()
    return card
