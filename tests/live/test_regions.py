"""spec.regions: each enabled one is an endpoint, by its priority."""

from __future__ import annotations

import re
from typing import Any

from tests.live.laboratory import Laboratory, at, statuses


def _region(name: str, priority: int, label: str | None = None, enabled: bool = True) -> dict[str, Any]:
    endpoint = {"endpoint": at(label)} if label else {}
    return {"name": name, "priority": priority, "enabled": enabled, **endpoint}


MODELS = {
    "regional": {
        "provider": "openai-compatible",
        "regions": [
            _region("eu-central-1", 1, "regional-eu"),
            _region("us-east-1", 0, "regional-us"),
            _region("ap-northeast-1", 0, "regional-ap", enabled=False),
        ],
    },
    "regional-bedrock": {
        "provider": "bedrock",
        "modelName": "anthropic.claude-3-5-sonnet-20241022-v2:0",
        "endpoint": at("regional-bedrock", ""),
        "regions": [_region("eu-central-1", 1), _region("us-west-2", 0)],
    },
}


def test_the_enabled_regions_are_asked_by_priority(laboratory: Laboratory):
    assert statuses(laboratory.ask_often("regional", 3)) == {200: 3}
    assert laboratory.shares("regional-us", "regional-eu", "regional-ap") == {"regional-us": 3}
    laboratory.provider.behave("regional-us", status=503)
    assert statuses(laboratory.ask_often("regional", 3)) == {200: 3}
    assert laboratory.shares("regional-eu") == {"regional-eu": 3}


def test_a_disabled_region_is_not_asked_when_all_others_fail(laboratory: Laboratory):
    for label in ("regional-us", "regional-eu"):
        laboratory.provider.behave(label, status=503)
    assert statuses(laboratory.ask_often("regional", 2)) == {503: 2}
    assert not laboratory.seen("regional-ap")


def test_bedrock_is_asked_in_the_name_of_the_region(laboratory: Laboratory):
    laboratory.provider.behave("regional-bedrock", statuses=[503])
    assert laboratory.ask("regional-bedrock").status_code == 200
    signed = [
        re.findall(r"/\d{8}/([\w-]+)/bedrock/", seen.headers["authorization"]) for seen in laboratory.seen("regional-bedrock")
    ]
    assert signed == [["us-west-2"], ["eu-central-1"]]
