"""The list of every method, those without weights and every shipped weight, and the look-ups over it.

A method's module is imported when the method is first asked for: a run of one need not wait for twenty. A
weight of one's own that comes, goes or is made anew is seen at the next look-up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib import import_module
from typing import Any, TypeAlias

from daybreak.errors import RegistryError
from daybreak.listing import index, look_up, matching
from daybreak.methods.base import Method

AnyMethod = Method[Any]

OwnState: TypeAlias = tuple[tuple[str, int, int], ...]
"""As from `daybreak.weights.store.own_state`."""

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
    "daybreak": "daybreak.base",
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


@cache
def _shipped() -> dict[str, str]:
    """Method -> weight, of those that lie in the package; looked for when first asked for."""
    from daybreak.weights.store import FOLDER, list_weights

    return weight_methods(list_weights(FOLDER))


def _own() -> OwnState:
    """What the user's own weights are by now."""
    from daybreak.weights.store import own_state

    return own_state()


@lru_cache(maxsize=1)
def _with_own(_: OwnState) -> dict[str, str]:
    """Method -> weight, with the user's own weights behind those of the package."""
    from daybreak.weights import list_weights

    return weight_methods(list_weights())


def _names() -> Mapping[str, str]:
    return index("method", (*CLASSICAL, *_with_own(_own())), str)


def get_method(name: str) -> AnyMethod:
    """The method of that name; of a weight, the weight's full name does as well.

    Raises:
        UnknownName: there is none; the error carries the nearest names.
        WeightsError: the card of a weight cannot be read.
    """
    return _method(name, () if name in CLASSICAL or name in _shipped() else _own())


@lru_cache(maxsize=256)
def _method(name: str, own: OwnState) -> AnyMethod:
    if name not in CLASSICAL:
        weights = _shipped() if name in _shipped() else _with_own(own)
        long = {weight: method for method, weight in weights.items()}
        if name in long and name not in weights:
            return get_method(long[name])
        if name not in weights:
            from daybreak.weights.store import list_weights, own_folder

            if name not in list_weights(own_folder()):  # else reading it says what is wrong
                look_up("method", name, _names(), "See: daybreak methods")
        from daybreak.methods.pretrained import load

        return load(name, weights.get(name, name))
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
    return matching(pattern, _names())


def every_method() -> list[AnyMethod]:
    """Every method, in the registry's order; imports them all."""
    return [get_method(name) for name in _names()]
