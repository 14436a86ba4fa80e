"""A rule about fields that a model refuses together."""

from __future__ import annotations

from collections.abc import Iterator

from langop_model.renderer.lint.rule import Problem, problem
from langop_model.renderer.plan import Model

NAMES = {"temperature": "temperature", "topP": "top_p"}  # fields of spec.configuration that conflicts name, and LiteLLM's


def refused_together(model: Model) -> Iterator[Problem]:
    """Claude Opus 4.1, 4.5 and 4.6, Sonnet and Haiku 4.5 and 4.6 take temperature or topP, and answer both with 400.

    LiteLLM sends both. Later ones take neither, which is LM312. See schema/providers.json (conflicting_fields_by_model).
    """
    configuration = model.spec.get("configuration", {})
    for fields in model.provider.conflicts_of(model.spec["modelName"]):
        if all(field in configuration or NAMES[field] in model.parameters for field in fields):
            last = next((field for field in reversed(fields) if field in configuration), "")
            path = ("configuration", last) if last else ("params", NAMES[fields[-1]])
            yield problem("spec", *path, fields=" and ".join(fields), model=model.spec["modelName"])
