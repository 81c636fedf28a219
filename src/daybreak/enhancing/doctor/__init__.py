"""Whether daybreak is well on this machine: what is here, and whether each device gives the right picture."""

from daybreak.enhancing.doctor.selftest import Check, check_arithmetic, check_networks
from daybreak.enhancing.doctor.state import State, look_around

__all__ = ["Check", "State", "check_arithmetic", "check_networks", "look_around"]
