"""Weight-shared illumination stages with a calibration between them: how SCI and paper 2's cascade train.

Source: Ma et al., "Toward Fast, Flexible, and Robust Low-Light Image Enhancement" (SCI), CVPR 2022, eqs. 1 to
3; paper 2, eqs. 2, 3 and 5 made consistent with them (methods.md A.2, C.9).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class Stage:
    """One stage of training; every field is B×3×H×W.

    Attributes:
        given: V of the stage before (the picture itself for the first).
        illumination: L.
        enhanced: R = clip(S / L, 0, 1).
        following: S + K(R), given to the next stage; None where nothing asks for it.
    """

    given: Tensor
    illumination: Tensor
    enhanced: Tensor
    following: Tensor | None


class Enhance(nn.Module):
    """What is exported: R = clip(S / L, 0, 1) with the first stage's L.

    Args:
        illumination: V of B×3×H×W to L of the same shape, in [1e-4, 1].
    """

    def __init__(self, illumination: nn.Module) -> None:
        super().__init__()
        self.illumination = illumination

    def forward(self, low: Tensor) -> Tensor:
        """B×3×H×W in [0, 1] to the enhanced picture, same shape and range."""
        enhanced: Tensor = (low / self.illumination(low)).clamp(0.0, 1.0)
        return enhanced


def run_stages(
    low: Tensor, illuminate: nn.Module, calibrate: nn.Module, count: int, calibrate_last: bool = False
) -> list[Stage]:
    """All stages of training.

    Args:
        low: S, B×3×H×W in [0, 1].
        illuminate: V to L; one for all stages.
        calibrate: R to K(R), what the stage left over; one for all.
        count: how many stages.
        calibrate_last: whether the last stage's `following` is computed.
    """
    stages: list[Stage] = []
    given = low
    for number in range(1, count + 1):
        illumination = illuminate(given)
        enhanced = (low / illumination).clamp(0.0, 1.0)
        following = None
        if number < count or calibrate_last:
            following = low + calibrate(enhanced)
        stages.append(Stage(given, illumination, enhanced, following))
        if following is not None:
            given = following
    return stages
