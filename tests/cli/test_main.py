"""The command as a whole: help, version, exit codes, one line for every expected error, quick to start."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

import daybreak
from daybreak.cli.main import COMMANDS, run
from daybreak.errors import BadSetting, OutputExists, UnknownName, UnreadablePicture

COMMAND = [sys.executable, "-m", "daybreak"]


def call(*args, **env):
    """Run the command in a process of its own."""
    return subprocess.run([*COMMAND, *args], capture_output=True, text=True, env={**os.environ, **env})


def replaced(monkeypatch, error):
    """Let `daybreak methods` raise (an exception) or return (anything else)."""

    def methods():
        if isinstance(error, BaseException):
            raise error
        return error

    monkeypatch.setattr("daybreak.cli.methods.methods", methods)


def test_help_names_every_command_and_costs_no_heavy_import():
    heavy = {"numpy", "cv2", "scipy", "pydantic", "rich", "torch", "onnxruntime", "pyvips"}
    code = (
        "import sys; from daybreak.cli.main import run; code = run(['--help']);"
        f"print('imported', sorted(set(sys.modules) & {heavy})); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(name in done.stdout for name in COMMANDS)
    assert "imported []" in done.stdout


def test_enhance_starts_without_what_it_may_not_need():
    code = (
        "import sys; from daybreak.cli.main import run; code = run(['enhance', '--help']);"
        "print('imported', sorted(set(sys.modules) & {'torch', 'scipy', 'onnxruntime', 'rich', 'pyamg'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "imported []" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, capsys):
    assert run([name, "--help"]) == 0
    told = capsys.readouterr().out
    assert f"Usage: daybreak {name}" in told
    assert "Args:" not in told


def test_version(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"daybreak {daybreak.__version__}\n"


def test_nothing_typed_shows_the_help_and_is_a_usage_error(capsys):
    assert run([]) == 2
    told = capsys.readouterr()
    assert "Commands:" in told.err
    assert not told.out


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (["metods"], "No such command 'metods'"),
        (["methods", "--jsn"], "No such option: --jsn"),
        (["methods", "a", "b"], "unexpected extra argument"),
        (["compare"], "Missing argument"),
        (["compare", "x.jpg"], "Missing option"),
        (["enhance", "x.jpg", "--quality", "many"], "quality"),
        (["enhance", "x.jpg", "--format", "gif87"], "format"),
    ],
)
def test_a_wrong_line_gets_one_line_and_code_2(args, wanted, capsys):
    assert run(args) == 2
    told = capsys.readouterr()
    assert not told.out
    assert told.err.count("\n") == 1
    assert wanted.lower() in told.err.lower()
    assert "--help" in told.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnknownName("method", "gama", ["gamma"]), 2),
        (BadSetting("gamma=0 of gamma", "at least 0.1"), 2),
        (UnreadablePicture("night\n.jpg is empty"), 1),
        (OutputExists("night_daybreak.jpg is there already"), 1),
    ],
)
def test_an_expected_error_is_one_line_without_traceback(error, code, capsys, monkeypatch):
    replaced(monkeypatch, error)
    assert run(["methods"]) == code
    told = capsys.readouterr().err
    assert told.startswith("daybreak: ")
    assert told.count("\n") == 1
    assert "Traceback" not in told


def test_the_exit_code_is_what_the_command_returns(monkeypatch):
    replaced(monkeypatch, 1)
    assert run(["methods"]) == 1


def test_control_c_is_130(monkeypatch):
    replaced(monkeypatch, KeyboardInterrupt())
    assert run(["methods"]) == 130


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch):
    replaced(monkeypatch, ZeroDivisionError("ours"))
    with pytest.raises(ZeroDivisionError):
        run(["methods"])


def test_a_reader_that_stops_reading_is_no_traceback():
    with subprocess.Popen(
        [*COMMAND, "methods", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == ""


def test_a_terminal_without_the_letters_is_no_traceback():
    done = call("methods", "gäma", PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert "g\\xe4ma" in done.stderr


def completed(words):
    """What the shell is offered for the last of the words."""
    count = len(words.split(" ")) - 1
    done = call(_DAYBREAK_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(count))
    assert not done.stderr
    return done.stdout.split()


def test_the_shell_completes_commands_methods_and_options():
    assert completed("daybreak me") == ["methods"]
    assert "gamma" in completed("daybreak enhance -m g")
    assert "clahe,gamma" in completed("daybreak compare x.jpg -m clahe,g")
    assert "--json" in completed("daybreak methods --")


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete -o"), ("zsh", "compdef"), ("fish", "complete --")]
)
def test_completion_scripts_are_for_daybreak_and_the_shell_that_was_named(shell, word):
    done = call("--show-completion", shell)
    assert done.returncode == 0
    assert "_DAYBREAK_COMPLETE" in done.stdout
    assert word in done.stdout


def test_a_shell_that_is_not_known_is_refused_with_those_that_are():
    done = call("--show-completion", "tcsh")
    assert done.returncode == 2
    assert "bash" in done.stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_completion_is_installed_where_bash_looks(tmp_path):
    done = call("--install-completion", "bash", HOME=str(tmp_path))
    assert done.returncode == 0
    assert ".bash_completions/daybreak.sh" in (tmp_path / ".bashrc").read_text()
    assert (tmp_path / ".bash_completions" / "daybreak.sh").is_file()
