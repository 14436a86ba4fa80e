"""More than a gateway can take: what it accepts is answered, and its probes are."""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from stand_in import StandIn
from tests.live.laboratory import PATIENCE, question
from tests.support import plain_http
from tests.support.load import Load
from tools.processes import Gateway

MEASURED = 2.0  # seconds of the load that says what the capacity is
OVERLOADED = 6.0  # seconds at twice that rate
FEW = 256  # descriptors


def mounted(folder: Path, provider: StandIn) -> Path:
    path = folder / "model.json"
    spec = {"provider": "openai-compatible", "modelName": "busy", "endpoint": f"{provider.base('busy')}/v1"}
    path.write_text(json.dumps(spec), encoding="utf-8")
    return path


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Gateway]:
    with StandIn() as provider, Gateway(mounted(tmp_path, provider), tmp_path, tmp_path) as gateway:
        yield gateway


def capacity(gateway: Gateway) -> float:
    """Return how many requests a second are answered to clients that wait for their answers."""
    with Load("POST", f"{gateway.url}/v1/chat/completions", question("busy", "Hello"), clients=4) as load:
        began = time.monotonic()
        time.sleep(MEASURED)
        taken = time.monotonic() - began
        count = load.count
    return count / taken


async def overload(gateway: Gateway, rate: float) -> tuple[Counter[str], Counter[str]]:
    """Ask at `rate` requests a second, whatever the answers do; return what became of them, and of the probes meanwhile."""
    asked: Counter[str] = Counter()
    probed: Counter[str] = Counter()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(PATIENCE)) as session:

        async def ask(results: Counter[str], method: str, path: str, body: object = None) -> None:
            try:
                async with session.request(method, gateway.url + path, json=body) as answer:
                    await answer.read()
                    results[str(answer.status)] += 1
            except (aiohttp.ClientError, OSError) as problem:
                results[type(problem).__name__] += 1

        tasks: list[asyncio.Task[None]] = []
        began = time.monotonic()
        while (passed := time.monotonic() - began) < OVERLOADED:
            while len(tasks) < passed * rate:
                body = question("busy", "Hello")
                tasks.append(asyncio.create_task(ask(asked, "POST", "/v1/chat/completions", body)))
            await ask(probed, "GET", "/health/readiness")
            await ask(probed, "GET", "/health/liveliness")
        await asyncio.gather(*tasks)
    return asked, probed


def test_at_twice_its_capacity_nothing_is_lost_and_the_probes_are_answered(busy: Gateway):
    rate = 2 * capacity(busy)
    asked, probed = asyncio.run(overload(busy, rate))
    assert asked["200"] > 0
    assert set(asked) <= {"200", "429", "503"}
    assert set(probed) == {"200"}
    assert plain_http.get(f"{busy.url}/health/readiness", timeout=PATIENCE).status_code == 200


def test_idle_connections_lock_nobody_out(tmp_path: Path):
    with StandIn() as provider:
        gateway = Gateway(mounted(tmp_path, provider), tmp_path, tmp_path)
        gateway.start()
        assert gateway.process is not None
        resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (FEW, FEW))  # before it looks how many it has
        try:
            gateway.wait_until_ready()
            idle = [socket.create_connection(("127.0.0.1", gateway.port)) for _ in range(400)]
            for _ in range(20):
                assert plain_http.get(f"{gateway.url}/health/readiness", timeout=PATIENCE).status_code == 200
                answer = plain_http.post(f"{gateway.url}/v1/chat/completions", json=question("busy"), timeout=PATIENCE)
                assert answer.status_code == 200
            for each in idle:
                each.close()
        finally:
            gateway.stop()


def test_a_body_that_arrives_in_parts_is_whole(busy: Gateway):
    body = json.dumps(question("busy", "Hello, " * 1000)).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", busy.port), timeout=PATIENCE) as connection:
        connection.sendall(head.encode())
        for part in (body[:100], body[100:2000], body[2000:]):
            time.sleep(0.2)
            connection.sendall(part)
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
