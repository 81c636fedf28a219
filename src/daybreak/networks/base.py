"""What a trainable network is: a module that knows its exported part, and an entry for the registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
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


class Network(nn.Module, ABC):
    """A network as it trains.

    Attributes:
        halo: pixels of context that an output pixel of the exported graph depends on, on each side.
        multiple: the sides of the input must be multiples of this.
        scale: output side / input side.
    """

    halo: int
    multiple: int = 1
    scale: Literal[1, 2] = 1

    @abstractmethod
    def inference(self) -> nn.Module:
        """The part that is exported, sharing this network's parameters.

        Its forward takes B×3×H×W float32 in [0, 1] and gives the enhanced B×3×H×W in [0, 1].
        """

    def inference_parameters(self) -> int:
        """How many parameters the exported graph holds."""
        return sum(p.numel() for p in self.inference().parameters())


Terms = dict[str, Tensor]
"""Loss terms by name, each a scalar already weighted; their sum is what is minimised."""

N = TypeVar("N", bound=Network)
S = TypeVar("S", bound=NetworkSettings)

Objective = Callable[[N, Tensor], Terms]
"""(network, batch of B×3×H×W in [0, 1]) -> loss terms."""


@dataclass(frozen=True)
class NetworkSpec(Generic[N, S]):
    """One entry of the registry.

    Attributes:
        name: lower case, as in a recipe's name before the dot.
        summary: one line for a list.
        paper: the publication, with year and venue.
        settings: the hyper-parameters' model; its defaults are the preset.
        build: settings -> a freshly initialised network (uses torch's global random generator).
        objective: (settings, feature extractor for a perceptual loss or None) -> the objective of training.
    """

    name: str
    summary: str
    paper: str
    settings: type[S]
    build: Callable[[S], N]
    objective: Callable[[S, Features | None], Objective[N]]
