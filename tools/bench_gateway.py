"""`make bench-gateway`: the gateway against a plain `litellm[proxy]` installation. One run, in turn, ratios.

The machine's speed drifts: read the ratios, and CPU per request rather than requests per second where somebody else works too.
Provider: nginx where there is one, else a small uvicorn application. Load: wrk where there is one, else httpx.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from tools import load_generator, memory
from tools.load_generator import Load
from tools.processes import Gateway

PLAIN = Path(".venv-plain")
MODEL = "bench"
ANSWERS = 1000
CONNECTIONS = (1, 16)
CLOCK = os.sysconf("SC_CLK_TCK")


@dataclass
class Figures:
    """What was measured of one of the two; a list has one value for each round."""

    ready: list[float] = field(default_factory=list)  # seconds from the command to the first 200 of /health/readiness
    ready_closed: list[float] = field(default_factory=list)  # the same where LiteLLM's price list does not answer
    ready_cpu: list[float] = field(default_factory=list)  # seconds of CPU until then
    first: list[float] = field(default_factory=list)  # ms of the first answer
    loads: dict[int, list[Load]] = field(default_factory=lambda: {number: [] for number in CONNECTIONS})
    cpu: dict[int, list[float]] = field(default_factory=lambda: {number: [] for number in CONNECTIONS})  # ms a request
    memory: list[float] = field(default_factory=list)  # MiB at ready
    cached: list[float] = field(default_factory=list)  # MiB after ANSWERS cached answers


class Plain(Gateway):
    """The plain command with the plain configuration of the same model, as its documentation shows it."""

    command: tuple[str, ...] = ()

    def start(self, output: Any = None) -> None:
        """Start `litellm --config`."""
        self.output = output or self.log.open("wb")
        arguments = [*self.command, "--config", str(self.config), "--host", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(arguments, env=self.environment, stdout=self.output, stderr=subprocess.STDOUT)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench_gateway", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6, help="of load, for each number of connections")
    arguments = parser.parse_args()
    Plain.command = _plain_command()
    compileall.compile_dir("langop_model", quiet=1)  # as the image does, and pip did with the plain installation
    with tempfile.TemporaryDirectory(prefix="langop-") as scratch:
        folder = Path(scratch)
        with load_generator.upstream(folder) as provider:
            direct = {
                number: load_generator.run(f"{provider.url}/v1/chat/completions", MODEL, number, 3) for number in CONNECTIONS
            }
            print(f"machine: {os.cpu_count()} cores, Python {platform.python_version()}; provider: {provider.name}")
            print(f"load: {direct[1].by}; straight to the provider {direct[16].rate:.0f} requests/s")
            both = Figures(), Figures()
            for _ in range(arguments.rounds):  # in turn, so that a slow moment hits both
                for figures, make in zip(both, (_plain, _ours), strict=True):
                    _measure(figures, make(folder, provider.url), arguments.seconds)
            for figures, make in zip(both, (_plain, _ours), strict=True):
                with _silence() as address:
                    gateway = make(folder, provider.url)
                    gateway.environment["LITELLM_MODEL_COST_MAP_URL"] = address
                    figures.ready_closed.append(_seconds_to_ready(gateway))
                figures.cached.append(_cache(make(folder, provider.url, caching=True)))
            two = _two_workers(_ours(folder, provider.url))
            reload = _reload(_ours(folder, provider.url), folder)
    _print(*both, direct)
    print(f"requests a second, 16 connections, LANGOP_WORKERS=2: {two:.0f} /s")
    print(f"memory, most of it while a changed specification is taken up: {reload:.0f} MiB")


def _plain_command() -> tuple[str, ...]:
    """Return the command of a plain installation of the gateway's LiteLLM, which is made where it is missing or outdated."""
    command = PLAIN / "bin" / "litellm"
    if subprocess.run(["make", "--silent", f"{PLAIN}/.ready", f"PYTHON={sys.executable}"], check=False).returncode:
        command = Path(sys.executable).parent / "litellm"
        print(f"{PLAIN} can't be installed: the plain command of this project's own installation takes its place")
    return (str(command),)


def _ours(folder: Path, url: str, *, caching: bool = False) -> Gateway:
    spec: dict[str, Any] = {"provider": "openai-compatible", "modelName": MODEL, "endpoint": f"{url}/v1"}
    if caching:
        spec["caching"] = {"enabled": True, "backend": "memory", "ttl": "1h", "maxSize": 100}
    model = folder / "model.json"
    model.write_text(json.dumps(spec), encoding="utf-8")
    return Gateway(model, folder, folder)


def _plain(folder: Path, url: str, *, caching: bool = False) -> Gateway:
    gateway = Plain(folder, folder, folder)
    gateway.config = folder / "plain.yaml"
    parameters = {"model": f"openai/{MODEL}", "api_base": f"{url}/v1", "api_key": "not-needed"}
    config: dict[str, Any] = {
        "model_list": [{"model_name": MODEL, "litellm_params": parameters}],
        "general_settings": {"dangerously_permit_weak_or_unset_master_key": True},
    }
    if caching:
        config["litellm_settings"] = {"cache": True, "cache_params": {"type": "local", "ttl": 3600}}
    gateway.config.write_text(yaml.safe_dump(config), encoding="utf-8")
    return gateway


def _seconds_to_ready(gateway: Gateway) -> float:
    began = time.monotonic()
    with gateway:
        return time.monotonic() - began


@contextmanager
def _silence() -> Iterator[str]:
    """An address that accepts and never answers, as behind a NetworkPolicy without a way out."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield f"http://127.0.0.1:{silent.getsockname()[1]}/prices.json"


def _measure(figures: Figures, gateway: Gateway, seconds: float) -> None:
    began = time.monotonic()
    with gateway:
        assert gateway.process is not None
        figures.ready.append(time.monotonic() - began)
        figures.ready_cpu.append(sum(map(_cpu_seconds, memory.family(gateway.process.pid))))
        figures.memory.append(memory.used(gateway.process.pid))
        url = f"{gateway.url}/v1/chat/completions"
        began = time.monotonic()
        httpx.post(
            url, json={"model": MODEL, "messages": [{"role": "user", "content": "Hello!"}]}, timeout=60
        ).raise_for_status()
        figures.first.append((time.monotonic() - began) * 1000)
        load_generator.run(url, MODEL, 4, 2)  # warm; it ends with requests that are cut off, which leaves work behind
        time.sleep(1)
        for number in CONNECTIONS:
            before = sum(map(_cpu_seconds, memory.family(gateway.process.pid)))
            load = load_generator.run(url, MODEL, number, seconds)
            spent = sum(map(_cpu_seconds, memory.family(gateway.process.pid))) - before
            if load.failed:
                raise SystemExit(f"{load.failed} requests failed:\n{gateway.tail()}")
            figures.loads[number].append(load)
            figures.cpu[number].append(spent * 1000 / load.count)


def _cache(gateway: Gateway) -> float:
    """Return the memory after so many different questions, which are then answered from the cache."""
    with gateway, httpx.Client(base_url=gateway.url, timeout=60) as client:
        assert gateway.process is not None
        for _ in range(2):
            for number in range(ANSWERS):
                body = {"model": MODEL, "messages": [{"role": "user", "content": f"Question {number}"}]}
                client.post("/v1/chat/completions", json=body).raise_for_status()
        return memory.used(gateway.process.pid)


def _two_workers(gateway: Gateway) -> float:
    gateway.environment["LANGOP_WORKERS"] = "2"
    with gateway:
        url = f"{gateway.url}/v1/chat/completions"
        load_generator.run(url, MODEL, 16, 3)  # warm
        return load_generator.run(url, MODEL, 16, 6).rate


def _reload(gateway: Gateway, folder: Path) -> float:
    """Return the most memory while three changes are taken up under load."""
    with gateway, memory.Most(lambda: memory.used(gateway.process.pid if gateway.process else 0)) as memory_used:
        for change in range(3):
            spec = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            (folder / "new").write_text(json.dumps({**spec, "timeout": f"{change + 60}s"}), encoding="utf-8")
            (folder / "new").replace(folder / "model.json")
            load = load_generator.run(f"{gateway.url}/v1/chat/completions", MODEL, 8, 5)
            if load.failed:
                raise SystemExit(f"{load.failed} requests failed during a change:\n{gateway.tail()}")
        return memory_used.most


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / CLOCK  # its own, and of the children that have ended


def _print(plain: Figures, ours: Figures, direct: dict[int, Load]) -> None:
    print(f"\n{'figure':<46} {'plain litellm':>14} {'this gateway':>14} {'ratio':>7}")

    def row(figure: str, value: Callable[[Figures], list[float]], unit: str, digits: int = 0) -> None:
        before, after = (statistics.median(value(figures)) for figures in (plain, ours))
        texts = (f"{each:.{digits}f} {unit}" for each in (before, after))
        print("{:<46} {:>14} {:>14} {:>7.2f}".format(figure, *texts, after / before))

    row("start to ready", lambda each: each.ready, "s", 1)
    row("start to ready, egress closed", lambda each: each.ready_closed, "s", 1)
    row("CPU until ready", lambda each: each.ready_cpu, "s", 1)
    row("the first answer", lambda each: each.first, "ms")
    for number in CONNECTIONS:
        of = "1 connection" if number == 1 else f"{number} connections"
        row(f"requests a second, {of}", lambda each, n=number: [load.rate for load in each.loads[n]], "/s")  # type: ignore[misc]
        row("  CPU for each", lambda each, n=number: each.cpu[n], "ms", 1)  # type: ignore[misc]
        for name in ("p50", "p99"):
            base = getattr(direct[number], name)
            row(
                f"  added latency {name}",
                lambda each, n=number, m=name, b=base: [(getattr(load, m) - b) * 1000 for load in each.loads[n]],  # type: ignore[misc]
                "ms",
                1,
            )
    row("memory at ready", lambda each: each.memory, "MiB")
    row(f"memory after {ANSWERS} cached answers", lambda each: each.cached, "MiB")


if __name__ == "__main__":
    main()
