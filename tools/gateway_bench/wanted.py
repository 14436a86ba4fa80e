"""What is wanted of the gateway, what was measured, and whether that is enough: ratios within one run where possible."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tools.gateway_bench import contenders as of
from tools.gateway_bench.measuring import WIDE, Figures

Found = Mapping[str, Figures]


@dataclass(frozen=True)
class Wanted:
    """A figure: `most` or `least` is its limit. `value` raises KeyError where a contender was not measured."""

    figure: str
    value: Callable[[Found], float]
    most: float | None = None
    least: float | None = None
    unit: str = ""

    @property
    def limit(self) -> str:
        """The limit in words."""
        return (
            f"at most {_shown(self.most)}{self.unit}" if self.most is not None else f"at least {_shown(self.least)}{self.unit}"
        )

    def row(self, found: Found) -> tuple[str, str, str, str]:
        """Return the figure, what is wanted, what was measured, and whether it is met."""
        try:
            value = self.value(found)
        except KeyError:
            return self.figure, self.limit, "not measured", ""
        is_met = value <= self.most if self.most is not None else value >= (self.least or 0)
        return self.figure, self.limit, f"{_shown(value)}{self.unit}", "met" if is_met else "NOT MET"


def _shown(value: float | None) -> str:
    value = value or 0.0
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _ratio(name: str, other: str, figure: str, others_figure: str = "") -> Callable[[Found], float]:
    """Return the median of the ratios of the turns: a slow moment of the machine lasts longer than a turn, and hits both."""

    def value(found: Found) -> float:
        own, others = found[name].values[figure], found[other].values[others_figure or figure]
        return statistics.median(one / of_other for one, of_other in zip(own, others, strict=True))

    return value


def _translated(figure: str) -> Callable[[Found], float]:
    return _ratio(of.TRANSLATION, of.PLAIN_TRANSLATING, figure)


def _one(name: str, figure: str, factor: float = 1.0) -> Callable[[Found], float]:
    return lambda found: found[name][figure] * factor


def _added(figure: str, connections: int) -> Callable[[Found], float]:
    """Return the latency that the relay adds to the provider's, as a part of what plain LiteLLM adds."""
    name = f"{figure} {connections}"
    return lambda found: (found[of.RELAY][name] - found["provider"][name]) / (found[of.PLAIN][name] - found["provider"][name])


def _added_here(name: str, figure: str) -> Callable[[Found], float]:
    return lambda found: (found[name][figure] - found["provider"][figure]) * 1000


WANTED = (
    Wanted("relay, CPU for a request, 1 connection, to plain", _ratio(of.RELAY, of.PLAIN, "cpu 1"), most=1 / 30),
    Wanted("relay, CPU for a request, 16 connections, to plain", _ratio(of.RELAY, of.PLAIN, "cpu 16"), most=1 / 30),
    Wanted("relay, CPU for a request, 1 connection, to its libraries", _ratio(of.RELAY, of.LIBRARIES, "cpu 1"), most=2),
    Wanted("relay, CPU for a request, 16 connections, to its libraries", _ratio(of.RELAY, of.LIBRARIES, "cpu 16"), most=2),
    Wanted("relay, CPU for a request, 1 connection, to the floor", _ratio(of.RELAY, of.FLOOR, "cpu 1"), most=2),
    Wanted("relay, CPU for a request, 16 connections, to the floor", _ratio(of.RELAY, of.FLOOR, "cpu 16"), most=2),
    Wanted("every policy, CPU for a request, 1 connection, to plain", _ratio(of.EVERY, of.PLAIN, "cpu 1"), most=1 / 20),
    Wanted("every policy, CPU for a request, 16 connections, to plain", _ratio(of.EVERY, of.PLAIN, "cpu 16"), most=1 / 20),
    Wanted("relay, requests a second, 16 connections, to plain", _ratio(of.RELAY, of.PLAIN, "rate 16"), least=20),
    Wanted("every policy, requests a second, to Portkey's gateway", _ratio(of.EVERY, of.PORTKEY, "rate 16"), least=3),
    Wanted("relay, added latency, 1 connection, p50, to plain", _added("p50", 1), most=0.1),
    Wanted("relay, added latency, 1 connection, p99, to plain", _added("p99", 1), most=0.1),
    Wanted("relay, CPU for a chunk of a stream, to plain", _ratio(of.RELAY_STREAMING, of.PLAIN_STREAMING, "chunk"), most=0.1),
    Wanted("relay, start to ready, to plain", _ratio(of.RELAY, of.PLAIN, "ready"), most=1 / 8),
    Wanted("relay, memory at ready", _one(of.RELAY, "memory"), most=60, unit=" MiB"),
    Wanted("memory, 1,000 cached answers of 3 KiB", _one(of.CACHING, "memory with cached answers"), most=100, unit=" MiB"),
    Wanted("translation, CPU for a request, 1 connection, to plain", _translated("cpu 1"), most=0.45),
    Wanted("translation, CPU for a request, 16 connections, to plain", _translated("cpu 16"), most=0.45),
    Wanted("translation, memory, to plain", _translated("memory"), most=0.9),
    Wanted("translation, start to ready, to plain", _translated("ready"), most=0.5),
    Wanted("translation, start to the first answer, to plain", _translated("answered"), most=0.5),
    Wanted("CPU for a request with 500 models, to one", _ratio(of.MANY, of.RELAY, "cpu 16"), most=1.1),
    Wanted(f"CPU for a request at {WIDE} connections, to 16", _ratio(of.RELAY, of.RELAY, f"cpu {WIDE}", "cpu 16"), most=1.3),
    Wanted("memory after 120 bodies of 5 MB, to that after 60", _one(of.RELAY, "growth with large bodies"), most=1.1),
)  # fmt: skip

# What the description says of the product.
DESCRIBED = (
    Wanted("start to ready, described as 2 to 3 s", _one(of.RELAY, "ready"), most=3, unit=" s"),
    Wanted("requests a second of one worker, described as 1000+", _one(of.RELAY, "rate 16"), least=1000),
    Wanted("the same with every policy on", _one(of.EVERY, "rate 16"), least=1000),
    Wanted("added latency, 1 connection, p50, described as 5 to 10 ms", _added_here(of.RELAY, "p50 1"), most=10, unit=" ms"),
    Wanted("added latency, 1 connection, p99", _added_here(of.RELAY, "p99 1"), most=10, unit=" ms"),
    Wanted("memory, described as 150 MB", _one(of.EVERY, "memory after"), most=150, unit=" MiB"),
    Wanted("memory where LiteLLM translates", _one(of.TRANSLATION, "memory"), most=150, unit=" MiB"),
)
