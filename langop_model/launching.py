"""`launch`: from what is mounted to a running gateway, again whenever it changes. The hall between the two rooms."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from langop_model import report
from langop_model.mounted_keys import ambient, foreign, load_keys
from langop_model.renderer import findings, rendering, source
from langop_model.renderer.findings import Finding, SpecError
from langop_model.renderer.output import write
from langop_model.renderer.rendering import Rendering
from langop_model.renderer.settings import Settings
from langop_model.watching import Watch

SPECIFICATION = "/etc/langop/model.json"
SPECIFICATIONS = "/etc/langop/models"  # model__<name>.json of each model of a gateway
CONFIGURATION = "/app/config.yaml"

# A newer operator may write fields that this image does not know: it must not keep an old image from starting.
SOFTENED = frozenset({"LM101"})

Say = Callable[[Iterable[Finding]], None]


def launch(environment: Mapping[str, str], host: str, port: int, say: Say) -> int:
    """Render the mounted LanguageModel, load its keys, serve LiteLLM until told to stop, and return the exit code.

    LANGOP_MODEL_PATH, LANGOP_SECRETS_PATH and LANGOP_CONFIG_PATH move what stands at /etc/langop/model.json, /etc/secrets
    and /app/config.yaml; LANGOP_WORKERS is how many processes serve. Raises SpecError for everything that keeps it from
    serving: before LiteLLM is imported for what can be known then.
    """
    workers = _workers(environment)
    mounted = Mounted(dict(environment), say)
    exported = mounted.first()
    for name in foreign(environment):
        os.environ.pop(name, None)
    if workers > 1 and not Settings.in_container(environment).redis:
        say([findings.make("LM728", workers=workers)])
    from langop_model.gateway.serving import launcher

    try:
        return launcher.serve(mounted.path, exported, host, port, workers, mounted)
    except ModuleNotFoundError as problem:
        if problem.name not in ("litellm", "uvicorn"):
            raise
        raise findings.error("LM705") from None
    except launcher.NoAddress as problem:
        raise findings.error("LM720", address=f"{host}:{port}", reason=problem) from None
    except launcher.LaunchFailed as problem:
        raise findings.error("LM721", reason=mounted.without_keys(str(problem))) from None
    except launcher.KeepsDying as problem:
        raise findings.error("LM722", reason=mounted.without_keys(str(problem))) from None


def _workers(environment: Mapping[str, str]) -> int:
    text = environment.get("LANGOP_WORKERS") or "1"
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 64):
        raise findings.error("LM729", value=text)
    return int(text)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A configuration, and what LiteLLM shall find in its environment: the file's `own` variables, and the `keys`.

    A pod's own identity is among the keys, where a model relies on it.
    """

    text: str = ""
    own: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def variables(self) -> dict[str, str]:
        """Both together."""
        return {**self.keys, **self.own}


class Mounted:
    """What is mounted, rendered and written: at first, and again whenever it changes (the gateway's Changes)."""

    def __init__(self, environment: Mapping[str, str], say: Say) -> None:
        self.environment = environment
        self.say = say
        self.path = _configuration_path(environment)
        self.watch = Watch()
        self.served = self.tried = self.imported = _Loaded()

    def first(self) -> dict[str, str]:
        """Write the configuration, and return the variables that LiteLLM shall find. Raises SpecError."""
        self.served = self.tried = self.imported = self._load()
        self._write(self.served)
        return self.served.variables

    def next(self) -> dict[str, str] | None:
        """Write the configuration of a changed specification or key, and return its variables; None where nothing changed.

        What is wrong with it is said, and nothing is written.
        """
        if not self.watch.changed():
            return None
        try:
            loaded = self._load()
            if loaded.text == self.served.text:
                return None  # a key that has changed is read by who uses it (langop_model/gateway/secrets.py)
            self._write(loaded)
        except SpecError as problem:
            self.say([*problem.findings, findings.make("LM726")])
            return None
        except Exception as defect:  # noqa: BLE001 - whatever is wrong with a change, what is being served goes on
            self.say([findings.make("LM736", reason=self.without_keys(f"{type(defect).__name__}: {defect}"))])
            return None
        self.tried = loaded
        self._say_what_needs_a_start(loaded)
        return loaded.variables

    def took_effect(self) -> None:
        """The changed configuration is being served."""
        self.served = self.tried
        self.say([findings.make("LM724")])

    def failed(self, reason: str) -> None:
        """LiteLLM did not load the changed configuration: the file says again what is being served."""
        self.say([findings.make("LM725", reason=self.without_keys(reason))])
        try:
            write(self.path, self.served.text)
        except SpecError as problem:
            self.say(problem.findings)

    def died(self, how: str) -> None:
        """A worker ended by itself."""
        self.say([findings.make("LM723", reason=self.without_keys(how))])

    def _load(self) -> _Loaded:
        self.watch.remember(_sources(self.environment))
        result = prepare(self.environment)
        credentials = [credential for model in result.models for credential in model.credentials.items]
        self.watch.add({credential.place.rstrip("/") for credential in credentials})
        said = list(result.findings)
        keys = {**ambient(result, self.environment), **load_keys(result, said.extend)}
        return _Loaded(result.text, result.config["environment_variables"], keys, tuple(said))

    def _write(self, loaded: _Loaded) -> None:
        self.say(loaded.findings)
        if self.environment.get("DEBUG", "").lower() in ("true", "1"):
            report.print_configuration(loaded.text)
        write(self.path, loaded.text)

    def _say_what_needs_a_start(self, loaded: _Loaded) -> None:
        """LiteLLM reads some variables when it is imported, which was done with those of the first configuration."""
        from langop_model.gateway.serving.launcher import FOLLOWED

        changed = {name for name, _ in loaded.own.items() ^ self.imported.own.items()} - FOLLOWED
        if changed:
            self.say([findings.make("LM735", names=", ".join(sorted(changed)))])

    def without_keys(self, text: str) -> str:
        """Return `text`, which another program wrote, without the keys that it may repeat."""
        for value in {*self.served.keys.values(), *self.tried.keys.values()}:
            text = text.replace(value, "[key]")
        return text


def prepare(environment: Mapping[str, str]) -> Rendering:
    """Return the rendering of the mounted LanguageModel, or of a gateway where a folder is mounted. Raises SpecError.

    The order is LANGOP_MODEL_PATH, /etc/langop/models/model__<name>.json, /etc/langop/model.json. A folder without models is
    a gateway that has none yet.
    """
    settings = Settings.in_container(environment)
    result = _render(environment, settings)
    needs_redis = result.config["litellm_settings"].get("cache_params", {}).get("type") == "redis"
    if needs_redis and not settings.redis:
        raise SpecError([*result.findings, findings.make("LM704", ("spec", "caching", "backend"))])
    return result


def _sources(environment: Mapping[str, str]) -> list[str]:
    """Return every place where a specification may be mounted, in the order in which they are looked at."""
    given = environment.get("LANGOP_MODEL_PATH")
    return [given] if given else [SPECIFICATIONS, SPECIFICATION]


def _render(environment: Mapping[str, str], settings: Settings) -> Rendering:
    sources = _sources(environment)
    folders = [path for path in sources if os.path.isdir(path)]  # noqa: PTH112 - false, and no error, for an impossible name
    names = [name for folder in folders for name in _models(folder, own=folder == SPECIFICATIONS)]
    if names:
        return rendering.render_gateway(names, settings, SOFTENED)
    files = [path for path in sources if path not in folders and os.path.exists(path)]  # noqa: PTH110
    if files:
        return _render_file(files[0], settings)
    if folders:
        empty = rendering.render_gateway([], settings, SOFTENED)
        return replace(empty, findings=(*empty.findings, replace(findings.make("LM727"), file=folders[0])))
    raise findings.error("LM703", file=sources[-1])


def _models(folder: str, *, own: bool) -> list[str]:
    """Return the specifications in a folder; in the operator's `own` there may be other files."""
    found = source.specifications(folder)
    return [name for name in found if not own or Path(name).name.startswith("model__")]


def _render_file(path: str, settings: Settings) -> Rendering:
    renderings = rendering.render_file(path, settings, SOFTENED)
    if len(renderings) != 1:
        raise findings.error("LM706", file=path, count=len(renderings))
    return renderings[0]


def _configuration_path(environment: Mapping[str, str]) -> Path:
    """Return where the configuration is written: where LANGOP_CONFIG_PATH says; with a read-only root, where there is room."""
    wanted = environment.get("LANGOP_CONFIG_PATH")
    path = Path(wanted or CONFIGURATION)
    if not wanted and not os.access(path.parent, os.W_OK):
        path = Path(tempfile.mkdtemp(prefix="langop-")) / path.name
    return path
