from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from daybreak.cli.main import run

SERVE = [sys.executable, "-m", "daybreak", "serve", "--no-page"]


def test_beyond_this_machine_a_token_is_asked_for(tmp_path, capsys):
    assert run(["serve", "--host", "0.0.0.0", "--state", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "--host 0.0.0.0 without a token" in told
    assert "--insecure" in told
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken(tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert run(["serve", "--port", port, "--no-page", "--state", str(tmp_path)]) == 2
    assert f"--port {port}" in capsys.readouterr().err


def test_a_state_folder_that_cannot_be(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert run(["serve", "--port", "0", "--no-page", "--state", str(tmp_path / "file" / "x")]) == 1
    assert "cannot be made" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals of POSIX")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(tmp_path, stop):
    environment = {**os.environ, "DAYBREAK_TOKEN": "sesame"}
    command = [*SERVE, "--port", "0", "--state", str(tmp_path)]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert server.stderr
    line = server.stderr.readline()
    found = re.search(r"(http://127\.0\.0\.1:\d+)/docs", line)
    assert found, line
    assert "sesame" not in line
    right = {"Authorization": "Bearer sesame"}
    answer = httpx.get(f"{found[1]}/v1/methods", headers=right, timeout=60)
    assert answer.status_code == 200
    assert httpx.get(f"{found[1]}/v1/methods", timeout=60).status_code == 401
    assert httpx.get(found[1], headers=right, timeout=60).headers["location"] == "/docs"
    server.send_signal(stop)
    _, rest = server.communicate(timeout=60)
    assert server.returncode in (0, 130, -stop)
    assert "Traceback" not in rest
