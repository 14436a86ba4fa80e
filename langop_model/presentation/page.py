"""One self-contained HTML page of effective models: from disk, in light and dark, on paper; without a script or a request."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from langop_model import __version__
from langop_model.presentation import difference, svg
from langop_model.presentation.difference import WORDS, Entry
from langop_model.presentation.explanation import value_in_words
from langop_model.renderer import request_path
from langop_model.renderer.effective import Effective
from langop_model.renderer.findings import dotted

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class _Section:
    """One model of the page: its `anchor` is unique."""

    anchor: str
    model: Effective
    picture: Markup


def draw(models: Sequence[Effective], differences: Sequence[Entry] | None = None) -> str:
    """Return the page of `models`; with `differences`, which may be none, what changes comes first."""
    sections = [_section(index, model) for index, model in enumerate(models)]
    style = (_FOLDER / "page.css").read_text(encoding="utf-8")
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            sections=sections,
            title=sections[0].model.name if len(sections) == 1 else f"{len(sections)} models",
            style=Markup(style),  # noqa: S704 - a file of this package
            style_hash=b64encode(hashlib.sha256(style.encode()).digest()).decode(),
            heading="LanguageModel" if len(sections) == 1 else f"{len(sections)} LanguageModels",
            version=__version__,
            differences=None if differences is None else difference.sections(differences),
            summary="" if differences is None else difference.summary([entry.difference for entry in differences]),
            severities={severity.value: words for severity, words in WORDS.items()},
        )
    )


def _section(index: int, model: Effective) -> _Section:
    anchor = f"m{index}-{re.sub(r'[^a-z0-9]+', '-', model.name.lower())}"
    picture = svg.draw(request_path.of(model.facts), f"The path of a request to {model.name}", f"{anchor}-path")
    return _Section(anchor, model, Markup(picture))  # noqa: S704 - every text in it is escaped


@cache
def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    filters: dict[str, Any] = {"words": value_in_words, "dotted": dotted}
    env.filters.update(filters)
    return env
