"""What `litellm_settings` written by hand do in the translator's process."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from langop_model.contract import translator_settings
from langop_model.gateway.serving.translator_process import TranslatorProcess, passed
from langop_model.gateway.upstreams.base import Route, UpstreamError
from tests.translator.live import MESSAGES, Live, soon, wait_until_ready
from tests.translator.scripted import STREAM, Asked, Scripted, streamed

TEXT_BODIES: Mapping[Route, dict[str, Any]] = {
    Route.CHAT: {"messages": MESSAGES},
    Route.RESPONSES: {"input": "hello"},
    Route.MESSAGES: {"messages": MESSAGES, "max_tokens": 9},
    Route.GENERATE_CONTENT: {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]},
}


def with_settings(
    settings: Mapping[str, Any],
    test: Callable[[Live, Scripted, Scripted], Coroutine[Any, Any, None]],
    folder: Path | None = None,
    **variables: str,
) -> None:
    """Run `test` with a model whose translator has `settings`, its provider, and a receiver at the variable RECEIVER.

    `folder` is where the configuration is.
    """

    async def inside() -> None:
        async with Scripted() as provider, Scripted() as receiver:
            process = TranslatorProcess(settings, folder)
            named = {name: value.format(receiver=receiver.url) for name, value in variables.items()}
            process.start({**passed(os.environ, ("COVERAGE_",)), **named})
            try:
                await asyncio.to_thread(wait_until_ready, process)
                live = Live(str(process.path), {"model": "openai/theirs", "api_base": provider.url + "/v1"})
                try:
                    await test(live, provider, receiver)
                finally:
                    await live.translation.aclose()
            finally:
                process.stop()

    asyncio.run(inside())


MODULE = """
import json, os, urllib.request
from litellm.integrations.custom_logger import CustomLogger

class Mine(CustomLogger):
    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        told = {"model": kwargs["model"], "group": kwargs["standard_logging_object"]["model_group"]}
        urllib.request.urlopen(os.environ["RECEIVER"], json.dumps(told).encode())

mine = Mine()
"""


def test_a_callback_in_a_module_beside_the_configuration_is_told(tmp_path: Path):
    (tmp_path / "house_callbacks.py").write_text(MODULE, encoding="utf-8")

    async def test(live: Live, _: Scripted, receiver: Scripted) -> None:
        receiver.behave = _accept
        await live.send(Route.CHAT, {"messages": MESSAGES})
        await soon(lambda: receiver.asked)
        assert receiver.asked[0].body == {"model": "theirs", "group": "mine"}

    with_settings({"callbacks": ["house_callbacks.mine"]}, test, tmp_path, RECEIVER="{receiver}/told")


def test_a_callback_is_told_the_model_group_on_every_route_and_of_streams(tmp_path: Path):
    (tmp_path / "house_callbacks.py").write_text(MODULE, encoding="utf-8")

    async def test(live: Live, provider: Scripted, receiver: Scripted) -> None:
        receiver.behave = _accept
        for route, body in TEXT_BODIES.items():
            before = len(receiver.asked)
            await live.send(route, body)
            provider.behave = lambda request, _: streamed(request, STREAM)
            await live.events(route, body)
            provider.behave = None
            await soon(lambda before=before: len(receiver.asked) >= before + 2)
        assert [asked.body["group"] for asked in receiver.asked] == ["mine"] * 2 * len(TEXT_BODIES)
        assert not any("metadata" in asked.body for asked in provider.asked)

    with_settings({"callbacks": ["house_callbacks.mine"]}, test, tmp_path, RECEIVER="{receiver}/told")


def test_settings_reach_the_translation_and_its_callbacks():
    settings = {
        "openai_system_messages_first": True,
        "callbacks": ["generic_api", "prometheus"],
        "standard_logging_payload_excluded_fields": ["messages"],
        "generic_logger_headers": {"X-Team": "os.environ/TEAM"},
    }

    async def test(live: Live, provider: Scripted, receiver: Scripted) -> None:
        receiver.behave = _accept
        await live.send(Route.CHAT, {"messages": [*MESSAGES, {"role": "system", "content": "be kind"}]})
        assert [message["role"] for message in provider.asked[0].body["messages"]] == ["system", "user"]
        await soon(lambda: receiver.asked, within=20)
        told = receiver.asked[0].body
        first = told[0] if isinstance(told, list) else told
        assert first["model"] == "theirs"
        assert "messages" not in first
        headers = {name.lower(): value for name, value in receiver.asked[0].headers.items()}
        assert headers["x-team"] == "blue"

    with_settings(settings, test, GENERIC_LOGGER_ENDPOINT="{receiver}/log", TEAM="blue")


def test_what_the_gateway_does_itself_is_withheld_from_the_translator():
    mixed = {"modify_params": True, "callbacks": ["generic_api"], "cache": True, "drop_params": False, "num_retries": 3}
    assert translator_settings.of(mixed) == {"modify_params": True, "callbacks": ["generic_api"]}


async def _accept(_: web.Request, __: Asked) -> web.StreamResponse:
    return web.json_response({})


def test_nothing_is_downloaded_whatever_the_settings_say():
    """Not even where LiteLLM is told to trust every address."""

    async def test(live: Live, provider: Scripted, receiver: Scripted) -> None:
        part = {"type": "file", "file": {"file_id": f"{receiver.url}/a.pdf"}}
        with pytest.raises(UpstreamError, match="does not download") as refused:
            await live.send(Route.CHAT, {"messages": [{"role": "user", "content": [part]}]})
        assert refused.value.status == 400
        assert (provider.asked, receiver.asked) == ([], [])

    with_settings({"user_url_validation": False}, test)
