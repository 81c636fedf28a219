"""What every command shares: exit codes, and errors as one line on stderr instead of a traceback."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Sequence

import typer
from typer.core import TyperGroup

from daybreak.errors import BadSetting, DaybreakError, UnknownName
from daybreak.text import printable

DONE = 0
SOME_FAILED = 1
USAGE = 2
INTERRUPTED = 130

# typer brought click's errors in under a private name; their common base is found from the public one
ParseError: type[Exception] = typer.BadParameter.__mro__[2]


def complain(message: str) -> None:
    """Print one line to stderr, whatever the message holds."""
    print(f"daybreak: {printable(message)}", file=sys.stderr)


def terminal_width() -> int:
    """Signs in a line of the terminal behind stdout; 0 where it is none and lines may have any length."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def exit_code(error: DaybreakError) -> int:
    """2 where the line that was typed is to be corrected, 1 where the line is right and a file is not."""
    return USAGE if isinstance(error, (UnknownName, BadSetting)) else SOME_FAILED


def run_command(command: TyperGroup, args: Sequence[str] | None) -> int:
    """Parse and run; give back the exit code, with every expected error told in one line.

    Args:
        command: the group of all commands.
        args: the words after `daybreak`; None for those of this process.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some takes 10 ms of each start
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without é is no reason to fail
    try:
        code = command.main(args, prog_name="daybreak", standalone_mode=False) or DONE
        sys.stdout.flush()
    except ParseError as error:
        path = getattr(getattr(error, "ctx", None), "command_path", "daybreak")
        told = " ".join(getattr(error, "format_message", error.__str__)().split()).replace(
            "Value error, ", ""
        )
        complain(f"{told}{'' if told.endswith(('.', '?')) else '.'} See: {path} --help")
        return USAGE
    except DaybreakError as error:
        complain(str(error))
        return exit_code(error)
    except BrokenPipeError:  # `daybreak methods | head -3`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOME_FAILED
    except OSError as error:  # a full disk behind stdout, say
        complain(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        return SOME_FAILED
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    return int(code)
