"""Schedules of the learning rate."""

from __future__ import annotations

import math

from daybreak.training.recipe import Optimiser


def factor(told: Optimiser, step: int, steps: int) -> float:
    """What the learning rate of a step is multiplied by.

    Args:
        told: names the schedule.
        step: counted from 0.
        steps: of the whole run.
    """
    warm = min(1.0, (step + 1) / (told.warmup + 1))
    if told.schedule == "linear":  # CycleGAN's: its last step still learns a little
        half = steps // 2
        return warm * max(0.0, 1.0 - max(0, step + 1 - half) / (steps - half + 1))
    if told.schedule == "step":
        return warm * 0.1 ** sum(step >= share * steps for share in told.drops)
    if told.schedule == "cosine":
        return warm * 0.5 * (1 + math.cos(math.pi * step / steps))
    return warm
