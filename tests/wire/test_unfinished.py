"""Streams whose provider stops in the middle, in the protocols that LiteLLM translates: no complete answer."""

from __future__ import annotations

from typing import Any

import pytest

from langop_model.gateway.upstreams.base import Route
from langop_model.translator import exchanges
from langop_model.translator.failures import failure_of
from langop_model.translator.streams import NO_END
from tests.wire.cases import CASES, Case
from tests.wire.deployments import asked, more
from tests.wire.wire import QUESTION, Wire

# One provider of each protocol, or of each way in which LiteLLM reads one.
PROTOCOLS = (
    "a2a", "anthropic", "azure", "bedrock", "cloudflare", "cohere", "gemini", "gigachat", "mistral", "oci", "ollama", "sap",
    "text-completion-openai", "vertex", "watsonx",
)  # fmt: skip
BY_NAME = {case.name: case for case in CASES}
END = (b'"finish_reason":"', b"[DONE]")


def stream(case: Case, wire: Wire, **behaviour: Any) -> tuple[list[bytes], int]:
    """Return the events of a streamed chat, and the status of the failure that it ended with; 200 where it was complete."""
    from langop_model.translator import operations

    events: list[bytes] = []

    async def ask() -> int:
        exchange = exchanges.watch()
        question = {"messages": [{"role": "user", "content": QUESTION}], **more(case)}
        try:
            answer = await operations.run(deployed.call("model", Route.CHAT, question, stream=True), exchange)
            assert isinstance(answer, operations.Streamed)
            events.extend(await answer.events.begin())
            async for event in answer.events:
                events.append(event)  # noqa: PERF401 - those before the failure are looked at
        except Exception as problem:  # noqa: BLE001 - the failure is what is asked for
            return failure_of(problem, exchange).status
        return 200

    with asked(case, wire) as (deployed, _):
        wire.provider.behave(f"at-{case.name}", text="four or five words here", **behaviour)
        return events, wire.runner.run(ask())


@pytest.mark.parametrize("behaviour", [{"break_after": 2}, {"end_after": 2}], ids=["cut", "ended"])
@pytest.mark.parametrize("name", PROTOCOLS)
def test_an_unfinished_stream_fails_and_has_no_end(name: str, behaviour: dict[str, Any], wire: Wire):
    events, status = stream(BY_NAME[name], wire, **behaviour)
    assert status == 502
    assert not [event for event in events if any(end in event for end in END)]


@pytest.mark.parametrize("name", sorted(NO_END))
def test_where_no_end_is_said_a_cut_is_seen_still(name: str, wire: Wire):
    assert stream(BY_NAME[name], wire, break_after=2)[1] == 502
    assert stream(BY_NAME[name], wire, end_after=2)[1] == 200
