"""The list of every method, those without weights and every shipped weight, and the look-ups over it.

A method's module is imported when the method is first asked for: a run of one need not wait for twenty.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Any

from daybreak.errors import RegistryError
from daybreak.listing import index, look_up, matching
from daybreak.methods.base import Method
from daybreak.weights import list_weights

AnyMethod = Method[Any]

CLASSICAL = (
    "auto",
    "gamma",
    "he",
    "clahe",
    "ssr",
    "msr",
    "msrcr",
    "dong",
    "npe",
    "mf",
    "crm",
    "bimef",
    "lime",
    "srie",
)
"""Names of methods without weights; each stands as METHOD in daybreak/methods/NAME.py."""

PRETRAINED = {
    "cascade": "cascade.lol",
    "sci": "sci.lol",
    "alpha-residual": "alpha-residual.synthetic",
    "neid": "neid.lol",
    "unet": "unet.lol",
    "cyclegan": "cyclegan.lol",
    "ema-aspp-cyclegan": "ema-aspp-cyclegan.lol",
    "msdrs-cyclegan": "msdrs-cyclegan.lol",
}
"""Network -> the weight that runs under its name alone, once it ships; all others run under their own."""


def weight_methods(weights: Iterable[str]) -> dict[str, str]:
    """Method -> the weight that it runs; each weight once.

    >>> weight_methods(["neid.lol", "neid.wild"])
    {'neid': 'neid.lol', 'neid.wild': 'neid.wild'}
    """
    short = {weight: network for network, weight in PRETRAINED.items()}
    return {short.get(weight, weight): weight for weight in weights}


_WEIGHTS = weight_methods(list_weights())
_NAMES = index("method", (*CLASSICAL, *_WEIGHTS), str)
_LONG = {weight: name for name, weight in _WEIGHTS.items()}


@cache
def get_method(name: str) -> AnyMethod:
    """The method of that name; of a weight, the weight's full name does as well.

    Raises:
        UnknownName: there is none; the error carries the nearest names.
        WeightsError: the card of a weight cannot be read.
    """
    if name in _LONG and name not in _NAMES:
        return get_method(_LONG[name])
    look_up("method", name, _NAMES, "See: daybreak methods")
    if name in _WEIGHTS:
        from daybreak.methods.pretrained import load

        return load(name, _WEIGHTS[name])
    method: AnyMethod = import_module(f"daybreak.methods.{name}").METHOD
    if method.card.name != name:
        raise RegistryError(
            f"daybreak/methods/{name}.py holds a method named {method.card.name!r}", repr(name)
        )
    return method


def list_methods(pattern: str = "*") -> list[str]:
    """Names of the methods that match a shell pattern, in the registry's order.

    >>> "gamma" in list_methods("g*")
    True
    """
    return matching(pattern, _NAMES)


def every_method() -> list[AnyMethod]:
    """Every method, in the registry's order; imports them all."""
    return [get_method(name) for name in _NAMES]
