"""To a Ray cluster: the one at an address, or one of our own on this machine."""

from __future__ import annotations

import importlib
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from daybreak.cluster.masking import without_secrets
from daybreak.errors import BadSetting, ClusterError, MissingExtra

_PROBE_SECONDS = 5.0
_STORE_BYTES = 80 * 2**20  # of Ray's object store, which needs this much and holds no pictures of ours
_PORT = {"ray://": 10001, "": 6379}  # Ray's own defaults


@dataclass(frozen=True)
class Crew:
    """How many workers, and what each takes up.

    Attributes:
        workers: None for as many as the cluster has room for when the run starts.
        cpus, gpus: of each, as Ray counts them; parts are allowed, so 0.25 puts four on a GPU.
    """

    workers: int | None = None
    cpus: float = 1.0
    gpus: float = 0.0

    def check(self) -> None:
        """Refuse what cannot be.

        Raises:
            BadSetting: no CPU and no GPU, or less than nothing.
        """
        if self.cpus < 0 or self.gpus < 0 or self.cpus + self.gpus <= 0:
            raise BadSetting(
                f"workers of {self.cpus:g} CPUs and {self.gpus:g} GPUs", "more than none of one of them"
            )

    def fitting(self, resources: dict[str, float]) -> int:
        """How many workers there is room for, at least one."""
        if self.workers is not None:
            return self.workers
        rooms = [resources.get("CPU", 0.0) / self.cpus] if self.cpus else []
        rooms += [resources.get("GPU", 0.0) / self.gpus] if self.gpus else []
        return max(1, int(min(rooms)))


@contextmanager
def connected(address: str | None, crew: Crew) -> Iterator[Any]:
    """The module `ray`, connected for as long as the block runs.

    Args:
        address: HOST:PORT, ray://HOST:PORT or "auto"; None for RAY_ADDRESS, and without that for a cluster of
            our own on this machine. One that this process is connected to already stays.
        crew: what room a cluster of our own needs.

    Raises:
        MissingExtra: there is no Ray.
        BadSetting: what no address looks like, or a crew that cannot be.
        ClusterError: nobody answers there.
    """
    crew.check()
    ray = _ray()
    address = address or os.environ.get("RAY_ADDRESS")
    if ray.is_initialized():
        yield ray
        return
    if address and address not in ("auto", "local"):
        check_address(address)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if not address or address == "local":
        cores = float(os.cpu_count() or 1)
        quiet |= {
            "num_cpus": max(cores, (crew.workers or 0) * crew.cpus),
            "include_dashboard": False,
            "object_store_memory": _STORE_BYTES,
        }
    try:
        ray.init(address=address or "local", **quiet)
    except Exception as error:  # Ray raises bare ones, of a start that took too long for example
        raise ClusterError(
            f"no Ray cluster could be joined at {address or 'this machine'} ({_first_line(error)})",
            hint="Is it running? Type: ray status --address HOST:PORT",
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def check_address(address: str) -> None:
    """Look whether anybody listens at an address, before Ray waits for minutes.

    Raises:
        BadSetting: it is no address.
        ClusterError: nobody does.
    """
    kind = "ray://" if address.startswith("ray://") else ""
    host, _, port = address.removeprefix(kind).rpartition(":")
    host, port = (host, port) if host else (port, str(_PORT[kind]))
    if not host or "/" in host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise BadSetting(f"--address {without_secrets(address)}", "HOST:PORT, ray://HOST:PORT or auto")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PROBE_SECONDS).close()
    except OSError as error:
        raise ClusterError(
            f"nobody answers at the address {address} ({error.strerror or error})",
            hint="Is the cluster running, and its port open from here? Type: ray status --address HOST:PORT",
        ) from None


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else it asks somebody outside to count us
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns of a change to come
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise MissingExtra("--engine ray", "cluster") from None


def _first_line(error: BaseException) -> str:
    return without_secrets(str(error).strip().partition("\n")[0])
