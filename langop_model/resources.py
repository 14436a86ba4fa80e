"""Where the project's own data files are: templates/ and schema/."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def folder(name: str) -> Path:
    """Return the folder `templates` or `schema`: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / name
    return installed if installed.is_dir() else package.parent / name


@cache
def load_json(name: str) -> Any:
    """Return the parsed content of schema/`name`. It is shared: treat it as read-only."""
    return json.loads((folder("schema") / name).read_text(encoding="utf-8"))


def litellm_version() -> str:
    """Return the version of LiteLLM that configurations are made for: the one that their closed schema was made from.

    It is data that the renderer loads anyway: LiteLLM's own metadata takes milliseconds to find, and need not be there.
    """
    version: str = load_json("litellm-config.schema.json")["x-litellm-version"]
    return version
