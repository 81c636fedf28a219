"""Which pictures show the same scene: the same view at another exposure, or a near-identical view.

Two signs, either of which is enough. A small, contrast-normalised thumbnail whose correlation survives
changes of exposure and shifts of a few per cent, for smooth scenes that offer no key points; and SIFT key
points whose matches agree on one similarity transform, for views from a little aside.

Source: our own; SIFT is Lowe, IJCV 2004, with the square-root normalisation of Arandjelović, CVPR 2012.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from daybreak.types import Pixels, Plane

Floats = NDArray[np.float32]

# Measured on LOL v1 (485 training pictures): pairs of one view correlate at 0.97-1.00, pairs of different
# scenes at 0.60 at most; unrelated photographs (Kodak24) share at most 5 agreeing key points.
CORRELATION = 0.80
AGREEING_POINTS = 8

THUMBNAIL = (48, 72)  # rows, columns
SHIFT = 4  # thumbnail pixels each way: 6-8 % of the side
KEY_POINTS = 300
AT_ONCE = 32  # pictures compared in one matrix product, about 12 MB
LONGEST_SIDE = 360  # px; key points are looked for at this size


@dataclass(frozen=True)
class Scene:
    """What is remembered of one picture.

    Attributes:
        thumbnail: 48×72, local contrast of the logarithmic luminance, zero mean.
        points: N×2, key point positions (x, y) in pixels at the reduced size.
        descriptors: N×128, of unit length.
    """

    thumbnail: Plane
    points: Floats
    descriptors: Floats


@dataclass(frozen=True)
class Likeness:
    """Two pictures that show the same scene.

    Attributes:
        first, second: indices into the two sequences that were compared.
        correlation: of the thumbnails, -1 to 1.
        agreeing: key points that agree on one similarity transform.
    """

    first: int
    second: int
    correlation: float
    agreeing: int


def describe(pixels: Pixels) -> Scene:
    """Reduce a picture to what identifies its scene.

    Args:
        pixels: H×W×3 float32 in [0, 1], sRGB-encoded, any size from 1×1.
    """
    gray = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32).reshape(pixels.shape[:2])
    points, descriptors = _key_points(gray)
    return Scene(_thumbnail(gray), points, descriptors)


def _thumbnail(gray: Plane) -> Plane:
    rows, columns = THUMBNAIL
    small = np.log(cv2.resize(gray, (columns, rows), interpolation=cv2.INTER_AREA) + 0.03)
    detail = small - cv2.GaussianBlur(small, (0, 0), 4)
    contrast = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 6))
    # 0.03 keeps sensor noise in flat areas from being blown up to full contrast.
    return np.asarray(detail / (contrast + 0.03), np.float32)


def _key_points(gray: Plane) -> tuple[Floats, Floats]:
    height, width = gray.shape
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.float32)
    levels = np.rint(small * 255.0).astype(np.uint8).reshape(size[::-1])
    # Local equalisation, so that a dark and a bright exposure give the same points.
    even = cv2.createCLAHE(3.0, (4, 4)).apply(levels)
    found, descriptors = cv2.SIFT.create(nfeatures=KEY_POINTS, contrastThreshold=0.02).detectAndCompute(
        np.asarray(even).reshape(size[::-1]), None
    )
    if descriptors is None or not len(found):
        return np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32)
    root = np.sqrt(descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-7))
    return np.array([point.pt for point in found], np.float32), np.asarray(root, np.float32)


def correlations(first: Sequence[Scene], second: Sequence[Scene]) -> Floats:
    """Best correlation of each pair of thumbnails over small shifts, len(first)×len(second)."""
    rows, columns = THUMBNAIL
    here = np.stack([scene.thumbnail for scene in first])
    there = np.stack([scene.thumbnail for scene in second])
    inner = _unit(here[:, SHIFT : rows - SHIFT, SHIFT : columns - SHIFT])
    best = np.full((len(first), len(second)), -1.0, np.float32)
    for y in range(2 * SHIFT + 1):
        for x in range(2 * SHIFT + 1):
            window = there[:, y : y + rows - 2 * SHIFT, x : x + columns - 2 * SHIFT]
            np.maximum(best, inner @ _unit(window).T, out=best)
    return best


def _unit(stack: Floats) -> Floats:
    flat = stack.reshape(len(stack), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6), np.float32)


def agreeing_points(first: Scene, second: Scene) -> int:
    """How many key points of two pictures match and agree on one shift, turn and zoom (up to threefold)."""
    return _agreeing(first, [second])[0]


def _agreeing(scene: Scene, others: Sequence[Scene]) -> list[int]:
    """`agreeing_points` of one picture with each of many.

    One product for many pictures: small products spend more time waking the threads of the linear algebra
    library than computing (measured: 15 ms a pair on a busy machine against 0.4 ms).
    """
    counts: list[int] = []
    for start in range(0, len(others), AT_ONCE):
        chunk = others[start : start + AT_ONCE]
        cosine = scene.descriptors @ np.concatenate([other.descriptors for other in chunk]).T
        edges = np.cumsum([len(other.points) for other in chunk])[:-1]
        tables = np.split(cosine, edges, axis=1)
        counts += [_agreement(scene, other, table) for other, table in zip(chunk, tables, strict=True)]
    return counts


def _agreement(first: Scene, second: Scene, cosine: Floats) -> int:
    if min(cosine.shape) < AGREEING_POINTS:
        return 0
    rows = np.arange(len(cosine))
    partner = cosine.argmax(axis=1)
    mutual = cosine.argmax(axis=0)[partner] == rows
    best = cosine[rows, partner]
    cosine[rows, partner] = -1.0
    runner_up = cosine.max(axis=1)
    # Lowe's ratio test at 0.8: the squared distance of unit vectors is 2 - 2 cos.
    sure = mutual & ((1.0 - best) < 0.64 * (1.0 - runner_up))
    if sure.sum() < AGREEING_POINTS:
        return 0
    transform, inliers = cv2.estimateAffinePartial2D(
        first.points[sure],
        second.points[partner[sure]],
        method=cv2.RANSAC,
        ransacReprojThreshold=6.0,
        maxIters=300,  # two points make a hypothesis: enough where a quarter of the matches is right
        refineIters=0,
    )
    if transform is None or not 0.33 < float(np.hypot(transform[0, 0], transform[1, 0])) < 3.0:
        return 0
    return int(inliers.sum())


def same_scenes(first: Sequence[Scene], second: Sequence[Scene] | None = None) -> list[Likeness]:
    """Every pair of pictures that shows one scene.

    Args:
        first: one set of pictures.
        second: another set, or None to compare the first with itself (each pair once, first < second).

    Returns:
        The pairs, in order of their indices. Comparing key points costs about 0.4 ms a pair on one core.
    """
    others = first if second is None else second
    if not first or not others:
        return []
    table = correlations(first, others)
    if second is None:  # the inner window belongs to one side: make the measure symmetric
        table = np.maximum(table, table.T)
    found = []
    for i, scene in enumerate(first):
        start = i + 1 if second is None else 0
        for j, agreeing in enumerate(_agreeing(scene, others[start:]), start):
            correlation = float(table[i, j])
            if correlation >= CORRELATION or agreeing >= AGREEING_POINTS:
                found.append(Likeness(i, j, correlation, agreeing))
    return found


def scene_groups(scenes: Sequence[Scene]) -> list[list[int]]:
    """Divide pictures into scenes: two pictures in different groups never show the same scene.

    Likeness is carried on: a like b and b like c puts all three into one group.

    Returns:
        Indices, ascending within each group; groups in order of their first picture.
    """
    import scipy.sparse as sparse
    from scipy.sparse.csgraph import connected_components

    pairs = same_scenes(scenes)
    rows = [pair.first for pair in pairs]
    columns = [pair.second for pair in pairs]
    count = len(scenes)
    graph: Any = sparse.coo_array((np.ones(len(pairs)), (rows, columns)), shape=(count, count))
    labels = connected_components(graph, directed=False)[1]
    groups: dict[int, list[int]] = {}
    for picture, label in enumerate(labels):
        groups.setdefault(int(label), []).append(picture)
    return list(groups.values())
