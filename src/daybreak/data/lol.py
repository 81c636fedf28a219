"""LOL v1: 485 training pairs and 15 test pairs of 400×600 (H×W).

Source: Wei, Wang, Yang, Liu, "Deep Retinex Decomposition for Low-Light Enhancement", BMVC 2018;
https://daooshee.github.io/BMVC2018website. No licence is stated: for research only.

Layout: `our485/{low,high}` and `eval15/{low,high}`, the same stems on both sides, any extension.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal

from daybreak.data.pairs import Pair, pair_folders
from daybreak.data.splits import read_split
from daybreak.errors import DataError

EVAL15 = ("1", "22", "23", "55", "79", "111", "146", "179", "493", "547", "665", "669", "748", "778", "780")
"""The published test part. For reporting only: 14 of its scenes have a near-identical view in our485."""

MISALIGNED = frozenset({"648"})
"""Pairs of our485 whose two pictures are shifted against each other by tens of pixels (648: about 54 px)."""

VALIDATION = "lol-v1-our485.val.txt"


def lol_v1(root: Path, part: Literal["train", "val", "test"]) -> list[Pair]:
    """The pairs of one part of LOL v1, in natural order.

    Args:
        root: the folder that holds `our485` and `eval15`.
        part: "train" and "val" are the two scene-disjoint parts of our485, without the misaligned pair;
            "test" is eval15.

    Raises:
        DataError: a folder is missing or its pictures are not the expected ones.
    """
    if part == "test":
        pairs = pair_folders(root / "eval15" / "low", root / "eval15" / "high")
        if tuple(pair.stem for pair in pairs) != EVAL15:
            raise DataError(
                f"{root / 'eval15'} holds {len(pairs)} pairs", f"the 15 of LOL v1 ({', '.join(EVAL15)})"
            )
        return pairs
    pairs = pair_folders(root / "our485" / "low", root / "our485" / "high")
    held = validation_stems()
    missing = held - {pair.stem for pair in pairs}
    if missing:
        raise DataError(
            f"{root / 'our485'} lacks {', '.join(sorted(missing)[:5])}", "the 485 pairs of LOL v1"
        )
    return [pair for pair in pairs if pair.stem not in MISALIGNED and (pair.stem in held) == (part == "val")]


def validation_stems() -> frozenset[str]:
    """Stems of the validation part of our485, from the committed split."""
    return frozenset(read_split(Path(str(files("daybreak.data").joinpath("splits", VALIDATION)))))
