"""Finding weights, those that ship and one's own, and checking them against their cards."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from daybreak.errors import UnknownName, WeightsError
from daybreak.types import Array
from daybreak.weights.card import WeightCard, read_card

FOLDER = Path(__file__).parent
"""Where the shipped weights lie: in this package."""


def own_folder() -> Path:
    """Where one's own weights lie: DAYBREAK_WEIGHTS, or else the system's folder for this user's data.

    The folder need not exist.
    """
    told = os.environ.get("DAYBREAK_WEIGHTS")
    if told:
        return Path(told).expanduser()
    import platformdirs  # 10 ms that a run of what ships does not need

    return Path(platformdirs.user_data_dir("daybreak")) / "weights"


def sha256(path: Path) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits.

    Raises:
        WeightsError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"the weight file {path} cannot be read: {error.strerror}") from None


@dataclass(frozen=True)
class Weight:
    """A card and the two files beside it.

    Attributes:
        card: what the weight is.
        onnx: the graph that runs.
        safetensors: the parameters, for further training and for what runs as arithmetic.
    """

    card: WeightCard
    onnx: Path
    safetensors: Path

    def verify(self) -> None:
        """Compare both files with the card.

        Raises:
            WeightsError: a file is missing or its SHA-256 is not the card's.
        """
        self.verified_onnx()
        _check(self.safetensors, self.card.safetensors_sha256)

    def verified_onnx(self) -> Path:
        """The graph's path, once it and whatever file it keeps its parameters in are seen to be the card's.

        Raises:
            WeightsError: it is missing or not what the card says.
        """
        if self.card.shared:
            _check(self.safetensors, self.card.safetensors_sha256)
        return _check(self.onnx, self.card.onnx_sha256)

    def parameters(self) -> dict[str, Array]:
        """The parameters by name, from the safetensors file, once it is seen to be the card's.

        Raises:
            WeightsError: it is missing or not what the card says.
        """
        data = _check(self.safetensors, self.card.safetensors_sha256).read_bytes()
        length = int.from_bytes(data[:8], "little")
        kinds = {"F32": np.float32, "F16": np.float16}  # what `daybreak export` writes
        found = {}
        for name, told in json.loads(data[8 : 8 + length]).items():
            if name != "__metadata__":
                begin, end = (8 + length + at for at in told["data_offsets"])
                values = np.frombuffer(data[begin:end], kinds[told["dtype"]])
                found[name] = values.reshape(told["shape"]).astype(np.float32)
        return found


def _check(path: Path, expected: str) -> Path:
    found = sha256(path)
    if found != expected:
        raise WeightsError(
            f"{path} has SHA-256 {found[:12]}…",
            f"{expected[:12]}… as on its card",
            "Install daybreak again; one of your own, export again with --overwrite",
        )
    return path


def list_weights(folder: Path | None = None) -> list[str]:
    """Names of the weights that have a card in a folder, sorted; "cascade.lol" for example.

    Args:
        folder: where; None for those that ship and, behind them, one's own of other names that have a card
            which can be read (`unreadable` has the others).
    """
    if folder is None:
        return [*list_weights(FOLDER), *(name for name, fault in _own().items() if fault is None)]
    try:
        return sorted(path.stem for path in folder.glob("*.*.toml"))
    except OSError:  # another user's home, say
        return []


def own_state() -> tuple[tuple[str, int, int], ...]:
    """Another one as soon as one's own weights are others: name, bytes and time of each card."""
    found = []
    with contextlib.suppress(OSError):  # another user's home, or a card that goes right now
        for card in sorted(own_folder().glob("*.*.toml")):
            told = card.stat()
            found.append((card.name, told.st_size, told.st_mtime_ns))
    return tuple(found)


def unreadable() -> list[WeightsError]:
    """What is wrong with those of one's own weights whose cards cannot be read, or with their folder."""
    with contextlib.suppress(OSError):  # a name that the system will not look for
        if own_folder().is_file():
            return [WeightsError(f"DAYBREAK_WEIGHTS={own_folder()} is a file", "a folder of weights")]
    return [fault for fault in _own().values() if fault is not None]


def _own() -> dict[str, WeightsError | None]:
    """One's own weights of names that do not ship, and what is wrong with their cards."""
    found: dict[str, WeightsError | None] = {}
    folder, shipped = own_folder(), list_weights(FOLDER)
    for name in list_weights(folder):
        if name not in shipped:
            try:
                find_weight(name, folder)
                found[name] = None
            except WeightsError as error:
                found[name] = error
    return found


def find_weight(name: str, folder: Path | None = None) -> Weight:
    """The weight of that name, unverified.

    Args:
        name: of it.
        folder: where to look; None for what ships, and then among one's own.

    Raises:
        UnknownName: no card of that name; the error carries the nearest names.
        WeightsError: the card cannot be read or names another weight.
    """
    held = folder or (FOLDER if name in list_weights(FOLDER) else own_folder())
    if name not in list_weights(held):
        raise UnknownName("weight", name, list_weights(folder))
    card = read_card(held / f"{name}.toml")
    if card.name != name:
        raise WeightsError(f"the card {name}.toml is of the weight {card.name}", name)
    return Weight(card, held / f"{name}.onnx", held / f"{name}.safetensors")
