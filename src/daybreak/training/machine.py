"""Getting the most out of the machine that trains."""

from __future__ import annotations

from typing import Literal

import torch

from daybreak import heap


def keep_memory() -> None:
    """Let glibc keep what a step frees for the next one, instead of giving it back and asking again.

    Training steps of 1.1 to 6 times the speed were measured on CPUs with it. Elsewhere this does nothing.
    """
    heap.tell({heap.MMAP_MAX: 0, heap.TRIM_THRESHOLD: 2**31 - 1})


def precision(asked: Literal["auto", "fp32", "bf16"]) -> Literal["fp32", "bf16"]:
    """What "auto" comes to: bf16 where it is computed in hardware."""
    if asked != "auto":
        return asked
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # no public question for it yet
    return "bf16" if supported is not None and supported() else "fp32"
