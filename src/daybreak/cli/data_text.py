"""What `daybreak data` prints: cards, and what a check has found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from daybreak.cli.methods import hang
from daybreak.data.base import Card
from daybreak.data.check_report import CheckReport, PartReport, Side

LISTED = 12  # of one kind; the JSON file has them all


def card_table(cards: Sequence[Card]) -> Iterator[str]:
    """One line a data set: name, kind and summary."""
    name = max(len(card.name) for card in cards)
    kind = max(len(card.kind) for card in cards)
    for card in cards:
        yield from hang(f"{card.name:<{name}}  {card.kind:<{kind}}  ", card.summary)
    yield from ("", "How to get one: daybreak data where NAME")


def card_sheet(card: Card) -> Iterator[str]:
    """All about one data set."""
    yield from (card.title, "", *hang("  ", card.summary), "")
    facts = {
        "get": card.get,
        "home": card.home,
        "terms": card.terms,
        "size": card.size,
        "layout": card.layout,
        "paper": card.paper,
        "notes": card.notes,
    }
    for label, told in facts.items():
        if told:
            yield from hang(f"  {label:<7}", told)
    for leak in card.leaks:
        yield from hang("  leak   ", leak.told)
    yield from ("", f"Splits, typed as {card.name}:SPLIT" if len(card.splits) > 1 else "One split:")
    wide = max(map(len, card.splits))
    for split, told in card.splits.items():
        usual = " (where none is typed)" if split == card.default_split and len(card.splits) > 1 else ""
        yield from hang(f"  {split:<{wide}}  ", told + usual)


def check_lines(report: CheckReport) -> Iterator[str]:
    """What a check has found, without the faults: those are for stderr."""
    for part in report.parts:
        yield from _part_lines(part)
    yield from _listed(
        "misaligned pairs (rounded, 2 px or more in some part)",
        [f"{shift.where} {shift.alignment.farthest:.1f} px" for shift in report.shifted],
    )
    yield from _listed(
        "pairs with too little in common to compare them", [shift.where for shift in report.untold]
    )
    yield from _listed("groups of equal pictures", [_equal(twins.where) for twins in report.twins])
    for part in report.parts:
        yield from _listed(f"of {part.name} show a scene of another part", report.shared_scenes(part.name))
    yield from report.notes
    yield f"{report.seconds:.0f} s"


def _equal(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return " = ".join(names[:LISTED]) + more


def _part_lines(part: PartReport) -> Iterator[str]:
    pairs = "pairs" if part.reference else "pictures"
    yield f"{part.name}: {part.usable} of {part.pictures} {pairs} can be used"
    for label, side in (("input", part.input), ("reference", part.reference)):
        if side is not None:
            yield f"  {label:<9}  {_side(side)}"
    if part.mixed_depths:
        yield f"  {part.mixed_depths} of the pairs: two files of different bit depths"


def _side(side: Side) -> str:
    sizes = ", ".join(f"{count} of {size}" for size, count in list(side.sizes.items())[:3])
    sizes += f" and {len(side.sizes) - 3} sizes more" if len(side.sizes) > 3 else ""
    depths = " and ".join(f"{depth} bits" for depth in side.depths)
    low, high = min(side.brightness), max(side.brightness)
    mean = sum(side.brightness) / len(side.brightness)
    return f"{sizes}; {depths}; mean gray value {mean:.3f} ({low:.3f} to {high:.3f})"


def _listed(what: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        yield from hang("", f"{len(names)} {what}: {', '.join(names[:LISTED])}{more}")
