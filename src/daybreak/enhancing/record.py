"""What a result says of how it was made: text by name, kept in its XMP, compared before it is made anew."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from daybreak.errors import OutputExists
from daybreak.image.formats import FORMATS
from daybreak.image.paths import shown

if TYPE_CHECKING:
    from daybreak.enhancing.enhancer import Enhancer, Outcome

ONCE_MORE = "on top of an earlier result, its original is gone"
"""Said of a result that was enhanced in its place."""

ANOTHER_PLACE = "Type --overwrite to replace it, or another --suffix or -o"


def asked(enhancer: Enhancer) -> dict[str, str]:
    """What was asked for.

    Beside what every method has: `engine`, the device and the precision, of a network and of what chooses
    one; `memory` of what chooses by that (`Enhancer.picked`).
    """
    network = {"engine": str(enhancer.runtime)} if enhancer.method.on is not None else {}
    memory = "limited" if enhancer.picks_by_memory else "free"
    limited = {"memory": memory} if enhancer.method.pick is not None else {}
    always = {
        "method": enhancer.method.card.name,
        "settings": enhancer.settings.model_dump_json(),
        "strength": f"{enhancer.strength:g}",
        "exposure": "" if enhancer.exposure is None else f"{enhancer.exposure:g}",
        "weights": enhancer.method.card.weights_sha256,
    }
    return network | limited | always


def written(format: str, quality: int | None, bit_depth: int | None) -> dict[str, str]:
    """How the file was to be written; a quality only where the format has one.

    >>> written("png", 80, None), written("jpeg", None, None)
    ({'output': 'png'}, {'output': 'jpeg, default quality'})
    """
    words = [format]
    if format in FORMATS and FORMATS[format].quality is not None:
        words.append(f"quality {quality}" if quality else "default quality")
    if bit_depth is not None:
        words.append(f"{bit_depth} bits")
    return {"output": ", ".join(words)}


def made_of(data: bytes) -> dict[str, str]:
    """Which file it was made of."""
    return {"source": hashlib.sha256(data).hexdigest()}


def done(outcome: Outcome) -> dict[str, str]:
    """What was done to the picture; `ran-engine`, what ran it, of a network alone.

    And `reduced`, of what was learnt from a copy for want of memory.
    """
    some = {"ran-engine": outcome.engine, "reduced": outcome.reduced}
    return {name: told for name, told in some.items() if told} | {
        "ran": outcome.method,
        "ran-settings": json.dumps(outcome.settings),
        "ran-strength": f"{outcome.strength:g}",
        "ran-weights": outcome.weights_sha256,
        "note": outcome.note,
    }


def check_record(target: Path, record: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """Refuse a result that was made of another picture or by other settings, or does not say so.

    Raises:
        OutputExists: it was.
    """
    record = {"memory": "free", **record}  # it was not told until it was limited
    changed = sorted(key for key, value in wanted.items() if record.get(key, value) != value)
    if changed:
        came = f"{shown(target)} is there already, made otherwise ({', '.join(changed)})"
        raise OutputExists(came, hint=ANOTHER_PLACE)
    missing = sorted(wanted.keys() - record.keys())
    if missing:
        came = f"{shown(target)} is there already and does not tell its {' and its '.join(missing)}"
        raise OutputExists(came, hint=ANOTHER_PLACE)
