"""SCI: three convolutions estimate the illumination to divide by; 258 parameters at inference.

Source: Ma, Ma, Liu, Fan, Luo, "Toward Fast, Flexible, and Robust Low-Light Image Enhancement", CVPR 2022;
the layers and weights as its reference code has them (methods.md C.9). A baseline of papers 1 and 2, and
what paper 2's cascade is made from.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from daybreak.layers.calibration import Calibration
from daybreak.layers.reach import reach
from daybreak.layers.stages import Enhance, Stage, run_stages
from daybreak.losses.bilateral import bilateral
from daybreak.losses.fidelity import fidelity
from daybreak.losses.perceptual import Features
from daybreak.networks.base import Batch, Network, NetworkSettings, NetworkSpec, Objective, Terms, hyper


class SciSettings(NetworkSettings):
    """Hyper-parameters of SCI."""

    stages: int = hyper(
        3, "How many weight-shared stages train; inference runs one.", source="paper: section 4.1", ge=1, le=5
    )
    fidelity: float = hyper(1.5, "Weight of the fidelity loss.", source="cited: SCI's reference code", ge=0)
    smoothness: float = hyper(
        1.0, "Weight of the smoothness loss.", source="cited: SCI's reference code", ge=0
    )
    sigma: float = hyper(
        10.0,
        "How far two colours (YCbCr, levels of 255) may be apart for their light to be smoothed together.",
        source="assumed: 10 is the reference code's; in units of [0, 1] it would have no effect",
        ge=0.1,
    )


class Light(nn.Module):
    """L = clip(V + σ(conv(f + BN-block(f))), 1e-4, 1), three channels throughout."""

    def __init__(self) -> None:
        super().__init__()
        self.open = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.ReLU(inplace=True))
        self.block = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(inplace=True))
        self.close = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.Sigmoid())

    def forward(self, given: Tensor) -> Tensor:
        """V of B×3×H×W to L of the same shape, in [1e-4, 1]; L ≥ V where V ≤ 1."""
        features = self.open(given)
        features = features + self.block(features)
        illumination: Tensor = (given + self.close(features)).clamp(1e-4, 1.0)
        return illumination


class Sci(Network):
    """Stages that share one illumination block, with a calibration block between them while training."""

    def __init__(self, settings: SciSettings) -> None:
        super().__init__()
        self.count = settings.stages
        self.illumination = Light()
        self.calibration = Calibration()
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        self.halo = reach(self.illumination)

    def inference(self) -> nn.Module:
        """The first stage alone."""
        return Enhance(self.illumination)

    def forward(self, low: Tensor) -> list[Stage]:
        """All stages of training for B×3×H×W in [0, 1]."""
        return run_stages(low, self.illumination, self.calibration, self.count)


class SciObjective(Objective[Sci]):
    """SCI, eq. 4: fidelity and smoothness of every stage, without any reference picture."""

    def __init__(self, network: Sci, settings: SciSettings, features: Features | None = None) -> None:  # noqa: ARG002
        super().__init__(network)
        self.settings = settings

    def terms(self, batch: Batch) -> Terms:
        """Weighted loss terms of one batch; only its dark pictures are looked at."""
        weight = self.settings
        stages = self.network(batch.low)
        near = torch.stack([fidelity(s.illumination, s.given) for s in stages])
        rough = torch.stack([bilateral(s.illumination, s.given, weight.sigma) for s in stages])
        return {"fidelity": weight.fidelity * near.sum(), "smoothness": weight.smoothness * rough.sum()}


SPEC = NetworkSpec(
    name="sci",
    summary="Self-calibrated illumination, 258 parameters at inference; the baseline of papers 1 and 2.",
    paper="Ma, Ma, Liu, Fan, Luo: Toward fast, flexible, and robust low-light image enhancement. CVPR 2022",
    settings=SciSettings,
    build=Sci,
    objective=SciObjective,
    sampling=("low",),
    published={
        "data.source": ("500 dark pictures of MIT-Adobe FiveK", "cited: SCI, CVPR 2022"),
        "data.sampling": ("low", "paper: no loss looks at a reference"),
        "data.crop": ("whole pictures", "cited: SCI's reference code"),
        "data.batch": (1, "cited: SCI's reference code"),
        "steps": ("1000 epochs", "cited: SCI's reference code"),
        "optimiser.lr": (3e-4, "cited: SCI's reference code"),
        "optimiser.weight_decay": (3e-4, "cited: SCI's reference code"),
        "optimiser.clip": (5.0, "cited: SCI's reference code"),
    },
)
