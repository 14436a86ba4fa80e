"""`make providers`: what is made of schema/providers.json, and what the installed LiteLLM says to it.

    python -m tools.provider_catalogue            compare with the installed LiteLLM: exit 1 and the list of differences
    python -m tools.provider_catalogue --write    write the schema's values and the tables of the documentation

A LiteLLM that is raised brings new providers, drops others and moves some: the list says which rows to look at.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langop_model.renderer import catalogue
from langop_model.renderer.catalogue import Provider
from tools import generated

SCHEMA = Path("schema/languagemodel.schema.json")
OWN = 8  # rows of the resource's own providers, which come first
DOCUMENT = Path("docs/providers.md")
START, END = "<!-- provider table: make providers -->", "<!-- end of the provider table -->"
INTERACTIVE = ("chatgpt", "github_copilot")  # LiteLLM would ask for a login to say where they are
PLACEHOLDER = re.compile(r"[A-Z_]{5,}")  # REGION, LOCATION: LiteLLM fills in a default


@dataclass(frozen=True, slots=True)
class Installed:
    """What LiteLLM itself says about one of its providers; an empty address where it does not say."""

    chat: bool
    embeddings: bool
    address: str = ""


def installed() -> dict[str, Installed]:
    """Return the providers of the installed LiteLLM by its own names."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else its import asks for prices
    import litellm
    from litellm.llms.openai_like.json_loader import JSONProviderRegistry

    registered = set(JSONProviderRegistry.list_providers())
    names = {provider.value for provider in litellm.LlmProviders} | registered
    chat = _branches("completion") | set(litellm.openai_compatible_providers) | registered
    embeddings = _branches("embedding")
    return {name: Installed(name in chat, name in embeddings, _address(name)) for name in sorted(names)}


def _branches(function: str) -> set[str]:
    """Return the providers for which a function of litellm/main.py has a branch."""
    import inspect

    import litellm

    source = inspect.getsource(inspect.unwrap(getattr(litellm, function)))
    source = source[source.find("_dispatch_ctx") :] if "_dispatch_ctx" in source else source
    groups = re.findall(r"custom_llm_provider in [(\[]([^)\]]*)[)\]]", source)
    return set(re.findall(r'custom_llm_provider == "([\w-]+)"', source)) | set(re.findall(r'"([\w-]+)"', " ".join(groups)))


def _address(name: str) -> str:
    import litellm

    if name in INTERACTIVE:
        return ""
    try:
        return (litellm.get_llm_provider(f"{name}/model")[3] or "").rstrip("/")
    except litellm.BadRequestError:
        return ""


def differences(found: Mapping[str, Installed], rows: Mapping[str, Provider]) -> Iterator[str]:
    """Yield what differs between LiteLLM and the rows of the catalogue, both by LiteLLM's names."""
    for name in sorted(found.keys() - rows.keys()):
        yield f"new: {name} ({'chat' if found[name].chat else 'no chat'}, {found[name].address or 'no address'})"
    for name in sorted(rows.keys() - found.keys()):
        yield f"gone: {name}"
    for name in sorted(found.keys() & rows.keys()):
        yield from (f"changed: {name}: {change}" for change in _changes(found[name], rows[name]))


def _changes(found: Installed, row: Provider) -> Iterator[str]:
    if not row.unsupported_reason and found.chat != row.serves("chat"):
        yield f"it {'has' if found.chat else 'has no'} chat route"
    if not row.unsupported_reason and found.embeddings and not row.serves("embeddings"):
        yield "it has an embeddings route"
    if found.address and row.address and not PLACEHOLDER.search(row.address) and not found.address.startswith(row.address):
        yield f"its address is {found.address}, not {row.address}"


def rows() -> dict[str, Provider]:
    """Return the rows of the catalogue by LiteLLM's names."""
    return {litellm: catalogue.named(name) for litellm, name in catalogue.litellm_names().items()}


def schema_with_values(text: str) -> str:
    """Return the text of the input schema with the providers of the catalogue."""
    schema: dict[str, Any] = json.loads(text)
    fields = schema["properties"]["spec"]["properties"]
    fields["provider"]["enum"] = [provider.name for provider in catalogue.usable()]
    fields["litellmProvider"]["enum"] = list(dict.fromkeys(provider.litellm for provider in catalogue.usable()))
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def table() -> str:
    """Return the providers in Markdown."""
    lines = ["| provider | is | needs | key | serves | special |", "|---|---|---|---|---|---|"]
    for provider in catalogue.usable():
        title = f"[{provider.title}]({provider.link})"
        key = f"`{provider.key}`" if provider.key else ""
        cells = (f"`{provider.name}`", title, provider.needs, key, ", ".join(provider.all_routes), provider.remarks)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def filled(text: str) -> str:
    """Return a document's `text` with the table between its marks."""
    return generated.between(text, START, END, table())


def main() -> None:
    """Write what is made of the catalogue, or compare it with LiteLLM."""
    if "--write" in sys.argv:
        SCHEMA.write_text(schema_with_values(SCHEMA.read_text(encoding="utf-8")), encoding="utf-8")
        DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
        return
    different = list(differences(installed(), rows()))
    print("\n".join(different) or "the catalogue and the installed LiteLLM agree")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
