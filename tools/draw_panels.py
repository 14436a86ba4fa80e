"""`make panels`: draws three panels of the dashboard into docs/, as Prometheus answers their queries.

For a reader without Grafana, which draws them in the same way. A gateway serves five models for two minutes: one answers at
once, one is slow, one reaches its limit, one has an endpoint that fails for a while, one answers from its cache.
"""

from __future__ import annotations

import contextlib
import json
import random
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml
from matplotlib.figure import Figure

from stand_in import StandIn
from tests.live.prometheus import Prometheus
from tests.support import programs
from tools import dashboard
from tools.processes import Gateway

PANELS = {
    "Where a request's time goes": "s",
    "Share of a limit that is used": "",
    "Failed attempts by endpoint and cause": "1/s",
}
FOLDER = Path("docs")
SECONDS = 120.0
STEP = 2.0  # seconds between two points
TARGET = {"namespace": "models", "service": "gateway", "pod": "gateway-1"}


def _models(provider: StandIn) -> Iterator[tuple[str, dict[str, Any]]]:
    def at(name: str, **spec: Any) -> tuple[str, dict[str, Any]]:
        address = f"{provider.base(name)}/v1"
        observed = {"metrics": True}
        return name, {
            "provider": "openai-compatible",
            "modelName": name,
            "endpoint": address,
            "observability": observed,
            **spec,
        }

    yield at("assistant", costTracking={"enabled": True, "inputTokenCost": 0.5, "outputTokenCost": 1.5})
    yield at("reasoning")
    yield at("limited", rateLimits={"requestsPerMinute": 60}, timeout="10s")
    urls = [{"url": f"{provider.base(name)}/v1"} for name in ("eu", "us")]
    yield at("regional", loadBalancing={"strategy": "round-robin", "endpoints": urls})
    yield at("cached", caching={"enabled": True, "backend": "memory", "ttl": "5m"})


def _load(gateway: Gateway, provider: StandIn, names: list[str]) -> None:
    """Ask all models for SECONDS; an endpoint fails for the middle third."""
    end, stopped = time.monotonic() + SECONDS, threading.Event()

    def ask(name: str, seed: int) -> None:
        chance = random.Random(seed)
        with httpx.Client(timeout=60) as client:
            while not stopped.wait(chance.uniform(0.1, 0.5)):
                text = "The same" if name == "cached" else f"Question {chance.random()}"
                body = {"model": name, "messages": [{"role": "user", "content": text}]}
                with contextlib.suppress(httpx.HTTPError):
                    client.post(f"{gateway.url}/v1/chat/completions", json=body)

    threads = [threading.Thread(target=ask, args=(name, seed)) for seed, name in enumerate(names * 2)]
    for thread in threads:
        thread.start()
    time.sleep(SECONDS / 3)
    provider.behave("eu", status=503)
    time.sleep(SECONDS / 3)
    provider.behave("eu")
    time.sleep(max(0.0, end - time.monotonic()))
    stopped.set()
    for thread in threads:
        thread.join()


def _expressions(title: str) -> dict[str, str]:
    """Return a panel's queries by their legends, for all gateways and models."""
    rows = yaml.safe_load(dashboard.SOURCE.read_text(encoding="utf-8"))
    (panel,) = [panel for row in rows for panel in row["panels"] if panel["title"] == title]
    found = dashboard.queries(panel)
    for variable in ("$namespace", "$service", "$model"):
        found = {legend: expression.replace(variable, ".*") for legend, expression in found.items()}
    return {legend: expression.replace("[$__rate_interval]", "[10s]") for legend, expression in found.items()}


def _series(
    prometheus: Prometheus, legend: str, expression: str, began: float
) -> Iterator[tuple[str, list[float], list[float]]]:
    """Yield each series of an expression: its legend, and its points."""
    query = {"query": expression, "start": f"{began}", "end": f"{time.time()}", "step": f"{STEP}"}
    url = f"{prometheus.url}/api/v1/query_range?{httpx.QueryParams(query)}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        for series in json.load(answer)["data"]["result"]:
            text = legend
            for name, value in series["metric"].items():
                text = text.replace("{{" + name + "}}", value)
            points = [(float(at) - began, float(value)) for at, value in series["values"]]
            if any(value > 0 for _, value in points):
                yield text, [at for at, _ in points], [value for _, value in points]


def _draw(title: str, unit: str, lines: list[tuple[str, list[float], list[float]]]) -> None:
    figure = Figure(figsize=(7.2, 2.8), layout="constrained")
    axes = figure.subplots()
    for legend, times, values in lines:
        axes.plot(times, values, label=legend, linewidth=1.2)
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel("seconds", fontsize=8)
    axes.set_ylabel(unit, fontsize=8)
    axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    name = "-".join(title.lower().replace("'", "").split())
    figure.savefig(FOLDER / f"panel-{name}.svg", metadata={"Date": None})


def main() -> None:
    """Draw them."""
    program = programs.find("prometheus", "prometheus")
    with tempfile.TemporaryDirectory() as name, StandIn() as provider, contextlib.ExitStack() as stack:
        folder = Path(name)
        mounted = folder / "models"
        mounted.mkdir()
        models = dict(_models(provider))
        for model, spec in models.items():
            (mounted / f"model__{model}.json").write_text(json.dumps(spec), encoding="utf-8")
        provider.behave("assistant", delay=0.3)
        provider.behave("reasoning", delay=2.0)
        gateway = stack.enter_context(Gateway(mounted, folder, folder))
        prometheus = Prometheus(program, folder, {"gateway": gateway}, {"gateway": TARGET})
        stack.callback(prometheus.stop)
        began = time.time()
        _load(gateway, provider, list(models))
        for title, unit in PANELS.items():
            found = [
                line for legend, query in _expressions(title).items() for line in _series(prometheus, legend, query, began)
            ]
            if not found:
                raise SystemExit(f"{title}: no figures")
            _draw(title, unit, found)


if __name__ == "__main__":
    main()
