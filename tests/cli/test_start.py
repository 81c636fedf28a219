"""Ctrl-C in the first moments of the process, while modules are imported."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys

import pytest

from daybreak.cli.start import start, started

INTERRUPT = """
import os, signal, sys
from daybreak.__main__ import main

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[2]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
sys.argv = ["daybreak", "methods", sys.argv[1]]
main()
"""


@pytest.mark.parametrize("module", ["daybreak.cli.main", "typer", "daybreak.cli.methods", "numpy", "cv2"])
def test_an_interrupted_import_ends_with_130_and_without_a_word(module):
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPT, module], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr, done.stdout) == (130, "", "")


@pytest.mark.parametrize(("closed", "words", "code"), [(">&-", "methods", 0), ("<&-", "enhance -", 1)])
def test_a_closed_stream_is_an_empty_one(closed, words, code):
    line = f'"{sys.executable}" -m daybreak {words} {closed}'
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code, done.stderr
    assert done.stderr == "" if not code else "is empty (0 bytes)" in done.stderr


def test_a_command_that_has_begun_gets_an_exception():
    before = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        start()
        assert not gc.isenabled()
        started()
        assert gc.isenabled()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
        gc.enable()


def test_a_process_told_to_ignore_control_c_goes_on_doing_so():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        start()
        started()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
        gc.enable()
