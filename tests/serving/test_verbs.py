from __future__ import annotations

import pytest


def problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


GETS = ["/healthz", "/readyz", "/v1/methods", "/metrics", "/docs", "/openapi.json"]


@pytest.mark.parametrize("path", GETS)
def test_head_is_get_without_its_body(api, path):
    head, got = api.head(path), api.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize(
    ("verb", "path", "allowed"),
    [
        ("GET", "/v1/enhance", "POST"),
        ("OPTIONS", "/v1/enhance", "POST"),
        ("PUT", "/v1/enhance", "POST"),
        ("HEAD", "/v1/enhance", "POST"),
        ("GET", "/v1/jobs", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("PATCH", f"/v1/jobs/{'0' * 32}", "DELETE, GET, HEAD"),
        ("HEAD", f"/v1/jobs/{'0' * 32}/events", "GET"),
        ("TRACE", "/docs", "GET, HEAD"),
    ],
)
def test_a_wrong_verb_is_told_the_right_ones(api, verb, path, allowed):
    answer = api.request(verb, path, headers={"origin": str(api.base_url).rstrip("/")})
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    if verb != "HEAD":
        problem(answer, 405)


@pytest.mark.parametrize("path", ["/nothing", "/v1", "/v1/", "/v1/nothing", "/v1/jobs/a/b/c", "/docs/x"])
def test_unknown_paths_are_problems(api, path):
    problem(api.get(path), 404)
    problem(api.post(path), 404)


def test_head_is_counted_under_its_path(api):
    api.head("/v1/methods")
    assert 'path="/v1/methods",status="200"' in api.get("/metrics").text
