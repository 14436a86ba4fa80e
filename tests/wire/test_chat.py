"""Every provider that LiteLLM can chat with, from a spec to the provider's own protocol and back."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from langop_model.renderer import catalogue
from stand_in import Seen
from tests.wire.cases import CASES, Case
from tests.wire.deployments import DEFAULTS, asked, more
from tests.wire.wire import ANSWER, KEY, QUESTION, Wire

EXPECTED = {name: "the-end" if name == "stopSequences" else str(value) for name, value in DEFAULTS.items()}


def the_question(wire: Wire) -> Seen:
    """Return the request that held the question, and not those around it."""
    found = [seen for seen in wire.seen if QUESTION in json.dumps(seen.body)]
    assert found, [(seen.method, seen.path) for seen in wire.seen]
    return found[0]


def leaves(value: Any) -> list[str]:
    """Return every value in a body, as text: some providers are sent numbers as text."""
    if isinstance(value, dict | list):
        return [leaf for item in (value.values() if isinstance(value, dict) else value) for leaf in leaves(item)]
    return [str(value)]


PASSED: set[str] = set()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_chat_is_answered(case: Case, wire: Wire):
    with asked(case, wire) as (deployed, _):
        assert wire.chat(deployed, **more(case)) == ANSWER
    seen = the_question(wire)
    assert seen.path == case.path
    if case.model_in == "body":
        assert seen.body["model"] == case.model
    elif case.model_in == "path":
        assert case.model in seen.path
    if case.key:
        header, pattern = case.key
        assert re.fullmatch(pattern, seen.headers.get(header, ""))
    assert KEY not in json.dumps([seen.body, dict(seen.query)])
    arrived = set(leaves(seen.body))
    assert {name for name, value in EXPECTED.items() if value in arrived} == EXPECTED.keys() - set(
        case.provider.unsupported_fields_of(case.model)
    )
    PASSED.add(case.name)


@pytest.mark.parametrize("case", [case for case in CASES if not case.provider.no_streaming_reason], ids=lambda case: case.name)
def test_a_streamed_chat_is_answered_in_parts(case: Case, wire: Wire):
    with asked(case, wire) as (deployed, _):
        parts = wire.streamed_chat(deployed, **more(case))
    assert "".join(parts) == ANSWER
    assert the_question(wire).path == (case.streamed_path or case.path)


@pytest.mark.parametrize("case", [case for case in CASES if case.address], ids=lambda case: case.name)
def test_without_an_endpoint_the_catalogues_address_is_asked(case: Case, wire: Wire):
    with asked(case, wire, endpoint=False) as (deployed, meant):
        assert wire.chat(deployed, **more(case)) == ANSWER
    address = httpx.URL(case.address)
    assert any(url.host == address.host and url.path.startswith(address.path.rstrip("/")) for url in meant), (
        f"asked {meant}: is `written` missing in its row?"
    )


def test_at_least_130_providers_answer(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest):
    if len([item for item in request.session.items if item.name.startswith("test_a_chat_is_answered")]) < len(CASES):
        pytest.skip("only some of the providers were asked")
    refused = catalogue.refusals()
    with capsys.disabled():
        print(f"\n{len(PASSED)} of {len(CASES)} chat providers answer on the wire;")  # noqa: T201
        silent = [case.name for case in CASES if case.provider.no_streaming_reason]
        print(f"{len(CASES) - len(silent)} of them in streams too: not {', '.join(silent)};")  # noqa: T201
        print(f"{len(refused)} names of LiteLLM are refused: {', '.join(sorted(refused))}")  # noqa: T201
    assert len(PASSED) >= 130
