"""The OpenAPI document is true: whatever it allows to ask is answered as it says, to every role, and never with a fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import checks
from serving import running
from snapshots import snapshot, workspace_with

from coverage.archive import keys
from coverage.archive.workspace import open_workspace
from coverage.callers import ROLES, Caller
from coverage.service.api_words import FORM, SUMMARIES
from coverage.service.app import create_app
from coverage.service.said import WORDS

# Of each answer: no fault of ours, and status, type, headers and content as the document has them.
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
EXAMPLES, MANY_EXAMPLES = 4, 150


@schemathesis.serializer("application/offset+octet-stream")
def offset_stream(_context: Any, value: Any) -> Any:
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a service, and a key for every role."""
    shown = snapshot(30)
    workspace = workspace_with(tmp_path_factory.mktemp("document"), shown)
    texts = {
        role: keys.add(workspace, Caller(role, role, "45204" if role == "operator" else None))[1]
        for role in ROLES
    }
    with running(workspace.root, workers=0) as running_service:
        yield running_service.address, texts


def test_every_operation_is_named_in_both_languages_and_says_how_to_show_a_key(tmp_path: Path) -> None:
    document = create_app(open_workspace(tmp_path)).openapi()
    schemes = document["components"]["securitySchemes"]
    assert set(schemes) == {"X-Api-Key", "Bearer", "Basic", "Session"}
    assert {name for one in document["security"] for name in one} == set(schemes)
    named = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            name = f"{method.upper()} {path}"
            named |= {name} & set(SUMMARIES)
            told = operation.get("description", name).partition(".")[0]
            assert operation["summary"] == SUMMARIES.get(name, told), name
            assert all(one["description"] != "Done" for one in operation["responses"].values())
    assert named == set(SUMMARIES), "a summary of what is not there"
    assert all(" / " in one for one in SUMMARIES.values())
    assert document["paths"]["/healthz"]["get"]["security"] == []


def test_the_form_in_the_document_has_the_fields_that_are_taken() -> None:
    assert set(FORM["properties"]) == {"file", *WORDS}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("examples", [EXAMPLES, pytest.param(MANY_EXAMPLES, marks=pytest.mark.soak)])
def test_every_answer_is_as_the_document_says(
    service: tuple[str, dict[str, str]], role: str, examples: int
) -> None:
    address, texts = service
    headers = {"Authorization": f"Bearer {texts[role]}"}
    document = httpx.get(f"{address}/openapi.json", headers=headers, timeout=60).json()
    operations = [found.ok() for found in schemathesis.openapi.from_dict(document).get_all_operations()]
    assert len(operations) > 40
    with requests.Session() as session:
        for operation in operations:

            @settings(
                max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None
            )
            @given(case=operation.as_strategy())
            def holds(case: Any) -> None:
                answer = case.call(base_url=address, headers=headers, session=session, timeout=60)
                case.validate_response(answer, checks=CHECKS)

            holds()
