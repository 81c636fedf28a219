"""The explicit list of every file that daybreak uses and does not ship, and the look-ups over it.

No SHA-256 here is a guess. Those of the NIQE parameters and of the two LPIPS heads were computed from the
files themselves (the heads also lie, byte for byte, in the torchmetrics 1.9 wheel). Those of the two
backbones are as several independent public records state them for the published URL and size; the files
themselves, 0.8 GB, were not downloaded for it. Each begins with the eight digits that torchvision puts into
the file's name for that purpose.
"""

from __future__ import annotations

from dataclasses import dataclass

from daybreak.listing import index, look_up

# a commit, not a branch: what lies under it cannot change
_LPIPS = (
    "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/"
    "082bb24f84c091ea94de2867d34c4544f68e0963/lpips/weights/v0.1"
)


@dataclass(frozen=True)
class Asset:
    """A file by URL, and how to know that it is the right one.

    Attributes:
        name: lower case, as typed after `daybreak assets fetch`.
        file: its published file name, under which it lies in the cache and in a folder handed over.
        summary: what it is for, one line.
        url: where it is published.
        size: in bytes.
        sha256: 64 hexadecimal digits.
        licence: of the file as published, and terms of what it was made from.
    """

    name: str
    file: str
    summary: str
    url: str
    size: int
    sha256: str
    licence: str


ASSETS: tuple[Asset, ...] = (
    Asset(
        name="niqe-pristine",
        file="niqe_pris_params.npz",
        summary="The published pristine model of NIQE.",
        url="https://raw.githubusercontent.com/XPixelGroup/BasicSR/master/basicsr/metrics/niqe_pris_params.npz",
        size=11_850,
        sha256="2a7c182a68c9e7f1b2e2e5ec723279d6f65d912b6fcaf37eb2bf03d7367c4296",
        licence="Apache-2.0 (BasicSR); converted from the LIVE release of UT Austin, academic terms",
    ),
    Asset(
        name="lpips-alex",
        file="alex.pth",
        summary="The weights of LPIPS 0.1 over AlexNet; with alexnet for the metric lpips-alex.",
        url=f"{_LPIPS}/alex.pth",
        size=6_009,
        sha256="df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
        licence="BSD-2-Clause (PerceptualSimilarity)",
    ),
    Asset(
        name="lpips-vgg",
        file="vgg.pth",
        summary="The weights of LPIPS 0.1 over VGG16; with vgg16 for the metric lpips-vgg.",
        url=f"{_LPIPS}/vgg.pth",
        size=7_289,
        sha256="a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
        licence="BSD-2-Clause (PerceptualSimilarity)",
    ),
    Asset(
        name="alexnet",
        file="alexnet-owt-7be5be79.pth",
        summary="AlexNet trained on ImageNet; what lpips-alex looks through.",
        url="https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
        size=244_408_911,
        sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
        licence="BSD-3-Clause (torchvision); trained on ImageNet, research terms",
    ),
    Asset(
        name="vgg16",
        file="vgg16-397923af.pth",
        summary="VGG16 trained on ImageNet; what lpips-vgg and the perceptual loss look through.",
        url="https://download.pytorch.org/models/vgg16-397923af.pth",
        size=553_433_881,
        sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        licence="BSD-3-Clause (torchvision); trained on ImageNet, research terms",
    ),
)


_BY_NAME = index("asset", ASSETS, lambda asset: asset.name)
index("asset", ASSETS, lambda asset: asset.file)  # all lie in one folder


def get_asset(name: str) -> Asset:
    """The asset of that name.

    Raises:
        UnknownName: there is none; the error carries the nearest names.
    """
    return look_up("asset", name, _BY_NAME, "See: daybreak assets list")
