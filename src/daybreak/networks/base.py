"""What a trainable network is: a module that knows its exported part, and an entry for the registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from daybreak.losses.perceptual import Features


class NetworkSettings(BaseModel):
    """Base of every network's hyper-parameters: frozen, typed, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def hyper(default: Any, text: str, *, source: str, ge: float | None = None, le: float | None = None) -> Any:
    """Declare one hyper-parameter of a network.

    Args:
        default: the value of the network's preset.
        text: one sentence: what it is.
        source: "paper: …", "cited: …" (the paper's own source) or "assumed: <the reason>".
        ge, le: the inclusive range.

    Raises:
        ValueError: the source says none of the three.
    """
    if not source.startswith(("paper", "cited: ", "assumed: ")):
        raise ValueError(f"source of a hyper-parameter starts with paper, cited or assumed, got {source!r}")
    return Field(default, description=text, ge=ge, le=le, json_schema_extra={"source": source})


@dataclass(frozen=True)
class Control:
    """A number that a network takes beside the picture, and what it is where nobody says it.

    Attributes:
        name: as an input of the exported graph.
        least, most: the range it was trained in, above 0.
        intercept, slope: where it is not given: intercept + slope · mean of the picture, within the range.
    """

    name: str
    least: float
    most: float
    intercept: float
    slope: float

    def estimate(self, low: Tensor) -> Tensor:
        """From B×3×H×W in [0, 1], the whole picture, to B values."""
        return (self.intercept + self.slope * low.mean((1, 2, 3))).clamp(self.least, self.most)


@dataclass(frozen=True)
class Extra:
    """An input of the exported graph that may be left out.

    Attributes:
        name: of the input.
        shape: of one picture's value, without the batch.
        default: what stands for "not given", in every place.
    """

    name: str
    shape: tuple[int, ...]
    default: float


class Network(nn.Module, ABC):
    """A network as it trains.

    Attributes:
        context: "local" where an output pixel depends on no more than `halo` pixels around it, "global" where
            a norm, a pool or an attention looks at the whole picture.
        halo: pixels of context that an output pixel of the exported graph depends on, on each side; where the
            context is global, of its convolutions alone.
        point: whether each value of the result depends on that value of the picture alone, and on the guide.
        multiple: the sides of the exported graph's input must be multiples of this, and so must crops.
        least_crop: px, side of the smallest crop that the objective can learn from.
        scale: output side / input side.
        control: the one number per picture that the exported part takes besides, or None; there forward takes
            (low, control of shape B) and estimates it from the picture where it is not given.
        extras: further inputs of the exported part that may be left out, in the order of its forward.
        guide: px, side of the small copy of the whole picture that the exported part takes as its input
            `guide`, and looks at for all that holds for the whole; 0 where it has none.
    """

    context: Literal["local", "global"] = "local"
    halo: int
    point: bool = False
    multiple: int = 1
    least_crop: int = 16
    scale: Literal[1, 2] = 1
    control: Control | None = None
    extras: tuple[Extra, ...] = ()
    guide: int = 0

    @abstractmethod
    def inference(self) -> nn.Module:
        """The part that is exported, sharing this network's parameters.

        Its forward takes B×3×H×W float32 in [0, 1] and gives the enhanced B×3×H×W in [0, 1]. Whatever
        else the network wants (another range, a smaller picture) happens inside.
        """

    def enlarging(self) -> nn.Module | None:
        """The same part without the halving it begins with, which gives twice its input's size; or None."""
        return None

    def inference_parameters(self) -> int:
        """How many parameters the exported graph holds."""
        return sum(p.numel() for p in self.inference().parameters())


@dataclass(frozen=True)
class Batch:
    """What one step trains on; every picture is B×3×h×w float32 in [0, 1], RGB, sRGB-encoded.

    Attributes:
        low: dark pictures.
        high: normally lit ones: the same views, or others where the sampling is unpaired; None where the
            recipe trains on dark pictures alone.
        alpha: how dark paper 3's generator made each picture, B; None where the dark side is photographed.
    """

    low: Tensor
    high: Tensor | None = None
    alpha: Tensor | None = None

    def reference(self) -> Tensor:
        """The normally lit pictures.

        Raises:
            ValueError: there are none.
        """
        if self.high is None:
            raise ValueError("this objective needs normally lit pictures; the batch has none")
        return self.high


Sampling = Literal["low", "aligned", "unpaired", "darkened"]
"""What the batches hold: dark pictures alone, crops of the same view in both lights, crops of different
views, or clean pictures and what paper 3's generator makes of them, with the α that it took."""

Terms = dict[str, Tensor]
"""Loss terms by name, each a scalar already weighted; their sum is what is minimised."""


@dataclass(frozen=True)
class Phase:
    """One optimiser's part of a training step.

    Attributes:
        name: "network", "generators" or "discriminators"; the last take the recipe's `critic_lr`.
        modules: whose parameters this phase moves; the network's others are frozen meanwhile.
        terms: the loss of this phase; phases of a step run in order, on the same batch.
    """

    name: Literal["network", "generators", "discriminators"]
    modules: tuple[nn.Module, ...]
    terms: Callable[[Batch], Terms]


Published = Mapping[str, tuple[Any, str]]
"""How a source trains: a recipe's key ("optimiser.lr") -> the value given (or words such as "800 epochs"),
and where, in the form of a hyper-parameter's source: "paper: …", "cited: …" or "assumed: <the reason>"."""

N = TypeVar("N", bound=Network)
S = TypeVar("S", bound=NetworkSettings)


class Objective(ABC, Generic[N]):
    """What the training of one network minimises.

    Args:
        network: what learns.

    Attributes:
        continues: whether it makes sense only for a network that has learned already.
    """

    continues: bool = False

    def __init__(self, network: N) -> None:
        self.network = network

    def terms(self, batch: Batch) -> Terms:
        """The weighted loss terms of an objective that has one phase.

        Raises:
            NotImplementedError: an objective of several phases, which has no sum of them all.
        """
        raise NotImplementedError

    def phases(self) -> tuple[Phase, ...]:
        """The parts of a step, one optimiser each."""
        return (Phase("network", (self.network,), self.terms),)

    def panels(self, batch: Batch) -> dict[str, Tensor]:
        """Pictures that show how the training goes, B×3×h×w in [0, 1] each, left to right."""
        high = {} if batch.high is None else {"reference": batch.high}
        return {"input": batch.low, "output": self.network.inference()(batch.low), **high}

    def state(self) -> dict[str, Any]:
        """What has to survive a stop beside the network's parameters: tensors and plain values."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what `state` gave."""


@dataclass(frozen=True)
class NetworkSpec(Generic[N, S]):
    """One entry of the registry.

    Attributes:
        name: lower case, as in a recipe's name before the dot.
        summary: one line for a list.
        paper: the publication, with year and venue.
        settings: the hyper-parameters' model; its defaults are the preset.
        build: settings -> a freshly initialised network (uses torch's global random generator).
        objective: (network, settings, feature extractor for a perceptual loss or None) -> the objective.
        sampling: the kinds of batches the objective can learn from; the first is the preset.
        published: how its source trains it.
    """

    name: str
    summary: str
    paper: str
    settings: type[S]
    build: Callable[[S], N]
    objective: Callable[[N, S, Features | None], Objective[N]]
    sampling: tuple[Sampling, ...] = ("aligned",)
    published: Published = field(default_factory=dict)
