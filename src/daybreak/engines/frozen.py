"""A graph that looks at the whole picture, run on parts of it with what a look at the whole told.

A network may weigh its channels by their means over the picture (a pooled attention), bring each to mean 0
and variance 1 (an instance norm), or attend to rows and columns by their means: all that is global in it
passes through pooled numbers. Here those numbers are asked for tile by tile, and given to the runs that make
the result, where the nodes that pooled them are left out. What remains looks a few pixels around itself, so
tiles with their halo equal the whole. Numbers that hang on others take a pass over the picture each
(`FrozenGraph.levels`); a graph is cut down to what a pass has to ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np

from daybreak.engines.onnx_bytes import Node, cut_model, input_names, nodes_of, with_outputs
from daybreak.engines.running import run_session
from daybreak.errors import WeightsError
from daybreak.types import Array

_PLACE = "ONNX Runtime on the CPU"
_POOLS = {"ReduceMean", "ReduceMax", "ReduceMin", "GlobalAveragePool", "GlobalMaxPool"}
_STEPS = _POOLS | {"ReduceSum", "Div"}
"""What means are made of. Our own graphs sum rows, then columns, and divide (`daybreak.layers.norm`)."""

_LOCAL = {
    "Add", "AveragePool", "Cast", "Clip", "Concat", "Constant", "Conv", "ConvTranspose", "DepthToSpace",
    "Exp", "Expand", "Gemm", "Identity", "If", "LeakyRelu", "Max", "MaxPool", "Min", "Mul", "Neg",
    "PRelu", "Pad", "Pow", "Reciprocal", "Relu", "Reshape", "Resize", "Shape", "Sigmoid", "Sign",
    "Slice", "Softmax", "Split", "Sqrt", "Squeeze", "Sub", "Tanh", "Transpose", "Unsqueeze", "Where",
}  # fmt: skip
"""What looks a few pixels around itself, or is done to pooled numbers. Norms and matrix products do not."""

_TRIED = ((64, 96), (96, 160))  # sizes of pictures by which is found out what is pooled

Sides: TypeAlias = tuple[int, int]
"""Height and width."""

Kind: TypeAlias = Literal["mean", "variance", "max", "min"]


@dataclass(frozen=True)
class Pool:
    """Numbers that a graph makes of the whole picture.

    Attributes:
        name: of the value that holds them.
        source: the value, …×h×w, of which they are.
        kind: what of it.
        axes: of the source, that are pooled: (-2, -1), or one of them.
        shape: of the numbers; -1 for the rows or columns that are left.
    """

    name: str
    source: str
    kind: Kind
    axes: tuple[int, ...]
    shape: tuple[int, ...]

    def cut(self, numbers: Array, whole: Sides, window: Sides, top: int, left: int) -> Array:
        """What a window of the picture needs of the numbers.

        Args:
            numbers: of the whole.
            whole, window: height and width, px, multiples of what a row or column of the source stands for.
            top, left: of the window, px, likewise.
        """
        if len(self.axes) == 2:
            return numbers
        way, axis = (0 if self.axes == (-1,) else 1), self.shape.index(-1)
        step = whole[way] // numbers.shape[axis]
        begin = (top, left)[way] // step
        return np.ascontiguousarray(np.take(numbers, range(begin, begin + window[way] // step), axis))


class Tally:
    """Numbers of a pool, as tile after tile is counted.

    Args:
        pool: whose.
        whole: height and width of the picture, px.
    """

    def __init__(self, pool: Pool, whole: Sides) -> None:
        self._pool, self._whole = pool, whole
        self._step, self._sums = 1, list[Array]()

    def add(
        self, source: Array, window: Sides, inside: tuple[slice, slice], top: int = 0, left: int = 0
    ) -> None:
        """Count a tile.

        Args:
            source: of the window that it lies in.
            window: height and width of that, px.
            inside: rows and columns of the tile in the window, px.
            top, left: of the tile in the picture, px.
        """
        pool, step = self._pool, window[0] // source.shape[-2]  # a switch may change it
        rows, columns = (slice(way.start // step, way.stop // step) for way in inside)
        part = source[..., rows, columns]
        if pool.kind in ("max", "min"):
            found = [(part.max if pool.kind == "max" else part.min)(pool.axes)]
            start = -np.inf if pool.kind == "max" else np.inf
        else:
            found, start = [part.sum(pool.axes, np.float64)], 0.0
            found += [np.square(part).sum(pool.axes, np.float64)] if pool.kind == "variance" else []
        size = [side // step for side in self._whole]
        left_over = {(-2, -1): [], (-1,): size[:1], (-2,): size[1:]}[pool.axes]
        if not self._sums:
            self._step = step
            self._sums = [np.full((*source.shape[:-2], *left_over), start) for _ in found]
        at = (top if pool.axes == (-1,) else left) // step
        along = np.s_[..., at : at + found[0].shape[-1]] if left_over else np.s_[:]
        for sums, some in zip(self._sums, found, strict=True):
            sums[along] = {"max": np.maximum, "min": np.minimum}.get(pool.kind, np.add)(sums[along], some)

    def numbers(self) -> Array:
        """All of it, in the shape that the graph has it in."""
        pool, first = self._pool, self._sums[0]
        if pool.kind in ("mean", "variance"):
            count = int(np.prod([self._whole[axis] // self._step for axis in pool.axes]))
            first = first / count
            if pool.kind == "variance":
                first = np.maximum(self._sums[1] / count - np.square(first), 0.0)
        return first.astype(np.float32).reshape(pool.shape)


class Asking:
    """A graph cut down to what makes the sources of some pools; let go of it before the next is made.

    Args:
        picture: name of the input that is the picture.
        sources: names.
        session: with the graph loaded.
        needed: names of the other inputs.
    """

    def __init__(self, picture: str, sources: list[str], session: Any, needed: set[str]) -> None:
        self._picture, self._sources, self._session, self._needed = picture, sources, session, needed

    def run(self, batch: Array, besides: Mapping[str, Array]) -> dict[str, Array]:
        """The sources by name.

        Args:
            batch: 1×C×H×W, a window of the picture.
            besides: the graph's other inputs, and the numbers of the levels before, cut for the window.
        """
        inputs = {self._picture: batch, **{key: besides[key] for key in besides if key in self._needed}}
        return dict(
            zip(self._sources, run_session(self._session, self._sources, inputs, _PLACE), strict=True)
        )


class FrozenGraph:
    """A graph on ONNX Runtime's CPU that tells its pooled numbers, pass by pass, and takes them.

    Args:
        path: the `.onnx` file, trusted before.
        threads: inside one run.

    Attributes:
        parted: whether it can be done: there are pooled numbers, and all of them could be followed.
        levels: the pools of each pass; those of a later one hang on those of earlier ones.

    Raises:
        WeightsError: ONNX Runtime cannot load it.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self._data, self._folder, self._threads = path.read_bytes(), path.parent, threads
        self._nodes = nodes_of(self._data)
        self._makers = {name: node for node in self._nodes for name in node.makes}
        whole = self._load(self._data)
        self._input, self._output = whole.get_inputs()[0].name, whole.get_outputs()[0].name
        known = all(
            node.kind in _STEPS | _LOCAL and node.inner <= _LOCAL - {"Softmax"} for node in self._nodes
        )
        pools = self._find() if known else None
        self.levels = self._in_order(pools or [])
        self.parted = bool(self.levels)
        self._pools = {pool.name: pool for pool in pools or []}

    def run(self, batch: Array, besides: Mapping[str, Array] = MappingProxyType({})) -> Array:
        """Run over a window: 1×C×H×W, with the other inputs and all numbers among `besides`."""
        session, needed = self._taking
        inputs = {self._input: batch, **{key: besides[key] for key in besides if key in needed}}
        return run_session(session, [self._output], inputs, _PLACE)[0]

    def cut(
        self, numbers: Mapping[str, Array], whole: Sides, window: Sides, top: int, left: int
    ) -> dict[str, Array]:
        """What a window needs of the numbers found so far; see `Pool.cut`."""
        return {key: self._pools[key].cut(numbers[key], whole, window, top, left) for key in numbers}

    def asking(self, level: int) -> Asking:
        """What tells the sources of the pools of a level."""
        sources = sorted({pool.source for pool in self.levels[level]})
        return Asking(self._input, sources, *self._partial(sources))

    @cached_property
    def _taking(self) -> tuple[Any, set[str]]:
        return self._partial([self._output])

    def _partial(self, outputs: list[str]) -> tuple[Any, set[str]]:
        """What makes some values of the picture and the numbers, and names of all that it may be given."""
        needed, kept = set(outputs), list[Node]()
        for node in reversed(self._nodes):
            if needed & set(node.makes) and node.makes[0] not in self._pools:
                kept.append(node)
                needed |= set(node.reads)
        given = sorted(needed & set(self._pools))
        model = cut_model(self._data, reversed(kept), given, outputs)
        return self._load(model), set(input_names(model)) - {self._input}

    def _find(self) -> list[Pool] | None:
        """The pools of the graph, by what two small pictures make of it; None if one cannot be followed."""
        steps = [node for node in self._nodes if self._steps(node.makes[0])]
        read_else = {name for node in self._nodes if node not in steps for name in node.reads}
        chained = {name for node in steps for name in node.reads} - read_else
        ends = {node.makes[0]: self._source(node.makes[0]) for node in steps if node.makes[0] not in chained}
        if not ends:
            return []
        soft = [node.makes[0] for node in self._nodes if node.kind == "Softmax"]
        origins = [self._deviates(source) or source for source in ends.values()]
        asked = sorted({*ends, *ends.values(), *origins, *soft} - {self._input})
        try:
            session = self._load(with_outputs(self._data, [name for name in asked if name != self._output]))
        except WeightsError:
            return None  # something is made of whole numbers
        seen = []
        for size in _TRIED:
            dark = np.random.default_rng(0).random((1, 3, *size), np.float32) ** 2
            seen.append(
                {self._input: dark} | dict(zip(asked, session.run(asked, {self._input: dark}), strict=True))
            )
        if any(seen[0][name].shape != seen[1][name].shape for name in soft):
            return None  # places that are weighed against each other
        pools = []
        for name, source in ends.items():
            planes = [values[source].shape for values in seen]
            if planes[0][-2:] == planes[1][-2:]:
                continue  # it is made of pooled numbers
            if all(values[name].shape[-2:] == values[source].shape[-2:] for values in seen):
                continue  # one number a place: nothing is pooled
            pool = self._pool(name, source, seen)
            if pool is None:
                return None
            pools.append(pool)
        return pools

    def _pool(self, name: str, source: str, seen: list[dict[str, Array]]) -> Pool | None:
        """How some numbers are made; None if they are made in no way that is known."""
        shapes = [values[name].shape for values in seen]
        shape = tuple(-1 if one != other else one for one, other in zip(*shapes, strict=True))
        centred = self._deviates(source)
        ways: list[tuple[str, Kind]] = [(source, "mean"), (source, "max"), (source, "min")]
        ways = [(centred, "variance"), *ways] if centred else ways
        for of, kind in ways:
            for axes in ((-2, -1), (-1,), (-2,)):
                pool = Pool(name, of, kind, axes, shape)
                if shape.count(-1) == 2 - len(axes) and all(
                    _makes(pool, values, self._input) for values in seen
                ):
                    return pool
        return None

    def _steps(self, name: str) -> bool:
        """Whether a value is a mean, a sum or the like of another."""
        node = self._makers.get(name)
        if node is None or node.kind not in _STEPS:
            return False
        divided = self._makers.get(node.reads[0])
        return node.kind != "Div" or (divided is not None and divided.kind == "ReduceSum")

    def _source(self, name: str) -> str:
        while self._steps(name):
            name = self._makers[name].reads[0]
        return name

    def _deviates(self, name: str) -> str | None:
        """The value x, if this one is (x - mean of x)²."""
        square = self._makers.get(name)
        if square is None or square.kind != "Mul" or len(set(square.reads)) != 1:
            return None
        centred = self._makers.get(square.reads[0])
        if centred is None or centred.kind != "Sub" or self._source(centred.reads[1]) != centred.reads[0]:
            return None
        return centred.reads[0]

    def _in_order(self, pools: list[Pool]) -> list[list[Pool]]:
        of, after = {pool.name: pool for pool in pools}, dict[str, int]()
        for node in self._nodes:
            level = max((after.get(name, 0) for name in node.reads), default=0)
            for name in node.makes:
                after[name] = after.get(of[name].source, 0) + 1 if name in of else level
        levels: list[list[Pool]] = [[] for _ in range(max((after[name] for name in of), default=0))]
        for pool in pools:
            levels[after[pool.name] - 1].append(pool)
        return levels

    def _load(self, data: bytes) -> Any:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self._threads, 1
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.log_severity_level = 3
        folder = "session.model_external_initializers_file_folder_path"
        options.add_session_config_entry(folder, str(self._folder))
        try:
            return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exception classes have no common base below Exception
            raise WeightsError(f"the parted graph cannot be run: {error}") from None


def _makes(pool: Pool, values: Mapping[str, Array], picture: str) -> bool:
    """Whether some numbers are those that the pool says they are."""
    height, width = values[picture].shape[2:]
    source, wanted = values[pool.source], values[pool.name]
    step = max(1, height // source.shape[-2])
    if source.shape[-2:] != (height // step, width // step):
        return False
    if wanted.size * np.prod([source.shape[axis] for axis in pool.axes]) != source.size:
        return False  # channels are pooled as well
    tally = Tally(pool, (height, width))
    tally.add(source, (height, width), (slice(0, height), slice(0, width)))
    return bool(np.allclose(tally.numbers(), wanted, rtol=1e-3, atol=1e-5))
