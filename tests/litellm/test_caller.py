"""Who asks is found out once for each key (caller.py), and behind it nothing differs from LiteLLM's own way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import litellm
import pytest
import yaml
from cachetools import LRUCache
from litellm.proxy import proxy_server
from litellm.proxy.auth import user_api_key_auth as auth
from litellm.proxy.common_utils.http_parsing_utils import read_request_body
from starlette.requests import Request

from langop_model.gateway.access import keys
from langop_model.gateway.internals import caller, litellm_proxy

GOLDENS = Path("tests/golden")
BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
KEY = "Bearer sk-langop-agent.0123"


class Asked:
    """How often LiteLLM's own way was gone."""

    def __init__(self) -> None:
        self.times = 0
        self.really = auth.user_api_key_auth

    async def __call__(self, *args: Any) -> Any:
        self.times += 1
        return await self.really(*args)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """LiteLLM as a configuration without keys leaves it."""
    asked = Asked()
    for name in ("master_key", "user_custom_auth", "prisma_client", "llm_router"):
        monkeypatch.setattr(proxy_server, name, None)
    monkeypatch.setattr(proxy_server, "general_settings", {"cancel_on_disconnect": True})
    monkeypatch.setattr(auth, "user_api_key_auth", asked)
    forget()
    yield asked
    forget()


def forget() -> None:
    caller._known.clear()
    caller._is_the_same_for_each_request.cache_clear()


def request(body: dict[str, Any], key: str | None = None, query: bytes = b"", path: str = "/v1/chat/completions") -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}

    headers = [(b"content-type", b"application/json"), *([(b"authorization", key.encode())] if key else [])]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": query, "headers": headers}
    return Request({**scope, "server": ("gateway", 80), "client": ("10.0.0.1", 1), "scheme": "http"}, receive)


def seen_by(*requests: Request) -> list[Any]:
    """Return whom each request is from, one after the other."""

    async def ask() -> list[Any]:
        return [await caller.of(each) for each in requests]

    return asyncio.run(ask())


def with_our_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    async def accept(request: Any, api_key: str) -> Any:  # noqa: ARG001 - LiteLLM's names
        return auth.UserAPIKeyAuth(user_id=api_key)

    monkeypatch.setattr(proxy_server, "user_custom_auth", accept)
    monkeypatch.setattr(keys, "litellm_user", accept)


def test_the_second_request_of_a_caller_is_from_the_same_as_the_first(asked: Asked):
    first, second = seen_by(request(BODY), request(BODY))
    assert asked.times == 1
    assert vars(first) == vars(second)
    assert first is not second


@pytest.mark.parametrize("name", ["metadata", "models", "aliases"])
def test_what_one_request_writes_into_the_caller_the_next_does_not_see(asked: Asked, name: str):
    first, second = seen_by(request(BODY), request(BODY))
    for user in (first, second):
        members = getattr(user, name)
        members.append("written") if isinstance(members, list) else members.update(written=1)
    (third,) = seen_by(request(BODY))
    assert asked.times == 1
    assert not getattr(third, name)


def test_litellm_finds_the_same_in_a_request_either_way(asked: Asked):
    whole, short = request(BODY), request(BODY)
    seen_by(whole, short)
    assert asked.times == 1
    assert whole.scope["parsed_body"] == short.scope["parsed_body"]
    assert set(whole.scope["state"]) - set(short.scope["state"]) == {
        "principal"
    }  # read by MCP servers' routes, which are closed
    assert set(whole.scope) == set(short.scope)


def test_each_key_is_shown_to_litellm_once(asked: Asked, monkeypatch: pytest.MonkeyPatch):
    with_our_keys(monkeypatch)
    users = seen_by(*(request(BODY, key) for key in (KEY, KEY + "4", KEY, KEY + "4", KEY)))
    assert asked.times == 2
    assert [user.user_id for user in users] == [users[0].user_id, users[1].user_id] * 2 + [users[0].user_id]
    assert users[0].user_id != users[1].user_id


def test_a_caller_is_known_by_the_path_that_he_asks(asked: Asked):
    paths = ["/v1/chat/completions", "/chat/completions", "/v1/chat/completions"]
    users = seen_by(*(request(BODY, path=path) for path in paths))
    assert [user.request_route for user in users] == paths
    assert asked.times == 2


@pytest.mark.parametrize(
    "body",
    [
        {**BODY, "user": "somebody"},
        {**BODY, "metadata": {"user_id": "somebody"}},
        {**BODY, "safety_identifier": "somebody"},
        {**BODY, "model": "claude-opus[1m]"},
        {**BODY, "model": "claude-router-x"},
    ],
)
def test_a_request_that_names_a_user_or_a_rewritten_model_is_litellms_to_judge(asked: Asked, body: dict[str, Any]):
    known, one, _, last = seen_by(request(BODY), request(body), request(body), request(BODY))
    assert asked.times == 3  # the last one is known from the first
    assert known.end_user_id is last.end_user_id is None
    assert one.end_user_id == (None if "[" in body["model"] or "router" in body["model"] else "somebody")


def test_a_query_is_litellms_to_judge(asked: Asked):
    seen_by(request(BODY), request(BODY, query=b"model=another"), request(BODY, query=b"model=another"))
    assert asked.times == 3


@pytest.mark.parametrize("setting", ["user_header_name", "allowed_ips", "enforced_params", "max_request_size_mb"])
def test_with_any_other_general_setting_litellm_is_asked_each_time(asked: Asked, monkeypatch: pytest.MonkeyPatch, setting: str):
    monkeypatch.setattr(proxy_server, "general_settings", {setting: None})
    seen_by(request(BODY), request(BODY))
    assert asked.times == 2


def test_with_a_service_log_litellm_is_asked_each_time(asked: Asked, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(litellm, "service_callback", ["prometheus_system"])
    seen_by(request(BODY), request(BODY))
    assert asked.times == 2


def test_what_litellm_refuses_is_refused_each_time(asked: Asked, monkeypatch: pytest.MonkeyPatch):
    async def refuse(request: Any, api_key: str) -> Any:  # noqa: ARG001 - LiteLLM's names
        raise auth.ProxyException("no", "auth_error", "key", 401)

    monkeypatch.setattr(proxy_server, "user_custom_auth", refuse)
    for _ in range(2):
        with pytest.raises(auth.ProxyException):
            seen_by(request(BODY))
    assert asked.times == 2


def test_no_more_keys_are_kept_than_a_gateway_needs(asked: Asked, monkeypatch: pytest.MonkeyPatch):
    with_our_keys(monkeypatch)
    monkeypatch.setattr(caller, "_known", LRUCache(3))
    seen_by(*(request(BODY, f"Bearer {number}") for number in range(10)))
    assert asked.times == 10
    assert len(caller._known) <= 3


def test_the_settings_that_do_not_bear_on_it_are_those_that_the_templates_write():
    written: set[str] = set()
    for path in GOLDENS.rglob("*.yaml"):
        written |= (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("general_settings", {}).keys()
    own = {"custom_auth", "dangerously_permit_weak_or_unset_master_key"}  # with a key there is the one, without the other
    assert written | own == caller.INDIFFERENT


def test_litellm_takes_a_body_that_has_been_parsed_already():
    asking = request({"model": "another"})
    asking.scope.update(litellm_proxy.already_parsed(BODY))
    assert asyncio.run(read_request_body(asking)) == BODY
