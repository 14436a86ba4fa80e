"""`make extra-configuration`: docs/extra-configuration.md, the table of all keys, from schema/extra-configuration.json.

Also which keys LiteLLM reads in its configuration, from the installed LiteLLM's own source, so that a new one is noticed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from langop_model.renderer.extra import table
from langop_model.renderer.extra.table import Row
from langop_model.resources import load_json
from tools import generated

DOCUMENT = Path("docs/extra-configuration.md")
START, END = "<!-- table of keys: make extra-configuration -->", "<!-- end of the table of keys -->"
EFFECTS = {"translated": "Translated", "passed": "Passed on", "refused": "Refused"}
SECTIONS = ("router_settings", "litellm_settings", "general_settings")
# Looked up in other maps of the same name than the configuration: LiteLLM's own state, and the answers of its admin API.
NOT_IN_THE_FILE = frozenset({"force_reload", "interval_hours"})


def filled(text: str) -> str:
    """Return the document's `text` with the tables between its marks."""
    return generated.between(text, START, END, tables())


def tables() -> str:
    """Return the tables in Markdown, one for each effect."""
    parts = []
    for effect, title in EFFECTS.items():
        heads = ("because", "instead") if effect == "refused" else ("to", "others")
        lines = [f"### {title}", "", f"| key | {' | '.join(heads).replace('to', 'becomes', 1)} |", "|---|---|---|"]
        lines += [_line(row) for row in table.rows() if row.effect == effect]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _line(row: Row) -> str:
    keys = ", ".join(f"`{key}`" for key in row.keys)
    if row.effect == "refused":
        return f"| {keys} | {row.because} | {row.instead} |"
    return f"| {keys} | {row.to} | {'; '.join(_limits(row))} |"


def _limits(row: Row) -> Iterator[str]:
    """Say which values a row takes."""
    if row.values:
        yield ", ".join(f"`{word}`: {value}" for word, value in row.values.items())
    if row.only:
        yield f"only {' or '.join(f'`{value}`'.lower() for value in row.only)}"
    if row.refuses:
        yield f"refused are {', '.join(f'`{name}`' for name in row.refuses)}: {row.because}"
    if row.needs:
        yield f"only with `{row.needs}`"


def schema_keys() -> set[str]:
    """Return every key that schema/litellm-config.schema.json has, which is made of LiteLLM's classes and signatures."""
    properties: dict[str, Any] = load_json("litellm-config.schema.json")["properties"]
    keys = set(properties)
    for section in SECTIONS:
        keys |= {f"{section}.{name}" for name in properties[section]["properties"]}
    cache = properties["litellm_settings"]["properties"]["cache_params"]["properties"]
    keys |= {f"litellm_settings.cache_params.{name}" for name in cache}
    entry = properties["model_list"]["items"]["properties"]
    for part in ("litellm_params", "model_info"):
        keys |= {f"model_list[].{part}", *(f"model_list[].{part}.{name}" for name in entry[part]["properties"])}
    return keys | {"model_list[].model_name"}


def looked_up_keys() -> set[str]:
    """Return every key that the source of the installed LiteLLM looks up by name: sections, and the keys of three of them."""
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        raise SystemExit("LiteLLM is not installed")
    root = Path(spec.origin).parent
    keys = set(_sections((root / "proxy" / "proxy_server.py").read_text(encoding="utf-8")))
    for path in root.rglob("*.py"):
        text = path.read_text(encoding="utf-8", errors="replace")
        keys |= {f"{section}.{name}" for section in ("general_settings", "litellm_settings") for name in _names(section, text)}
    return keys


def _sections(text: str) -> Iterator[str]:
    found = [*re.findall(r"(?<!\w)config\.get\(\"([a-z_]+)\"", text), *re.findall(r"\"([a-z_]+)\" in config\b", text)]
    found += re.findall(r"for key in \(([^)]+)\) if key in config\b", text.replace('"', ""))[0].split(", ")
    yield from (name for name in found if name not in NOT_IN_THE_FILE)


def _names(section: str, text: str) -> Iterator[str]:
    yield from re.findall(rf"\b_?{section}(?:\.get\(|\[)\s*\"(\w+)\"", text)
    yield from re.findall(rf"\"(\w+)\" (?:not )?in _?{section}\b(?![\[.])", text)


def main() -> None:
    """Write the document's tables, or with --check say whether they are stale."""
    text = DOCUMENT.read_text(encoding="utf-8")
    if "--check" in sys.argv:
        sys.exit(0 if filled(text) == text else f"{DOCUMENT} is stale; run make extra-configuration")
    DOCUMENT.write_text(filled(text), encoding="utf-8")


if __name__ == "__main__":
    main()
