"""One gateway for the models of many tests, with one stand-in behind all their endpoints.

A test module names the models that it needs in MODELS, a dictionary of specs by name, with `at("label")` where an endpoint's
address belongs. The fixture `laboratory` (tests/live/conftest.py) starts a gateway once for all modules that are run. Each test
has models and labels of its own: what one counts, no other changes.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml
from openai import OpenAI

from stand_in import Seen, StandIn
from tests.support import plain_http
from tools.processes import Gateway

STAND_IN = "http://stand-in.invalid"
NOBODY = "http://127.0.0.1:9/v1"  # where nothing listens
PATIENCE = 180.0  # seconds until a client of these tests gives up; far more than anything here takes
_numbers = itertools.count()

Spec = dict[str, Any]


def at(label: str, path: str = "/v1") -> str:
    """Return the address of the stand-in's endpoint `label`."""
    return f"{STAND_IN}/{label}{path}"


def a_model(label: str, **fields: Any) -> Spec:
    """Return a spec with one endpoint."""
    return {"provider": "openai-compatible", "endpoint": at(label), **fields}


def balanced(*endpoints: str | Mapping[str, Any], strategy: str = "round-robin", **fields: Any) -> Spec:
    """Return a spec with several endpoints, each a label or the entry of spec.loadBalancing.endpoints; weight 1 if not told."""
    health = fields.pop("healthCheck", None)
    entries = [{"url": at(each), "weight": 1} if isinstance(each, str) else {"weight": 1, **each} for each in endpoints]
    balancing: Spec = {"strategy": strategy, "endpoints": entries, **({"healthCheck": health} if health else {})}
    return {"provider": "openai-compatible", "loadBalancing": balancing, **fields}


def mount(models: Mapping[str, Spec], folder: Path, provider: StandIn) -> Path:
    """Write `models` as the operator does for a gateway, and return their folder. Without a modelName the name is it."""
    mounted = folder / "models"
    mounted.mkdir()
    for name, spec in models.items():
        text = json.dumps({"modelName": name, **spec})
        for label in re.findall(rf"{STAND_IN}/([\w-]+)", text):
            provider.base(label)
        (mounted / f"model__{name}.json").write_text(text.replace(STAND_IN, provider.url), encoding="utf-8")
    return mounted


@dataclass
class Laboratory:
    """A running gateway, the stand-in behind it, and what was begun for the tests that take a minute."""

    gateway: Gateway
    provider: StandIn
    begun: dict[str, Future[Any]] = field(default_factory=dict)
    client: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=PATIENCE, limits=httpx.Limits(max_connections=None))
    )

    @property
    def openai(self) -> OpenAI:
        """The gateway as OpenAI's SDK sees it."""
        client = plain_http.client
        return OpenAI(
            base_url=f"{self.gateway.url}/v1", api_key="not-needed", max_retries=0, timeout=PATIENCE, http_client=client
        )

    def post(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """Post to the gateway."""
        return self.client.post(f"{self.gateway.url}{path}", json=body)

    def ask(self, model: str, text: str = "", **body: Any) -> httpx.Response:
        """Ask a question that nobody asked before, or `text`."""
        return self.post("/v1/chat/completions", {**question(model, text), **body})

    def ask_often(self, model: str, count: int, at_once: int = 1, **body: Any) -> list[httpx.Response]:
        """Ask `count` questions, `at_once` at the same time."""
        if at_once == 1:
            return [self.ask(model, **body) for _ in range(count)]
        with ThreadPoolExecutor(at_once) as pool:
            return [future.result() for future in [pool.submit(self.ask, model, **body) for _ in range(count)]]

    def ask_in_background(self, model: str, text: str = "", **body: Any) -> Future[httpx.Response]:
        """Ask in a thread of its own."""
        return in_background(lambda: self.ask(model, text, **body))

    def seen(self, *labels: str) -> list[Seen]:
        """Return the requests for an answer at these endpoints, in the order of their arrival; health checks are none."""
        return [seen for seen in self.provider.requests if seen.endpoint in labels and seen.method == "POST"]

    def checks(self, label: str) -> list[Seen]:
        """Return the GET requests at an endpoint."""
        return [seen for seen in self.provider.requests if seen.endpoint == label and seen.method == "GET"]

    def shares(self, *labels: str) -> Counter[str]:
        """Return how many requests each endpoint got."""
        return Counter(seen.endpoint for seen in self.seen(*labels))

    def wait_for(self, count: int, *labels: str) -> None:
        """Wait until these endpoints have seen so many requests."""
        self.provider.wait_until(lambda: len(self.seen(*labels)) >= count, PATIENCE)


class Edited(Gateway):
    """The front with the rendered configuration of another gateway, after `edit` has changed its models' sections."""

    def __init__(self, original: Gateway, folder: Path, edit: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(folder, folder, folder)
        config = yaml.safe_load(original.config.read_text(encoding="utf-8"))
        for section in config["callback_settings"]["langop"]["models"].values():
            edit(section)
        self.config.write_text(yaml.safe_dump(config), encoding="utf-8")

    def start(self, output: Any = None) -> None:
        """Start it without rendering."""
        self.output = output or self.log.open("wb")
        command = [sys.executable, "-m", "tests.live.serve", str(self.config), str(self.port)]
        self.process = subprocess.Popen(command, env=self.environment, stdout=self.output, stderr=subprocess.STDOUT)


def question(model: str, text: str = "") -> Spec:
    """Return the body of a chat request."""
    return {"model": model, "messages": [{"role": "user", "content": text or f"Question {next(_numbers)}"}]}


def in_background(function: Callable[[], Any]) -> Future[Any]:
    """Call a function in a thread of its own, which does not keep the process alive."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as problem:  # noqa: BLE001 - the caller of result() gets it
            future.set_exception(problem)

    threading.Thread(target=run, daemon=True).start()
    return future


def statuses(answers: Iterable[httpx.Response]) -> Counter[int]:
    """Return how many answers there were of each status."""
    return Counter(answer.status_code for answer in answers)


def said(answer: httpx.Response) -> str:
    """Return the text of an answer."""
    assert answer.status_code == 200, answer.text
    text: str = answer.json()["choices"][0]["message"]["content"]
    return text


def gaps(requests: Sequence[Seen]) -> list[float]:
    """Return the seconds between one request and the next."""
    return [after.arrived - before.arrived for before, after in itertools.pairwise(requests)]


def most_in_flight(requests: Iterable[Seen]) -> int:
    """Return how many of these requests, all of them answered, were being answered at the same time at most."""
    events = [event for seen in requests for event in ((seen.arrived, 1), (seen.finished or float("inf"), -1))]
    return max(itertools.accumulate(change for _, change in sorted(events)), default=0)
