"""The first moments of the process, in which modules are imported and nothing else is done."""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import NoReturn

_INTERRUPTED = 130  # as in `daybreak.cli.console`, which is among the modules still to come


def start() -> None:
    """Import quickly from here on, and let Ctrl-C end the process without a word.

    What is computed on several cores here is by threads of ours, OpenCV's, the engines' and torch's.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by who started this: the next file would get its number
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
    # NumPy's linear algebra would start a thread a core, which spins at first: 7 % of the time of 12 MP
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.disable()  # nothing imported at the start is garbage, and looking for some takes 20 ms
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else a shell had it ignored
        signal.signal(signal.SIGINT, _leave)


def started() -> None:
    """A command's modules are there: garbage is collected from here on, and Ctrl-C is an exception."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(*_: object) -> NoReturn:
    """There is nothing to tidy up yet, and some modules take an exception for a broken library."""
    os._exit(_INTERRUPTED)
