"""The language of `drops` and `translates`."""

from __future__ import annotations

from typing import Any

import pytest

from langop_model.gateway.upstreams import conditions, request_members
from langop_model.renderer import catalogue


def said(*content: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": each} for each in content], **more}


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}
TEXT = {"type": "text", "text": "Hello"}
TOOL = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("text", "yes", "no"),
    [
        ("*", {}, None),
        ("seed", {"seed": 0}, {"seed": None}),
        ("seed", {"seed": 0}, {}),
        ("temperature!=1", {"temperature": 0.5}, {"temperature": 1}),
        ("temperature!=1", {"temperature": 2}, {"temperature": 1.0}),
        ("temperature!=1", {"temperature": 0}, {}),
        ("reasoning_effort=none", {"reasoning_effort": "none"}, {"reasoning_effort": "low"}),
        ("tool_choice=required", {"tool_choice": "required"}, {"tool_choice": {"type": "function"}}),
        ("tool_choice.type=function", {"tool_choice": {"type": "function"}}, {"tool_choice": "auto"}),
        ("tools=[]", {"tools": []}, {"tools": [TOOL]}),
        ("tools.type=custom", {"tools": [TOOL, {"type": "custom"}]}, {"tools": [TOOL]}),
        ("tools.function.strict", {"tools": [{"function": {"strict": True}}]}, {"tools": [TOOL]}),
        (
            "response_format.type=json_schema",
            {"response_format": {"type": "json_schema"}},
            {"response_format": {"type": "text"}},
        ),
        ("reasoning_effort+tools", {"reasoning_effort": "low", "tools": [TOOL]}, {"tools": [TOOL]}),
        ("content:parts", said([TEXT]), said("Hello")),
        ("content:text", said([TEXT], "Hello"), said([TEXT, IMAGE])),
        ("content:text", said([TEXT]), said("Hello")),
        ("content:image", said("Hello", [TEXT, IMAGE]), said([TEXT])),
        ("content:audio", said([{"type": "input_audio"}]), said([IMAGE])),
        ("content:file", said([{"type": "file"}]), said([IMAGE])),
        ("content:video", said([{"type": "video_url"}]), said([IMAGE])),
        ("content:empty", said(""), said("Hello")),
        ("message:tool", {"messages": [{"role": "tool", "content": "4"}]}, said("Hello")),
        ("message:function", {"messages": [{"role": "function"}]}, said("Hello")),
        ("message:name", {"messages": [{"role": "user", "name": "Ann"}]}, said("Hello")),
        ("message:reasoning_content", {"messages": [{"role": "assistant", "reasoning_content": "x"}]}, said("Hello")),
    ],
)
def test_a_condition(text: str, yes: dict[str, Any], no: dict[str, Any] | None):
    condition = conditions.of(text)
    assert condition(yes)
    assert no is None or not condition(no)


@pytest.mark.parametrize("body", [{}, {"messages": None}, {"messages": "Hello"}, {"messages": [None, {"content": None}]}])
def test_no_condition_fails_at_a_strange_body(body: dict[str, Any]):
    for text in ("content:parts", "content:image", "content:text", "content:empty", "message:tool", "message:name", "a.b.c"):
        assert not conditions.of(text)(body)


@pytest.mark.parametrize("text", ["", "content:smell", "message:long", "a b", "a=", "temperature>1", "+", "a+"])
def test_what_is_no_condition_is_refused(text: str):
    with pytest.raises(ValueError, match="is not a"):
        conditions.of(text)


RELAYED = [provider for provider in catalogue.usable() if provider.relay is not None]


@pytest.mark.parametrize("provider", RELAYED, ids=lambda provider: provider.name)
def test_the_rules_of_a_row_can_be_read(provider: catalogue.Provider):
    assert provider.relay is not None
    every = [{"drops": provider.relay.drops, "translates": provider.relay.translates}, *provider.relay.models]
    for rules in every:
        for text in (*rules.get("drops", ()), *rules.get("translates", ())):
            route, condition = conditions.route_of(text)
            conditions.of(condition)
            assert not route or route in provider.relay.routes


@pytest.mark.parametrize(
    ("text", "route", "condition"),
    [("messages/tools.type=custom", "messages", "tools.type=custom"), ("tools", "", "tools"), ("a=b/c", "", "a=b/c")],
)
def test_a_text_may_be_about_one_route(text: str, route: str, condition: str):
    assert conditions.route_of(text) == (route, condition)


@pytest.mark.parametrize("provider", RELAYED, ids=lambda provider: provider.name)
def test_a_row_drops_hints_only(provider: catalogue.Provider):
    assert provider.relay is not None
    drops = [*provider.relay.drops, *(text for rules in provider.relay.models for text in rules.get("drops", ()))]
    assert {".".join(filter(None, conditions.place_of(text))) for text in drops} <= request_members.hints()
