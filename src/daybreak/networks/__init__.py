"""Trainable networks (PyTorch), one file each; `build` makes one by name, `load` from a weight."""

from daybreak.networks.base import Network, NetworkSettings, NetworkSpec
from daybreak.networks.registry import NETWORKS, build, get_network, load

__all__ = ["NETWORKS", "Network", "NetworkSettings", "NetworkSpec", "build", "get_network", "load"]
