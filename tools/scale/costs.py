"""`python -m tools.scale.costs`: what requests, models and requests in flight cost the gateway and redis, as tables.

CPU is the processes' own, so other programs on the machine matter little. Needs redis-server, nginx and wrk.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from tools import load_generator, memory
from tools.gateway_bench.measuring import cpu as cpu_seconds
from tools.processes import Gateway, free_port
from tools.scale.redis_server import running as running_redis

CONNECTIONS, SECONDS = 16, 4.0
MANY = 1_000_000_000  # a limit that is never reached
LIMITS: dict[str, dict[str, Any]] = {
    "no limit": {},
    "requestsPerMinute": {"rateLimits": {"requestsPerMinute": MANY}},
    "all three limits": {"rateLimits": {"requestsPerMinute": MANY, "tokensPerMinute": MANY, "concurrentRequests": 1_000_000}},
    "all three, and a cache that misses": {
        "rateLimits": {"requestsPerMinute": MANY, "tokensPerMinute": MANY, "concurrentRequests": 1_000_000},
        "caching": {"enabled": True, "backend": "redis", "ttl": "1m"},
    },
    "a cache that hits: equal questions at a time share one look": {
        "caching": {"enabled": True, "backend": "redis", "ttl": "1h"}
    },
}
SENT = ("evalsha", "eval", "set")  # what the gateway sends for a request; scripts carry out the others
DELAY = 4.0  # seconds that the slow provider takes
WAITING = (100, 500, 1000)


@dataclass(frozen=True)
class Cost:
    """Of one request: commands that the gateway sends to redis and that redis carries out, and microseconds of CPU."""

    sent: float
    carried_out: float
    redis_cpu: float
    gateway_cpu: float


def _gateway(folder: Path, address: str, port: int, models: int = 1, **spec: Any) -> Gateway:
    mounted = folder / "models"
    mounted.mkdir(parents=True)
    for number in range(models):
        name = "bench" if number == 0 else f"model-{number}"
        text = json.dumps({"provider": "openai-compatible", "modelName": name, "endpoint": address, **spec})
        (mounted / f"model__{name}.json").write_text(text, encoding="utf-8")
    environment = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(port)} if port else {}
    return Gateway(mounted, folder, folder, environment=environment)


def _counts(client: Any) -> tuple[dict[str, int], float]:
    """Return how often redis has carried out each command, and the seconds of CPU that it has used."""
    stats = client.info("commandstats")
    used = client.info("cpu")
    calls = {name.removeprefix("cmdstat_"): int(each["calls"]) for name, each in stats.items()}
    return calls, used["used_cpu_user"] + used["used_cpu_sys"]


def of_requests(folder: Path) -> Iterator[tuple[str, Cost]]:
    """Yield what a request costs, by what its model asks for."""
    with load_generator.upstream(folder) as provider, running_redis(folder) as port:
        client: Any = redis.Redis("127.0.0.1", port)
        for name, spec in LIMITS.items():
            place = folder / name.replace(" ", "-")
            place.mkdir()
            with _gateway(place, f"{provider.url}/v1", port if spec else 0, **spec) as gateway:
                url = f"{gateway.url}/v1/chat/completions"
                load_generator.run(url, "bench", CONNECTIONS, 1.0)
                assert gateway.process is not None
                before, cpu = _counts(client), cpu_seconds(gateway.process.pid)
                load = load_generator.run(url, "bench", CONNECTIONS, SECONDS, varies="misses" in name)
                after, spent = _counts(client), cpu_seconds(gateway.process.pid) - cpu
                if load.failed:
                    raise SystemExit(f"{name}: {load.failed} requests failed:\n{gateway.tail()}")
                calls = {each: count - before[0].get(each, 0) for each, count in after[0].items() if each != "info"}
                sent = sum(calls.get(each, 0) for each in (SENT if "rateLimits" in spec else (*SENT, "get")))
                yield (
                    name,
                    Cost(
                        sent / load.count,
                        sum(calls.values()) / load.count,
                        (after[1] - before[1]) * 1e6 / load.count,
                        spent * 1e6 / load.count,
                    ),
                )


def of_models(folder: Path) -> Iterator[tuple[int, float, float]]:
    """Yield a number of models, the seconds until a gateway of them is ready, and the MiB that it has then."""
    for number in (1, 100, 500):
        place = folder / f"models-{number}"
        place.mkdir()
        gateway = _gateway(place, "http://127.0.0.1:9/v1", 0, number, rateLimits={"requestsPerMinute": 1000})
        began = time.monotonic()
        with gateway:
            took = time.monotonic() - began
            assert gateway.process is not None
            yield number, took, memory.used(gateway.process.pid)


@contextlib.contextmanager
def _slow_provider() -> Iterator[str]:
    """Run a provider that answers after DELAY, and yield its address."""
    body = json.dumps(load_generator.ANSWER).encode()
    answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    port, loop = free_port(), asyncio.new_event_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
                await reader.readexactly(length)
                await asyncio.sleep(DELAY)
                writer.write(answer)

    loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", port, backlog=4096))
    threading.Thread(target=loop.run_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result()
        loop.call_soon_threadsafe(loop.stop)


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def of_waiting(folder: Path) -> Iterator[tuple[int, float, float, int]]:
    """Yield a number of requests in flight, the cores that they keep busy, the MiB, and the connections to the provider."""
    with _slow_provider() as address:
        for number in WAITING:
            place = folder / f"waiting-{number}"
            place.mkdir()
            with _gateway(place, address, 0) as gateway:
                assert gateway.process is not None
                pid = gateway.process.pid
                url = f"{gateway.url}/v1/chat/completions"
                load = threading.Thread(target=load_generator.run, args=(url, "bench", number, 3 * DELAY))
                load.start()
                time.sleep(DELAY * 1.5)  # the first have been answered, the second wait
                cpu, began = cpu_seconds(pid), time.monotonic()
                time.sleep(DELAY)  # one answer for each
                cores = (cpu_seconds(pid) - cpu) / (time.monotonic() - began)
                found = number, cores, memory.used(pid), _connections(pid, int(address.split(":")[2].split("/")[0]))
                load.join()
                yield found


def _connections(pid: int, port: int) -> int:
    """Return how many established connections to a port there are from the network namespace of a process."""
    rows = Path(f"/proc/{pid}/net/tcp").read_text(encoding="utf-8").splitlines()[1:]
    return sum(row.split()[2].endswith(f":{port:04X}") and row.split()[3] == "01" for row in rows)


def main() -> None:
    """Print all of it."""
    if not shutil.which("redis-server"):
        sys.exit("not measured: redis-server is missing")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(
            "| a model has | commands to redis | carried out there | redis' CPU, µs | the gateway's CPU, µs |\n"
            "|---|---|---|---|---|"
        )
        for what, cost in of_requests(folder):
            print(f"| {what} | {cost.sent:.2f} | {cost.carried_out:.1f} | {cost.redis_cpu:.0f} | {cost.gateway_cpu:.0f} |")
        print("\n| models | ready after, s | memory, MiB |\n|---|---|---|")
        for number, took, used in of_models(folder):
            print(f"| {number} | {took:.1f} | {used:.0f} |")
        print(f"\n| in flight, {DELAY:g} s each | cores | memory, MiB | connections to the provider |\n|---|---|---|---|")
        for number, cores, used, connections in of_waiting(folder):
            print(f"| {number} | {cores:.2f} | {used:.0f} | {connections} |")


if __name__ == "__main__":
    main()
