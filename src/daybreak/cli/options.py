"""Options that two or more commands share: how their text is read and how the shell completes it."""

from __future__ import annotations

from collections.abc import Iterable

from daybreak.errors import BadSetting


def parse_sets(texts: Iterable[str]) -> dict[str, str]:
    """Read `--set KEY=VALUE` as often as it was given; the settings model turns the values into numbers.

    Raises:
        BadSetting: no "=", no key, or one key twice.

    >>> parse_sets(["gamma=2.4", "mode=fixed"])
    {'gamma': '2.4', 'mode': 'fixed'}
    """
    values: dict[str, str] = {}
    for text in texts:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not (key and equals):
            raise BadSetting(f"--set {text!r}", "KEY=VALUE, for example --set gamma=2.4")
        if key in values:
            raise BadSetting(f"--set gives {key!r} twice, {values[key]!r} and {value!r}", "each setting once")
        values[key] = value
    return values


def parse_methods(text: str) -> list[str]:
    """Names of methods from a list with commas; a shell pattern stands for all that match it.

    Raises:
        UnknownName: a name or a pattern that no method has.
        BadSetting: nothing between the commas.

    >>> parse_methods("gamma, gam*")
    ['gamma']
    """
    from daybreak.methods.registry import get_method, list_methods

    names: dict[str, None] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        names.update(dict.fromkeys(list_methods(part) or [get_method(part).card.name]))
    if not names:
        raise BadSetting(f"a list of methods that reads {text!r}", "names, for example -m gamma,lime")
    return list(names)


def complete_method(incomplete: str) -> list[tuple[str, str]]:
    """(name, summary) of each method, for the shell's TAB after `-m`."""
    from daybreak.methods.registry import every_method  # only when the shell asks: it brings OpenCV in

    return [(m.card.name, m.card.summary) for m in every_method() if m.card.name.startswith(incomplete)]


def complete_methods(incomplete: str) -> list[tuple[str, str]]:
    """The same for a list with commas: completes what stands after the last comma."""
    before, comma, last = incomplete.rpartition(",")
    return [(before + comma + name, summary) for name, summary in complete_method(last)]
