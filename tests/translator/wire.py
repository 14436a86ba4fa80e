"""A rendered deployment on the wire through the translator's operations: in this process, as its server calls them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from langop_model.mounted_keys import ambient, foreign, load_keys

from langop_model.contract import settings
from langop_model.contract.settings import Group
from langop_model.gateway.upstreams.base import Route, UpstreamRequest
from langop_model.gateway.upstreams.deployments import Deployments
from langop_model.gateway.upstreams.translator_protocol import Call
from langop_model.renderer.plan import Model
from langop_model.renderer.rendering import Rendering
from langop_model.translator.parameters import is_setting
from tests.wire.wire import QUESTION, RESOURCE, Wire

# Members of `litellm_params` that are defaults of requests: the gateway puts them into a request before it is translated.
DEFAULTS = {
    "temperature": "temperature", "max_tokens": "maxTokens", "top_p": "topP",
    "frequency_penalty": "frequencyPenalty", "presence_penalty": "presencePenalty", "stop": "stopSequences",
}  # fmt: skip


@dataclass(frozen=True)
class Translated:
    """A rendered configuration whose deployments are asked through the translator."""

    deployments: Deployments
    groups: Mapping[str, Group]
    config: Mapping[str, Any]
    defaults: Mapping[str, frozenset[str]]
    params: frozenset[str]

    def call(self, model: str, route: Route, body: Mapping[str, Any], *, stream: bool = False, **more: Any) -> Call:
        """Return the call for a request to the first endpoint of a model."""
        aliases = self.config["router_settings"].get("model_group_alias", {})
        group = self.groups[aliases.get(model, model)]
        endpoint = group.endpoints[0]
        rendered = self.deployments.rendered[endpoint.id]
        request = UpstreamRequest(route, model, body, stream=stream)
        parameters, variables = self.deployments.parameters(group, endpoint, request)
        known = (self.defaults[group.name] | self.params) if route is Route.CHAT else frozenset()
        body = {**{name: value for name, value in rendered.items() if name in known}, **body}
        parameters = {name: value for name, value in parameters.items() if name not in self.params}
        return Call(route, parameters, dict(body), asked=model, variables=variables, stream=stream, **more)


class TranslatedWire(Wire):
    """The same wire as through LiteLLM's Router, by another way."""

    def router(self, result: Rendering) -> Any:
        """Return the deployments of a rendered configuration."""
        for name in set(foreign(os.environ)) - ambient(result, os.environ).keys():
            self.monkeypatch.delenv(name)
        for variable, value in load_keys(result).items():
            self.monkeypatch.setenv(variable, value)
        groups = settings.groups(result.config["callback_settings"]["langop"])
        defaults = {model.group: _defaults(model) for model in result.models}
        params = frozenset(name for model in result.models for name in model.spec.get("params") or {})
        settings_of_params = {name for name in params if is_setting(name)}
        return Translated(
            Deployments(result.config["model_list"]), groups, result.config, defaults, params - settings_of_params
        )

    def forget(self) -> None:
        """Nothing is kept."""

    def embed(self, router: Any, text: str) -> Any:
        """Ask for the embedding of a text."""
        return self.ask(router, Route.EMBEDDINGS, {"input": [text]})["data"][0]["embedding"]

    def ask(self, router: Translated, route: Route, body: Mapping[str, Any], model: str = RESOURCE, **more: Any) -> Any:
        """Make a call, and return the whole answer as an object."""
        from langop_model.translator import operations

        answer = self.runner.run(operations.run(router.call(model, route, body, **more)))
        return orjson.loads(answer.body)

    def stream(
        self, router: Translated, route: Route, body: Mapping[str, Any], model: str = RESOURCE, **more: Any
    ) -> list[bytes]:
        """Make a call for a stream, and return its events."""
        from langop_model.translator import operations

        async def ask() -> list[bytes]:
            answer = await operations.run(router.call(model, route, body, stream=True, **more))
            return [event async for event in _events(answer)]

        return self.runner.run(ask())

    def chat(self, router: Any, model: str = RESOURCE, **more: Any) -> str:
        """Ask a question, and return the text of the answer."""
        question = {"messages": [{"role": "user", "content": QUESTION}], **more}
        return str(self.ask(router, Route.CHAT, question, model)["choices"][0]["message"]["content"])

    def streamed_chat(self, router: Any, model: str = RESOURCE, **more: Any) -> list[str]:
        """Ask a question, and return the parts of the answer as they come."""
        question = {"messages": [{"role": "user", "content": QUESTION}], "stream": True, **more}
        events = self.stream(router, Route.CHAT, question, model)
        assert events[-1] == b"data: [DONE]\n\n"
        parts = [orjson.loads(event.removeprefix(b"data: ")) for event in events[:-1]]
        found = [part["choices"][0]["delta"].get("content") or "" for part in parts if part["choices"]]
        return [text for text in found if text]


def _defaults(model: Model) -> frozenset[str]:
    """Return the parameters of a specification's `configuration` that its model takes."""
    dropped = model.provider.drops_of(model.spec["modelName"])
    return frozenset(name for name, field in DEFAULTS.items() if field not in dropped)


async def _events(answer: Any) -> AsyncIterator[bytes]:
    async for event in answer.events:
        yield event
