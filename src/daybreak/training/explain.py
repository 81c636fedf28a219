"""A network in words: every hyper-parameter, its value and where that is from, and the blocks it is made of.

The same text is printed by `daybreak explain` and stands on the network's page in `docs/methods/`, where
notes written by hand may stand around it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import torch

from daybreak.errors import UnknownName
from daybreak.listing import matching
from daybreak.networks.base import Network, NetworkSettings
from daybreak.networks.registry import NETWORKS, AnySpec, get_network, parse_settings
from daybreak.training.diagram import draw, shown
from daybreak.training.provenance import entry, tell_recipe, typed
from daybreak.training.recipe import Recipe, list_recipes, load_recipe
from daybreak.training.tracing import Trace, trace
from daybreak.weights import WeightCard, find_weight, list_weights

BEGIN, END = "<!-- made by daybreak explain: write beside it, not in it -->", "<!-- end of what is made -->"


def explain(name: str) -> str:
    """The text of a network, or of one recipe or weight of it.

    Args:
        name: NAME, or NAME.TAG of a recipe or a weight in the package.

    Raises:
        UnknownName: there is none of that name.
    """
    known = [*(spec.name for spec in NETWORKS), *list_recipes(), *list_weights()]
    if name not in known:
        raise UnknownName("network, recipe or weight", name, dict.fromkeys(known))
    network, dot, _ = name.partition(".")
    spec = get_network(network)
    if not dot:
        recipes = [load_recipe(recipe) for recipe in list_recipes() if recipe.partition(".")[0] == network]
        return _page(spec, spec.settings(), recipes, None)
    card = find_weight(name).card if name in list_weights() else None
    recipes = [load_recipe(name)] if name in list_recipes() and (card is None or card.recipe != name) else []
    if card is not None and card.recipe in list_recipes():
        recipes.append(load_recipe(card.recipe, dict(text.split("=", 1) for text in card.changed)))
    given = card.settings if card else load_recipe(name).settings
    return _page(spec, parse_settings(spec, dict(given)), recipes, card)


def write(pattern: str, folder: Path) -> list[Path]:
    """Write NAME.md and NAME.svg; what stands on a page outside the marks stays as it is.

    Args:
        pattern: name of a network, or a shell pattern of several.
        folder: is made where it is not there.

    Returns:
        What was written, the pages and the pictures.

    Raises:
        UnknownName: there is no such network.
    """
    known = [spec.name for spec in NETWORKS]
    names = matching(pattern, known)
    if not names:
        raise UnknownName("network", pattern, known)
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name in names:
        spec, page, picture = get_network(name), folder / f"{name}.md", folder / f"{name}.svg"
        before = page.read_text(encoding="utf-8") if page.exists() else f"# {name}\n"
        page.write_text(renewed(before, explain(name)), encoding="utf-8")
        picture.write_text(picture_of(spec, spec.settings()), encoding="utf-8")
        written += [page, picture]
    return written


def renewed(page: str, text: str) -> str:
    """A page with `text` between the marks; at its end where it has none."""
    made = f"{BEGIN}\n\n{text.partition(chr(10))[2].strip()}\n\n{END}"
    if BEGIN not in page:
        return f"{page.rstrip()}\n\n{made}\n"
    head, _, rest = page.partition(BEGIN)
    return f"{head}{made}{rest.partition(END)[2]}"


def picture_of(spec: AnySpec, settings: NetworkSettings) -> str:
    """The layers of the exported graph as SVG text."""
    network = _blank(spec, settings)
    many = network.inference_parameters()
    given = f"and {network.control.name}, one number" if network.control else ""
    return draw(f"{spec.name}: {many:,} parameters", given, trace(network.inference()))


def _blank(spec: AnySpec, settings: NetworkSettings) -> Network:
    """The network without any memory or work behind its parameters."""
    with torch.device("meta"):
        network: Network = spec.build(settings)
    return network.eval()


def _page(spec: AnySpec, settings: NetworkSettings, recipes: list[Recipe], card: WeightCard | None) -> str:
    """All of it; the first line is the title."""
    network = _blank(spec, settings)
    name, summary = (card.name, card.summary) if card else (spec.name, spec.summary)
    lines = [f"# {name}", "", summary, "", f"From {spec.paper}.", ""]
    lines += [*_facts(spec, settings, network), "", "## Sources, and what is not theirs", ""]
    lines += _own_words(spec)
    lines += ["", "## Layers", "", f"![The layers of {spec.name}]({spec.name}.svg)", ""]
    lines += [*_table(trace(network.inference())), "", "## Hyper-parameters", ""]
    for name, field in spec.settings.model_fields.items():
        value, source = getattr(settings, name), field.json_schema_extra["source"]
        if value != field.default:
            source = f"in place of the preset, {typed(field.default)} ({source})"
        lines += entry(name, value, field.description, source)
    for recipe in recipes:
        lines += ["", f"## Training: {recipe.name}", "", *tell_recipe(spec, recipe)]
    if card:
        lines += ["", "## The weight", "", *_weight(card)]
    return "\n".join(lines) + "\n"


def _facts(spec: AnySpec, settings: NetworkSettings, network: Network) -> Iterator[str]:
    ours, all_of_it = network.inference_parameters(), sum(p.numel() for p in network.parameters())
    training = "" if all_of_it == ours else f", {all_of_it:,} while training"
    preset = ", by the preset" if settings == spec.settings() else ""
    yield f"- Parameters: {ours:,} in the exported graph{training}{preset}."
    if network.context == "local":
        yield f"- Sees: {network.halo} px around each pixel."
    else:
        yield f"- Sees: the whole picture; its convolutions {network.halo} px around each pixel."
    if network.multiple > 1:
        yield f"- Takes: sides that are multiples of {network.multiple} px; others are padded."
    if network.scale > 1:
        yield f"- Gives: {network.scale} times as wide and as high."
    if network.control:
        control = network.control
        yield f"- Control: `{control.name}`, {control.least:g} to {control.most:g}, one number per picture;"
        yield f"  where none is given, {control.intercept:g} {control.slope:+g} · mean of the picture."
    yield f"- Learns from: {' or '.join(spec.sampling)} batches."


def _own_words(spec: AnySpec) -> list[str]:
    """What the network's file opens with, below its first line."""
    words = inspect.getdoc(inspect.getmodule(spec.settings)) or ""
    return words.partition("\n")[2].strip().splitlines() or [words]


def _table(traced: Trace) -> list[str]:
    """The blocks as a table that reads well as it stands."""
    rows = [("block", "what", f"output for {shown(traced.picture)}", "parameters")]
    for block in traced.blocks:
        times = f"{block.times} × " if block.times > 1 else ""
        name = f"{block.group}: {block.name}" if block.group else block.name
        rows.append((name, times + block.kind, shown(block.shape), f"{block.parameters:,}"))
    wide = [max(len(row[n]) for row in rows) for n in range(4)]
    text = [f"| {a:<{wide[0]}} | {b:<{wide[1]}} | {c:<{wide[2]}} | {d:>{wide[3]}} |" for a, b, c, d in rows]
    rule = "|".join("-" * (w + 2) for w in wide[:3])
    return [text[0], f"|{rule}|{'-' * (wide[3] + 1)}:|", *text[1:]]


def _weight(card: WeightCard) -> Iterator[str]:
    data = f"{card.training_data} ({card.training_terms})"
    yield f"- Trained by {card.recipe} for {card.steps:,} steps on {data}."
    yield f"- Made {card.date}; licence {card.licence}; {card.macs_per_pixel:,} multiply-adds per pixel."
    if card.notes:
        yield f"- {card.notes}"
    for score in card.scores:
        ssim = "" if score.ssim is None else f" / {score.ssim:.3f}"
        yield f"- {score.dataset}, {score.images} pictures: {score.psnr:.2f} dB{ssim} ({score.protocol})."
