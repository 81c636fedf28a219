"""What is on this machine: versions, memory, devices, extras, weights and assets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from daybreak import assets
from daybreak.engines import DEVICES, Device
from daybreak.engines.onnx_runtime import PACKAGES
from daybreak.enhancing.environment import environment
from daybreak.enhancing.memory import free_memory
from daybreak.errors import WeightsError
from daybreak.weights import Weight

_NOT_FOR_USERS = {"dev"}
_ENGINES = ("openvino", *PACKAGES[1:])


@dataclass(frozen=True)
class State:
    """What was found.

    Attributes:
        versions: of daybreak, Python and the libraries; the system and the processor.
        cores: that this machine has.
        memory, free: bytes in all, and those that can be had now; None where the system does not say.
        devices: name -> the precisions that it has; none where it cannot be used.
        absent: name of a device -> why it cannot be used.
        extras: name -> the packages of it that are not installed.
        weights: name -> what is wrong with its files ("" if nothing is).
        assets: name -> "here", "absent" or "damaged".
    """

    versions: dict[str, str]
    cores: int
    memory: int | None
    free: int | None
    devices: dict[str, list[str]]
    absent: dict[str, str]
    extras: dict[str, list[str]]
    weights: dict[str, str]
    assets: dict[str, str]

    @property
    def wrong(self) -> list[str]:
        """What is damaged, a sentence each; what is merely not here is no fault."""
        damaged = [name for name, state in self.assets.items() if state == "damaged"]
        return [
            *filter(None, self.weights.values()),
            *(f"the asset {name} is damaged. Type: daybreak assets fetch {name}" for name in damaged),
        ]


def look_around(weights: Iterable[Weight], devices: Sequence[Device] = DEVICES) -> State:
    """Look at everything once; hashes the weights and the assets."""
    reasons = {device.name: device.missing() for device in devices}
    return State(
        versions=environment() | versions(_ENGINES),
        cores=os.cpu_count() or 1,
        memory=_memory(),
        free=free_memory(),
        devices={d.name: [] if reasons[d.name] else list(d.precisions()) for d in devices},
        absent={name: str(why) for name, why in reasons.items() if why},
        extras={name: absent(packages) for name, packages in extras().items()},
        weights={weight.card.name: _verified(weight) for weight in weights},
        assets=dict(assets.verify()),
    )


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Of those that are installed."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def absent(packages: Iterable[str]) -> list[str]:
    """Those that are not installed."""
    wanted = list(packages)
    return [package for package in wanted if package not in versions(wanted)]


def extras() -> dict[str, list[str]]:
    """Optional part -> its packages, as the installed daybreak says; none where it is not installed."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires("daybreak") or []
    except PackageNotFoundError:
        return {}
    found: dict[str, list[str]] = {}
    for line in lines:
        extra = re.search(r"extra == ['\"]([^'\"]+)['\"]", line)
        package = re.match(r"[A-Za-z0-9._-]+", line)
        if extra and package and package[0] != "daybreak" and extra[1] not in _NOT_FOR_USERS:
            found.setdefault(extra[1], []).append(package[0])
    return found


def _verified(weight: Weight) -> str:
    try:
        weight.verify()
    except WeightsError as error:
        return str(error)
    return ""


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows
        return None
