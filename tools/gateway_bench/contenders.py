"""What is measured: each is a process that answers chat completions on a port, with the same provider behind it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.gateway_bench.provider import MODEL
from tools.processes import Gateway

PLAIN = Path(".venv-plain")
PORTKEY = Path(".bench/node_modules/@portkey-ai/gateway/build/start-server.js")

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


@dataclass(frozen=True)
class Contender:
    """A name for the table, and what starts it: a folder and the provider's address in, a process out."""

    name: str
    make: Callable[[Path, str], Gateway]
    headers: tuple[tuple[str, str], ...] = ()
    varies: bool = False  # each request has a text of its own, so that a cache misses


def all_of_them() -> list[Contender]:
    """Return what can be measured here; what is not installed is named on standard output."""
    found = [
        Contender("plain litellm", lambda folder, url: _plain(folder, f"openai/{MODEL}", f"{url}/v1")),
        Contender("relay", lambda folder, url: _ours(folder, "openai-compatible", f"{url}/v1")),
        Contender(
            "relay, every policy", lambda folder, url: _ours(folder, "openai-compatible", f"{url}/v1", two=True), varies=True
        ),
        Contender("bare relay", _bare),
        Contender("plain litellm, translating", lambda folder, url: _plain(folder, f"anthropic/{MODEL}", url)),
        Contender("translation", lambda folder, url: _ours(folder, "anthropic", url)),
    ]
    if shutil.which("nginx") or Path("/usr/sbin/nginx").exists():
        found.append(Contender("nginx proxy_pass", _nginx))
    if PORTKEY.exists() and shutil.which("node"):
        found.append(Contender("Portkey's gateway", _portkey))
    else:
        print(
            f"Portkey's gateway is not measured: {PORTKEY} is missing (npm install --prefix .bench @portkey-ai/gateway@1.15.2)"
        )
    return found


def _ours(folder: Path, provider: str, endpoint: str, *, two: bool = False) -> Gateway:
    spec: dict[str, Any] = {"provider": provider, "modelName": MODEL}
    if two:
        endpoints = [{"url": endpoint.replace("127.0.0.1", host), "weight": 1} for host in ("127.0.0.1", "127.0.0.2")]
        spec |= {**POLICIES, "loadBalancing": {"strategy": "round-robin", "endpoints": endpoints}}
    else:
        spec["endpoint"] = endpoint
    model = folder / "model.json"
    model.write_text(json.dumps(spec), encoding="utf-8")
    return Gateway(model, folder, folder, environment={"LANGOP_LOCAL": "true"})


def _plain(folder: Path, model: str, address: str) -> Gateway:
    config = {
        "model_list": [{"model_name": MODEL, "litellm_params": {"model": model, "api_base": address, "api_key": "not-needed"}}],
        "general_settings": {"dangerously_permit_weak_or_unset_master_key": True},
    }
    file = folder / "plain.yaml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    arguments = [str(PLAIN / "bin" / "litellm"), "--config", str(file), "--host", "127.0.0.1"]
    return Command(folder, lambda port: [*arguments, "--port", str(port)])


def _bare(folder: Path, url: str) -> Gateway:
    return Command(folder, lambda port: [sys.executable, "-m", "tools.gateway_bench.bare_relay", str(port), url], path="/")


def _nginx(folder: Path, url: str) -> Gateway:
    def command(port: int) -> list[str]:
        paths = "".join(
            f"{kind}_temp_path {folder}/proxy-{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "proxy.conf").write_text(
            f"daemon off; worker_processes 1; pid {folder}/proxy.pid; error_log {folder}/proxy.log;\n"
            f"events {{ worker_connections 1024; }} http {{ access_log off; keepalive_requests 100000000; {paths}\n"
            f"upstream provider {{ server {url.removeprefix('http://')}; keepalive 64; keepalive_requests 100000000; }}\n"
            f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://provider; proxy_http_version 1.1;\n"
            'proxy_set_header Connection ""; } } }\n',
            encoding="utf-8",
        )
        return [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(folder / "proxy.conf"), "-p", str(folder)]

    return Command(folder, command, path="/")


def _portkey(folder: Path, _: str) -> Gateway:
    return Command(folder, lambda port: ["node", str(PORTKEY), f"--port={port}", "--headless"], path="/")
