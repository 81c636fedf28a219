"""A run of ONNX Runtime that can be told to stop: between two nodes of its graph, from another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from daybreak.engines.base import failed
from daybreak.stopping import asking, look
from daybreak.types import Array

_LOOK_SECONDS = 0.05  # between two looks at whether to stop


def run_session(session: Any, outputs: Sequence[str], inputs: Mapping[str, Array], place: str) -> list[Array]:
    """Run a session once.

    Args:
        session: an `onnxruntime.InferenceSession`.
        outputs: names of what is wanted.
        inputs: by name.
        place: engine and device, for the error.

    Raises:
        Stopped: that was asked for (`daybreak.stopping`).
        EngineError: the run failed.
    """
    go_on = look()
    try:
        with _options() as options:
            told: list[Array] = session.run(list(outputs), dict(inputs), options)
    except Exception as error:  # its exception classes have no common base below Exception
        go_on()  # it was told to stop, and says so by an error
        raise failed(place, error) from None
    return told


@contextmanager
def _options() -> Iterator[Any]:
    """What a run is told: nothing; where somebody may ask it to stop, options that a thread changes then."""
    asked = asking()
    if asked is None:
        yield None
        return
    import onnxruntime as ort

    options, over = ort.RunOptions(), threading.Event()
    watching = threading.Thread(target=_watch, args=(options, asked, over), name="daybreak-stop", daemon=True)
    watching.start()
    try:
        yield options
    finally:
        over.set()
        watching.join()


def _watch(options: Any, asked: Callable[[], bool], over: threading.Event) -> None:
    while not over.wait(_LOOK_SECONDS):
        if asked():
            options.terminate = True
            return
