"""`python -m langop_model.translator --socket PATH`: serve until told to stop, or until the parent is gone."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from langop_model.translator import logs, settings

# Garbage of one call is a few hundred objects among the 500,000 of LiteLLM's modules.
GC_THRESHOLDS = (10_000, 20, 20)


def main() -> int:
    """Serve. Returns 78 for callbacks that can't be set up."""
    options = _options()
    logs.install(options.log_level)
    settings.prepare_environment()
    gc.disable()  # what the import makes lives as long as the process
    from langop_model.translator import clients  # noqa: F401 - imports LiteLLM

    chosen = json.loads(options.litellm_settings)
    settings.apply(chosen)
    logs.adopt_litellm()
    gc.freeze()
    gc.enable()
    gc.set_threshold(*GC_THRESHOLDS)
    stopped = contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError)
    with stopped, asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_serve(options, chosen))
    return 0


async def _serve(options: argparse.Namespace, chosen: Mapping[str, Any]) -> int:
    """Serve until told to stop. The callbacks are set up here: some start a task of their own at once."""
    from langop_model.translator import callbacks, clients, server

    async with await clients.install():
        try:
            observed = callbacks.install(chosen, options.folder)
        except callbacks.InvalidCallbackError as problem:
            logs.LOGGER.error("a callback can't be set up: %s", problem)
            return 78
        await _until_stopped(server.serve(options.socket, options.parent, observed=observed))
        return 0


async def _until_stopped(serving: Any) -> None:
    task = asyncio.ensure_future(serving)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _level() -> str:
    """Return the level of the specification's observability.logging; what is below a warning holds whole requests."""
    return "ERROR" if os.environ.get("LITELLM_LOG", "").upper() == "ERROR" else "WARNING"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m langop_model.translator", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="path of the unix socket to serve on")
    parser.add_argument("--parent", type=int, help="descriptor whose other end the parent holds: its end is ours")
    parser.add_argument(
        "--litellm-settings", default="{}", help="the configuration's litellm_settings that are LiteLLM's, as JSON"
    )
    parser.add_argument("--folder", type=Path, help="where the configuration is, and modules that its callbacks name")
    parser.add_argument(
        "--log-level", default=_level(), help="level of its lines; by default what the configuration says, but WARNING at least"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
