"""What is measured of the contenders in one round. Each figure is a name; CPU and memory are those of all their processes.

Each is alone while its start and its memory are measured. Then all run, and are loaded in turn, a few seconds each: where the
speed of the machine drifts, it does so for all of them.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx

from tools import load_generator, memory
from tools.gateway_bench.contenders import Contender, Part
from tools.gateway_bench.provider import MODEL, Provider
from tools.gateway_bench.stream_provider import CHUNKS
from tools.processes import Gateway

CONNECTIONS = (1, 16)
TURNS = 8  # of each load in a round
STREAMS = 4  # connections
WIDE = 256  # connections
LARGE_BODY = 5_000_000  # bytes
CACHED = 1000  # different answers
CLOCK = os.sysconf("SC_CLK_TCK")


class FailedError(Exception):
    """A contender does not answer every request."""


class Figures:
    """What was measured of one contender: by the name of a figure its values, one for each round."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}

    def add(self, name: str, value: float) -> None:
        """Add the value of a round."""
        self.values.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> float:
        """Return the median over the rounds. Raises KeyError for what was not measured."""
        return float(statistics.median(self.values[name]))


class Run:
    """One round of one contender, which is running."""

    def __init__(self, figures: Figures, contender: Contender, gateway: Gateway, at: Provider, seconds: float) -> None:
        assert gateway.process is not None
        self.figures = figures
        self.contender = contender
        self.gateway = gateway
        self.headers = dict(contender.headers(at))
        self.seconds = seconds
        self.pid = gateway.process.pid
        self.url = f"{gateway.url}/v1/chat/completions"

    def ask(self, text: str = "Hello!") -> None:
        """Ask once. Raises httpx.HTTPError where that fails."""
        body = {"model": MODEL, "messages": [{"role": "user", "content": text}], **self.contender.members}
        httpx.post(self.url, json=body, headers=self.headers, timeout=120).raise_for_status()

    def load(self, connections: int, seconds: float) -> tuple[load_generator.Load, float]:
        """Load it; return what came of it, and the microseconds of CPU for a request. Raises FailedError where one fails."""
        before = cpu(self.pid)
        load = load_generator.run(
            self.url, MODEL, connections, seconds, self.headers, varies=self.contender.varies, members=self.contender.members
        )
        spent = cpu(self.pid) - before
        if load.failed or not load.count:
            raise FailedError(f"{self.contender.name}: {load.failed} of {load.count} requests failed:\n{self.gateway.tail()}")
        return load, spent * 1e6 / load.count

    def warm(self) -> None:
        """Let it answer until it is as fast as it will be, and measure its memory then."""
        self.load(4, 2)
        self.load(CONNECTIONS[-1], 2)
        self.figures.add("memory after", memory.used(self.pid))

    def main_load(self, connections: int) -> None:
        """Measure requests at so many connections."""
        load, each = self.load(connections, self.seconds)
        for name, value in {"rate": load.rate, "cpu": each, "p50": load.p50, "p99": load.p99}.items():
            self.figures.add(f"{name} {connections}", value)

    def wide_load(self) -> None:
        """Measure requests at many connections."""
        self.figures.add(f"cpu {WIDE}", self.load(WIDE, self.seconds)[1])

    def streams(self) -> None:
        """Measure the CPU for a chunk of a stream."""
        self.figures.add("chunk", self.load(STREAMS, self.seconds)[1] / CHUNKS)

    def large_bodies(self) -> None:
        """Measure how the memory grows from the sixtieth large body to the hundred and twentieth: the first ones make room."""
        text = "x" * LARGE_BODY
        for _ in range(60):
            self.ask(text)
        before = memory.used(self.pid)
        for _ in range(60):
            self.ask(text)
        self.figures.add("growth with large bodies", memory.used(self.pid) / before)

    def cached_answers(self) -> None:
        """Measure the memory with many different answers in the cache."""
        host, _, port = self.gateway.url.removeprefix("http://").partition(":")
        connection = http.client.HTTPConnection(host, int(port))
        for number in range(CACHED):
            body = {"model": MODEL, "messages": [{"role": "user", "content": f"question {number}"}]}
            connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            assert (answer.status, answer.headers["x-langop-cache"]) == (200, "miss")
        connection.close()
        self.figures.add("memory with cached answers", memory.used(self.pid))


ALONE: Mapping[Part, Callable[[Run], None]] = {
    Part.LOAD: Run.warm,
    Part.BODIES: Run.large_bodies,
    Part.CACHED: Run.cached_answers,
}
IN_TURN: Sequence[tuple[Part, Callable[[Run], None]]] = (
    *((Part.LOAD, functools.partial(Run.main_load, connections=number)) for number in CONNECTIONS),
    (Part.WIDE, Run.wide_load),
    (Part.STREAMS, Run.streams),
)


def measure(
    found: Mapping[str, Figures], chosen: Sequence[Contender], at: Provider, scratch: Path, seconds: float
) -> list[str]:
    """Measure a round. Return why a contender was not measured."""
    problems, measured = [], []
    for each in chosen:
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            try:
                _measure_alone(found[each.name], each, at, Path(folder), seconds)
            except (FailedError, RuntimeError) as problem:
                problems.append(f"{each.name} is not measured: {problem}")
            else:
                measured.append(each)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        _measure_in_turn(found, measured, at, Path(folder), seconds)
    return problems


def _measure_alone(figures: Figures, contender: Contender, at: Provider, folder: Path, seconds: float) -> None:
    """Measure the start of a contender, and what its memory is. Raises FailedError and RuntimeError."""
    gateway = contender.make(folder, at)
    began = time.monotonic()
    with gateway:
        run = Run(figures, contender, gateway, at, seconds)
        figures.add("ready", time.monotonic() - began)  # from the command to the first 200 of its probe
        figures.add("ready cpu", cpu(run.pid))
        run.ask()  # the translator is there now too
        figures.add("answered", time.monotonic() - began)
        figures.add("memory", memory.used(run.pid))
        for part, measured in ALONE.items():
            if part in contender.parts:
                measured(run)


def _measure_in_turn(
    found: Mapping[str, Figures], chosen: Sequence[Contender], at: Provider, folder: Path, seconds: float
) -> None:
    """Measure the loads of all contenders, each TURNS times. Raises FailedError and RuntimeError."""
    with contextlib.ExitStack() as running:
        runs = []
        for number, contender in enumerate(chosen):
            if any(part in contender.parts for part, _ in IN_TURN):
                (own := folder / str(number)).mkdir()
                gateway = running.enter_context(contender.make(own, at))
                run = Run(found[contender.name], contender, gateway, at, seconds)
                run.ask()  # the translator is there then
                run.load(4, 2)  # warm
                runs.append(run)
        for _ in range(TURNS):
            for part, measured in IN_TURN:
                for run in runs:
                    if part in run.contender.parts:
                        measured(run)


def cpu(pid: int) -> float:
    """Return the seconds of CPU that a process and its children have used."""
    return sum(map(_seconds, memory.family(pid)))


def _seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / CLOCK  # its own, and of the children that have ended
