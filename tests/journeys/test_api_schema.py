"""The API against its own description, with made-up input: no answer is a server error."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error

from tests.journeys.client import Api
from tests.journeys.services import Site

pytestmark = pytest.mark.xdist_group("journeys")


@pytest.fixture(scope="session")
def api_schema(site: Site) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{site.url}/api/schema/?format=json")


@pytest.fixture(scope="session")
def token(site: Site) -> str:
    return Api(site.url).token


# STOW-RS takes a multipart/related stream, which has tests of its own.
described = schemathesis.pytest.from_fixture("api_schema").exclude(operation_id="stow_rs")


@described.parametrize()
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_input_makes_a_server_error(case: schemathesis.Case, token: str) -> None:
    answer = case.call(headers={"Authorization": f"Token {token}"})
    case.validate_response(answer, checks=(not_a_server_error,))
