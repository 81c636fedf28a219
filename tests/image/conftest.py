"""Pictures, profiles and an independent reader for the tests of picture files."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def scene():
    """48×64×3 uint8: ramps in three directions and a little texture, nothing at the ends of the range."""
    y, x = np.mgrid[0:48, 0:64].astype(np.float64)
    planes = [20 + x * 3.2, 15 + y * 4.4, 30 + (x + y) * 1.5]
    texture = 6 * np.sin(x / 3) * np.cos(y / 4)
    return np.clip(np.stack(planes, axis=-1) + texture[..., None], 8, 247).astype(np.uint8)


@pytest.fixture(scope="session")
def pillow_bytes():
    """An array (or Pillow image) to the bytes of a file, by Pillow."""

    def make(picture, kind, mode=None, **options):
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        out = io.BytesIO()
        (image.convert(mode) if mode else image).save(out, kind, **options)
        return out.getvalue()

    return make


def _fixed(*values):
    return b"".join(struct.pack(">i", round(value * 65_536)) for value in values)


def make_profile(space, gamma, colorants=()):
    """A minimal ICC v2 display profile: a power law and, for RGB, the XYZ (D50) of its three primaries."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    white = (0.9642, 1.0, 0.8249)
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": b"XYZ " + bytes(4) + _fixed(*white),
    }
    if space == b"GRAY":
        tags[b"kTRC"] = curve
    for letter, xyz in zip(b"rgb", colorants, strict=False):
        tags[bytes((letter,)) + b"XYZ"] = b"XYZ " + bytes(4) + _fixed(*xyz)
        tags[bytes((letter,)) + b"TRC"] = curve
    table, body = b"", b""
    for name, data in tags.items():
        table += struct.pack(">4sII", name, 132 + 12 * len(tags) + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = (
        bytes(4) + bytes(4) + struct.pack(">I", 0x02400000) + b"mntr" + space + b"XYZ " + bytes(12) + b"acsp"
    )
    head = (head + bytes(28) + _fixed(*white)).ljust(128, b"\0")
    whole = head + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


@pytest.fixture(scope="session")
def profiles():
    """Profiles by name; "adobe" has the primaries of Adobe RGB (1998), "wide" those of ProPhoto RGB."""
    import pyvips
    from PIL import ImageCms

    return {
        "adobe": make_profile(
            b"RGB ",
            563 / 256,
            [(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)],
        ),
        "wide": make_profile(
            b"RGB ",
            1.8,
            [(0.79767, 0.28804, 0.0), (0.13519, 0.71187, 0.0), (0.03134, 0.00009, 0.82491)],
        ),
        "p3": bytes(pyvips.Operation.call("profile_load", "p3")),
        "gray": make_profile(b"GRAY", 1.8),
        "cmyk": bytes(pyvips.Operation.call("profile_load", "cmyk")),
        "srgb": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    }
