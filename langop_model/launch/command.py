"""`launch`: from what is mounted to a running gateway."""

from __future__ import annotations

from collections.abc import Mapping

from langop_model import __version__
from langop_model.launch import config_watcher, messages
from langop_model.launch.background_call import ForkedCall
from langop_model.launch.config_watcher import ConfigReloader, Say
from langop_model.renderer import findings
from langop_model.renderer.findings import SpecError


def launch(environment: Mapping[str, str], host: str, port: int, say: Say) -> int:
    """Render the mounted LanguageModel, load its keys, serve it until told to stop, and return the exit code.

    LANGOP_MODEL_PATH, LANGOP_SECRETS_PATH and LANGOP_CONFIG_PATH replace /etc/langop/model.json, /etc/secrets
    and /app/config.yaml; LANGOP_WORKERS is how many processes serve. Raises SpecError for everything that keeps it from
    serving.
    """
    workers = _workers(environment)
    reloader = ConfigReloader(dict(environment), say)
    start = _Start(reloader, workers)
    try:
        return _serve(reloader, start, host, port, workers)
    except ModuleNotFoundError as problem:
        package = (problem.name or "").partition(".")[0]
        if package == __package__.partition(".")[0]:
            raise
        start.check()
        raise findings.error("LM705", package=package or str(problem)) from None


def _serve(reloader: ConfigReloader, start: _Start, host: str, port: int, workers: int) -> int:
    from langop_model.gateway.serving import front

    try:
        return front.serve(reloader.path, start, host, port, workers, reloader)
    except front.BindError as problem:
        start.check()
        raise findings.error("LM720", address=f"{host}:{port}", reason=problem) from None
    except front.LaunchError as problem:
        raise findings.error("LM721", reason=reloader.without_keys(str(problem))) from None
    except front.CrashLoopError as problem:
        raise findings.error("LM722", reason=reloader.without_keys(str(problem))) from None


class _Start:
    """The first configuration, rendered in a forked process while this one imports (front.Start)."""

    def __init__(self, reloader: ConfigReloader, workers: int) -> None:
        self.reloader = reloader
        self.workers = workers
        self.rendering = ForkedCall(reloader.load, SpecError)
        self.checked = False

    def check(self) -> None:
        """Raise what is wrong with the specification, which is said before anything else is, unless it was read already."""
        if not self.checked:
            self.variables()

    def variables(self) -> Mapping[str, str]:
        """Write the configuration, and return the variables that it sets and its keys. Raises SpecError."""
        self.checked = True
        if not self.rendering.wait(config_watcher.RENDER_TIMEOUT):  # and waits on: there is nothing else to serve
            self.reloader.say_silent(self.reloader.places(), config_watcher.RENDER_TIMEOUT)
        exported = self.reloader.first(self.rendering.result)
        if self.workers > 1 and not self.reloader.served.redis:
            self.reloader.say([findings.make("LM728", workers=self.workers)])
        return exported

    def served(self) -> None:
        """Say what is being served."""
        served = self.reloader.served
        messages.event("serving", **served.summary, workers=self.workers, redis=served.redis, version=__version__)


def _workers(environment: Mapping[str, str]) -> int:
    text = environment.get("LANGOP_WORKERS") or "1"
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 64):
        raise findings.error("LM729", value=text)
    return int(text)
