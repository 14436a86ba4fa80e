"""Becoming LiteLLM: this process imports its proxy once, and forks the workers that serve it.

This module is the one place that touches LiteLLM's application and its log set-up; tests/live shows that both are still there.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from langop_model import ports
from langop_model.gateway.scope import App
from langop_model.gateway.serving import late, waiting_room
from langop_model.gateway.serving.channel import Channel
from langop_model.gateway.serving.process import Process
from langop_model.gateway.serving.supervisor import Changes, KeepsDying, LaunchFailed, Supervisor

__all__ = ["FOLLOWED", "KeepsDying", "LaunchFailed", "NoAddress", "import_litellm", "listen", "serve"]

BACKLOG = 2048  # connections that wait to be accepted; uvicorn's own number

# With several workers each scrape would see one of them: in this folder prometheus_client adds up what all of them count.
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

# Variables of a configuration that take effect in a worker although LiteLLM was imported before: its level is set there
# (_logging), OpenTelemetry's are read when its callback is built. A change of any other takes effect at the next start.
FOLLOWED = frozenset({"LITELLM_LOG", "OTEL_SERVICE_NAME", "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"})

# A request leaves 50 to 90 objects for the collector. At Python's 700 it takes now and then 50 ms for all that is old. At 5,000
# and 16 connections it takes 3 % of the CPU, for requests that are still being served; here 1.6 %, in pauses of 10 ms and
# seldom 35; at 20,000 it takes 1.3 %, in pauses of 25 ms (measured, 1,000 requests and more each).
COLLECT = (10_000, 20, 20)

# Packages of others that LiteLLM imports, and that read no variable then which a configuration sets or withholds (tests/litellm
# holds that). They take twice as long as one model's rendering.
EARLY = (
    "uvicorn",
    "pydantic.main",
    "pydantic_settings",
    "httpx",
    "starlette.applications",
    "fastapi",
    "aiohttp",
    "redis.asyncio",
    "jwt",
    "requests",
    "tokenizers",
)

# What LiteLLM would import in each worker, when it loads its configuration and with the first request. Imported before the
# fork it is there once: 20 MB less for each worker, and no first request that takes a second.
IMPORTED_ONCE = (
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.auto",
    "openai.resources",
    "openai.lib.streaming.chat",
    "opentelemetry.sdk.trace.export",
    "litellm.integrations.prometheus",
    "litellm.proxy._experimental.mcp_server.auth.user_api_key_auth_mcp",
    "litellm.proxy.hooks.mcp_semantic_filter",
    "litellm.responses.mcp.litellm_proxy_mcp_handler",
    "litellm.proxy.pass_through_endpoints.llm_passthrough_endpoints",
    "langop_model.gateway.access.gate",
    "langop_model.gateway.routing.router",
    "langop_model.gateway.internals.cache",
    "langop_model.gateway.request_log",
)


class NoAddress(Exception):
    """Nobody can listen there."""


class Start(Protocol):
    """Where the first configuration comes from."""

    def waiting(self) -> bool:
        """Whether it is still being made, and what no configuration changes may be imported meanwhile."""

    def variables(self) -> Mapping[str, str]:
        """Write it, and return what LiteLLM shall find in its process environment."""


def serve(
    config: Path,
    start: Start,
    host: str,
    port: int,
    workers: int = 1,
    changes: Changes | None = None,
) -> int:
    """Serve LiteLLM's proxy with `config` on `host`:`port` until told to stop, and return the exit code.

    `start` writes `config`, when the door is open already; `changes` says when it has been written anew, and with which
    variables. Raises NoAddress when the port can't be had, what `start` raises, ModuleNotFoundError when LiteLLM is not
    installed, and LaunchFailed and KeepsDying as Supervisor.run does.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)  # process 1 has no default that would end it
    listener = listen(host, port)
    if workers > 1 and METRICS_FOLDER not in os.environ:
        os.environ[METRICS_FOLDER] = tempfile.mkdtemp(prefix="langop-metrics-")
    room = Process(lambda channel: waiting_room.serve(listener, channel), [])
    try:
        import_meanwhile(start)
        environment = start.variables()
        app = import_litellm(environment)
        imported = dict(environment)

        def work(current: Mapping[str, str], channel: Channel) -> None:
            _work(app, config, imported, current, listener, channel)

        return Supervisor(listener, work, workers, changes, room.end).run(environment)
    finally:
        room.end()


def _leave(number: int, _: Any) -> None:
    sys.exit(128 + number)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises NoAddress where that can't be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as problem:
        raise NoAddress(ports.why_not(problem, port)) from None


def import_meanwhile(start: Start) -> None:
    """Import packages that LiteLLM needs, one after the other, as long as the start has to wait."""
    gc.disable()  # until LiteLLM is imported
    with late.promised():
        for package in EARLY:
            if not start.waiting():
                return
            with contextlib.suppress(ImportError):  # LiteLLM's own import says it
                importlib.import_module(package)


def import_litellm(environment: Mapping[str, str]) -> App:
    """Import LiteLLM's proxy, and return it. Nothing that it imports here starts a thread (tests/litellm holds that)."""
    os.environ.update(environment)
    # What 4,000 modules allocate lives as long as the process: collecting garbage meanwhile costs a quarter of the start.
    gc.disable()
    from langop_model.gateway.access import routes

    with late.promised():
        from langop_model.gateway.serving import lean  # and FastAPI

        with lean.only(routes.PATHS_OF_LITELLM):
            from litellm.proxy.proxy_server import app

        for module in IMPORTED_ONCE:
            importlib.import_module(module)
    gc.freeze()
    gc.enable()
    imported: App = app
    return imported


def _work(
    app: App,
    config: Path,
    imported: Mapping[str, str],
    environment: Mapping[str, str],
    listener: socket.socket,
    channel: Channel,
) -> None:
    """Be a worker: serve `config` with `environment`, in a process whose LiteLLM was imported with `imported`."""
    from langop_model.gateway.serving import worker

    gc.set_threshold(*COLLECT)
    for name in imported.keys() - environment.keys():
        os.environ.pop(name, None)
    os.environ.update(environment)
    os.environ["CONFIG_FILE_PATH"] = str(config)
    worker.run(_with_middleware(app), listener, channel, _logging(environment))


def _with_middleware(app: App) -> App:
    """Return LiteLLM's application behind the gate: the first to see a request."""
    from langop_model.gateway.access import gate
    from langop_model.gateway.internals import after_start, direct, idle_hooks, plain_settings

    direct_way = direct.Direct(app, direct.is_open)
    return gate.around(after_start.AfterStart(direct_way, (idle_hooks.leave_out, plain_settings.install)))


def _logging(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return uvicorn's arguments for the same log lines as LiteLLM's (litellm/proxy/proxy_cli.py does this too).

    LiteLLM read its level when it was imported: here it gets the present one.
    """
    from litellm import _logging as log

    log.log_level = environment.get("LITELLM_LOG", "INFO")
    log.numeric_level = level = log.resolve_log_level(log.log_level)
    log.handler.setLevel(level)
    arguments: dict[str, Any] = {"log_level": level}
    if environment.get("JSON_LOGS") == "true":
        arguments["log_config"] = log._get_uvicorn_json_log_config()
    return arguments
