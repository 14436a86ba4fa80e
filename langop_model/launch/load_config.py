"""What is mounted, as a configuration with its keys: a folder of specifications, or one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from langop_model.contract.environment import MEMCACHED, REDIS, names_redis
from langop_model.contract.settings import SECTION
from langop_model.launch import summary
from langop_model.launch.file_watcher import FileWatcher
from langop_model.launch.loaded_config import LoadedConfig
from langop_model.launch.provider_credentials import (
    ProviderKeys,
    named_variables,
    pod_identity_variables,
    variables_to_withhold,
)
from langop_model.renderer import extra, findings, rendering, source
from langop_model.renderer.available_models import AvailableModels
from langop_model.renderer.findings import Finding, SpecError
from langop_model.renderer.manifest import Resource
from langop_model.renderer.plan import Model
from langop_model.renderer.rendering import ModelCheck, Rendering
from langop_model.renderer.settings import Settings

SPECIFICATION = "/etc/langop/model.json"
SPECIFICATIONS = "/etc/langop/models"  # model__<name>.json of each model of a gateway

# A newer operator may write fields that this image does not know: it must not keep an old image from starting.
DOWNGRADED = frozenset({"LM101"})
# In a gateway of several models a fallback that is named twice is skipped, as one is that is not served.
DOWNGRADED_IN_GATEWAY = DOWNGRADED | {"LM212"}


def load_config(environment: Mapping[str, str], watch: FileWatcher, served: LoadedConfig | None = None) -> LoadedConfig:
    """Return what is mounted, rendered, and its keys; `watch` remembers it, also where it is wrong. Raises SpecError.

    In a gateway of several models one that can't be served is skipped, or stays as it is in the configuration `served`.
    """
    served = served or LoadedConfig()
    watch.remember(_sources(environment))
    keys = ProviderKeys()
    try:
        result = render_mounted(environment, keys, served.resources)
    finally:
        watch.add(keys.places)
    variables = {**pod_identity_variables(result, environment), **_kept(result, served), **keys.of(result.models)}
    variables |= named_variables(result, environment)
    return LoadedConfig(
        text=result.text,
        own=result.config["environment_variables"],
        keys=variables,
        withheld=tuple(variables_to_withhold(environment)),
        findings=result.findings,
        resources=result.resources,
        summary=summary.of(result.config, result.text),
        redis=names_redis(environment) or "redis" in result.config["callback_settings"][SECTION],
    )


def render_mounted(
    environment: Mapping[str, str], keys: ProviderKeys | None = None, previous: Sequence[Resource] = ()
) -> Rendering:
    """Return the rendering of the mounted LanguageModel, or of a gateway where a folder is mounted. Raises SpecError.

    The order is LANGOP_MODEL_PATH, /etc/langop/models/model__<name>.json, /etc/langop/model.json. A folder without models is
    a gateway that has none yet. With `keys` a model without its keys can't be served either. `previous` are the resources of
    a gateway that are being served.
    """
    settings = Settings.in_container(environment)
    if settings.empty_secrets:
        raise SpecError(findings.make("LM754", name=name) for name in settings.empty_secrets)

    def also(model: Model) -> Iterator[Finding]:
        caching = model.spec.get("caching", {})
        yield from _unknown_places([caching["backend"]] if caching.get("enabled") else [], settings, named=named)
        yield from keys.check(model) if keys else ()

    named = bool(extra.read(settings).redis)
    result = _render(environment, settings, also, previous)
    models = result.config["callback_settings"][SECTION]["models"].values()
    backends = {model["caching"]["backend"] for model in models if "caching" in model}  # also of models written by hand
    if problems := list(_unknown_places(sorted(backends), settings, named=named)):
        raise SpecError([*result.findings, *problems])
    return result


def _unknown_places(backends: Iterable[str], settings: Settings, *, named: bool) -> Iterator[Finding]:
    """Yield an error for each of the caches whose address is not known; `named`: the extra configuration names a redis."""
    places = {"redis": (settings.redis or named, REDIS), "memcached": (settings.memcached, MEMCACHED)}
    for backend in backends:
        is_known, variables = places.get(backend, (True, ()))
        if not is_known:
            yield findings.make("LM704", ("spec", "caching", "backend"), backend=backend, variables=", ".join(variables))


def _kept(result: Rendering, served: LoadedConfig) -> dict[str, str]:
    """Return the keys of models that stay in their previous version, as they were loaded for it."""
    models = [model for model in result.models if model.name in result.outdated]
    names = [credential.variable for model in models for credential in model.credentials.items]
    return {name: served.keys[name] for name in names if name in served.keys}


def _sources(environment: Mapping[str, str]) -> list[str]:
    """Return every place where a specification may be mounted, in the order in which they are looked at."""
    given = environment.get("LANGOP_MODEL_PATH")
    return [given] if given else [SPECIFICATIONS, SPECIFICATION]


def _render(environment: Mapping[str, str], settings: Settings, also: ModelCheck, previous: Sequence[Resource]) -> Rendering:
    sources = _sources(environment)
    folders = [path for path in sources if os.path.isdir(path)]  # noqa: PTH112 - false, and no error, for an impossible name
    names = [name for folder in folders for name in _models(folder, own=folder == SPECIFICATIONS)]
    if names:
        return AvailableModels(settings, DOWNGRADED_IN_GATEWAY, also, previous).render(names)
    files = [path for path in sources if path not in folders and os.path.exists(path)]  # noqa: PTH110
    if files:
        return _render_file(files[0], settings, also)
    if folders:
        empty = rendering.render_gateway([], settings, DOWNGRADED)
        return empty.replace(findings=(*empty.findings, findings.make("LM727").replace(file=folders[0])))
    raise findings.error("LM703", file=sources[-1])


def _models(folder: str, *, own: bool) -> list[str]:
    """Return the specifications in a folder; in the operator's `own` there may be other files."""
    found = source.specifications(folder)
    return [name for name in found if not own or Path(name).name.startswith("model__")]


def _render_file(path: str, settings: Settings, also: ModelCheck) -> Rendering:
    renderings = rendering.render_file(path, settings, DOWNGRADED, also)
    if len(renderings) != 1:
        raise findings.error("LM706", file=path, count=len(renderings))
    return renderings[0]
