"""`python -m daybreak` is the command `daybreak`."""

import sys

from daybreak.cli.main import run

sys.exit(run())
