"""A rendered deployment on the wire: from a spec through `render` and the translator to the stand-in, and nowhere else.

LiteLLM runs in this process, set up as in the translator's. What its server and the gateway add has tests of its own
(tests/translator, tests/live).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import orjson
import pytest

from langop_model.contract import section
from langop_model.gateway.upstreams.base import Route, UpstreamRequest
from langop_model.gateway.upstreams.deployments import Deployments
from langop_model.gateway.upstreams.parameters import Parameters
from langop_model.gateway.upstreams.translation import Translation
from langop_model.gateway.upstreams.translator_protocol import Call
from langop_model.launch.provider_credentials import pod_identity_variables, variables_to_withhold
from langop_model.renderer import rendering
from langop_model.renderer.rendering import Rendering
from langop_model.renderer.settings import Settings
from stand_in import Seen, StandIn
from tests.support.provider_keys import load_keys
from tests.unit.specs import a_resource

if TYPE_CHECKING:
    from langop_model.translator.operations import Whole  # imports LiteLLM

KEY = "not-a-real-key-4711"
QUESTION = "What is the capital of France?"
ANSWER = f"You said: {QUESTION}"
RESOURCE = "model"
TURNS = 10
Answer = TypeVar("Answer")

Heard = Callable[[str, tuple[Any, ...]], None]
_hearing: list[Heard] = []


class ElsewhereError(OSError):
    """A request to another host."""


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook can't be taken away again: this one tells those who want to hear."""
    for heard in tuple(_hearing):
        heard(event, arguments)


sys.addaudithook(_hear)


@contextlib.contextmanager
def hearing(heard: Heard) -> Iterator[None]:
    """Tell `heard` of every audit event of the interpreter."""
    _hearing.append(heard)
    try:
        yield
    finally:
        _hearing.remove(heard)


@contextlib.contextmanager
def nothing_leaves_this_machine(but_for: Collection[str] = ()) -> Iterator[list[str]]:
    """Refuse and yield every connection to another host, and fail if one was tried that is not among `but_for`."""
    elsewhere: list[str] = []

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in ("socket.getaddrinfo", "socket.connect"):
            return
        address = arguments[0] if event == "socket.getaddrinfo" else arguments[1][0] if isinstance(arguments[1], tuple) else ""
        host = address.decode() if isinstance(address, bytes) else str(address)
        if host not in ("", "127.0.0.1", "localhost", "::1"):
            elsewhere.append(host)
            raise ElsewhereError(f"{host} is not this machine")

    try:
        with hearing(refuse):
            yield elsewhere
    finally:
        others = set(elsewhere) - set(but_for)
        assert not others, f"asked: {sorted(others)}"


async def _to_the_end(asking: Coroutine[Any, Any, Answer]) -> Answer:
    """Wait for what LiteLLM does after an answer too: it may ask others then."""
    from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

    answer = await asking
    for _ in range(TURNS):  # LiteLLM starts a task that gives its worker the work
        await asyncio.sleep(0)
    await GLOBAL_LOGGING_WORKER.flush()
    return answer


@dataclass(frozen=True)
class Deployed:
    """A rendered configuration, whose models are asked as a worker of the gateway asks them."""

    translation: Translation
    models: Mapping[str, Parameters]
    aliases: Mapping[str, str]

    def call(
        self,
        model: str,
        route: Route,
        body: Mapping[str, Any],
        *,
        stream: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Call:
        """Return the call that a worker makes to the translator for a request to the first endpoint of a model."""
        parameters = self.models[self.aliases.get(model, model)]
        prepared = parameters.prepare(route, {"model": model, **body}, stream, model)
        request = UpstreamRequest(route, model, prepared.body, stream=stream, headers=headers or {})
        call, _ = self.translation._call(parameters.group, parameters.group.endpoints[0], request)
        return call


def _render(spec: Mapping[str, Any], secrets: Mapping[str, Mapping[str, str]], folder: Path) -> Rendering:
    for name, keys in secrets.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for key, text in keys.items():
            (folder / name / key).write_text(f"{text}\n", encoding="utf-8")
    return rendering.render([a_resource(dict(spec), RESOURCE)], Settings(secrets_folder=str(folder)))


class Renderings:
    """Each specification is rendered once, for all tests that only read its Secrets in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept: dict[str, Rendering] = {}

    def of(self, spec: Mapping[str, Any], secrets: Mapping[str, Mapping[str, str]]) -> Rendering:
        """As Wire.rendered."""
        key = json.dumps([spec, secrets], sort_keys=True)
        if key not in self.kept:
            self.kept[key] = _render(spec, secrets, self.folder / str(len(self.kept)))
        return self.kept[key]


@dataclass
class Wire:
    """LiteLLM in an event loop that lives as long as the tests, because it keeps its clients."""

    provider: StandIn
    folder: Path
    runner: asyncio.Runner
    monkeypatch: pytest.MonkeyPatch
    renderings: Renderings

    def rendered(self, spec: Mapping[str, Any], secrets: Mapping[str, Mapping[str, str]]) -> Rendering:
        """Render a spec whose Secrets are mounted in this test's own folder: name to key to text."""
        return _render(spec, secrets, self.folder)

    def deploy(self, result: Rendering) -> Deployed:
        """Return a rendered configuration in a process that has the variables that `launch` leaves it."""
        for name in set(variables_to_withhold(os.environ)) - pod_identity_variables(result, os.environ).keys():
            self.monkeypatch.delenv(name)
        for variable, value in load_keys(result).items():
            self.monkeypatch.setenv(variable, value)
        groups = section.groups(result.config["callback_settings"]["langop"])
        return Deployed(
            Translation([], Deployments(result.config["model_list"])),
            {name: Parameters(group) for name, group in groups.items()},
            result.config["router_settings"].get("model_group_alias", {}),
        )

    def ask(self, deployed: Deployed, route: Route, body: Mapping[str, Any], model: str = RESOURCE) -> Any:
        """Make a request, and return the whole answer as an object."""
        return orjson.loads(self.answer(deployed, route, body, model).body)

    def answer(self, deployed: Deployed, route: Route, body: Mapping[str, Any], model: str = RESOURCE, **more: Any) -> Whole:
        """Make a request, with what `Deployed.call` takes, and return the whole answer."""
        from langop_model.translator import exchanges, operations

        async def ask() -> Any:
            return await operations.run(deployed.call(model, route, body, **more), exchanges.watch())

        answer = self.runner.run(_to_the_end(ask()))
        assert isinstance(answer, operations.Whole)
        return answer

    def stream(self, deployed: Deployed, route: Route, body: Mapping[str, Any], model: str = RESOURCE) -> list[bytes]:
        """Make a request for a stream, and return its events."""
        from langop_model.translator import exchanges, operations

        async def ask() -> list[bytes]:
            answer = await operations.run(deployed.call(model, route, body, stream=True), exchanges.watch())
            assert isinstance(answer, operations.Streamed)
            return [*await answer.events.begin(), *[event async for event in answer.events]]

        return self.runner.run(_to_the_end(ask()))

    def chat(self, deployed: Deployed, model: str = RESOURCE, **more: Any) -> str:
        """Ask a question, and return the text of the answer."""
        question = {"messages": [{"role": "user", "content": QUESTION}], **more}
        return str(self.ask(deployed, Route.CHAT, question, model)["choices"][0]["message"]["content"])

    def streamed_chat(self, deployed: Deployed, model: str = RESOURCE, **more: Any) -> list[str]:
        """Ask a question, and return the parts of the answer as they come."""
        question = {"messages": [{"role": "user", "content": QUESTION}], "stream": True, **more}
        events = self.stream(deployed, Route.CHAT, question, model)
        assert events[-1] == b"data: [DONE]\n\n"
        parts = [orjson.loads(event.removeprefix(b"data: ")) for event in events[:-1]]
        found = [part["choices"][0]["delta"].get("content") or "" for part in parts if part["choices"]]
        return [text for text in found if text]

    def embed(self, deployed: Deployed, text: str) -> Any:
        """Ask for the embedding of a text."""
        return self.ask(deployed, Route.EMBEDDINGS, {"input": [text]})["data"][0]["embedding"]

    @property
    def seen(self) -> list[Seen]:
        """What arrived at the provider."""
        return self.provider.requests

    @property
    def asked(self) -> Seen:
        """The last request that held a question, whatever LiteLLM asked after it: ollama is asked for the model's sizes."""
        return next(seen for seen in reversed(self.seen) if QUESTION in json.dumps(seen.body))

    @contextlib.contextmanager
    def redirecting(self, base: str) -> Iterator[list[httpx.URL]]:
        """Send what is meant for another host to the stand-in's `base`, and yield where it was meant to go."""
        meant: list[httpx.URL] = []
        there = httpx.URL(base)

        def redirect(request: httpx.Request) -> None:
            if (request.url.host, request.url.port) == (there.host, there.port):
                return
            meant.append(request.url)
            path = there.path.rstrip("/").encode() + request.url.raw_path
            request.url = request.url.copy_with(scheme=there.scheme, host=there.host, port=there.port, raw_path=path)
            request.headers["host"] = f"{there.host}:{there.port}"

        def redirecting(send: Callable[..., Any]) -> Callable[..., Any]:
            def redirect_and_send(client: object, request: httpx.Request, **options: Any) -> Any:
                redirect(request)
                return send(client, request, **options)

            return redirect_and_send

        with pytest.MonkeyPatch.context() as patch:
            for client in (httpx.AsyncClient, httpx.Client):
                patch.setattr(client, "send", redirecting(client.send))
            yield meant
