"""`daybreak methods`: the list of methods, or the card and every setting of one."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterator
from typing import Annotated

import typer

from daybreak.cli.console import DONE
from daybreak.cli.options import complete_method
from daybreak.errors import UnknownName
from daybreak.methods.base import Card
from daybreak.methods.describe import as_typed, describe, example
from daybreak.methods.registry import get_method, list_methods

WILD = frozenset("*?[")


def methods(
    pattern: Annotated[
        str,
        typer.Argument(
            help="A method's name for its card, or a pattern such as 'ms*' for a shorter list.",
            autocompletion=complete_method,
            show_default=False,
        ),
    ] = "*",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON list of cards with settings.")
    ] = False,
) -> int:
    """List the methods, or tell all about one: its card and each setting."""
    one = WILD.isdisjoint(pattern)
    names = [pattern] if one else list_methods(pattern)
    if not names:
        raise UnknownName("method", pattern, list_methods())
    cards = [get_method(name).card for name in names]
    if as_json:
        typer.echo(json.dumps([describe(card) for card in cards], indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(sheet(cards[0]) if one else table(cards)))
    return DONE


def table(cards: list[Card]) -> Iterator[str]:
    """One line per method: name, kind and summary, wrapped to the terminal."""
    name = max(len(card.name) for card in cards)
    kind = max(len(card.kind) for card in cards)
    for card in cards:
        yield from hang(f"{card.name:<{name}}  {card.kind:<{kind}}  ", card.summary)
    yield from ("", "More about one: daybreak methods NAME")


def sheet(card: Card) -> Iterator[str]:
    """The card of one method, its settings and a command line that uses it."""
    facts = {
        "paper": card.paper,
        "kind": card.kind,
        "context": f"{card.halo} px around each pixel" if card.context == "local" else "the whole picture",
        "output": "" if card.scale == 1 else f"{card.scale} times as wide and as high as the input",
        "cost": card.cost,
        "memory": f"{card.memory_per_pixel:g} bytes a pixel at the peak" if card.memory_per_pixel else "",
        "notes": card.notes,
        "licence": card.licence,
        "weights": card.weights_sha256 and f"sha256 {card.weights_sha256}",
    }
    yield from (card.name, "", *hang("  ", card.summary), "")
    for label, text in facts.items():
        if text:
            yield from hang(f"  {label:<9}", text)
    settings = describe(card)["settings"]
    yield from ("", "Settings, typed as --set NAME=VALUE:" if settings else "It has no settings.")
    for name, about in settings.items():
        yield from ("", f"  {name}={as_typed(about['default'])}  ({about['range']})")
        yield from hang("      ", about["description"])
        yield from hang("      ", about["source"][:1].upper() + about["source"][1:])
    yield from ("", f"Example: {example(card)}")


def hang(lead: str, text: str) -> list[str]:
    """Lay text out beside `lead`, no wider than the terminal or 100 columns, further lines indented."""
    width = max(min(shutil.get_terminal_size((100, 24)).columns, 100), 40)
    later = " " * min(len(lead), width // 2)
    return textwrap.wrap(lead + text, width, subsequent_indent=later, break_on_hyphens=False)
