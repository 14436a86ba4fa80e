"""One contender in one round: start, memory, CPU for a request, requests a second, latencies."""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tools import load_generator, memory
from tools.gateway_bench.contenders import Contender
from tools.gateway_bench.provider import MODEL
from tools.processes import Gateway

CONNECTIONS = (1, 16)
CLOCK = os.sysconf("SC_CLK_TCK")


@dataclass
class Figures:
    """What was measured of one contender; a list has one value for each round."""

    ready: list[float] = field(default_factory=list)  # seconds from the command to the first 200 of its probe
    ready_cpu: list[float] = field(default_factory=list)  # seconds of CPU until then
    memory: list[float] = field(default_factory=list)  # MiB at ready, all processes, shared pages once
    memory_after: list[float] = field(default_factory=list)  # MiB after the load
    rate: dict[int, list[float]] = field(default_factory=lambda: {number: [] for number in CONNECTIONS})
    cpu: dict[int, list[float]] = field(default_factory=lambda: {number: [] for number in CONNECTIONS})  # us a request
    p50: dict[int, list[float]] = field(default_factory=lambda: {number: [] for number in CONNECTIONS})  # seconds
    p99: dict[int, list[float]] = field(default_factory=lambda: {number: [] for number in CONNECTIONS})

    def median(self, name: str, connections: int | None = None) -> float:
        """Return the median of a figure over the rounds."""
        values = getattr(self, name)
        return float(statistics.median(values[connections] if connections is not None else values))


def measure(figures: Figures, contender: Contender, gateway: Gateway, provider: str, seconds: float) -> None:
    """Start a contender, load it, and add what was measured. Raises SystemExit where requests fail."""
    headers = {"x-portkey-provider": "openai", "x-portkey-custom-host": f"{provider}/v1", "Authorization": "Bearer not-needed"}
    headers = headers if "Portkey" in contender.name else {}
    began = time.monotonic()
    with gateway:
        assert gateway.process is not None
        pid = gateway.process.pid
        figures.ready.append(time.monotonic() - began)
        figures.ready_cpu.append(_cpu(pid))
        url = f"{gateway.url}/v1/chat/completions"
        body = {"model": MODEL, "messages": [{"role": "user", "content": "Hello!"}]}
        httpx.post(url, json=body, headers=headers, timeout=60).raise_for_status()  # the translator is there now too
        figures.memory.append(memory.used(pid))
        load_generator.run(url, MODEL, 4, 2, headers, varies=contender.varies)  # warm
        time.sleep(0.5)
        for number in CONNECTIONS:
            before = _cpu(pid)
            load = load_generator.run(url, MODEL, number, seconds, headers, varies=contender.varies)
            spent = _cpu(pid) - before
            if load.failed:
                raise SystemExit(f"{contender.name}: {load.failed} requests failed:\n{gateway.tail()}")
            figures.rate[number].append(load.rate)
            figures.cpu[number].append(spent * 1e6 / load.count)
            figures.p50[number].append(load.p50)
            figures.p99[number].append(load.p99)
        figures.memory_after.append(memory.used(pid))


def _cpu(pid: int) -> float:
    """Return the seconds of CPU that a process and its children have used."""
    return sum(map(_seconds, memory.family(pid)))


def _seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / CLOCK  # its own, and of the children that have ended
