"""The whole API against its own OpenAPI, with inputs that schemathesis makes up."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from schemathesis.checks import load_all_checks
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from daybreak.serving.limits import Limits, ServerConfig

EXAMPLES = 40  # of each operation, of each mode

LEFT_OUT = {
    # what fits the schema may be refused all the same: a setting may belong to another method, bytes may be
    # no picture, and a schema can say neither; a form with a real picture in it counts as not fitting
    GenerationMode.POSITIVE: [positive_data_acceptance, negative_data_rejection],
    GenerationMode.NEGATIVE: [],
}


@pytest.fixture(scope="module")
def api_schema(tmp_path_factory, run_server, png):
    load_all_checks()
    binary = st.one_of(st.just(png), st.just(png[:200]), st.binary(max_size=64))
    for kind in ("application/octet-stream", "image/*", "image/png"):
        schemathesis.openapi.media_type(kind, binary)
    config = ServerConfig(tmp_path_factory.mktemp("state"), port=0, limits=Limits(jobs_queued=10_000))
    with run_server(config) as address:
        yield schemathesis.openapi.from_url(f"{address}/openapi.json")


OPERATIONS = [
    ("POST", "/v1/enhance"),
    ("GET", "/v1/methods"),
    ("POST", "/v1/jobs"),
    ("GET", "/v1/jobs/{id}"),
    ("DELETE", "/v1/jobs/{id}"),
    ("GET", "/v1/jobs/{id}/result"),
    ("GET", "/v1/jobs/{id}/events"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
]


def test_the_openapi_tells_of_all_routes(api_schema):
    told = [
        (operation.ok().method.upper(), operation.ok().path) for operation in api_schema.get_all_operations()
    ]
    assert sorted(told) == sorted(OPERATIONS)


TAKE_NOTHING = {"/v1/methods", "/healthz", "/readyz", "/metrics"}
"""Operations without any input that could be wrong."""

ASKED = [(*each, GenerationMode.POSITIVE) for each in OPERATIONS] + [
    (*each, GenerationMode.NEGATIVE) for each in OPERATIONS if each[1] not in TAKE_NOTHING
]


@pytest.mark.parametrize("path", sorted(TAKE_NOTHING))
def test_what_takes_nothing_says_so(api_schema, path):
    operation = api_schema[path]["GET"]
    assert not any((operation.query, operation.path_parameters, operation.body))


@st.composite
def cases(draw, operation, mode):
    """What schemathesis makes up; now and then it hands bytes to a validator that refuses their kind."""
    try:
        return draw(operation.as_strategy(generation_mode=mode))
    except ValueError as error:
        if "Unsupported type: 'Binary'" not in str(error):
            raise
        reject()


@pytest.mark.parametrize(
    ("verb", "path", "mode"), ASKED, ids=lambda value: getattr(value, "value", str(value))
)
def test_every_answer_is_one_that_the_openapi_tells_of(api_schema, verb, path, mode, png):
    operation = api_schema[path][verb]

    @given(cases(operation, mode))
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    def ask(case):
        if mode is GenerationMode.POSITIVE and case.media_type == "multipart/form-data":
            case.body |= {"picture": png} if "picture" in case.body else {"files": [png]}
        response = case.call_and_validate(excluded_checks=LEFT_OUT[mode], timeout=60)
        assert response.status_code < 500
        assert b"Traceback" not in response.content

    ask()
