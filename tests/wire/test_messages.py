"""Requests in Anthropic's protocol that LiteLLM changes for a provider which serves that protocol itself."""

from __future__ import annotations

from langop_model.gateway.upstreams.base import Route
from tests.wire.cases import CASES
from tests.wire.deployments import MESSAGE, asked
from tests.wire.wire import ANSWER, QUESTION, Wire

(DEEPSEEK,) = (case for case in CASES if case.name == "deepseek")
THOUGHT = {"type": "thinking", "thinking": "marked-thought", "signature": "marked-signature"}
USE = {"type": "tool_use", "id": "c1", "name": "marked_tool", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "c1", "content": "marked-result"}
TOOL = {"name": "marked_tool", "input_schema": {"type": "object", "properties": {}}}


def test_a_tool_whose_type_deepseek_refuses_arrives_without_it(wire: Wire):
    """DeepSeek wants its thoughts back, and refuses the type `custom`, which Anthropic has as the default."""
    turns = [{"role": "assistant", "content": [THOUGHT, USE]}, {"role": "user", "content": [RESULT]}]
    body = {"messages": [*MESSAGE["messages"], *turns], "max_tokens": 9, "tools": [{"type": "custom", **TOOL}]}
    with asked(DEEPSEEK, wire, endpoint=False) as (deployed, meant):
        wire.provider.clear()
        answer = wire.ask(deployed, Route.MESSAGES, body)
    (seen,) = wire.seen
    assert [str(url) for url in meant] == ["https://api.deepseek.com/anthropic/v1/messages"]
    assert seen.body["tools"] == [TOOL]
    assert seen.body["messages"][1:] == turns
    assert ANSWER in str(answer)
    assert QUESTION in str(seen.body)
