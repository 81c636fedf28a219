"""The Dockerfile and the compose file against rules: those of hadolint, and of the CIS benchmark."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from daybreak.version import __version__

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
BUILD_TOOLS = r"\b(gcc|g\+\+|make|cmake|git|build-essential|python3?-dev|curl|wget)\b"


def instructions(text: str) -> list[tuple[str, str]]:
    """(instruction, the rest of its line), lines that go on joined, comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\s*\n\s*", " ", "\n".join(lines))
    pairs = [line.strip().partition(" ") for line in joined.splitlines() if line.strip()]
    return [(word.upper(), rest.strip()) for word, _, rest in pairs]


def stages(text: str) -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for word, rest in instructions(text):
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


def rests(stage: list[tuple[str, str]], wanted: str) -> list[str]:
    return [rest for word, rest in stage if word == wanted]


def broken_rules(text: str) -> set[str]:
    """What is wrong with a Dockerfile, by hadolint's names where it has one."""
    every = [pair for stage in stages(text) for pair in stage]
    last = stages(text)[-1]
    runs = rests(every, "RUN")
    user = rests(last, "USER")
    words = [word for word, _ in last]
    checks = {
        "DL3006 tag": all(re.search(r":[\w.-]+", rest.split()[0]) for rest in rests(every, "FROM")),
        "DL3007 latest": not any(re.search(r":latest\b", rest) for rest in rests(every, "FROM")),
        "a tag with three numbers": all(re.search(r":\d+\.\d+\.\d+", rest) for rest in rests(every, "FROM")),
        "DL3004 sudo": not any(re.search(r"\bsudo\b", rest) for rest in runs),
        "DL3002 user": bool(user) and not re.match(r"(root|0)\b", user[-1]),
        "a user by number": bool(user) and bool(re.fullmatch(r"\d{4,}(:\d{4,})?", user[-1])),
        "DL3020 ADD": not rests(every, "ADD"),
        "DL3009 lists": all("rm -rf /var/lib/apt/lists" in rest for rest in runs if "apt-get" in rest),
        "DL3015 recommends": all("--no-install-recommends" in r for r in runs if "apt-get install" in r),
        "DL3042 cache": all("--no-cache-dir" in rest for rest in runs if re.search(r"\bpip\b", rest)),
        "DL3025 exec form": all(r.startswith("[") for w, r in last if w in ("CMD", "ENTRYPOINT")),
        "DL3000 absolute": all(rest.startswith("/") for rest in rests(every, "WORKDIR")),
        "DL4000 maintainer": not rests(every, "MAINTAINER"),
        "DL3011 port": all(0 < int(port) < 65536 for port in rests(last, "EXPOSE")),
        "one health check": len(rests(last, "HEALTHCHECK")) == 1,
        "health check in exec form": all(re.search(r"CMD \[", r) for r in rests(last, "HEALTHCHECK")),
        "one CMD and one ENTRYPOINT": words.count("CMD") == words.count("ENTRYPOINT") == 1,
        "no build tools in the last stage": not any(
            re.search(BUILD_TOOLS, rest) for rest in rests(last, "RUN")
        ),
        "nothing is installed in the last stage": not any("pip" in rest for rest in rests(last, "RUN")),
        "no secrets": not any(
            re.search(r"(TOKEN|PASSWORD|SECRET|KEY)\s*=", rest) for w, rest in every if w in ("ENV", "ARG")
        ),
        "not the whole context": not any(rest.split()[0] in (".", "./") for rest in rests(every, "COPY")),
        "nothing piped into a shell": not any(re.search(r"\|\s*(ba)?sh\b", rest) for rest in runs),
        "the user comes before CMD": "USER" in words and words.index("USER") < words.index("CMD"),
    }
    return {name for name, kept in checks.items() if not kept}


def test_the_dockerfile_breaks_no_rule():
    assert broken_rules(DOCKERFILE) == set()


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("python:3.11.11-bookworm AS", "python AS", "DL3006 tag"),
        ("python:3.11.11-bookworm AS", "python:latest AS", "DL3007 latest"),
        ("python:3.11.11-bookworm AS", "python:3 AS", "a tag with three numbers"),
        ("USER 10001:10001", "USER root", "DL3002 user"),
        ("USER 10001:10001", "", "DL3002 user"),
        ("USER 10001:10001", "USER daybreak", "a user by number"),
        ("COPY src ./src", "ADD src ./src", "DL3020 ADD"),
        ("COPY src ./src", "COPY . .", "not the whole context"),
        ("COPY src ./src", "RUN apt-get update && apt-get install gcc", "DL3009 lists"),
        ("COPY src ./src", "RUN apt-get update && apt-get install gcc", "DL3015 recommends"),
        ("COPY src ./src", "RUN sudo true", "DL3004 sudo"),
        ("COPY src ./src", "RUN curl https://example.org | sh", "nothing piped into a shell"),
        (" --no-cache-dir", "", "DL3042 cache"),
        ("HEALTHCHECK", "LABEL", "one health check"),
        ('ENTRYPOINT ["daybreak"]', "ENTRYPOINT daybreak", "DL3025 exec form"),
        ("RUN daybreak weights verify", "RUN pip install gradio", "nothing is installed in the last stage"),
        ("RUN daybreak weights verify", "RUN make", "no build tools in the last stage"),
        ("HOME=/tmp", "DAYBREAK_TOKEN=secret", "no secrets"),
        ("WORKDIR /src", "WORKDIR src", "DL3000 absolute"),
    ],
)
def test_each_rule_can_be_broken(old, new, rule):
    assert old in DOCKERFILE
    assert rule in broken_rules(DOCKERFILE.replace(old, new))


def install_line(stage: list[tuple[str, str]]) -> str:
    (line,) = (rest for rest in rests(stage, "RUN") if "install" in rest)
    return line


def test_it_installs_as_the_readme_says_with_extras_that_there_are():
    readme = re.search(r"^(pip install )\.( && daybreak enhance)", (ROOT / "README.md").read_text(), re.M)
    assert readme, "the README's first command"
    (extras,) = re.findall(r'install --no-cache-dir "\.\[([\w,-]+)\]"', install_line(stages(DOCKERFILE)[0]))
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras.split(",")) <= set(known) - {"train", "dev"}


def copied() -> list[str]:
    """What the build stage takes from the project."""
    return [name for rest in rests(stages(DOCKERFILE)[0], "COPY") for name in rest.split()[:-1]]


def test_what_is_copied_is_there_and_let_through():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    let = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert sorted(copied()) == sorted(let)
    assert all((ROOT / name).exists() for name in copied())
    needed = {project["readme"], *project["license-files"], "pyproject.toml", "hatch_build.py", "src"}
    assert needed == set(copied())


def test_port_state_and_health_check_agree():
    last = stages(DOCKERFILE)[-1]
    command = json.loads(rests(last, "CMD")[0])
    port = command[command.index("--port") + 1]
    state = command[command.index("--state") + 1]
    assert rests(last, "EXPOSE") == [port]
    assert json.loads(rests(last, "VOLUME")[0]) == [state]
    assert f"127.0.0.1:{port}/healthz" in rests(last, "HEALTHCHECK")[0]
    assert any(state in rest and "10001" in rest for rest in rests(last, "RUN"))


@pytest.fixture(scope="module")
def services():
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


@pytest.mark.parametrize("name", ["serve", "watch"])
def test_each_service_is_shut_in(services, name):
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"][0].startswith("/tmp:size=")
    assert service["pids_limit"] > 0
    assert service["mem_limit"]
    assert service["cpus"] > 0
    assert service["image"] == f"daybreak:{__version__}"
    assert not {"privileged", "cap_add", "devices", "pid", "ipc"} & service.keys()
    assert not any("docker.sock" in volume for volume in service["volumes"])
    assert "user" not in service, "the image says which"


def test_the_server_is_on_this_machine_alone_and_wants_a_token(services):
    assert services["serve"]["ports"] == ["127.0.0.1:8000:8000"]
    assert services["serve"]["environment"]["DAYBREAK_TOKEN"].startswith("${DAYBREAK_TOKEN:?")


def test_the_watched_folder_is_read_only_and_without_a_network(services):
    assert "./in:/in:ro" in services["watch"]["volumes"]
    assert services["watch"]["network_mode"] == "none"
    assert services["watch"]["command"][:4] == ["watch", "/in", "-o", "/out"]


@pytest.mark.skipif(
    not os.environ.get("DAYBREAK_CONTAINER_STEPS"),
    reason="takes minutes and the network: set DAYBREAK_CONTAINER_STEPS=1",
)
def test_the_same_steps_in_a_clean_environment_serve_and_are_healthy():
    """What is copied alone, the RUN lines of both stages, then CMD and the health check, as another user."""
    with TemporaryDirectory(prefix="daybreak-") as folder:  # pytest's own are closed to other users
        Path(folder).chmod(0o755)
        follow_the_steps(Path(folder))


def follow_the_steps(folder: Path) -> None:
    source, home = folder / "src", folder / "opt"
    source.mkdir()
    for name in copied():
        if (ROOT / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "*.so")
            shutil.copytree(ROOT / name, source / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, source / name)
    build, last = stages(DOCKERFILE)
    line = install_line(build).replace("/opt/daybreak", str(home)).replace("&& pip ", "&& python -m pip ")
    clean = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": "/tmp"}
    subprocess.run(["/bin/sh", "-ec", line], cwd=source, env=clean, check=True)
    assert not (home / "bin/pip").exists()
    assert list(home.rglob("native/libdaybreak.so")), "compiled: the first stage's image has a compiler"
    state = folder / "state"
    state.mkdir()
    other = []
    if os.geteuid() == 0:
        os.chown(state, 10001, 10001)
        other = ["setpriv", "--reuid=10001", "--regid=10001", "--clear-groups"]
    inside = {"PATH": f"{home}/bin:/usr/bin:/bin", "HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"}
    inside["DAYBREAK_TOKEN"] = "word"
    subprocess.run([*other, "daybreak", "weights", "verify"], env=inside, check=True, cwd="/")
    command = json.loads(rests(last, "ENTRYPOINT")[0]) + json.loads(rests(last, "CMD")[0])
    command = [str(state) if word == "/state" else word for word in command]
    command[command.index("--port") + 1] = "18431"
    probe = json.loads(rests(last, "HEALTHCHECK")[0].partition("CMD ")[2])
    probe = [word.replace(":8000/", ":18431/") for word in probe]
    with subprocess.Popen([*other, *command], env=inside, cwd="/") as server:
        try:
            begun = time.monotonic()
            while subprocess.run(probe, env=inside, check=False, capture_output=True).returncode:
                assert server.poll() is None
                assert time.monotonic() < begun + 180, "it never became healthy"
                time.sleep(0.5)
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen("http://127.0.0.1:18431/v1/methods")
        finally:
            server.terminate()
