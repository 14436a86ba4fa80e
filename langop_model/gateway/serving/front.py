"""Serving a configuration: the listening socket, and workers that share it under the supervisor."""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from langop_model import ports
from langop_model.gateway.asgi import App
from langop_model.gateway.serving.channel import Channel
from langop_model.gateway.serving.collaborators import Changes, Serve
from langop_model.gateway.serving.descriptors import raise_descriptor_limit
from langop_model.gateway.serving.shared_metrics import SharedMetrics
from langop_model.gateway.serving.state_publisher import NeverReloaded, ReloadStatus, StatePublisher
from langop_model.gateway.serving.supervisor import CrashLoopError, LaunchError, Supervisor

__all__ = ["BindError", "CrashLoopError", "LaunchError", "listen", "serve"]

BACKLOG = 2048  # connections that wait to be accepted; uvicorn's own number

# A request that is over leaves nothing to the garbage collector, and one that is under way is dozens of objects: with Python's
# own thresholds it would look at all of them again and again, and find nothing.
GC_THRESHOLDS = (10_000, 20, 20)

SERVICE_NAME = "OTEL_SERVICE_NAME"  # a pod that has it knows better than the configuration

# What a worker serves with. Imported before the fork it is in memory once, and a new worker is ready at once. Nothing of it
# starts a thread or an event loop when it is imported.
PRELOADED = (
    "uvicorn",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "langop_model.gateway.serving.worker",
    "langop_model.gateway.serving.application",
)


class BindError(Exception):
    """The address can't be bound."""


class Start(Protocol):
    """Where the first configuration comes from."""

    def variables(self) -> Mapping[str, str]:
        """Write it, and return the variables that it sets."""

    def served(self) -> None:
        """The first workers serve it."""


class Reloads(Changes, ReloadStatus, Protocol):
    """Where new configurations come from, and what became of the last one."""


def serve(config: Path, start: Start, host: str, port: int, workers: int = 1, changes: Reloads | None = None) -> int:
    """Serve `config` on `host`:`port` until told to stop, and return the exit code.

    `start` writes `config`, while this process imports what workers need; `changes` says when it has been written again.
    Raises BindError when the address can't be bound, what `start` raises, ModuleNotFoundError when a package is not
    installed, and LaunchError and CrashLoopError as Supervisor.run does.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)  # process 1 has no default that would end it
    listener = listen(host, port)
    raise_descriptor_limit()
    for module in PRELOADED:
        importlib.import_module(module)
    environment = start.variables()
    from langop_model.gateway.configuration import Configuration
    from langop_model.gateway.serving.translators import WANTED, Translators

    metrics = SharedMetrics()
    translators = Translators(config.parent, metrics)

    def prepare(environment: Mapping[str, str]) -> Serve:
        """Read the configuration here, once: the file may be another's when a worker of this one is replaced."""
        configuration = Configuration.load(config)
        translator = translators.prepare(configuration, environment)
        gc.collect()
        gc.freeze()  # workers inherit it: what the collector does not look at stays in memory once

        def work(channel: Channel) -> None:
            from langop_model.gateway.serving.application import Application

            application = Application(
                configuration,
                os.environ,
                [translator],
                lambda: channel.send(WANTED, translator),
                metrics,
                workers=workers,
            )
            _work(application, environment, listener, channel)

        return work

    publish = StatePublisher(metrics, translators, changes or NeverReloaded())
    return Supervisor(listener, prepare, workers, changes, start.served, translators, publish).run(environment)


def _exit(number: int, _: Any) -> None:
    sys.exit(128 + number)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises BindError where that can't be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as problem:
        raise BindError(ports.why_not(problem, port)) from None


def _work(app: App, environment: Mapping[str, str], listener: socket.socket, channel: Channel) -> None:
    """Be a worker: serve `app`."""
    from langop_model import log_format
    from langop_model.gateway.serving import worker

    gc.set_threshold(*GC_THRESHOLDS)
    os.environ.update({name: value for name, value in environment.items() if name != SERVICE_NAME or name not in os.environ})
    with contextlib.suppress(KeyboardInterrupt):
        log_format.configure(environment.get("LITELLM_LOG", "INFO"))
        log_format.log_uncaught()
        # Below that it logs clients' mistakes, and its own start and end: the request log and launch say more.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        worker.run(app, listener, channel, {"access_log": False, "log_config": None})
