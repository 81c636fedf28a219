"""The example clusters against rules: they load, and what they tell to run is a line of ours."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

from daybreak.cli.main import COMMANDS
from daybreak.version import __version__

FOLDER = Path(__file__).parents[2] / "examples" / "cluster"
FILES = sorted(FOLDER.glob("*.yaml"))


def documents(path):
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def pods(value):
    """Every list of containers in a document, with the spec that holds it."""
    if isinstance(value, dict):
        if "containers" in value:
            yield value
        for inner in value.values():
            yield from pods(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from pods(inner)


def ours(text):
    """The lines of daybreak in a text: command and words, comments too."""
    joined = re.sub(r"\s*\n\s*(?=--|-m)", " ", text)
    for match in re.finditer(r"(?:^|[\s'])daybreak ((?:enhance|train) [^\n']*)", joined):
        yield shlex.split(match[1], comments=True)


def options(command):
    import importlib

    module, _, name = COMMANDS[command][0].partition(":")
    app = typer.Typer()
    app.command(command)(getattr(importlib.import_module(module), name))
    return {text for parameter in typer.main.get_command(app).params for text in parameter.opts}


def test_they_are_all_here():
    assert [path.name for path in FILES] == [
        "ray-cluster-kube.yaml",
        "ray-cluster.yaml",
        "ray-job.yaml",
        "training-job.yaml",
    ]
    assert all(path.name in (FOLDER / "README.md").read_text() for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_runs_a_line_of_ours_that_parses(path):
    lines = list(ours(path.read_text()))
    assert lines
    for command, *words in lines:
        given = {word.partition("=")[0] for word in words if word.startswith("-")}
        assert given <= options(command), given - options(command)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_images_have_our_version_and_no_secret_stands_in_the_file(path):
    text = path.read_text()
    images = re.findall(r"image: (\S+)", text)
    assert images
    assert {image.rpartition(":")[2] for image in images} == {__version__}
    assert not re.search(r"AKIA|ACCESS_KEY|PASSWORD|SECRET", text, re.IGNORECASE)
    assert "dashboard=false" in text or path.name != "ray-cluster.yaml"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_containers_are_bounded_and_have_no_rights(path):
    for pod in (pod for document in documents(path) for pod in pods(document)):
        for container in pod["containers"]:
            assert {"cpu", "memory"} <= container["resources"]["limits"].keys()
            rights = container["securityContext"]
            assert rights["runAsNonRoot"] is True
            assert rights["allowPrivilegeEscalation"] is False
            assert rights["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("name", ["ray-job.yaml", "ray-cluster-kube.yaml"])
def test_kuberay_documents_are_what_its_operator_takes(name):
    (document,) = documents(FOLDER / name)
    assert document["apiVersion"] == "ray.io/v1"
    spec = document["spec"]
    if document["kind"] == "RayJob":
        assert spec["entrypoint"].startswith("daybreak enhance ")
        assert spec["shutdownAfterJobFinishes"] is True
        spec = spec["rayClusterSpec"]
    assert spec["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    for group in spec["workerGroupSpecs"]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    assert all(isinstance(value, str) for value in spec["headGroupSpec"]["rayStartParams"].values())


def test_the_launcher_has_a_head_and_room_for_its_workers():
    (document,) = documents(FOLDER / "ray-cluster.yaml")
    kinds = document["available_node_types"]
    assert document["head_node_type"] in kinds
    assert kinds["head"]["resources"]["CPU"] == 0
    assert sum(kind.get("max_workers", 0) for kind in kinds.values()) == document["max_workers"]
    assert all("--disable-usage-stats" in line for line in document["head_start_ray_commands"][1:])
