"""The explicit list of every method, and the look-ups over it.

A method's module is imported when the method is first asked for: a run of one need not wait for twenty.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from daybreak.errors import RegistryError
from daybreak.listing import index, look_up, matching
from daybreak.methods.base import Method

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

PRETRAINED = ("cascade",)
"""Names of methods that are shipped weights; `daybreak.methods.pretrained` makes them from their cards."""


_NAMES = index("method", (*CLASSICAL, *PRETRAINED), str)


@cache
def get_method(name: str) -> AnyMethod:
    """The method of that name.

    Raises:
        UnknownName: there is none; the error carries the nearest names.
    """
    look_up("method", name, _NAMES, "See: daybreak methods")
    if name in PRETRAINED:
        from daybreak.methods.pretrained import load

        return load(name)
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
