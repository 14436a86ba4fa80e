"""What is mounted, as a configuration with its keys: a folder of specifications, or one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from langop_model.contract.environment import MEMCACHED, REDIS
from langop_model.contract.settings import SECTION
from langop_model.launch.file_watcher import FileWatcher
from langop_model.launch.loaded_config import LoadedConfig
from langop_model.launch.provider_credentials import load_keys, named_variables, pod_identity_variables, variables_to_withhold
from langop_model.renderer import findings, rendering, source
from langop_model.renderer.findings import SpecError
from langop_model.renderer.rendering import Rendering
from langop_model.renderer.settings import Settings

SPECIFICATION = "/etc/langop/model.json"
SPECIFICATIONS = "/etc/langop/models"  # model__<name>.json of each model of a gateway

# A newer operator may write fields that this image does not know: it must not keep an old image from starting.
SOFTENED = frozenset({"LM101"})


def load_config(environment: Mapping[str, str], watch: FileWatcher) -> LoadedConfig:
    """Return what is mounted, rendered, and its keys; `watch` remembers it, also where it is wrong. Raises SpecError."""
    watch.remember(_sources(environment))
    result = render_mounted(environment)
    credentials = [credential for model in result.models for credential in model.credentials.items]
    watch.add({credential.place.rstrip("/") for credential in credentials})
    said = list(result.findings)
    keys = {**pod_identity_variables(result, environment), **load_keys(result, said.extend)}
    keys |= named_variables(result, environment)
    return LoadedConfig(
        result.text, result.config["environment_variables"], keys, tuple(variables_to_withhold(environment)), tuple(said)
    )


def render_mounted(environment: Mapping[str, str]) -> Rendering:
    """Return the rendering of the mounted LanguageModel, or of a gateway where a folder is mounted. Raises SpecError.

    The order is LANGOP_MODEL_PATH, /etc/langop/models/model__<name>.json, /etc/langop/model.json. A folder without models is
    a gateway that has none yet.
    """
    settings = Settings.in_container(environment)
    if settings.empty_secrets:
        raise SpecError(findings.make("LM754", name=name) for name in settings.empty_secrets)
    result = _render(environment, settings)
    section = result.config["callback_settings"][SECTION]
    models = section["models"].values()
    places = {"redis": (settings.redis or "redis" in section, REDIS), "memcached": (settings.memcached, MEMCACHED)}
    for backend in sorted({model["caching"]["backend"] for model in models if "caching" in model} & places.keys()):
        is_known, variables = places[backend]
        if not is_known:
            problem = findings.make("LM704", ("spec", "caching", "backend"), backend=backend, variables=", ".join(variables))
            raise SpecError([*result.findings, problem])
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
