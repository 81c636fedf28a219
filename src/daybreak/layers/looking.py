"""The eye of a perceptual loss: VGG16 as ImageNet trained it, where its parameters were fetched.

Source: Johnson, Alahi, Fei-Fei, "Perceptual losses for real-time style transfer and super-resolution", ECCV
2016, which compares pictures by relu2_2 of VGG16; paper 2 leaves the layer open (methods.md A.2).
"""

from __future__ import annotations

from torch import Tensor, nn, tensor

from daybreak import assets
from daybreak.layers.backbones import Backbone, vgg16

# of ImageNet's training pictures in [0, 1], as torchvision's weights were trained with
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


class Eye(nn.Module):
    """B×3×H×W in [0, 1] to one feature map; never trained, but gradients pass through it.

    Args:
        backbone: with one tap.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone.requires_grad_(False).eval()
        self.register_buffer("mean", tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("deviation", tensor(DEVIATION).view(1, 3, 1, 1))

    def forward(self, picture: Tensor) -> Tensor:
        """B×3×H×W in [0, 1] to B×C×h×w; follows the picture to its device."""
        if self.mean.device != picture.device:
            self.to(picture.device)
        features: tuple[Tensor] = self.backbone((picture - self.mean) / self.deviation)
        return features[0]


def vgg_eye(tap: str = "relu2_2") -> Eye | None:
    """What a perceptual loss compares, or None where the asset `vgg16` was not fetched.

    Args:
        tap: relu2_2 by default; relu5_1 for coarse likeness.

    Raises:
        UnknownName: a tap that VGG16 does not have.
        AssetError: the file in the cache is damaged.
    """
    backbone = vgg16([tap])
    path = assets.find("vgg16")
    if path is None:
        return None
    backbone.load(path)
    return Eye(backbone)
