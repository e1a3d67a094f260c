"""The API against its own description, with made-up input: no answer is a server error."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error

from tests.journeys.client import Api
from tests.journeys.services import Site


def test_no_input_makes_a_server_error(site: Site) -> None:
    schema = schemathesis.openapi.from_url(f"{site.url}/api/schema/?format=json")
    headers = {"Authorization": f"Token {Api(site).token}"}
    tried = []
    for result in schema.get_all_operations():
        operation = result.ok()
        if any(body.media_type == "multipart/related" for body in operation.body):
            continue  # a stream, which has tests of its own
        examples = 3 if operation.path.startswith("/dicom-web/") else 12

        @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy())
        def attempt(case: schemathesis.Case) -> None:
            answer = case.call(headers=headers)
            case.validate_response(answer, checks=(not_a_server_error,))

        attempt()
        tried.append(operation.label)
    assert len(tried) >= 10
