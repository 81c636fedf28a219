"""AlexNet and VGG16 up to their last convolution, with every ReLU under its name.

Sources: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014 (the AlexNet
that torchvision trains); Simonyan, Zisserman, "Very deep convolutional networks for large-scale image
recognition", ICLR 2015 (configuration D). The layers stand in torchvision's order, so that its published
state dicts load by name. They are made of plain layers here because torchvision's wheels do not load beside
a CPU torch of another build.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from torch import Tensor, nn

from daybreak.errors import UnknownName
from daybreak.layers.pth import pick, read_pth

# channels of the convolutions between one pooling and the next
VGG16_BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


class Backbone(nn.Module):
    """A chain of layers that gives back what it holds at named places.

    Args:
        name: of the network, for messages.
        layers: (name, layer) in order; only those up to the last tap are kept.
        taps: names of the layers whose output is wanted.

    Attributes:
        taps: as given.
        features: the layers, by their number in the chain.

    Raises:
        UnknownName: a tap that is no layer.
    """

    def __init__(self, name: str, layers: Sequence[tuple[str, nn.Module]], taps: Sequence[str]) -> None:
        super().__init__()
        names = [layer for layer, _ in layers]
        for tap in taps:
            if tap not in names:
                raise UnknownName(f"layer of {name}", tap, names)
        self.name = name
        self.taps = tuple(taps)
        self._places = [names.index(tap) for tap in taps]
        self.features = nn.Sequential(*(layer for _, layer in layers[: max(self._places) + 1]))

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        """B×3×H×W, normalised as its training was, to one map a tap, in the order of `taps`."""
        seen: dict[int, Tensor] = {}
        for place, layer in enumerate(self.features):
            picture = layer(picture)
            if place in self._places:
                seen[place] = picture
        return tuple(seen[place] for place in self._places)

    def load(self, path: Path) -> None:
        """Take parameters from torchvision's `.pth` of the whole network.

        Raises:
            WeightsError: the file cannot be loaded or is of another network; nothing was taken.
        """
        shapes = {name: tuple(value.shape) for name, value in self.state_dict().items()}
        self.load_state_dict(pick(read_pth(path), shapes, str(path)))


def alexnet(taps: Sequence[str] = ("relu1", "relu2", "relu3", "relu4", "relu5")) -> Backbone:
    """AlexNet with random parameters; taps relu1 (64 channels), relu2 (192), relu3 (384), relu4, relu5 (256).

    An input side must be at least 31 px for every tap to hold a pixel.
    """
    layers: list[tuple[str, nn.Module]] = [
        ("conv1", nn.Conv2d(3, 64, 11, stride=4, padding=2)),
        ("relu1", nn.ReLU()),
        ("pool1", nn.MaxPool2d(3, stride=2)),
        ("conv2", nn.Conv2d(64, 192, 5, padding=2)),
        ("relu2", nn.ReLU()),
        ("pool2", nn.MaxPool2d(3, stride=2)),
    ]
    for number, inputs, outputs in ((3, 192, 384), (4, 384, 256), (5, 256, 256)):
        layers += [
            (f"conv{number}", nn.Conv2d(inputs, outputs, 3, padding=1)),
            (f"relu{number}", nn.ReLU()),
        ]
    return Backbone("alexnet", layers, taps)


def vgg16(taps: Sequence[str] = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")) -> Backbone:
    """VGG16 with random parameters; taps relu1_1 … relu5_3 (64, 128, 256, 512, 512 channels by block).

    An input side must be at least 16 px for a tap in block 5 to hold a pixel.
    """
    return Backbone("vgg16", list(_vgg16_layers()), taps)


def _vgg16_layers() -> Iterator[tuple[str, nn.Module]]:
    inputs = 3
    for block, widths in enumerate(VGG16_BLOCKS, 1):
        for number, width in enumerate(widths, 1):
            yield f"conv{block}_{number}", nn.Conv2d(inputs, width, 3, padding=1)
            yield f"relu{block}_{number}", nn.ReLU()
            inputs = width
        yield f"pool{block}", nn.MaxPool2d(2)
