"""α-controllable residual restoration: one net estimates what the dark took, another cleans what is left.

Source: Ri, Choe, O, Kim, "Restoration of low-light image based on deep residual networks" (paper 3). The
paper fixes the 7×3 and 3×7 kernels, a batch norm in front of and behind the convolutions, the depths 3 and
2, and J = I' + α·Î^D between the nets; "depth" counted in blocks, the order inside a block and the width are
ours (methods.md A.3, G.10).

Changed: the last convolution of either net starts at 0, so that a fresh network gives back what it is given.
Where no α is given, it is estimated from the picture (`ALPHA`); the paper leaves it to the user.
"""

from __future__ import annotations

from torch import Tensor, nn

from daybreak.layers.reach import reach
from daybreak.losses.perceptual import Features
from daybreak.losses.ssim import unlike
from daybreak.networks.base import (
    Batch,
    Control,
    Network,
    NetworkSettings,
    NetworkSpec,
    Objective,
    Terms,
    hyper,
)

ALPHA = Control("alpha", least=0.5, most=2.0, intercept=1.60, slope=-1.90)
"""α, and what it is taken for where nobody gives it: 1.60 − 1.90 · mean, within what training draws from.

Fitted by least squares over paper 3's generator (`daybreak.data.synthetic`): each of the 200 training
photographs of BSDS500 at half size, darkened by 20 draws of α, γ and noise (seed 0), α against the mean of
all values of the dark picture: 1.602 − 1.900 · mean. It misses by 0.37 (root mean square) where the mean of
all α, 1.25, misses by 0.43: brightness alone tells little of how dark a scene was made.
"""


class AlphaResidualSettings(NetworkSettings):
    """Hyper-parameters of the α-controllable residual network."""

    estimate_depth: int = hyper(
        3,
        "Residual blocks of the Estimate-Net.",
        source="paper: section 4.2, depth 3 to estimate the difference map; depth read as blocks",
        ge=1,
    )
    enhance_depth: int = hyper(
        2,
        "Residual blocks of the Enhance-Net.",
        source="paper: section 4.2, depth 2 to denoise and improve; depth read as blocks",
        ge=1,
    )
    width: int = hyper(
        64,
        "Channels of every block.",
        source="assumed: the paper gives none; 64 is usual for residual networks of super-resolution",
        ge=1,
    )
    lambda_diff: float = hyper(
        0.0,
        "Weight of a squared error on the estimated difference map itself.",
        source="paper: section 4.2 has no such term, the error of the output is all there is",
        ge=0,
    )
    ssim: float = hyper(
        0.0,
        "Weight of 1 − SSIM of the output.",
        source="paper: section 4.2 has no such term; table 1 judges by SSIM too",
        ge=0,
    )


class Residual(nn.Module):
    """x + BN, ReLU, 7×3, BN, ReLU, 3×7, BN: dark parts are filled in from far around, as in inpainting.

    Args:
        width: channels in and out.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, (7, 3), padding=(3, 1)),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, (3, 7), padding=(1, 3)),
            nn.BatchNorm2d(width),
        )

    def forward(self, features: Tensor) -> Tensor:
        """B×width×H×W to the same shape."""
        changed: Tensor = features + self.body(features)
        return changed


class Net(nn.Sequential):
    """3×3 to `width` channels, residual blocks, 3×3 back to three; gives 0 before it is trained.

    Args:
        width: channels of the blocks.
        depth: how many blocks.
    """

    def __init__(self, width: int, depth: int) -> None:
        last = nn.Conv2d(width, 3, 3, padding=1)
        super().__init__(nn.Conv2d(3, width, 3, padding=1), *(Residual(width) for _ in range(depth)), last)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        nn.init.zeros_(last.weight)


class Restore(nn.Module):
    """What is exported.

    Args:
        estimate, enhance: the network's own.
    """

    def __init__(self, estimate: Net, enhance: Net) -> None:
        super().__init__()
        self.estimate, self.enhance = estimate, enhance

    def forward(self, low: Tensor, alpha: Tensor | None = None) -> Tensor:
        """The restored picture; a larger α gives a brighter one.

        Args:
            low: B×3×H×W in [0, 1].
            alpha: B values; None for `ALPHA`, which looks at the whole picture.

        Returns:
            B×3×H×W in [0, 1].
        """
        return self.parts(low, ALPHA.estimate(low) if alpha is None else alpha)[0].clamp(0.0, 1.0)

    def parts(self, low: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
        """Î and Î^D, as `AlphaResidual.forward` gives them."""
        difference = self.estimate(low)
        lit = low + alpha.view(-1, 1, 1, 1) * difference  # J
        return lit + self.enhance(lit), difference


class AlphaResidual(Network):
    """Estimate-Net and Enhance-Net, with α between them."""

    control = ALPHA

    def __init__(self, settings: AlphaResidualSettings) -> None:
        super().__init__()
        self.estimate = Net(settings.width, settings.estimate_depth)
        self.enhance = Net(settings.width, settings.enhance_depth)
        self.halo = reach(self.estimate) + reach(self.enhance)
        self._restore = (Restore(self.estimate, self.enhance),)  # a tuple: its parameters are these nets'

    def inference(self) -> nn.Module:
        """Both nets and the clamp."""
        return self._restore[0]

    def forward(self, low: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor]:
        """Both nets, nothing clamped.

        Args:
            low: I', B×3×H×W in [0, 1].
            alpha: B values.

        Returns:
            Î and Î^D, B×3×H×W each.
        """
        return self._restore[0].parts(low, alpha)


def given_alpha(batch: Batch) -> Tensor:
    """The α of a batch, estimated where the dark side is photographed; B values."""
    return ALPHA.estimate(batch.low) if batch.alpha is None else batch.alpha


class AlphaResidualObjective(Objective[AlphaResidual]):
    """Paper 3, section 4.2: the squared error of the output; the L2 on weights is the recipe's.

    What `lambda_diff` and `ssim` ask for beside it is ours.
    """

    def __init__(
        self,
        network: AlphaResidual,
        settings: AlphaResidualSettings,
        features: Features | None = None,  # noqa: ARG002 - every objective is handed one
    ) -> None:
        super().__init__(network)
        self.settings = settings

    def terms(self, batch: Batch) -> Terms:
        """Weighted loss terms of one batch of clean pictures, what darkening made of them, and its α."""
        wanted, alpha = batch.reference(), given_alpha(batch)
        output, difference = self.network(batch.low, alpha)
        terms = {"restored": nn.functional.mse_loss(output.float(), wanted)}
        if self.settings.lambda_diff:
            # I^D by eq. 7; with noise or clipping it is what Estimate-Net has to add for J to be I
            missing = (wanted - batch.low) / alpha.view(-1, 1, 1, 1)
            terms["difference"] = self.settings.lambda_diff * nn.functional.mse_loss(
                difference.float(), missing
            )
        if self.settings.ssim:
            terms["ssim"] = self.settings.ssim * unlike(output, wanted)
        return terms

    def panels(self, batch: Batch) -> dict[str, Tensor]:
        """The dark picture, the estimated difference map, the restored picture and the clean one."""
        output, difference = self.network(batch.low, given_alpha(batch))
        high = {} if batch.high is None else {"reference": batch.high}
        shown = {"difference": difference.clamp(0.0, 1.0), "output": output.clamp(0.0, 1.0)}
        return {"input": batch.low, **shown, **high}


SPEC = NetworkSpec(
    name="alpha-residual",
    summary="Difference map times a brightness that is yours to choose, then cleaning; 870 K parameters.",
    paper="Ri, Choe, O, Kim: Restoration of low-light image based on deep residual networks (paper 3)",
    settings=AlphaResidualSettings,
    build=AlphaResidual,
    objective=AlphaResidualObjective,
    sampling=("darkened",),
    published={
        "data.source": ("1000 photos of RAISE", "paper: section 4.1"),
        "data.sampling": ("darkened", "paper: section 4.1, by the generator of section 3.1"),
        "data.crop": (48, "paper: section 4.2"),
        "data.batch": (32, "paper: section 4.2"),
        "steps": (200_000, "assumed: the paper does not say; four drops of the learning rate fit in"),
        "optimiser.lr": (1e-3, "paper: section 4.2, printed 10-e3"),
        "optimiser.weight_decay": (1e-4, "assumed: L2 on the weights as in section 4.2, of unknown strength"),
        "optimiser.schedule": ("step", "paper: section 4.2, to a tenth at every 50k steps"),
        "optimiser.drops": ([0.25, 0.5, 0.75], "assumed: every 50k of the 200k steps assumed"),
    },
)
