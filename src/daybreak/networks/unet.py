"""A plain U-Net from the dark picture to the bright one: the baseline of paper 4's ablation.

Source: Ronneberger, Fischer, Brox, "U-Net", MICCAI 2015, in the shape of paper 4's encoder and decoder
(methods.md A.4, C.10): the picture at its full size, no super-resolution, mean absolute error. Padded
convolutions in place of the original's cropped ones, so that the sizes agree; Kaiming's initial weights, as
the recipes of the other rows have them.
"""

from __future__ import annotations

from torch import Tensor, nn

from daybreak.layers.unet import Decoder, Encoder
from daybreak.losses.perceptual import Features
from daybreak.networks.base import Batch, Network, NetworkSettings, NetworkSpec, Objective, Terms, hyper


class UnetSettings(NetworkSettings):
    """Hyper-parameters of the plain U-Net."""

    width: int = hyper(
        32,
        "Channels of the first level; each of the four below has twice those of the one above.",
        source="assumed: paper 4 gives no width; 32 as in its other rows, the original has 64",
        ge=1,
    )


class Paint(nn.Module):
    """What is exported.

    Args:
        width: channels of the first level.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(width), Decoder(width)
        self.head = nn.Conv2d(width, 3, 1)

    def forward(self, low: Tensor) -> Tensor:
        """B×3×H×W in [0, 1], sides multiples of 16, to the enhanced picture, same shape, in (0, 1)."""
        *skips, deepest = self.encoder(low)
        picture: Tensor = self.head(self.decoder(deepest, skips)).sigmoid()
        return picture


class Unet(Network):
    """Encoder, decoder and a 1×1 convolution; trains as it is exported."""

    halo = 107  # 92 of the convolutions, and up to 15 to the border of a cell of the deepest level
    multiple = 16

    def __init__(self, settings: UnetSettings) -> None:
        super().__init__()
        self.paint = Paint(settings.width)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def inference(self) -> nn.Module:
        """All of it."""
        return self.paint


class UnetObjective(Objective[Unet]):
    """The mean absolute error."""

    def __init__(self, network: Unet, settings: UnetSettings, features: Features | None = None) -> None:  # noqa: ARG002
        super().__init__(network)

    def terms(self, batch: Batch) -> Terms:
        """The loss of one batch of pairs, sides multiples of 16."""
        output = self.network.inference()(batch.low).float()
        return {"absolute": nn.functional.l1_loss(output, batch.reference())}


SPEC = NetworkSpec(
    name="unet",
    summary="Plain U-Net at full size, mean absolute error; the baseline of paper 4, 7.8 M parameters.",
    paper="Ronneberger, Fischer, Brox: U-Net. MICCAI 2015",
    settings=UnetSettings,
    build=Unet,
    objective=UnetObjective,
    published={
        "data.source": ("lol-v1", "paper: 4, section 3.1, of which this is the ablation"),
        "data.sampling": ("aligned", "paper: 4, section 3.2"),
        "data.crop": (256, "paper: 4, section 3.2"),
        "data.batch": (8, "paper: 4, section 3.2"),
        "data.rotate": (True, "paper: 4, section 3.2"),
        "steps": ("2000 epochs", "paper: 4, section 3.2"),
        "optimiser.lr": (1e-4, "paper: 4, section 3.2"),
        "optimiser.schedule": ("step", "paper: 4, section 3.2, to a tenth at epochs 500 and 1000"),
        "optimiser.drops": ([0.25, 0.5], "paper: 4, section 3.2, epochs 500 and 1000 of 2000"),
    },
)
