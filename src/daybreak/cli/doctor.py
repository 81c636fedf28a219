"""`daybreak doctor`: what is on this machine, and whether every device gives the right picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from typing import Annotated

import typer

from daybreak.cli.console import DONE, SOME_FAILED, complain
from daybreak.engines import DEVICES
from daybreak.enhancing.doctor import Check, State, check_arithmetic, check_networks, look_around
from daybreak.methods.registry import CLASSICAL, get_method, weight_methods
from daybreak.text import printable
from daybreak.weights import find_weight, list_weights
from daybreak.weights.store import unreadable


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> int:
    """Look at this machine, and run every method on every device against the fp32 CPU reference."""
    named = [(name, find_weight(weight)) for name, weight in weight_methods(list_weights()).items()]
    state = look_around([weight for _, weight in named], DEVICES)
    classical = [method for method in map(get_method, CLASSICAL) if method.pick is None]
    running = chain(check_networks(named, DEVICES), check_arithmetic(classical))
    if as_json:
        checks = list(running)
    else:
        tell(state_lines(state))
        checks = []
        for check in running:  # a line as each is done: some networks take a while
            checks.append(check)
            tell([check_line(check)])
    failed = (f"{_name(check)}: {check.error}" for check in checks if not check.right)
    wrong = [*state.wrong, *map(str, unreadable()), *failed]
    if as_json:
        found = {**asdict(state), "checks": [asdict(check) for check in checks], "wrong": wrong}
        typer.echo(json.dumps(found, indent=2))
    else:
        tell(["", f"{len(checks)} runs, {f'wrong: {len(wrong)}' if wrong else 'nothing is wrong'}"])
    for sentence in wrong:
        complain(sentence)
    return SOME_FAILED if wrong else DONE


def tell(lines: Iterator[str] | list[str]) -> None:
    """Print lines that may hold anything."""
    for line in lines:
        typer.echo(printable(line))


def state_lines(state: State) -> Iterator[str]:
    """What was found, for people."""
    memory = " of ".join(f"{size / 1e9:.1f} GB" for size in (state.free, state.memory) if size is not None)
    yield f"machine    {state.cores} cores, {memory or 'an unknown amount'} of memory free"
    for name, version in state.versions.items():
        yield f"           {name} {version or 'not installed'}"
    for name, precisions in state.devices.items():
        told = f"{', '.join(precisions)}" if precisions else f"not here: {state.absent[name]}"
        yield f"device     {name}: {told}"
    for name, packages in state.extras.items():
        told = f'without {", ".join(packages)}. Type: pip install "daybreak[{name}]"' if packages else "here"
        yield f"extra      {name}: {told}"
    for name, fault in state.weights.items():
        yield f"weight     {name}: {fault or 'as on its card'}"
    for name, found in state.assets.items():
        yield f"asset      {name}: {found}"


def check_line(check: Check) -> str:
    """One run, for people."""
    if check.largest is None:
        return f"{'WRONG':<10} {_name(check)}: {check.error}"
    verdict = "right" if check.right else "WRONG"
    return (
        f"{verdict:<10} {_name(check)}: at most {check.largest:.2f} grey levels from the reference, "
        f"{check.mean:.3f} in the mean; {check.seconds:.2f} s"
    )


def _name(check: Check) -> str:
    given = "".join(f" {name}={value:g}" for name, value in check.settings.items())
    return f"{check.method}{given} on {check.place}"
