"""Explicit lists of things with names: made into a table once, looked up by name or by a pattern.

The lists of methods, networks, metrics, data sets and assets all stand on this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TypeVar

from daybreak.errors import RegistryError, UnknownName

T = TypeVar("T")


def index(kind: str, things: Iterable[T], name_of: Callable[[T], str]) -> Mapping[str, T]:
    """Name -> thing, in the order given; cannot be changed.

    Args:
        kind: what one of them is called, in messages: "metric".
        things: each once.
        name_of: gives the name of one.

    Raises:
        RegistryError: a name stands twice.

    >>> dict(index("word", ["dusk", "dawn"], str.upper))
    {'DUSK': 'dusk', 'DAWN': 'dawn'}
    """
    table: dict[str, T] = {}
    for thing in things:
        name = name_of(thing)
        if name in table:
            raise RegistryError(f"two {kind}s are named {name!r}", f"one name, one {kind}")
        table[name] = thing
    return MappingProxyType(table)


def look_up(kind: str, name: str, table: Mapping[str, T], hint: str = "") -> T:
    """The thing of that name.

    Args:
        kind: as for `index`.
        name: as typed.
        table: from `index`.
        hint: what to type for the whole list.

    Raises:
        UnknownName: there is none; the error carries the nearest names.
    """
    if name not in table:
        raise UnknownName(kind, name, table, hint)
    return table[name]


def matching(pattern: str, table: Iterable[str]) -> list[str]:
    """The names that match a shell pattern, in their order.

    >>> matching("d*k", ["dusk", "dawn"])
    ['dusk']
    """
    return [name for name in table if fnmatchcase(name, pattern)]
