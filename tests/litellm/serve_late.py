"""What LiteLLM uses of gateway/serving/unused.py when it starts and serves, as JSON. python -m tests.litellm.serve_late"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar

from langop_model.gateway.serving import late, launcher, unused
from langop_model.launch.load_config import render_mounted
from tools.stand_in import StandIn

USER = [{"role": "user", "content": "Hello!"}]
TOOL = {"name": "look", "parameters": {"type": "object", "properties": {}}}
REQUESTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("chat/completions", {"messages": USER, "tools": [{"type": "function", "function": TOOL}]}),
    ("chat/completions", {"messages": USER, "stream": True}),
    ("completions", {"prompt": "Hello!"}),
    ("embeddings", {"input": "Hello!"}),
    ("responses", {"input": "Hello!", "tools": [{"type": "function", **TOOL}]}),
    ("messages", {"max_tokens": 9, "messages": USER}),
    ("messages/count_tokens", {"messages": USER}),
    ("images/generations", {"prompt": "Hello!"}),  # the stand-in has no such thing, and says 404
    ("audio/speech", {"input": "Hello!", "voice": "alloy"}),  # the same
)


def main() -> None:
    """Import, start and ask as clients do."""
    exists = {name: _exists(name) for name in unused.MODULES}
    with tempfile.TemporaryDirectory() as scratch, StandIn() as provider:
        model, config = Path(scratch, "model.json"), Path(scratch, "config.yaml")
        spec = {"provider": "openai-compatible", "modelName": "m", "endpoint": f"{provider.url}/v1"}
        model.write_text(json.dumps(spec), encoding="utf-8")
        rendering = render_mounted({"LANGOP_MODEL_PATH": str(model)})
        config.write_text(rendering.text, encoding="utf-8")
        app = launcher.import_litellm(rendering.config["environment_variables"])
        imported = sorted(late.kept)
        os.environ["CONFIG_FILE_PATH"] = str(config)
        statuses = _ask(app)
        asked = sorted({seen.path for seen in provider.requests})
    found = {
        "missing": [name for name, there in exists.items() if not there],
        "unused": sorted(set(unused.MODULES) - late.bound.keys()),
        "kept_at_import": imported,
        "kept": sorted(late.kept),
        "imported_later": sorted(set(unused.MODULES) & set(sys.modules)),
        "statuses": statuses,
        "asked": asked,
        "values": _values(),
    }
    sys.stdout.write(json.dumps(found) + "\n")


def _exists(module: str) -> bool:
    package, _, name = module.rpartition(".")
    if not package:
        return importlib.util.find_spec(name) is not None
    folder = Path(next(iter(importlib.util.find_spec(module.partition(".")[0]).submodule_search_locations)))  # type: ignore[union-attr, arg-type]
    path = folder.parent.joinpath(*module.split("."))
    return path.with_suffix(".py").is_file() or path.is_dir()


def _values() -> list[str]:
    """Import what was promised, and return what is neither a function nor a type, or no router where one was promised."""
    values = []
    for module, names in late.bound.items():
        for name in names:
            real = getattr(importlib.import_module(module), name)
            promised_router = name == "router" or name.endswith("_router")
            fits = (
                type(real).__name__ == "APIRouter"
                if promised_router
                else callable(real) or isinstance(real, (UnionType, TypeVar))
            )
            if not fits:
                values.append(f"{module}.{name} is {type(real).__name__}")
    return sorted(values)


def _ask(app: Any) -> dict[str, int]:
    from starlette.testclient import TestClient

    with TestClient(launcher._with_middleware(app)) as client:
        statuses = {f"{path} {number}": client.post(f"/v1/{path}", json={"model": "m", **body}).status_code
                    for number, (path, body) in enumerate(REQUESTS)}  # fmt: skip
        for path in ("/v1/models", "/v1/models/m", "/health", "/health/readiness"):
            statuses[path] = client.get(path).status_code
    return statuses


if __name__ == "__main__":
    main()
