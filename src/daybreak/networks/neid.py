"""NEID: one encoder, a light-enhancement stream that ends in twice the size, and a detail stream beside it.

Source: Jiang, Liu, Wang, Li, Men, Wang, Luo, "Bridge the vision gap from field to command: a deep learning
network enhancing illumination and details" (paper 4, NEID). The paper fixes the shared encoder, the U-Net
with a sub-pixel ×2 as the LE stream, the DR stream that super-resolves and is dropped at inference, and
channel attention that weighs the two streams before the LE decoder. Widths, the form of the fusion, δ and the
sigmoid heads are ours (methods.md A.4, G.11).

Read otherwise than printed: section 3.2 makes the small input of the ground truth's patches; that would leave
nothing to brighten, so it is made of the dark picture's.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from daybreak.layers.halve import Halve
from daybreak.layers.smooth import FLAT, Smooth
from daybreak.layers.unet import Decoder, Encoder, double
from daybreak.losses.color import Hue, color
from daybreak.losses.huber import huber
from daybreak.losses.perceptual import Features
from daybreak.networks.base import Batch, Network, NetworkSettings, NetworkSpec, Objective, Terms, hyper


class NeidSettings(NetworkSettings):
    """Hyper-parameters of NEID."""

    streams: Literal["LE", "LE+DR", "LE+DR+FF"] = hyper(
        "LE+DR+FF",
        "Light enhancement alone, with the detail stream beside it, or with feature fusion as well.",
        source="paper: the ablation of table 2",
    )
    width: int = hyper(
        32,
        "Channels of the first level.",
        source="assumed: the paper gives no width; 32 keeps 12.8 M parameters at inference",
        ge=4,
    )
    init: Literal["normal", "kaiming"] = hyper(
        "normal",
        "N(0, 0.02), or normal by the fan-in for ReLU; biases start at 0.",
        source="paper: section 3.2, N(0, 0.02) and a constant bias",
    )
    huber: float = hyper(
        0.1,
        "δ of the Huber loss on the LE stream.",
        source="assumed: at δ ≥ 1 it would be the squared error, which the paper argues against",
        ge=1e-3,
    )
    detail: float = hyper(
        0.1, "Weight of the DR stream's squared error, λ1 of eq. 7.", source="paper: section 3.2", ge=0
    )
    color: float = hyper(0.1, "Weight of the colour loss, λ2 of eq. 7.", source="paper: section 3.2", ge=0)
    hue: Hue = hyper(
        "plane",
        "Hue as a plane whose two ends are red, or as its place on HSV's disk, which has none.",
        source="paper: eq. 4 compares the planes; with them dark reds come out green and violet",
    )
    upsampling: Literal["plain", "smooth"] = hyper(
        "plain",
        "Doublings as they are, or each followed by a small fixed blur that leaves no grid of its cells.",
        source="paper: figure 2, a sub-pixel convolution; alone it draws a grid of dots on what is even",
    )
    detail_target: Literal["low", "high"] = hyper(
        "low",
        "What the DR stream super-resolves to: the dark picture at full size, or the reference.",
        source="assumed: the text says the low-light image, eq. 3 prints the ground truth",
    )


class Head(nn.Module):
    """Sub-pixel ×2 (Shi et al., CVPR 2016) and a sigmoid: B×width×h×w to B×3×2h×2w in (0, 1).

    Args:
        width: channels of what comes in.
        smooth: whether a blur before the sigmoid leaves no grid of the sub-pixels.
    """

    def __init__(self, width: int, *, smooth: bool) -> None:
        super().__init__()
        self.spread = nn.Conv2d(width, 4 * width, 3, padding=1)
        self.close = nn.Conv2d(width, 3, 3, padding=1)
        self.settle = Smooth(3, FLAT) if smooth else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        finer = nn.functional.pixel_shuffle(self.spread(features), 2)
        picture: Tensor = self.settle(self.close(nn.functional.relu(finer))).sigmoid()
        return picture


class Fusion(nn.Module):
    """Channel attention over two streams: per channel, two weights that sum to 1.

    Args:
        channels: of either stream.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(2 * channels, channels // 4)
        self.excite = nn.Linear(channels // 4, 2 * channels)

    def weights(self, encoded: Tensor, detail: Tensor) -> Tensor:
        """B×2×C×1×1, the first for the encoder's features."""
        pooled = torch.cat([encoded.mean((2, 3)), detail.mean((2, 3))], dim=1)  # B×2C
        scores = self.excite(nn.functional.relu(self.squeeze(pooled)))
        shares: Tensor = scores.unflatten(1, (2, -1)).softmax(1)[..., None, None]
        return shares

    def forward(self, encoded: Tensor, detail: Tensor) -> Tensor:
        """Two B×C×h×w to their weighted sum."""
        of_encoded, of_detail = self.weights(encoded, detail).unbind(1)
        return of_encoded * encoded + of_detail * detail


class Alone(nn.Module):
    """Stands where the fusion would: the encoder's features pass, the detail stream's do not."""

    def forward(self, encoded: Tensor, detail: Tensor) -> Tensor:  # noqa: ARG002 - the fusion's signature
        """Two B×C×h×w to the first."""
        return encoded


class Bright(nn.Module):
    """What is exported: the LE stream, with the input halved before it.

    Args:
        halve, encoder, between, fusion, decoder, head: the network's own, which moves them between devices.
    """

    def __init__(
        self,
        halve: Halve,
        encoder: Encoder,
        between: nn.Module,
        fusion: nn.Module,
        decoder: Decoder,
        head: Head,
    ) -> None:
        super().__init__()
        self.halve, self.encoder, self.between = halve, encoder, between
        self.fusion, self.decoder, self.head = fusion, decoder, head

    def forward(self, low: Tensor) -> Tensor:
        """B×3×H×W in [0, 1], sides multiples of 32, to the enhanced picture of the same size."""
        return self.enlarge(self.halve(low))

    def enlarge(self, small: Tensor) -> Tensor:
        """B×3×h×w in [0, 1], sides multiples of 16, to B×3×2h×2w."""
        *skips, encoded = self.encoder(small)
        picture: Tensor = self.head(self.decoder(self.fusion(encoded, self.between(encoded)), skips))
        return picture


class Enlarge(nn.Module):
    """B×3×h×w in [0, 1], sides multiples of 16, to the enhanced picture of twice its sides."""

    def __init__(self, bright: Bright) -> None:
        super().__init__()
        self.bright = bright

    def forward(self, low: Tensor) -> Tensor:
        """See the class."""
        return self.bright.enlarge(low)


class Neid(Network):
    """Both streams over one encoder."""

    context = "global"  # the fusion weighs its streams by their mean over the picture
    multiple = 32

    def __init__(self, settings: NeidSettings) -> None:
        super().__init__()
        width, deepest = settings.width, 16 * settings.width
        fused, smooth = settings.streams == "LE+DR+FF", settings.upsampling == "smooth"
        # beyond a cell of the deepest level, where tiles begin: the stream's and what the fusion adds to it
        self.halo = 287 if smooth else 255
        self.halve, self.encoder = Halve(), Encoder(width)
        self.decoder, self.head = Decoder(width, smooth=smooth), Head(width, smooth=smooth)
        self.detail = nn.ModuleDict()
        if settings.streams != "LE":
            self.detail["between"] = double(deepest, deepest)
            self.detail["decoder"] = Decoder(width, smooth=smooth)
            self.detail["head"] = Head(width, smooth=smooth)
        self.fusion = Fusion(deepest) if fused else Alone()
        _initialise(self, settings.init)
        between = self.detail["between"] if fused else nn.Identity()
        parts = (self.halve, self.encoder, between, self.fusion, self.decoder, self.head)
        self._bright = (Bright(*parts),)  # a tuple: its parameters are this network's

    def inference(self) -> nn.Module:
        """The LE stream; of the DR stream only what the fusion reads."""
        return self._bright[0]

    def enlarging(self) -> nn.Module:
        """The LE stream as it trains: takes the small picture."""
        return Enlarge(self._bright[0])

    def forward(self, small: Tensor) -> tuple[Tensor, Tensor | None]:
        """Both streams.

        Args:
            small: the dark picture at half size, B×3×h×w in [0, 1], sides multiples of 16.

        Returns:
            The enhanced picture and the super-resolved dark one (None without a DR stream), B×3×2h×2w.
        """
        *skips, encoded = self.encoder(small)
        seen, fine = encoded, None
        if self.detail:
            seen = self.detail["between"](encoded)
            fine = self.detail["head"](self.detail["decoder"](seen, skips))
        return self.head(self.decoder(self.fusion(encoded, seen), skips)), fine


def _initialise(network: nn.Module, how: str) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            if how == "normal":
                nn.init.normal_(module.weight, std=0.02)
            else:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]


class NeidObjective(Objective[Neid]):
    """Paper 4, eq. 7: Huber on the LE stream + 0.1 squared error on DR + 0.1 colour."""

    def __init__(self, network: Neid, settings: NeidSettings, features: Features | None = None) -> None:  # noqa: ARG002
        super().__init__(network)
        self.settings = settings

    def terms(self, batch: Batch) -> Terms:
        """Weighted loss terms of one batch of pairs, sides multiples of 32."""
        weight, wanted = self.settings, batch.reference()
        small = self.network.halve(batch.low)
        output, fine = self.network(small) if weight.detail else (self.network.enlarging()(small), None)
        output = output.float()
        terms = {
            "huber": huber(output, wanted, weight.huber),
            "color": weight.color * color(output, wanted, weight.hue),
        }
        if fine is not None:
            target = batch.low if weight.detail_target == "low" else wanted
            terms["detail"] = weight.detail * nn.functional.mse_loss(fine.float(), target)
        return terms


SPEC = NetworkSpec(
    name="neid",
    summary="Shared encoder, sub-pixel ×2 light enhancement with detail fusion; 12.8 M parameters.",
    paper="Jiang, Liu, Wang et al.: Bridge the vision gap from field to command: a deep learning network "
    "enhancing illumination and details (paper 4)",
    settings=NeidSettings,
    build=Neid,
    objective=NeidObjective,
    published={
        "data.source": ("lol-v1", "paper: section 3.1"),
        "data.sampling": ("aligned", "paper: section 3.2, patches of the pairs"),
        "data.crop": (256, "paper: section 3.2"),
        "data.batch": (8, "paper: section 3.2"),
        "data.rotate": (True, "paper: section 3.2, flips and rotations by multiples of 90 degrees"),
        "steps": ("2000 epochs", "paper: section 3.2"),
        "optimiser.lr": (1e-4, "paper: section 3.2"),
        "optimiser.schedule": ("step", "paper: section 3.2, to a tenth at epochs 500 and 1000"),
        "optimiser.drops": ([0.25, 0.5], "paper: section 3.2, epochs 500 and 1000 of 2000"),
    },
)
