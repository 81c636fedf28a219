"""How a number was taken; it travels with the number, and two that differ never share a column.

What each field means, and what published tables do, is told in docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeAlias

from daybreak.errors import BadSetting, DaybreakError
from daybreak.metrics import Metric, get_metric

Rounding: TypeAlias = Literal["round", "truncate"]

SSIM_WINDOW = "gaussian 11×11, sigma 1.5, windows inside"
NO_GT_MEAN = frozenset({"brightness"})
"""Compared with the truth, yet 0 by construction once the output has the truth's mean."""


class MixedProtocols(DaybreakError, ValueError):
    """Numbers taken under different protocols were about to be put side by side."""


@dataclass(frozen=True)
class Protocol:
    """How one number was taken. What cannot change a metric's value is left empty in its protocol.

    Attributes:
        images: sha256 over the names and the decoded 8-bit pixels of all pictures of the list.
        channel: the planes that were compared: "rgb", "gray" or "y" (BT.601, 16 to 235).
        gt_mean: whether each output was first scaled to the mean gray of its reference.
        rounding: how outputs became 8 bits: "round", or "truncate" as several repositories save.
        crop: pixels cut from each side before scoring.
        ssim: window of the structural similarity ("" for other metrics).
        lpips: the backbone of LPIPS ("" for other metrics).
        niqe: name of NIQE's pristine model ("" for other metrics).
    """

    images: str
    channel: str = "rgb"
    gt_mean: bool = False
    rounding: Rounding = "round"
    crop: int = 0
    ssim: str = ""
    lpips: str = ""
    niqe: str = ""

    def words(self) -> str:
        """The protocol as one clause, without the list of images."""
        parts = [
            self.channel,
            "GT-mean on" if self.gt_mean else "GT-mean off",
            "8 bits, rounded" if self.rounding == "round" else "8 bits, truncated",
            f"{self.crop} px cut from each side" if self.crop else "no border cut",
            self.ssim,
            self.lpips and f"backbone {self.lpips}",
            self.niqe and f"pristine model {self.niqe!r}",
        ]
        return ", ".join(filter(None, parts))


@dataclass(frozen=True)
class Column:
    """A metric under one protocol: what a column of a table holds, and nothing else."""

    metric: str
    protocol: Protocol

    @property
    def title(self) -> str:
        """The metric's name and what is unusual about its protocol.

        >>> Column("psnr", Protocol("", gt_mean=True)).title
        'psnr GT-mean'
        """
        protocol = self.protocol
        usual = get_metric(self.metric).channels[0]
        unusual = [
            protocol.channel if protocol.channel != usual else "",
            "GT-mean" if protocol.gt_mean else "",
            "truncated" if protocol.rounding == "truncate" else "",
            f"cut {protocol.crop} px" if protocol.crop else "",
            protocol.niqe if protocol.niqe != "published" else "",
        ]
        return " ".join(filter(None, [self.metric, *unusual]))

    def to_json(self) -> dict[str, Any]:
        """As plain values; `from_json` brings it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Column:
        """The column that `to_json` gave.

        Raises:
            TypeError: a key is missing or is none of a column's.
        """
        return cls(values["metric"], Protocol(**values["protocol"]))


def columns_for(metric: Metric, base: Protocol, gt_mean: Literal["both", "on", "off"]) -> list[Column]:
    """The columns that a metric fills in a run: one, or one for each GT-mean protocol.

    Args:
        metric: what is computed.
        base: the run's list, rounding, crop, pristine model and the channel asked for ("" for each
            metric's own).
        gt_mean: whether outputs are scaled to their reference; metrics that look at no reference, or of
            which it makes nonsense, are always taken without.
    """
    protocol = replace(
        base,
        channel=base.channel if base.channel in metric.channels else metric.channels[0],
        gt_mean=False,
        ssim=SSIM_WINDOW if metric.name == "ssim" else "",
        lpips=metric.name.removeprefix("lpips-") if metric.name.startswith("lpips") else "",
        niqe=base.niqe if metric.name == "niqe" else "",
    )
    if metric.reference != "truth" or metric.name in NO_GT_MEAN:
        return [Column(metric.name, protocol)]
    switches = {"both": (False, True), "on": (True,), "off": (False,)}[gt_mean]
    return [Column(metric.name, replace(protocol, gt_mean=switch)) for switch in switches]


def require_one(columns: Iterable[Column]) -> Column:
    """The one column that all numbers belong to.

    Raises:
        MixedProtocols: there are two or more; the message says in what they differ.
        BadSetting: there is none.
    """
    distinct = list(dict.fromkeys(columns))
    if not distinct:
        raise BadSetting("no numbers", "at least one")
    first = distinct[0]
    for other in distinct[1:]:
        raise MixedProtocols(
            f"numbers that differ in {', '.join(differences(first, other))}",
            "one protocol in one column",
            "Give them columns of their own",
        )
    return first


def differences(first: Column, second: Column) -> list[str]:
    """In what two columns differ, as `field a / b`."""
    ours = {"metric": first.metric, **asdict(first.protocol)}
    theirs = {"metric": second.metric, **asdict(second.protocol)}
    return [
        f"{name} {_short(ours[name])} / {_short(theirs[name])}" for name in ours if ours[name] != theirs[name]
    ]


def _short(value: object) -> str:
    text = str(value) or "none"
    return text if len(text) < 40 else f"{text[:12]}…"
