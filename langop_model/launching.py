"""`launch`: from what is mounted to a running gateway. The hall between the two rooms."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from langop_model.mounted_keys import load_keys, withheld
from langop_model.renderer import findings, rendering
from langop_model.renderer.findings import Finding, SpecError
from langop_model.renderer.output import write
from langop_model.renderer.rendering import Rendering
from langop_model.renderer.settings import Settings

SPECIFICATION = "/etc/langop/model.json"
SPECIFICATIONS = "/etc/langop/models"  # model__<name>.json of each model of a gateway
CONFIGURATION = "/app/config.yaml"

# A newer operator may write fields that this image does not know: it must not keep an old image from starting.
SOFTENED = frozenset({"LM101"})


def launch(environment: Mapping[str, str], host: str, port: int, say: Callable[[Iterable[Finding]], None]) -> None:
    """Render the mounted LanguageModel, load its keys, and serve LiteLLM until told to stop.

    LANGOP_MODEL_PATH, LANGOP_SECRETS_PATH and LANGOP_CONFIG_PATH move what stands at /etc/langop/model.json, /etc/secrets
    and /app/config.yaml. Raises SpecError, before LiteLLM is imported, for everything that would keep it from serving.
    """
    result = prepare(environment)
    say(result.findings)
    exported = {**result.config["environment_variables"], **load_keys(result, say)}
    for name in withheld(result, environment):
        os.environ.pop(name, None)
    config = _write(result.text, environment)
    from langop_model.gateway import launcher

    try:
        launcher.serve(config, exported, host, port)
    except ModuleNotFoundError as problem:
        if problem.name not in ("litellm", "uvicorn"):
            raise
        raise findings.error("LM705") from None


def prepare(environment: Mapping[str, str]) -> Rendering:
    """Return the rendering of the mounted LanguageModel, or of a gateway where a folder is mounted. Raises SpecError."""
    path = environment.get("LANGOP_MODEL_PATH") or (SPECIFICATIONS if Path(SPECIFICATIONS).is_dir() else SPECIFICATION)
    settings = Settings.in_container(environment)
    result = _render(path, settings)
    needs_redis = result.config["litellm_settings"].get("cache_params", {}).get("type") == "redis"
    if needs_redis and not settings.redis:
        raise SpecError([*result.findings, findings.make("LM704", ("spec", "caching", "backend"))])
    return result


def _render(path: str, settings: Settings) -> Rendering:
    if os.path.isdir(path):  # noqa: PTH112 - false, and no error, for a name that no file can have
        return rendering.render_gateway([path], settings, SOFTENED)
    if not os.path.exists(path):  # noqa: PTH110
        raise findings.error("LM703", file=path)
    renderings = rendering.render_file(path, settings, SOFTENED)
    if len(renderings) != 1:
        raise findings.error("LM706", file=path, count=len(renderings))
    return renderings[0]


def _write(text: str, environment: Mapping[str, str]) -> Path:
    """Write the configuration where LANGOP_CONFIG_PATH says; with a read-only root, where there is room."""
    wanted = environment.get("LANGOP_CONFIG_PATH")
    path = Path(wanted or CONFIGURATION)
    if not wanted and not os.access(path.parent, os.W_OK):
        path = Path(tempfile.mkdtemp(prefix="langop-")) / path.name
    write(path, text)
    return path
