"""What a request costs the front, in calls of functions and in objects: counts, which no busy machine changes."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from langop_model.gateway.accounting import settlement
from langop_model.gateway.app import Gateway
from langop_model.gateway.asgi import WHEN_LEFT, WHOLE_ANSWER, WHOLE_BODY
from langop_model.gateway.configuration import Configuration
from langop_model.gateway.services import Services
from langop_model.renderer.rendering import render_file
from langop_model.renderer.settings import Settings
from tools.gateway_bench.contenders import POLICIES
from tools.load_generator import ANSWER

if TYPE_CHECKING:
    from yarl import URL

PRODUCT = f"{os.sep}langop_model{os.sep}"
# Who adds work to each request finds out here, and may raise these for a good reason.
MAX_CALLS = {"relay": 107, "every policy": 177}
REQUESTS = 128  # twice as many as ids are made, or requests settled, together
SPEC = {"provider": "openai-compatible", "modelName": "bench", "endpoint": "http://provider.example/v1"}
SPECS = {"relay": SPEC, "every policy": {**SPEC, **POLICIES}}

EVENTS = [b'data: {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}\n\n', b"data: [DONE]\n\n"]


class Provider:
    """A client whose provider answers after `seconds`; it is its own answer and its answer's content."""

    def __init__(self, seconds: float = 0.0, status: int = 200, *, streams: bool = False) -> None:
        self.seconds = seconds
        self.status = status
        self.headers = {"Content-Type": "text/event-stream" if streams else "application/json"}
        self.parts = EVENTS if streams else [orjson.dumps(ANSWER)]
        self.content = self
        self.left: list[bytes] = []

    def target(self, url: URL) -> URL:
        return url

    async def post(self, *_: Any) -> Provider:
        if self.seconds:
            await asyncio.sleep(self.seconds)
        self.left = list(self.parts)
        return self

    async def readany(self) -> bytes:
        return self.left.pop(0) if self.left else b""

    def at_eof(self) -> bool:
        return not self.left

    def release(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class Front:
    """The application with its real services, and a provider of the test."""

    def __init__(self, spec: dict[str, Any], folder: Path, provider: Provider) -> None:
        model = folder / "model.json"
        model.write_bytes(orjson.dumps(spec))
        [rendering] = render_file(str(model), Settings())
        self.configuration = Configuration.of(rendering.config)
        self.provider = provider
        self.asked = 0

    async def __aenter__(self) -> Front:
        self.services = Services(self.configuration, {})
        await self.services.relay.client.aclose()
        self.services.relay.client = self.provider  # type: ignore[assignment]
        self.services.accounting.log.stream = open("/dev/null", "w", encoding="utf-8")  # noqa: SIM115, PTH123 - closed below
        self.gateway = Gateway(self.services)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.services.accounting.settlement.settle()
        self.services.accounting.log.stream.close()
        for task in self.services.tasks:
            task.cancel()
        await self.services.translation.aclose()
        await self.services.shared.aclose()

    async def ask(self, **members: Any) -> int:
        """Ask something that nobody has asked, and return the status."""
        self.asked += 1
        body = orjson.dumps({"model": "bench", "messages": [{"role": "user", "content": f"{self.asked:06}"}], **members})
        said: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return await asyncio.Event().wait()  # type: ignore[return-value] # what comes after the body

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        def answer(status: int, *_: object) -> bool:
            said.append({"status": status})
            return True

        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        path = "/v1/chat/completions"
        scope: dict[str, Any] = {"type": "http", "method": "POST", "path": path, "headers": headers}
        scope["extensions"] = {WHOLE_BODY: lambda: body, WHOLE_ANSWER: answer, WHEN_LEFT: lambda _: None}
        await asyncio.create_task(self.gateway(scope, receive, send))  # type: ignore[arg-type]
        return int(said[0]["status"])


class Calls:
    """A context manager that counts the calls of the product's functions, of generators and comprehensions too."""

    def __init__(self) -> None:
        self.count = 0

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        self.count += event == "call" and PRODUCT in frame.f_code.co_filename

    def __enter__(self) -> Calls:
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)


@pytest.mark.parametrize("name", SPECS)
def test_a_request_takes_few_calls(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settlement, "DELAY", 60)  # how often it is over depends on the machine

    async def scene() -> float:
        async with Front(SPECS[name], tmp_path, Provider()) as front:
            assert [await front.ask() for _ in range(20)] == [200] * 20
            settle = front.services.accounting.settlement.settle
            settle()
            with Calls() as calls:
                for _ in range(REQUESTS):
                    await front.ask()
                settle()
            return calls.count / REQUESTS

    assert asyncio.run(scene()) <= MAX_CALLS[name]


def of_the_product() -> Counter[str]:
    """Return how many objects of the product's classes there are, by class."""
    kinds = (type(each) for each in gc.get_objects())
    return Counter(kind.__qualname__ for kind in kinds if str(kind.__module__).startswith("langop_model."))


KEPT = {"Use", "_Entry"}  # what a limit and a cache remember


async def left_behind(front: Front, status: int, **members: Any) -> set[str]:
    """Return the classes of which requests leave an object in memory."""

    async def ask(times: int) -> Counter[str]:
        for _ in range(times):
            assert await front.ask(**members) == status
        await asyncio.sleep(0.01)
        front.services.accounting.settlement.settle()
        return of_the_product()

    before = await ask(1)
    return (await ask(10) - before).keys() - KEPT


PROVIDERS = {
    "answered": Provider(),
    "answered late": Provider(0.01),
    "failed": Provider(status=422),  # an exception knows the functions that it came through
    "streamed": Provider(streams=True),
}


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("how", PROVIDERS)
@pytest.mark.usefixtures("no_collector")
def test_a_request_that_is_over_leaves_nothing_in_memory(name: str, how: str, tmp_path: Path):
    """A cycle of objects would keep its body, and some time later the garbage collector would keep everybody waiting."""

    async def scene() -> set[str]:
        async with Front(SPECS[name], tmp_path, PROVIDERS[how]) as front:
            members = {"stream": True} if how == "streamed" else {}
            return await left_behind(front, PROVIDERS[how].status, **members)

    assert asyncio.run(scene()) == set()
