"""Chat requests as fast as they are answered, and a provider that is faster than what is measured."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from tools.processes import free_port

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "bench",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hello! How can I help you today?"}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18},
}
SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


@dataclass(frozen=True)
class Load:
    """What came of a load: how many requests, how many of them failed, requests a second, and latencies in seconds."""

    by: str
    count: int
    failed: int
    rate: float
    p50: float
    p99: float


@dataclass(frozen=True)
class Provider:
    """A running provider."""

    name: str
    url: str


def run(  # noqa: PLR0913 - what a load is
    url: str,
    model: str,
    connections: int,
    seconds: float,
    headers: Mapping[str, str] | None = None,
    *,
    varies: bool = False,
    members: Mapping[str, object] | None = None,
) -> Load:
    """Ask over so many connections for so long: with wrk where there is one, else with httpx.

    The question is the same each time, unless it `varies` (with wrk only): then a cache never has its answer. `members` are
    added to it.
    """
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello!"}], **(members or {})})
    if shutil.which("wrk"):
        return _wrk(url, body, connections, seconds, headers or {}, varies=varies)
    return asyncio.run(_httpx(url, body, connections, seconds))


def _wrk(url: str, body: str, connections: int, seconds: float, headers: Mapping[str, str], *, varies: bool) -> Load:
    script = f'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = {json.dumps(body)}\n'
    script += "".join(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}\n" for name, value in headers.items())
    if varies:
        before, after = (json.dumps(part) for part in body.split("Hello!"))
        script += f"local number = {time.monotonic_ns()}\nfunction request()\n  number = number + 1\n"
        script += f"  return wrk.format(nil, nil, nil, {before} .. string.format('%d', number) .. {after})\nend\n"
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "60s", "--latency"]
        printed = subprocess.run([*command, "-s", file.name, url], check=True, capture_output=True, text=True).stdout
    count = int(re.findall(r"(\d+) requests in", printed)[0])
    errors = re.search(r"connect (\d+), read (\d+), write (\d+), timeout (\d+)", printed)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    failed = sum(map(int, errors.groups())) if errors else 0
    latency = {
        name: float(number) * SECONDS[unit] for name, number, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s|m)", printed)
    }
    rate = float(re.findall(r"Requests/sec:\s+([\d.]+)", printed)[0])
    return Load("wrk", count, failed + int(refused[1] if refused else 0), rate, latency["50"], latency["99"])


async def _httpx(url: str, body: str, connections: int, seconds: float) -> Load:
    times: list[float] = []
    failed = 0
    end = time.monotonic() + seconds

    async def ask() -> None:
        nonlocal failed
        async with httpx.AsyncClient(timeout=60) as client:
            while time.monotonic() < end:
                began = time.monotonic()
                try:
                    answer = await client.post(url, content=body, headers={"Content-Type": "application/json"})
                    failed += answer.status_code != 200
                except httpx.TransportError:
                    failed += 1
                times.append(time.monotonic() - began)

    began = time.monotonic()
    await asyncio.gather(*(ask() for _ in range(connections)))
    times.sort()
    rate = len(times) / (time.monotonic() - began)
    return Load("httpx", len(times), failed, rate, times[len(times) // 2], times[int(len(times) * 0.99)])


@contextlib.contextmanager
def upstream(folder: Path) -> Iterator[Provider]:
    """Run a provider that answers every POST the same: nginx where there is one, else a small uvicorn application."""
    port = free_port()
    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    command = _nginx(nginx, folder, port) if nginx else [sys.executable, "-m", "tools.load_generator", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/")
        yield Provider("nginx" if nginx else "uvicorn", f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()


def _nginx(nginx: str, folder: Path, port: int) -> list[str]:
    paths = "".join(
        f"{kind}_temp_path {folder}/nginx-{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\n"
        "events { worker_connections 1024; }\n"
        f"http {{ access_log off; keepalive_requests 100000000; default_type application/json; {paths}\n"
        f"server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{json.dumps(ANSWER)}'; }} }} }}\n",
        encoding="utf-8",
    )
    return [nginx, "-c", str(folder / "nginx.conf"), "-p", str(folder)]


def wait_for(url: str) -> None:
    """Return when something answers at `url`. Raises RuntimeError after 20 seconds."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the provider does not answer at {url}")


async def _application(scope: dict[str, object], receive: object, send: object) -> None:
    if scope["type"] == "http":
        while (await receive()).get("more_body"):  # type: ignore[operator]
            pass
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": json.dumps(ANSWER).encode()})  # type: ignore[operator]


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(_application, port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False, lifespan="off")
