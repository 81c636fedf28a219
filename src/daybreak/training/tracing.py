"""What a network is made of, seen by running it: its blocks in order, their sizes, and what feeds what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

PICTURE = -1
"""The place of the input among the blocks that feed one."""


@dataclass(frozen=True)
class Block:
    """One or more modules that ran one after another.

    Attributes:
        group: name of the module that holds it, "" for the graph itself.
        name: within the group.
        kind: class names, joined by " + ".
        shape: of its output, without the batch.
        parameters: trainable numbers; those that an earlier block holds too are not counted again.
        times: how many equal modules in a row it stands for.
        inputs: places of the blocks its input comes from, `PICTURE` for the graph's input.
    """

    group: str
    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    inputs: tuple[int, ...]
    times: int = 1


@dataclass(frozen=True)
class Trace:
    """A graph's blocks in the order in which they run.

    Attributes:
        picture: C×H×W of what it was given.
        blocks: see there.
        ends: places of the blocks the result comes from.
        result: C×H×W of it.
    """

    picture: tuple[int, ...]
    blocks: tuple[Block, ...]
    ends: tuple[int, ...]
    result: tuple[int, ...]


@dataclass
class _Call:
    """One run of a module; `number` counts them in the order in which they begin."""

    number: int
    name: str
    module: nn.Module
    calls: list[_Call]
    inputs: frozenset[int] = frozenset()
    shape: tuple[int, ...] = ()


class _Origins(TorchFunctionMode):
    """Remembers for each tensor which calls it comes from; whatever is done between two calls unites them."""

    def __init__(self) -> None:
        super().__init__()
        self.of: dict[int, frozenset[int]] = {}
        self._kept: list[Tensor] = []  # an id is only a name while its tensor lives

    def mark(self, values: Any, origins: frozenset[int]) -> None:
        for tensor in _tensors(values):
            self.of[id(tensor)] = origins
            self._kept.append(tensor)

    def behind(self, values: Any) -> frozenset[int]:
        return frozenset().union(*(self.of.get(id(t), frozenset()) for t in _tensors(values)))

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        given = kwargs or {}
        origins = self.behind((args, given))
        result = func(*args, **given)
        self.mark(result, origins)
        return result


def trace(graph: nn.Module, side: int = 256) -> Trace:
    """The blocks of a graph of B×3×H×W.

    Modules down to the second level are told apart; one that has no parameters of its own (an activation, a
    norm without any) is counted to the block before it, and equal blocks in a row are one.

    Args:
        graph: on any device; "meta" costs nothing.
        side: px, height and width of the picture.
    """
    whole, *_ = _run(graph, frozenset(), side)
    leaves = dict(_leaves(whole))
    whole, ends, result = _run(graph, frozenset(leaves), side)
    calls = {call.number: call for call in _every(whole)}
    rows: list[Block] = []
    place: dict[int, int] = {PICTURE: PICTURE}  # number of a call -> of its row
    seen: set[int] = set()
    for number, (group, name) in leaves.items():
        call = calls[number]
        fresh = [p for p in call.module.parameters() if id(p) not in seen]
        seen.update(map(id, fresh))
        fed = tuple(sorted({place[n] for n in call.inputs if n in place}))
        _put(
            rows, Block(group, name, _kind(call.module), call.shape, sum(p.numel() for p in fresh), fed), call
        )
        place[number] = len(rows) - 1
    return Trace((3, side, side), tuple(rows), tuple(sorted({place[n] for n in ends})), result)


def _put(rows: list[Block], block: Block, call: _Call) -> None:
    """Append a block, or count it to the one before."""
    if rows and rows[-1].group == block.group and block.inputs == (len(rows) - 1,):
        last = rows[-1]
        if isinstance(call.module, nn.Identity):
            return
        if last.kind == block.kind and last.shape == block.shape and block.parameters:
            first = last.name.partition(" ")[0]
            rows[-1] = replace(
                last,
                name=f"{first} … {block.name.rpartition('.')[2]}",
                parameters=last.parameters + block.parameters,
                times=last.times + 1,
            )
            return
        if not any(True for _ in call.module.parameters()) and last.times == 1:
            rows[-1] = replace(last, kind=f"{last.kind} + {block.kind}", shape=block.shape)
            return
    rows.append(block)


def _run(
    graph: nn.Module, leaves: frozenset[int], side: int
) -> tuple[_Call, frozenset[int], tuple[int, ...]]:
    """Run a graph once; gives its tree of calls, the leaves its output comes from, and the output's shape."""
    names = {module: name for name, module in graph.named_modules()}
    root = _Call(PICTURE, "", graph, [])
    stack, count, origins = [root], 0, _Origins()

    def begin(module: nn.Module, args: Any, kwargs: Any) -> None:
        nonlocal count
        call = _Call(count, names[module], module, [], origins.behind((args, kwargs)))
        stack[-1].calls.append(call)
        stack.append(call)
        count += 1

    def end(module: nn.Module, args: Any, result: Any) -> None:  # noqa: ARG001 - a hook's signature
        call = stack.pop()
        call.shape = tuple(next(_tensors(result)).shape[1:])
        if call.number in leaves:
            origins.mark(result, frozenset({call.number}))

    modules = [module for module in names if module is not graph]
    hooks = [m.register_forward_pre_hook(begin, with_kwargs=True) for m in modules]
    hooks += [m.register_forward_hook(end) for m in modules]
    try:
        device = next(graph.parameters()).device
        with torch.no_grad():
            low = torch.rand(1, 3, side, side, device=device)
            with origins:
                origins.mark(low, frozenset({PICTURE}))
                result = graph(low)
    finally:
        for hook in hooks:
            hook.remove()
    return root, origins.behind(result), tuple(result.shape[1:])


def _leaves(root: _Call) -> Iterator[tuple[int, tuple[str, str]]]:
    """Number -> (group, name) of the calls that are told apart; what only wraps another is passed."""
    root = _unwrapped(root)
    for call in root.calls:
        inner = _unwrapped(call)
        name = call.name.removeprefix(f"{root.name}.")
        if isinstance(inner.module, nn.Identity):
            continue
        if len(inner.calls) < 2:
            yield call.number, ("", name)
        for part in inner.calls if len(inner.calls) > 1 else ():
            yield part.number, (name, part.name.removeprefix(f"{call.name}."))


def _unwrapped(call: _Call) -> _Call:
    while len(call.calls) == 1 and call.calls[0].calls:
        call = call.calls[0]
    return call


def _every(call: _Call) -> Iterator[_Call]:
    for part in call.calls:
        yield part
        yield from _every(part)


def _kind(module: nn.Module) -> str:
    """A module's class, with what tells one convolution from another; a chain is the classes in it."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        high, wide = module.kernel_size[:2] if len(module.kernel_size) > 1 else module.kernel_size * 2
        stride = f", stride {module.stride[0]}" if module.stride[0] > 1 else ""
        dilated = f", dilation {module.dilation[0]}" if module.dilation[0] > 1 else ""
        up = "transposed " if isinstance(module, nn.ConvTranspose2d) else ""
        return f"{up}conv {high}×{wide}{stride}{dilated}"
    if isinstance(module, nn.Sequential) and type(module) is nn.Sequential:
        kinds = [_kind(part) for part in module]
        half = len(kinds) // 2
        if half > 1 and kinds[:half] == kinds[half:]:
            return f"2 × ({' + '.join(kinds[:half])})"
        return " + ".join(kinds)
    return type(module).__name__.removesuffix("2d")


def _tensors(values: Any) -> Iterator[Tensor]:
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, dict):
        yield from _tensors(list(values.values()))
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _tensors(value)
