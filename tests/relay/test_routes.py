"""Every route that a provider's row declares for the relay: which host, path, query, key and model it is asked with.

What must arrive is not taken from the row alone: measured.json has the addresses that LiteLLM's SDK asked, which are
those of the providers' own documentation, and where it does not ask them so what that documentation or a user's report says
(`source`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from langop_model.contract import section
from langop_model.gateway.upstreams.base import Answer, File, Route, UpstreamRequest
from langop_model.gateway.upstreams.deployments import Deployments
from langop_model.gateway.upstreams.http_client import HTTPClient, Response, Target
from langop_model.gateway.upstreams.relay import FORMS, Relay
from langop_model.renderer import catalogue, rendering
from langop_model.renderer.catalogue import Provider
from langop_model.renderer.settings import Settings
from tests.unit.specs import a_resource

KEY = "not-a-real-key-4711"
FOLDER = Path(__file__).parent
# What a row's own address or form leaves open, as the endpoint of somebody would fill it.
HOST = "resource.example.com"
FILE = File("file", "speech.wav", "audio/wav", b"RIFF")
BODIES: Mapping[Route, dict[str, Any]] = {
    Route.CHAT: {"messages": [{"role": "user", "content": "Hello!"}]},
    Route.COMPLETIONS: {"prompt": "Hello!"},
    Route.EMBEDDINGS: {"input": "Hello!"},
    Route.RESPONSES: {"input": "Hello!"},
    Route.MESSAGES: {"messages": [{"role": "user", "content": "Hello!"}], "max_tokens": 9},
    Route.COUNT_TOKENS: {"messages": [{"role": "user", "content": "Hello!"}]},
    Route.GENERATE_CONTENT: {"contents": [{"role": "user", "parts": [{"text": "Hello!"}]}]},
    Route.MODERATIONS: {"input": "Hello!"},
    Route.IMAGES: {"prompt": "a cat"},
    Route.IMAGE_EDITS: {"prompt": "a cat"},
    Route.TRANSCRIPTIONS: {"language": "en"},
    Route.SPEECH: {"input": "Hello!", "voice": "alloy"},
    Route.RERANK: {"query": "Hello!", "documents": ["a"]},
}
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "text": "Hi", "finish_reason": "stop"}
ANSWER = {"choices": [CHOICE], "data": [], "content": [], "output": [], "results": [], "text": "Hello!", "input_tokens": 1}


GEMINI_EVENT = b'data: {"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]}\n\n'


@dataclass
class Seen:
    """A request: where it was meant to go, and what it held."""

    url: URL
    headers: Mapping[str, str]
    model: str | None


@dataclass
class StandIn:
    """The provider: whatever address a request is meant for, it arrives here."""

    seen: list[Seen] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        if request.content_type.startswith("multipart/"):
            model = (await request.post()).get("model")
        else:
            model = (await request.json()).get("model")
        self.seen.append(Seen(URL(request.headers["x-meant"]), request.headers, model if isinstance(model, str) else None))
        if URL(request.headers["x-meant"]).path.endswith("/speech"):
            return web.Response(body=b"sound", content_type="audio/mpeg")
        if request.path.endswith(":streamGenerateContent"):
            return web.Response(body=GEMINI_EVENT, content_type="text/event-stream")
        return web.json_response(ANSWER)


class Redirecting:
    """A client that sends everything to the stand-in, and says there what address was meant."""

    def __init__(self, client: HTTPClient, port: int) -> None:
        self.client = client
        self.port = port

    def target(self, url: URL) -> Target:
        return self.client.target(url)

    async def post(self, target: Target, headers: Mapping[str, str], data: bytes | aiohttp.FormData) -> Response:
        here = self.client.target(target.url.with_scheme("http").with_host("127.0.0.1").with_port(self.port))
        return await self.client.post(here, {**headers, "x-meant": str(target.url)}, data)


def relayed() -> list[Provider]:
    return [provider for provider in catalogue.usable() if provider.relay is not None]


def cases() -> list[Any]:
    return [
        pytest.param(provider, Route(route), id=f"{provider.name}-{route}")
        for provider in relayed()
        if provider.relay is not None
        for route in provider.relay.routes
    ]


def is_elsewhere(case: Any) -> bool:
    """Whether a route has a URL of its own, which is not below the address."""
    provider, route = case.values
    return not provider.relay.routes[route].startswith("/")


@cache
def measured() -> dict[str, dict[str, dict[str, str]]]:
    found: dict[str, dict[str, dict[str, str]]] = json.loads((FOLDER / "measured.json").read_text(encoding="utf-8"))
    return found


def model_of(provider: Provider, route: Route) -> str:
    return measured().get(provider.name, {}).get(route, {}).get("model") or f"model-of-{provider.name}"


def rendered(provider: Provider, model: str, endpoint: str, secrets: Path) -> dict[str, Any]:
    """Return the configuration of a smallest spec."""
    spec: dict[str, Any] = {"provider": provider.name, "modelName": model}
    if catalogue.of_spec({"provider": provider.name}).name != provider.name:
        spec = {"litellmProvider": provider.litellm, "modelName": model}
    if endpoint:
        spec["endpoint"] = endpoint
    if provider.key and provider.main_credential:
        (secrets / "secret").mkdir(exist_ok=True)
        (secrets / "secret" / "api-key").write_text(f"{KEY}\n", encoding="utf-8")
        spec["apiKeySecretRef"] = {"name": "secret", "key": "api-key"}
    if provider.requires:
        spec["params"] = {names[0]: "some" for names in provider.requires}
    result = rendering.render([a_resource(spec, "model")], Settings(secrets_folder=str(secrets)))
    return dict(result.config)


def ask(config: Mapping[str, Any], route: Route, model: str, *, stream: bool = False) -> Seen:
    """Ask the one group of a configuration through the real relay, and return the one request that arrived."""
    groups = section.groups(config["callback_settings"]["langop"])
    (group,) = groups.values()
    assert group.upstream is not None, "rendered without `upstream`"
    assert group.routes is not None
    assert route in group.routes
    provider = StandIn()

    async def run() -> Answer:
        application = web.Application()
        application.router.add_route("POST", "/{tail:.*}", provider.answer)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        relay = Relay(Deployments(config["model_list"], {}))
        own, relay.client = relay.client, Redirecting(relay.client, port)  # type: ignore[assignment]
        try:
            files = (FILE,) if route in FORMS else ()
            request = UpstreamRequest(route, model, BODIES[route], stream, files=files, timeout=10)
            answer = await relay.send(group, group.endpoints[0], request)
            if answer.events is not None:
                await exhaust(answer.events)
            return answer
        finally:
            await own.aclose()
            await runner.cleanup()

    assert asyncio.run(run()).status == 200
    (seen,) = provider.seen
    return seen


async def exhaust(events: AsyncIterator[bytes]) -> None:
    async for _ in events:
        pass


def check(provider: Provider, route: Route, seen: Seen, base: str, model: str) -> None:
    """Compare a request with what the provider documents."""
    assert provider.relay is not None
    place = provider.relay.routes[route].replace("{model}", model)
    expected = URL(base.rstrip("/") + place if place.startswith("/") else place, encoded=True)
    assert (seen.url.scheme, seen.url.host, seen.url.port) == (expected.scheme, expected.host, expected.port)
    assert seen.url.raw_path == expected.raw_path
    name, prefix = provider.key_header
    if provider.main_credential and provider.key:
        assert seen.headers.get(name) == f"{prefix}{KEY}"
    carriers = [header for header, value in seen.headers.items() if KEY in value]
    assert [header.lower() for header in carriers] == ([name.lower()] if provider.main_credential and provider.key else [])
    assert KEY not in str(seen.url)
    assert seen.model == (None if route is Route.GENERATE_CONTENT else model)  # its model is in the path alone
    assert seen.headers.get("anthropic-version") == ("2023-06-01" if route is Route.MESSAGES else None)


@pytest.mark.parametrize(("provider", "route"), [case for case in cases() if not is_elsewhere(case)])
def test_a_route_with_an_endpoint(provider: Provider, route: Route, tmp_path: Path):
    if provider.endpoint_locked:
        pytest.skip("no endpoint can change its address")
    model = model_of(provider, route)
    base = f"http://{HOST}:8123{urlsplit(provider.address or provider.endpoint_format).path.rstrip('/')}"
    check(provider, route, ask(rendered(provider, model, base, tmp_path), route, model), base, model)


ELSEWHERE = [case for case in cases() if is_elsewhere(case)]


@pytest.mark.parametrize(("provider", "route"), ELSEWHERE)
def test_a_route_elsewhere_is_at_the_providers_own_host(provider: Provider, route: Route):
    """It gets the provider's key."""
    assert provider.relay is not None
    place = URL(provider.relay.routes[route])
    assert place.origin() == URL(provider.address).origin()


@pytest.mark.parametrize(("provider", "route"), ELSEWHERE)
@pytest.mark.parametrize("endpoint", [f"https://{HOST}", "http://{own}", "https://{own}:8443", "https://{own}.example.com"])
def test_a_route_elsewhere_is_not_asked_beside_another_endpoint(
    provider: Provider, route: Route, endpoint: str, tmp_path: Path
):
    url = endpoint.format(own=URL(provider.address).host) + urlsplit(provider.address).path
    (group,) = section.groups(rendered(provider, "m", url, tmp_path)["callback_settings"]["langop"]).values()
    assert group.upstream is not None
    assert group.routes is not None
    assert route not in group.upstream.routes
    assert route not in group.routes
    assert Route.CHAT in group.upstream.routes


@pytest.mark.parametrize(("provider", "route"), ELSEWHERE)
def test_a_route_elsewhere_is_asked_where_the_endpoint_is_the_providers(provider: Provider, route: Route, tmp_path: Path):
    config = rendered(provider, "m", provider.address.upper().replace("HTTPS", "https"), tmp_path)
    check(provider, route, ask(config, route, "m"), provider.address, "m")


@pytest.mark.parametrize(("provider", "route"), [case for case in cases() if case.values[0].address])
def test_a_route_at_the_providers_own_address(provider: Provider, route: Route, tmp_path: Path):
    model = model_of(provider, route)
    seen = ask(rendered(provider, model, "", tmp_path), route, model)
    check(provider, route, seen, provider.address, model)
    known = measured().get(provider.name, {}).get(route)
    if known:
        assert str(seen.url.with_query(None)) == known["url"]


@pytest.mark.parametrize(("provider", "route"), cases())
def test_the_row_agrees_with_what_was_measured(provider: Provider, route: Route):
    known = measured().get(provider.name, {}).get(route)
    if known is None:
        pytest.skip("not measured")
    assert provider.relay is not None
    path = URL(provider.relay.routes[route].replace("{model}", known["model"]), encoded=True).raw_path
    assert URL(known["url"], encoded=True).raw_path.endswith(path)
    assert known["key"] in (provider.key_header[0].lower(), "")


def test_a_stream_in_geminis_format_has_a_path_of_its_own(tmp_path: Path):
    config = rendered(catalogue.named("gemini"), "gemini-2.5-flash", "", tmp_path)
    seen = ask(config, Route.GENERATE_CONTENT, "gemini-2.5-flash", stream=True)
    assert seen.url == URL(
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    )


def test_azure_gets_the_version_of_the_specification(tmp_path: Path):
    azure = catalogue.named("azure")
    config = rendered(azure, "gpt-4o", f"https://{HOST}", tmp_path)
    assert dict(ask(config, Route.CHAT, "gpt-4o").url.query) == {"api-version": "2025-02-01-preview"}
    spec = {"provider": "azure", "modelName": "gpt-4o", "endpoint": f"https://{HOST}", "apiVersion": "2024-10-21"}
    spec["apiKeySecretRef"] = {"name": "secret", "key": "api-key"}  # type: ignore[assignment]
    result = rendering.render([a_resource(spec, "model")], Settings(secrets_folder=str(tmp_path)))
    assert dict(ask(result.config, Route.CHAT, "gpt-4o").url.query) == {"api-version": "2024-10-21"}
    assert dict(ask(result.config, Route.RESPONSES, "gpt-4o").url.query) == {"api-version": "preview"}


def test_more_than_a_hundred_providers_are_relayed(capsys: pytest.CaptureFixture[str]):
    with capsys.disabled():
        print(f" {len(relayed())} providers with {len(cases())} routes ", end="")  # noqa: T201
    assert len(relayed()) > 100
