"""What is measured: each is a process that answers chat completions on a port, with the same provider behind it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any

import yaml

from tools.gateway_bench import provider
from tools.gateway_bench.provider import MODEL, Provider
from tools.processes import Gateway

PLAIN_FOLDER = Path(".venv-plain")
PORTKEY_FILE = Path(".bench/node_modules/@portkey-ai/gateway/build/start-server.js")
PORTKEY_COMMAND = "npm install --prefix .bench @portkey-ai/gateway@1.15.2"

# Every policy of a LanguageModel that costs something for each request; none of them ever stops one here.
POLICIES: dict[str, Any] = {
    "rateLimits": {"requestsPerMinute": 100_000_000, "tokensPerMinute": 2_000_000_000, "concurrentRequests": 10_000},
    "retryPolicy": {"maxAttempts": 3},
    "caching": {"enabled": True, "backend": "memory", "ttl": "1m", "maxSize": 50},
    "costTracking": {"enabled": True, "currency": "USD", "inputTokenCost": 0.001, "outputTokenCost": 0.002},
    "observability": {"metrics": True, "logging": {"level": "info", "logRequests": False, "logResponses": False}},
}


class Command(Gateway):
    """Any program that listens on `port`; `path` answers 200 when it is ready."""

    def __init__(self, folder: Path, command: Callable[[int], list[str]], path: str = "/health/readiness") -> None:
        super().__init__(folder, folder, folder)
        self.command = command
        self.path = path

    @property
    def readiness(self) -> str:
        """The path of the probe."""
        return self.path

    def start(self, output: Any = None) -> None:
        """Start the program."""
        self.output = output or self.log.open("wb")
        self.process = subprocess.Popen(
            self.command(self.port), env=self.environment, stdout=self.output, stderr=subprocess.STDOUT
        )


class Part(Enum):
    """What is measured of a contender beside its start and its memory (measuring.PARTS)."""

    LOAD = auto()
    WIDE = auto()
    STREAMS = auto()
    BODIES = auto()
    CACHED = auto()


@dataclass(frozen=True)
class Contender:
    """A name for the table, and what starts it: a folder and the provider in, a process out. `members` are of each request."""

    name: str
    make: Callable[[Path, Provider], Gateway]
    parts: tuple[Part, ...] = (Part.LOAD,)
    headers: Callable[[Provider], Mapping[str, str]] = lambda _: {}
    varies: bool = False  # each request has a text of its own, so that a cache misses
    members: Mapping[str, Any] = field(default_factory=dict)


# The names that the wanted figures are about.
PLAIN, RELAY, EVERY, FLOOR = "plain litellm", "relay", "relay, every policy", "floor"
PLAIN_TRANSLATING, TRANSLATION = "plain litellm, translating", "translation"
PLAIN_STREAMING, RELAY_STREAMING, EVERY_STREAMING, FLOOR_STREAMING = (
    f"{name}, streaming" for name in (PLAIN, RELAY, EVERY, FLOOR)
)
LIBRARIES = "uvicorn and aiohttp"
MANY, CACHING, NGINX_PROXY, PORTKEY = "relay, 500 models", "relay, caching", "nginx proxy_pass", "Portkey's gateway"


def all_of_them() -> list[Contender]:
    """Return what can be measured here; what is not installed is named on standard output."""
    found = [
        Contender(PLAIN, lambda folder, at: _plain(folder, f"openai/{MODEL}", f"{at.url}/v1")),
        Contender(RELAY, lambda folder, at: _ours(folder, _spec(f"{at.url}/v1")), (Part.LOAD, Part.WIDE, Part.BODIES)),
        Contender(EVERY, lambda folder, at: _ours(folder, _policies(f"{at.url}/v1")), varies=True),
        Contender(FLOOR, lambda folder, at: _floor(folder, at.url)),
        Contender(LIBRARIES, lambda folder, at: _floor(folder, at.url, "libraries")),
        Contender(PLAIN_TRANSLATING, lambda folder, at: _plain(folder, f"anthropic/{MODEL}", at.url)),
        Contender(TRANSLATION, lambda folder, at: _ours(folder, _spec(at.url, "anthropic"))),
        Contender(MANY, lambda folder, at: _many(folder, f"{at.url}/v1", 500)),
        Contender(CACHING, lambda folder, at: _ours(folder, _policies(f"{at.url}/long/v1")), (Part.CACHED,)),
    ]
    streams: dict[str, Callable[[Path, Provider], Gateway]] = {
        PLAIN_STREAMING: lambda folder, at: _plain(folder, f"openai/{MODEL}", f"{at.streams}/v1"),
        RELAY_STREAMING: lambda folder, at: _ours(folder, _spec(f"{at.streams}/v1")),
        EVERY_STREAMING: lambda folder, at: _ours(folder, {**_spec(f"{at.streams}/v1"), **POLICIES}),
        FLOOR_STREAMING: lambda folder, at: _floor(folder, at.streams),
    }
    for name, make in streams.items():
        found.append(Contender(name, make, (Part.STREAMS,), varies=name == EVERY_STREAMING, members={"stream": True}))
    if provider.NGINX:
        found.append(Contender(NGINX_PROXY, _nginx))
    if PORTKEY_FILE.exists() and shutil.which("node"):
        found.append(Contender(PORTKEY, _portkey, headers=_portkey_headers))
    else:
        print(f"{PORTKEY} is not measured: {PORTKEY_FILE} or node is missing. To install it:\n  {PORTKEY_COMMAND}\n")
    return found


def _spec(endpoint: str, kind: str = "openai-compatible") -> dict[str, Any]:
    return {"provider": kind, "modelName": MODEL, "endpoint": endpoint}


def _policies(endpoint: str) -> dict[str, Any]:
    """Return a specification with two endpoints and all policies."""
    endpoints = [{"url": endpoint.replace("127.0.0.1", host), "weight": 1} for host in ("127.0.0.1", "127.0.0.2")]
    balancing = {"strategy": "round-robin", "endpoints": endpoints}
    return {"provider": "openai-compatible", "modelName": MODEL, **POLICIES, "loadBalancing": balancing}


def _ours(folder: Path, spec: Mapping[str, Any]) -> Gateway:
    model = folder / "model.json"
    model.write_text(json.dumps(spec), encoding="utf-8")
    return Gateway(model, folder, folder, environment={"LANGOP_LOCAL": "true"})


def _many(folder: Path, endpoint: str, number: int) -> Gateway:
    """A gateway of so many models, one of which is asked."""
    models = folder / "models"
    models.mkdir(exist_ok=True)
    for each in range(number):
        spec = {**_spec(endpoint), "modelName": f"model-{each}" if each else MODEL}
        (models / f"model__model-{each}.json").write_text(json.dumps(spec), encoding="utf-8")
    return Gateway(models, folder, folder, environment={"LANGOP_LOCAL": "true"})


def _plain(folder: Path, model: str, address: str) -> Gateway:
    config = {
        "model_list": [{"model_name": MODEL, "litellm_params": {"model": model, "api_base": address, "api_key": "not-needed"}}],
        "general_settings": {"dangerously_permit_weak_or_unset_master_key": True},
    }
    file = folder / "plain.yaml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    arguments = [str(PLAIN_FOLDER / "bin" / "litellm"), "--config", str(file), "--host", "127.0.0.1"]
    return Command(folder, lambda port: [*arguments, "--port", str(port)])


def _floor(folder: Path, url: str, kind: str = "gateway") -> Gateway:
    command = [sys.executable, "-m", "tools.gateway_bench.bare_relay"]
    return Command(folder, lambda port: [*command, str(port), url, kind], path="/")


def _nginx(folder: Path, at: Provider) -> Gateway:
    def command(port: int) -> list[str]:
        paths = provider.temporary_paths(f"{folder}/proxy")
        (folder / "proxy.conf").write_text(
            f"daemon off; worker_processes 1; pid {folder}/proxy.pid; error_log {folder}/proxy.log;\n"
            f"events {{ worker_connections 1024; }} http {{ access_log off; keepalive_requests 100000000; {paths}\n"
            f"upstream provider {{ server {at.url.removeprefix('http://')}; keepalive 64; keepalive_requests 100000000; }}\n"
            f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://provider; proxy_http_version 1.1;\n"
            'proxy_set_header Connection ""; } } }\n',
            encoding="utf-8",
        )
        return [provider.NGINX, "-c", str(folder / "proxy.conf"), "-p", str(folder)]

    return Command(folder, command, path="/")


def _portkey(folder: Path, _: Provider) -> Gateway:
    return Command(folder, lambda port: ["node", str(PORTKEY_FILE), f"--port={port}", "--headless"], path="/")


def _portkey_headers(at: Provider) -> dict[str, str]:
    """Portkey's gateway is told with each request whom to ask."""
    return {"x-portkey-provider": "openai", "x-portkey-custom-host": f"{at.url}/v1", "Authorization": "Bearer not-needed"}
