"""Evidence: what was made of what, by which operations, in a manifest that lets anyone do it again.

A result in evidence mode depends on its input's bytes and on what its manifest says, and on nothing else, so
`daybreak.enhancing.verify` can make it again and compare bit by bit. What cannot promise that is refused:
see `check_repeatable`. All else here is the same at any number of threads and pictures at a time
(tests/enhancing/test_evidence.py runs every method at several).
"""

from __future__ import annotations

from daybreak.enhancing.enhancer import Enhancer, Outcome
from daybreak.enhancing.environment import environment
from daybreak.enhancing.manifest import Asked, Entry, Ran, fact, now
from daybreak.enhancing.operations import operations
from daybreak.errors import BadSetting
from daybreak.image.photo import Photo

UNREPEATABLE = {
    "avif": "AVIF is packed by as many threads as there are cores, and its bytes depend on their number",
    "heif": "HEIC is packed by as many threads as there are cores, and nobody promises the same bytes",
}
"""Format -> why a result in it is refused."""


def check_repeatable(enhancer: Enhancer, format: str | None) -> None:
    """Refuse what may come out differently another time or elsewhere.

    Args:
        enhancer: what is to run.
        format: of the result; None where it is not known yet.

    Raises:
        BadSetting: it is refused; says why and what to type instead.
    """
    if format in UNREPEATABLE:
        raise BadSetting(
            f"evidence in {format.upper()}: {UNREPEATABLE[format]}",
            "a format that is packed the same way everywhere",
            "Type --format png or --format tiff",
        )
    if not enhancer.runtime.reference:
        raise BadSetting(
            f"evidence on {enhancer.runtime.device} in {enhancer.runtime.computed}: only the reference "
            "engine is held to give the same bits again",
            "--device cpu and --precision fp32",
        )
    if enhancer.picks_by_memory:
        raise BadSetting(
            f"evidence of {enhancer.method.card.name} with --max-memory, with which a small picture gets "
            "another method than without",
            "evidence without that limit, or of a method by name",
            "Type for example: -m daybreak",
        )
    if getattr(enhancer.settings, "denoise", "off") == "bm3d":
        raise BadSetting(
            "evidence with denoise=bm3d: that package is not part of daybreak, which cannot vouch for it",
            "denoise=nlm or denoise=off",
        )


def asked_for(enhancer: Enhancer, format: str, quality: int | None, bit_depth: int | None) -> Asked:
    """What makes the same result again.

    Args:
        format: of the result, a key of `FORMATS`.
        quality, bit_depth: as they were asked for.
    """
    return Asked(
        method=enhancer.method.card.name,
        settings=enhancer.settings.model_dump(mode="json"),
        strength=enhancer.strength,
        exposure=enhancer.exposure,
        format=format,
        quality=quality,
        bit_depth=bit_depth,
    )


def entry_for(
    data: bytes,
    encoded: bytes,
    photo: Photo,
    enhancer: Enhancer,
    outcome: Outcome,
    asked: Asked,
    lost: tuple[str, ...],
) -> Entry:
    """What is to be said of one result.

    Args:
        data, encoded: the bytes of the input and of the result; the same object where they were copied.
        photo: the input as it was read.
        enhancer, outcome: what was to run and what ran.
        asked: from `asked_for`.
        lost: what the format could not hold.
    """
    steps = operations(
        photo,
        enhancer,
        outcome,
        format=asked.format,
        quality=asked.quality,
        bit_depth=asked.bit_depth,
        lost=lost,
        copied=encoded is data,
    )
    return Entry(
        made=now(),
        input=fact(data),
        output=fact(encoded),
        asked=asked,
        ran=ran_of(outcome),
        operations=steps,
        environment=environment(),
    )


def ran_of(outcome: Outcome) -> Ran:
    """What a run of a method came to."""
    return Ran(
        method=outcome.method,
        settings=outcome.settings,
        strength=outcome.strength,
        weights_sha256=outcome.weights_sha256,
        note=outcome.note,
    )
