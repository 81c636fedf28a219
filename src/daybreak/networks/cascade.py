"""Light cascade: estimates an illumination map and divides by it; 1,327 parameters at inference.

Source: Jin, Chen, Liang, "A lightweight low-light image enhancement network", ICAROB 2023 (paper 2), itself
after SCI (Ma et al., CVPR 2022). The paper names the parts and their total, 0.0013 M; its recursion is made
consistent with its own eq. 5 and the channel plan is ours (methods.md A.2, G.9).

Changed: what a stage is given is continued beyond its borders by repeating them, for as far as the stage
sees. With zeros there, u rises at the border and a dark frame of three pixels surrounds the result (0.24
against 0.55 within, for a flat input of 0.06).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from daybreak.layers.calibration import Calibration
from daybreak.layers.reach import reach
from daybreak.layers.stages import Enhance, Stage, run_stages
from daybreak.losses.fidelity import fidelity
from daybreak.losses.perceptual import Features, Perceptual
from daybreak.losses.smoothness import smoothness
from daybreak.networks.base import Batch, Network, NetworkSettings, NetworkSpec, Objective, Terms, hyper


class CascadeSettings(NetworkSettings):
    """Hyper-parameters of the light cascade."""

    stages: int = hyper(
        3,
        "How many weight-shared stages train; inference runs one.",
        source="paper: three modules, fig. 1",
        ge=1,
        le=5,
    )
    fidelity: float = hyper(0.8, "Weight of the fidelity loss.", source="paper: section 2.3", ge=0)
    smoothness: float = hyper(0.65, "Weight of the smoothness loss.", source="paper: section 2.3", ge=0)
    perceptual: float = hyper(0.5, "Weight of the perceptual loss.", source="paper: section 2.3", ge=0)
    smooth_on: Literal["illumination", "enhanced"] = hyper(
        "illumination",
        "Which picture of each stage the smoothness loss looks at.",
        source="assumed: the paper does not say; smoothing the enhanced picture fights brightening",
    )
    init_std: float = hyper(
        0.02,
        "Standard deviation of the convolutions' initial weights; biases start at 0.",
        source="assumed: usual for such networks; a fresh network then adds u of about 0.5",
        ge=0,
    )


def _branch(*convolutions: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(*(m for c in convolutions for m in (c, nn.ReLU(inplace=True))))


def _three(inputs: int, outputs: int, dilation: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation)


class Illumination(nn.Module):
    """One stage: L = clip(V + H([V, F(V)]), 1e-4, 1), with F four dilated branches of two channels each.

    No normalisation. The sigmoid at the end makes L ≥ V wherever V ≤ 1.

    Attributes:
        reach: pixels that a pixel of L depends on, on each side.
    """

    def __init__(self) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [
                _branch(nn.Conv2d(3, 2, 1), _three(2, 2)),
                _branch(nn.Conv2d(3, 2, 1), _three(2, 2, dilation=2)),
                _branch(nn.Conv2d(3, 2, 1), _three(2, 2), _three(2, 2, dilation=3)),
                _branch(_three(3, 2, dilation=4)),
            ]
        )
        self.head = nn.Sequential(*_branch(_three(11, 6), _three(6, 6)), _three(6, 3), nn.Sigmoid())
        self.reach = max(reach(branch) for branch in self.branches) + reach(self.head)

    def forward(self, given: Tensor) -> Tensor:
        """V of B×3×H×W to L of the same shape, in [1e-4, 1]."""
        edge = self.reach
        wide = nn.functional.pad(given, (edge, edge, edge, edge), mode="replicate")
        features = [branch(wide) for branch in self.branches]
        added = self.head(torch.cat([wide, *features], dim=1))  # u, in (0, 1)
        added = added[..., edge:-edge, edge:-edge]  # B×3×H×W
        illumination: Tensor = (given + added).clamp(1e-4, 1.0)
        return illumination


class Cascade(Network):
    """Weight-shared illumination stages with a calibration block between them while training."""

    def __init__(self, settings: CascadeSettings) -> None:
        super().__init__()
        self.count = settings.stages
        self.illumination = Illumination()
        self.calibration = Calibration()
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=settings.init_std)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        self.halo = self.illumination.reach

    def inference(self) -> nn.Module:
        """The first stage alone, R ≥ S; holds no parameter of the calibration block."""
        return Enhance(self.illumination)

    def forward(self, low: Tensor, calibrate_last: bool = False) -> list[Stage]:
        """All stages of training.

        Args:
            low: S, B×3×H×W in [0, 1].
            calibrate_last: whether the last stage's `following` is computed; only the perceptual loss asks.
        """
        return run_stages(low, self.illumination, self.calibration, self.count, calibrate_last)


class CascadeObjective(Objective[Cascade]):
    """Paper 2, eq. 4: fidelity + smoothness + perceptual, without any reference picture."""

    def __init__(self, network: Cascade, settings: CascadeSettings, features: Features | None = None) -> None:
        super().__init__(network)
        self.settings = settings
        self.perceptual = Perceptual(features) if settings.perceptual else None

    def terms(self, batch: Batch) -> Terms:
        """Weighted loss terms of one batch; only its dark pictures are looked at."""
        weight = self.settings
        seen = self.perceptual is not None and self.perceptual.features is not None
        stages = self.network(batch.low, calibrate_last=seen)
        near = torch.stack([fidelity(s.illumination, s.given) for s in stages])
        rough = torch.stack([smoothness(getattr(s, weight.smooth_on)) for s in stages])
        terms = {"fidelity": weight.fidelity * near.sum(), "smoothness": weight.smoothness * rough.sum()}
        last = stages[-1]
        if self.perceptual is not None and last.following is not None:
            terms["perceptual"] = weight.perceptual * self.perceptual(last.following, last.illumination)
        return terms


SPEC = NetworkSpec(
    name="cascade",
    summary="Weight-shared illumination stages; one 1,327-parameter block at inference.",
    paper="Jin, Chen, Liang: A lightweight low-light image enhancement network. ICAROB 2023",
    settings=CascadeSettings,
    build=Cascade,
    objective=CascadeObjective,
    sampling=("low",),
    published={
        "data.source": ("LOL-v2, 1589 dark pictures", "paper: section 3.1, unsupervised"),
        "data.sampling": ("low", "paper: section 2.3, no loss looks at a reference"),
        "data.crop": (256, "assumed: the paper does not say; a usual size"),
        "data.batch": (8, "assumed: the paper does not say"),
        "steps": ("800 epochs", "paper: section 3.1"),
        "optimiser.lr": (1e-4, "paper: section 3.1"),
        "optimiser.betas": ([0.9, 0.999], "paper: section 3.1"),
        "optimiser.eps": (1e-8, "paper: section 3.1"),
        "optimiser.schedule": ("constant", "assumed: the paper names one learning rate and no change"),
    },
)
