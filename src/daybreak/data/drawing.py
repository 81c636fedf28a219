"""Divide a folder of pictures into training and validation so that no scene is in both."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from daybreak.data.parts import Part, parts_of
from daybreak.data.sample import Sample, photo_of
from daybreak.data.scenes import Scene, describe, scene_groups
from daybreak.data.splits import draw_scenes
from daybreak.errors import BadSetting, DataError

Watch = Callable[[Iterator[Scene], int], Iterable[Scene]]
"""Passes the pictures on and may show how many of the number have gone by."""


@dataclass(frozen=True)
class Drawn:
    """The validation part of a split.

    Attributes:
        names: of its samples, in natural order.
        of: how many samples there are in all.
        scenes, of_scenes: how many scenes are in it, and in all.
    """

    names: tuple[str, ...]
    of: int
    scenes: int
    of_scenes: int


def draw(
    root: Path,
    part: float,
    seed: int,
    *,
    by_scene: bool = True,
    joined: Sequence[str] = (),
    watch: Watch | None = None,
) -> Drawn:
    """Draw a validation part from the one folder, or pair of folders, of pictures below a root.

    References are what is compared, where there are any; the dark pictures else.

    Args:
        root: holds the pictures.
        part: of all pictures, between 0 and 1, both exclusive.
        seed: of the draw.
        by_scene: whole scenes; False draws single pictures, for sets that are known to show each scene once.
        joined: "FIRST-LAST": pictures that show one scene though they do not look alike, in natural order.
        watch: see `Watch`.

    Raises:
        DataError: no picture or several folders of them, a picture is unreadable or has no partner, or no
            scene is small enough for the part.
        UnreadablePicture: a picture cannot be read.
        BadSetting: the part is out of range, or `joined` names no pictures.
    """
    if not 0.0 < part < 1.0:
        raise BadSetting(f"a validation part of {part:g}", "more than 0 and less than 1")
    samples = _only_part(root).found.samples
    names = [sample.name for sample in samples]
    ranges = [parse_range(text, names) for text in joined]
    groups = scene_groups(_scenes(samples, watch)) if by_scene else [[i] for i in range(len(samples))]
    scenes = [[names[i] for i in group] for group in join(groups, ranges)]
    drawn = draw_scenes(scenes, part, seed)
    if not drawn:
        raise DataError(f"no scene of {root} fits into {part:g} of {len(names)} pictures", hint="Raise --val")
    held = set(drawn)
    return Drawn(tuple(drawn), len(names), sum(not held.isdisjoint(scene) for scene in scenes), len(scenes))


def join(groups: Sequence[Sequence[int]], ranges: Sequence[range]) -> list[list[int]]:
    """Merge the groups that a range of indices touches, each range into one group, in place of its first.

    >>> join([[0, 1], [2], [3], [4]], [range(1, 4)])
    [[0, 1, 2, 3], [4]]
    """
    merged = [list(group) for group in groups]
    for wanted in ranges:
        touched = [group for group in merged if not set(group).isdisjoint(wanted)]
        whole = sorted(index for group in touched for index in group)
        kept = [group for group in merged if group not in touched[1:]]
        merged = [whole if group is touched[0] else group for group in kept]
    return merged


def parse_range(text: str, names: Sequence[str]) -> range:
    """The indices that FIRST-LAST stands for; names may hold hyphens themselves.

    Raises:
        BadSetting: it does not name two of the pictures in their order.

    >>> parse_range("a-2-b", ["1", "a-2", "a-3", "b"])
    range(1, 4)
    """
    places = {name: place for place, name in enumerate(names)}
    for at in (i for i, sign in enumerate(text) if sign == "-"):
        first, last = places.get(text[:at]), places.get(text[at + 1 :])
        if first is not None and last is not None and first < last:
            return range(first, last + 1)
    raise BadSetting(f"--join {text}", "FIRST-LAST, two names of pictures in their order")


def _only_part(root: Path) -> Part:
    parts = parts_of(root)
    if len(parts) > 1:
        raise DataError(
            f"{root} holds {len(parts)} sets of pictures: {', '.join(part.name for part in parts[:5])}",
            "one to be divided",
            f"Give one of them, such as {root / parts[0].name}",
        )
    if parts[0].found.problems:
        raise parts[0].found.problems[0]
    return parts[0]


def _scenes(samples: Sequence[Sample], watch: Watch | None) -> list[Scene]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        scenes = pool.map(_scene, samples)
        return list(watch(scenes, len(samples)) if watch else scenes)


def _scene(sample: Sample) -> Scene:
    return describe(photo_of(sample.reference or sample.input).pixels)
