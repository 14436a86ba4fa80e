"""A rendered deployment on the wire: from a spec through `render` and LiteLLM's Router to the stand-in, and nowhere else.

LiteLLM runs in this process. What its proxy adds has tests of its own (tests/live).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from langop_model.launch.provider_credentials import load_keys, pod_identity_variables, variables_to_withhold
from langop_model.renderer import rendering
from langop_model.renderer.rendering import Rendering
from langop_model.renderer.settings import Settings
from tests.unit.specs import a_resource
from tools.stand_in import Seen, StandIn

KEY = "not-a-real-key-4711"
QUESTION = "What is the capital of France?"
ANSWER = f"You said: {QUESTION}"
RESOURCE = "model"
Answer = TypeVar("Answer")

_watching: list[bool] = []
_elsewhere: list[str] = []


class Elsewhere(OSError):
    """A request to another host."""


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook can't be taken away again: it looks only while somebody watches."""
    if not _watching or event not in ("socket.getaddrinfo", "socket.connect"):
        return
    address = arguments[0] if event == "socket.getaddrinfo" else arguments[1][0] if isinstance(arguments[1], tuple) else ""
    host = address.decode() if isinstance(address, bytes) else str(address)
    if host not in ("", "127.0.0.1", "localhost", "::1"):
        _elsewhere.append(host)
        raise Elsewhere(f"{host} is not this machine")


sys.addaudithook(_watch)


@contextlib.contextmanager
def nothing_leaves_this_machine(but_for: Collection[str] = ()) -> Iterator[list[str]]:
    """Refuse and yield every connection to another host, and fail if one was tried that is not among `but_for`."""
    _elsewhere.clear()
    _watching.append(True)
    try:
        yield _elsewhere
    finally:
        _watching.pop()
    others = set(_elsewhere) - set(but_for)
    assert not others, f"asked: {sorted(others)}"


async def _to_the_end(asking: Awaitable[Answer]) -> Answer:
    """Wait for what LiteLLM does after an answer too: it may ask others then."""
    from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

    answer = await asking
    await GLOBAL_LOGGING_WORKER.flush()
    return answer


@dataclass
class Wire:
    """LiteLLM's Router in an event loop that lives as long as the tests, because LiteLLM keeps its clients."""

    provider: StandIn
    folder: Path
    runner: asyncio.Runner
    monkeypatch: pytest.MonkeyPatch
    routers: list[Any] = field(default_factory=list)

    def rendered(self, spec: Mapping[str, Any], secrets: Mapping[str, Mapping[str, str]]) -> Rendering:
        """Render a spec whose Secrets are mounted: name to key to text."""
        for name, keys in secrets.items():
            (self.folder / name).mkdir(exist_ok=True)
            for key, text in keys.items():
                (self.folder / name / key).write_text(f"{text}\n", encoding="utf-8")
        settings = Settings(secrets_folder=str(self.folder))
        return rendering.render([a_resource(dict(spec), RESOURCE)], settings)

    def router(self, result: Rendering) -> Any:
        """Return the Router of a rendered configuration, as the proxy builds it."""
        import litellm

        from langop_model.gateway.internals import hub, repeated, upstream_bodies
        from langop_model.gateway.routing import router

        for name in set(variables_to_withhold(os.environ)) - pod_identity_variables(result, os.environ).keys():
            self.monkeypatch.delenv(name)
        for variable, value in load_keys(result).items():
            self.monkeypatch.setenv(variable, value)
        upstream_bodies.install()
        hub.install()
        repeated.install()
        router.install()
        self.monkeypatch.setattr(litellm, "callback_settings", result.config["callback_settings"])
        for name in ("drop_params", "disable_hf_tokenizer_download"):
            self.monkeypatch.setattr(litellm, name, result.config["litellm_settings"][name])
        made = router.GatewayRouter(model_list=result.config["model_list"], **result.config["router_settings"])
        self.routers.append(made)
        return made

    def forget(self) -> None:
        """Take the Routers' callbacks out of LiteLLM: they would hear of the requests of later tests."""
        for made in self.routers:
            made.discard()

    def chat(self, router: Any, model: str = RESOURCE, **more: Any) -> str:
        """Ask a question, and return the text of the answer."""
        question = {"messages": [{"role": "user", "content": QUESTION}], **more}
        answer = self.runner.run(_to_the_end(router.acompletion(model=model, **question)))
        return str(answer.choices[0].message.content)

    def embed(self, router: Any, text: str) -> Any:
        """Ask for the embedding of a text."""
        return self.runner.run(router.aembedding(model=RESOURCE, input=[text])).data[0]["embedding"]

    def streamed_chat(self, router: Any, model: str = RESOURCE, **more: Any) -> list[str]:
        """Ask a question, and return the parts of the answer as they come."""

        question = {"messages": [{"role": "user", "content": QUESTION}], "stream": True, **more}

        async def ask() -> list[str]:
            answer = await router.acompletion(model=model, **question)
            return [part.choices[0].delta.content or "" async for part in answer if part.choices]

        return [part for part in self.runner.run(_to_the_end(ask())) if part]

    @property
    def seen(self) -> list[Seen]:
        """What arrived at the provider."""
        return self.provider.requests

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
