"""Where the project's own data files are: templates/ and schema/."""

from __future__ import annotations

import json
import os
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any

from langop_model import kept

if TYPE_CHECKING:
    from pathlib import Path


@cache
def place(name: str) -> str:
    """Return the path of the folder `templates` or `schema`: inside the installed package, or at the top of a checkout.

    A text, because importing pathlib takes an eighth of the time of an empty Python, and every command comes by here.
    """
    package = os.path.dirname(os.path.realpath(__file__))  # noqa: PTH120
    installed = os.path.join(package, name)  # noqa: PTH118
    return installed if os.path.isdir(installed) else os.path.join(os.path.dirname(package), name)  # noqa: PTH112, PTH118, PTH120


def folder(name: str) -> Path:
    """Return the same as a Path."""
    from pathlib import Path

    return Path(place(name))


@cache
def load_json(name: str) -> Any:
    """Return the parsed content of schema/`name`. It is shared: treat it as read-only.

    It is kept in __pycache__ for the next start, by what the file holds: 300 kB of JSON take longer to parse.
    """
    folder_of_schemas = place("schema")
    with open(os.path.join(folder_of_schemas, name), "rb") as file:  # noqa: PTH118, PTH123
        content = file.read()
    parsed = os.path.join(folder_of_schemas, "__pycache__", kept.name(name))  # noqa: PTH118
    head = b"%d bytes, CRC-32 %d\n" % (len(content), zlib.crc32(content))
    value = kept.read(parsed, head)
    if value is None:
        value = json.loads(content)
        kept.write(parsed, head, value)
    return value


def litellm_version() -> str:
    """Return the version of LiteLLM that configurations are made for: the one that their closed schema was made from.

    It is data that the renderer loads anyway: LiteLLM's own metadata takes milliseconds to find, and need not be there.
    """
    version: str = load_json("litellm-config.schema.json")["x-litellm-version"]
    return version
