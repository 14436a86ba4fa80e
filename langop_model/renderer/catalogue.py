"""The providers, as the header comments of their templates describe them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from langop_model.renderer import specification
from langop_model.resources import folder

_HEADER = re.compile(
    r"\{#-?\s*(?P<title>[^\n]+?)\.?\n\s*Needs:\s*(?P<needs>.+?)\n\s*Special:.*?(?P<link>https://\S+)\s*-?#\}", re.S
)


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider: its name in a spec, its title, what it needs, and a link to LiteLLM's page about it."""

    name: str
    title: str
    needs: str
    link: str


def providers() -> list[Provider]:
    """Return the providers in the order of the schema. Raises ValueError for a template whose header says too little."""
    names: list[str] = specification.schema()["properties"]["spec"]["properties"]["provider"]["enum"]
    return [_provider(name) for name in names]


def _provider(name: str) -> Provider:
    text = (folder("templates") / "providers" / f"{name}.yaml.j2").read_text(encoding="utf-8")
    header = _HEADER.match(text)
    if header is None:
        raise ValueError(f"templates/providers/{name}.yaml.j2 must start with a comment: title, Needs:, Special:, link")
    return Provider(name, header["title"], " ".join(header["needs"].split()), header["link"])
