"""`make test-rate-limit`: watch a limit of 5 requests per minute at work against the stand-in provider."""

from __future__ import annotations

import json
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from openai import OpenAI

from stand_in import StandIn
from tools.processes import Gateway

LIMIT, REQUESTS = 5, 8


def main() -> None:
    """Send more requests at once than a minute allows, and print when each was answered."""
    with StandIn() as provider, tempfile.TemporaryDirectory(prefix="langop-") as scratch:
        spec = {
            "provider": "openai-compatible",
            "modelName": "stand-in",
            "endpoint": f"{provider.url}/v1",
            "timeout": "5m",
            "rateLimits": {"requestsPerMinute": LIMIT},
        }
        model = Path(scratch) / "model__limited.json"
        model.write_text(json.dumps(spec), encoding="utf-8")
        with Gateway(model, Path(scratch) / "secrets", Path(scratch)) as gateway:
            client = OpenAI(base_url=f"{gateway.url}/v1", api_key="not-needed", max_retries=0)
            print(f"{REQUESTS} requests at once, {LIMIT} a minute are allowed; the others wait:", flush=True)
            started = time.monotonic()

            def ask(number: int) -> None:
                client.chat.completions.create(model="stand-in", messages=[{"role": "user", "content": f"Request {number}"}])
                print(f"  request {number} answered after {time.monotonic() - started:5.1f} s", flush=True)

            with ThreadPoolExecutor(REQUESTS) as pool:
                list(pool.map(ask, range(1, REQUESTS + 1)))
            first_minute = sum(seen.arrived - provider.requests[0].arrived < 59 for seen in provider.requests)
            print(f"the provider saw {first_minute} requests in the first minute, {len(provider.requests)} in all")


if __name__ == "__main__":
    main()
