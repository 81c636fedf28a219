"""The whole API against its own OpenAPI, with inputs that schemathesis makes up."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance

from daybreak.serving.limits import Limits, ServerConfig

LEFT_OUT = [positive_data_acceptance]
"""What fits the schema may be refused all the same: a setting may belong to another method, bytes may be no
picture; a schema can say neither."""


@pytest.fixture(scope="module")
def api_schema(tmp_path_factory, run_server, png):
    load_all_checks()
    binary = st.one_of(st.just(png), st.just(png[:200]), st.binary(max_size=64))
    schemathesis.openapi.format("binary", binary)
    for kind in ("application/octet-stream", "image/*", "image/png"):
        schemathesis.openapi.media_type(kind, binary)
    config = ServerConfig(tmp_path_factory.mktemp("state"), port=0, limits=Limits(jobs_queued=10_000))
    with run_server(config) as address:
        yield schemathesis.openapi.from_url(f"{address}/openapi.json")


schema = schemathesis.pytest.from_fixture("api_schema")


@schema.parametrize()
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_that_the_openapi_tells_of(case):
    response = case.call_and_validate(excluded_checks=LEFT_OUT, timeout=30)
    assert response.status_code < 500
    assert "Traceback" not in response.text
