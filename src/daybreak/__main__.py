"""The process `daybreak` (and `python -m daybreak`): one that starts and ends quickly."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from daybreak.cli.start import start


def main() -> NoReturn:
    """Run the command line of this process and end it with the exit code."""
    start()
    if sys.argv[1:2] == ["enhance"]:  # begins before the command's modules are there, or nothing is won
        from daybreak.image.ahead import begin

        begin(sys.argv[2:])
    from daybreak.cli.main import run

    code = run()
    if "torch" in sys.modules:  # has threads and files of its own to close
        sys.exit(code)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = code or 1
    os._exit(code)  # to take the interpreter down piece by piece and free a 12 MP picture takes 50 ms


if __name__ == "__main__":
    main()
