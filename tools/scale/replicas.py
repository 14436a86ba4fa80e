"""`python -m tools.scale.replicas`: three gateways, one redis and its outage, measured; takes three minutes.

The same scenario as the first row of tools.scale.simulation. What a gateway let through is what it answered with 200.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import tempfile
import time
from pathlib import Path

import httpx

from tools import load_generator
from tools.processes import Gateway, free_port
from tools.scale import redis_server
from tools.scale.simulation import Result, Scenario

SCENARIO = Scenario(replicas=3, offered=2.0, limit=60, outage=(90.0, 120.0))


async def _ask(client: httpx.AsyncClient, url: str, result: Result, began: float) -> None:
    body = {"model": "bench", "messages": [{"role": "user", "content": "Hello!"}]}
    answer = await client.post(f"{url}/v1/chat/completions", json=body)
    if answer.status_code == 200:
        result.admitted.append(time.monotonic() - began)
    elif answer.status_code != 429:
        raise SystemExit(f"{answer.status_code}: {answer.text}")


async def _send(gateways: list[Gateway], result: Result) -> None:
    """Send requests at random times to each gateway in turn, as long as the scenario takes."""
    scenario, began = result.scenario, time.monotonic()
    chance = random.Random(scenario.seed)
    async with httpx.AsyncClient(timeout=30) as client, asyncio.TaskGroup() as tasks:
        at = 0.0
        while (at := at + chance.expovariate(scenario.offered)) < scenario.seconds:
            await asyncio.sleep(max(0.0, began + at - time.monotonic()))
            result.offered += 1
            tasks.create_task(_ask(client, chance.choice(gateways).url, result, began))


async def _break(folder: Path, port: int, scenario: Scenario) -> None:
    """Run redis, and kill it for the time of the outage."""
    process = redis_server.start(folder, port)
    try:
        down, back = scenario.outage
        await asyncio.sleep(down)
        process.kill()
        process.wait()
        await asyncio.sleep(back - down)
        process = redis_server.start(folder, port)
        await asyncio.sleep(scenario.seconds - back)
    finally:
        process.kill()
        process.wait()


def run(scenario: Scenario, folder: Path) -> Result:
    """Measure it."""
    result, port = Result(scenario), free_port()
    with load_generator.upstream(folder) as provider, contextlib.ExitStack() as stack:
        gateways = []
        spec = {"provider": "openai-compatible", "modelName": "bench", "endpoint": f"{provider.url}/v1", "timeout": "1s"}
        for number in range(scenario.replicas):
            place = folder / f"replica-{number}"
            (place / "models").mkdir(parents=True)
            text = json.dumps(spec | {"rateLimits": {"requestsPerMinute": scenario.limit}})
            (place / "models" / "model__bench.json").write_text(text, encoding="utf-8")
            environment = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(port)}
            gateways.append(stack.enter_context(Gateway(place / "models", place, place, environment=environment)))

        async def both() -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_break(folder, port, scenario))
                await asyncio.sleep(3)  # the gateways look for redis once a second
                tasks.create_task(_send(gateways, result))

        asyncio.run(both())
    result.admitted.sort()
    return result


def main() -> None:
    """Print it as tools.scale.simulation does."""
    with tempfile.TemporaryDirectory() as folder:
        result = run(SCENARIO, Path(folder))
    down, limit = SCENARIO.outage[0] - 3, SCENARIO.limit
    before, during = result.most_in_a_minute(until=down), result.most_in_a_minute(since=down)
    offered = result.offered / SCENARIO.seconds * 60
    print("| replicas | offered a minute | limit | most in a minute before | with the outage | of the limit |")
    print(f"|---|---|---|---|---|---|\n| 3 | {offered:,.0f} | {limit} | {before} | {during} | {during / limit:.2f} |")


if __name__ == "__main__":
    main()
