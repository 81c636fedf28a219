"""The explicit list of every method, and the look-ups over it."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from daybreak.errors import RegistryError, UnknownName
from daybreak.methods import auto, clahe, crm, dong, gamma, he, mf, msr, msrcr, npe, ssr
from daybreak.methods.base import Method

AnyMethod = Method[Any]

METHODS: tuple[AnyMethod, ...] = (
    auto.METHOD,
    gamma.METHOD,
    he.METHOD,
    clahe.METHOD,
    ssr.METHOD,
    msr.METHOD,
    msrcr.METHOD,
    dong.METHOD,
    npe.METHOD,
    mf.METHOD,
    crm.METHOD,
)


def index(methods: Iterable[AnyMethod]) -> dict[str, AnyMethod]:
    """Name -> method, in the order given.

    Raises:
        RegistryError: a name stands twice.
    """
    table: dict[str, AnyMethod] = {}
    for method in methods:
        if method.card.name in table:
            raise RegistryError(f"two methods are named {method.card.name!r}", "one name, one method")
        table[method.card.name] = method
    return table


_BY_NAME = index(METHODS)


def get_method(name: str) -> AnyMethod:
    """The method of that name.

    Raises:
        UnknownName: there is none; the error carries the nearest names.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        raise UnknownName("method", name, _BY_NAME, "See: daybreak methods") from None


def list_methods(pattern: str = "*") -> list[str]:
    """Names of the methods that match a shell pattern, in the registry's order.

    >>> "gamma" in list_methods("g*")
    True
    """
    return [name for name in _BY_NAME if fnmatchcase(name, pattern)]
