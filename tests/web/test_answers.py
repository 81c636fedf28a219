"""What the page's own server would answer in another form than the API's."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path

import httpx
import pytest

from daybreak.serving.problems import Problem

request = partial(httpx.request, timeout=60)


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("GET", "/v1/enhance", 405),
        ("OPTIONS", "/v1/enhance", 405),
        ("POST", "/healthz", 405),
        ("POST", "/", 405),
        ("GET", "/v1/nothing", 404),
        ("GET", "/nothing", 404),
        ("GET", "/v1/jobs/", 404),
    ],
)
def test_refusals_are_problems_beside_the_page_too(address, verb, path, status):
    answer = request(verb, f"{address}{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status


def test_head_reaches_the_page_and_the_api(address):
    for path in ("/", "/healthz", "/docs"):
        answer = request("HEAD", f"{address}{path}")
        assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("path", ["/etc/passwd", "../../etc/passwd", "http://127.0.0.1:1/x"])
def test_the_page_hands_out_no_file_of_the_machine(address, path):
    assert request("GET", f"{address}/gradio_api/file={path}").status_code in (403, 404)


@pytest.mark.parametrize("verb", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize(
    "path",
    [
        "file=https://evil.example/x.png",
        "file%3Dhttps%3A%2F%2Fevil.example/x.png",
        "file=https%253A%252F%252Fevil.example/x.png",
        "file=//evil.example/x.png",
        r"file=\\evil.example\share\x.png",
        "file/https://evil.example/x.png",
        "proxy=https://evil.example/x.png",
    ],
)
def test_the_page_hands_on_nothing_from_an_address(address, verb, path):
    answer = request(verb, f"{address}/gradio_api/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")


def upload(address, name, data):
    return httpx.post(f"{address}/gradio_api/upload", files={"files": (name, data)}, timeout=60).json()[0]


@pytest.mark.parametrize("headers", [{}, {"range": "bytes=0-70"}])
@pytest.mark.parametrize("name", ["x.html", "x.svg", "x.xhtml", "x.xml"])
def test_an_upload_is_never_shown_as_a_page_of_ours(address, name, headers):
    data = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    answer = request("GET", f"{address}/gradio_api/file={upload(address, name, data)}", headers=headers)
    assert answer.content == data
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_an_uploaded_picture_can_be_shown(address):
    answer = request("GET", f"{address}/gradio_api/file={upload(address, 'night.png', b'data')}")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"].startswith("inline")


def test_the_page_works_on_uploads_alone(address):
    """A picture of the machine, by its own path and by one that begins in the page's folder."""
    mine = upload(address, "night.png", b"data")
    theirs = Path(__file__).parents[2] / "examples" / "rocket-dark.jpg"
    around = f"{Path(mine).parents[1]}{'/..' * len(Path(mine).parents)}{theirs}"
    statuses = []
    for path in (mine, str(theirs), around, "examples/rocket-dark.jpg"):
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        body = {"data": [[file], ["gamma"]], "fn_index": 4, "session_hash": "x"}
        answer = request("POST", f"{address}/gradio_api/queue/join", json=body)
        statuses.append(answer.status_code)
    assert statuses == [200, 422, 422, 422]


def test_another_site_may_not_reach_the_pages_own_paths(address):
    answer = request("POST", f"{address}/gradio_api/queue/join", headers={"origin": "http://localhost:9"})
    assert answer.status_code == 403


def test_uploads_are_for_the_servers_user_alone_and_go_with_it(address):
    sent = {"files": ("../../x/night.png", b"data")}
    answer = httpx.post(f"{address}/gradio_api/upload", files=sent, timeout=60)
    [path] = map(Path, answer.json())
    assert path.parents[1].name == "uploads"
    assert path.parents[3].stat().st_mode & 0o077 == 0  # the state folder


def test_a_whole_film_counts_among_what_shares_the_memory(tmp_path, monkeypatch):
    mount = pytest.importorskip("daybreak.web.mount")
    from daybreak.serving.app import create_app
    from daybreak.serving.limits import ServerConfig

    class Built(Exception):
        pass

    def build(actions):
        raise Built(actions.at_once)

    monkeypatch.setenv("GRADIO_TEMP_DIR", "")  # put back at the end
    monkeypatch.setattr(mount, "build", build)
    app = create_app(ServerConfig(tmp_path))
    with pytest.raises(Built, match=f"^{app.state.daybreak.workers.threads + 1}$"):
        mount.mount_page(app)


def test_the_pages_folder_forgets_after_an_hour_and_has_an_end(tmp_path):
    pytest.importorskip("gradio")
    from daybreak.web.folder import PageFolder, Room

    folder = PageFolder(tmp_path / "page")
    old, new = folder.fresh(), folder.fresh()
    (new / "a").write_bytes(bytes(10))
    assert folder.size() == 10
    broken, coming = folder.uploads / "tmpbroken", folder.uploads / "tmpcoming"  # uploads that did not end
    broken.write_bytes(bytes(5))
    coming.touch()
    for path in (old, broken):
        os.utime(path, (0, 0))
    folder.sweep()
    assert [path.exists() for path in (old, new, broken, coming)] == [False, True, False, True]

    async def never(*_):
        raise AssertionError

    scope = {"type": "http", "path": "/gradio_api/upload"}
    with pytest.raises(Problem, match="9 bytes already"):
        asyncio.run(Room(never, folder, 9)(scope, never, never))
    assert PageFolder(tmp_path / "page").size() == 0  # another server after a kill
    folder.close()
    assert not folder.root.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"data": [[{"path": "http://example.org/a.png", "meta": {"_type": "gradio.FileData"}}]]}', 422),
        (r'{"data": [{"x": {"path": "\u0068ttp://example.org/"}}]}', 422),
        ("[" * 100_000, 422),
        ("no json", 422),
        ('{"data": ["gamma"], "fn_index": 0, "session_hash": "x"}', 200),
    ],
)
def test_the_page_fetches_nothing_from_elsewhere(address, body, status):
    kind = {"content-type": "application/json"}
    answer = httpx.post(f"{address}/gradio_api/queue/join", content=body, headers=kind, timeout=60)
    assert answer.status_code == status, answer.text
