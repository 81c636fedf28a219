"""A comparison from the bytes of its picture: the sheet or the page, and its evidence.

It follows from the picture, the names of the methods and the kind of file alone, so that
`daybreak.enhancing.verify` can make it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from daybreak.enhancing.compare import compare_page, compare_sheet
from daybreak.enhancing.cores import opencv_threads
from daybreak.enhancing.crops import choose_crops
from daybreak.enhancing.enhancer import Enhancer, Outcome
from daybreak.enhancing.environment import environment
from daybreak.enhancing.evidence import UNREPEATABLE, check_repeatable, ran_of
from daybreak.enhancing.manifest import ComparisonAsked, ComparisonEntry, fact, now
from daybreak.enhancing.operations import Operation, enhancing_operations, reading_operations
from daybreak.errors import BadSetting
from daybreak.image.paths import shown
from daybreak.image.photo import Photo
from daybreak.image.read import MAX_PIXELS, read_photo
from daybreak.image.write import encode_photo

PAGE = "html"
"""The format that is no picture's."""


def make_comparison(
    data: bytes,
    source: Path,
    methods: Sequence[str],
    format: str,
    *,
    evidence: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> tuple[bytes, ComparisonEntry | None]:
    """Show one picture through several methods.

    Args:
        data: a picture file's bytes.
        source: its name, for messages and as the title of a page.
        methods: their names, each with its defaults.
        format: `PAGE`, or a key of `FORMATS`.
        evidence: refuse what cannot be repeated, use one core, and say what was done.
        max_pixels: refuse a picture whose header claims more.

    Returns:
        The encoded sheet or page, and with evidence what is to be said of it; paths are filled in later.

    Raises:
        UnreadablePicture: the data is no picture.
        UnknownName: there is no such method.
        UnwritablePicture: the format cannot hold the sheet.
        BadSetting: evidence is asked for and could not be repeated.
    """
    enhancers = [Enhancer(name) for name in methods]
    if evidence:
        _check(enhancers, format)
    photo = read_photo(data, max_pixels=max_pixels, name=shown(source))
    with opencv_threads(1) if evidence else nullcontext():
        outcomes = [enhancer.photo(photo)[1] for enhancer in enhancers]
        results = {name: outcome.pixels for name, outcome in zip(methods, outcomes, strict=True)}
        if format == PAGE:
            encoded = compare_page(source.name, photo.pixels, results)
        else:
            sheet = Photo.from_pixels(compare_sheet(photo.pixels, results), bit_depth=8)
            encoded = encode_photo(sheet, format, bit_depth=8)
    if not evidence:
        return encoded, None
    if reduced := next((outcome.reduced for outcome in outcomes if outcome.reduced), ""):
        raise BadSetting(
            f"evidence of {shown(source)}, which was {reduced}", "a smaller picture, or more memory"
        )
    entry = ComparisonEntry(
        made=now(),
        input=fact(data),
        output=fact(encoded),
        asked=ComparisonAsked(methods=list(methods), format=format),
        ran=[ran_of(outcome) for outcome in outcomes],
        operations=_operations(photo, list(zip(enhancers, outcomes, strict=True)), format),
        environment=environment(),
    )
    return encoded, entry


def _check(enhancers: Sequence[Enhancer], format: str) -> None:
    if format in UNREPEATABLE:
        came = f"evidence in {format.upper()}: {UNREPEATABLE[format]}"
        raise BadSetting(came, "a name that ends in .png, .jpg, .webp or .html")
    for enhancer in enhancers:
        check_repeatable(enhancer, None)


def _operations(photo: Photo, done: Sequence[tuple[Enhancer, Outcome]], format: str) -> list[Operation]:
    """Every one in order; each method begins from the picture as it was read. A crop: x, y, width, height."""
    steps = reading_operations(photo)
    for enhancer, outcome in done:
        name = enhancer.method.card.name
        steps += [{**step, "of": name} for step in enhancing_operations(enhancer, outcome)]
    kind, crops = ("page" if format == PAGE else "sheet"), [list(crop) for crop in choose_crops(photo.pixels)]
    return [
        *steps,
        {"operation": f"draw a {kind}", "labels": "names of the methods", "crops": crops},
        {"operation": "encode", "format": format},
    ]
