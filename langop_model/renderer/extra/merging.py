"""What is passed on, merged into the rendered configuration last, and checked like everything else."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import yaml

from langop_model.renderer import output_check
from langop_model.renderer.extra.refusals import finding, in_words
from langop_model.renderer.extra.wanted import VARIABLE, Extra
from langop_model.renderer.findings import SpecError
from langop_model.renderer.json_schema import best_match

_ADDED = ("callbacks", "success_callback", "failure_callback")  # lists that are made longer


def merge(text: str, config: dict[str, Any], extra: Extra, own_parameters: Collection[str]) -> tuple[str, dict[str, Any]]:
    """Return the rendered `text` and its data `config` with what `extra` passes on.

    Maps merge, plain values replace, callbacks are added. Sections that do not change keep their comments. Raises SpecError
    (LM731) for what LiteLLM would not read.
    """
    merged = _merged(config, _fitting(extra, config))
    if merged == config:
        return text, config
    result = _text(text, config, merged)
    try:
        return result, output_check.checked(result, own_parameters)
    except output_check.InvalidConfigError as refused:
        error = best_match([refused.error])  # of several things that LiteLLM reads there, the nearest
        raise SpecError([finding("LM731", tuple(error.absolute_path), problem=in_words(error))]) from None


def _fitting(extra: Extra, config: dict[str, Any]) -> dict[str, Any]:
    """Return what is passed on, without settings of a cache where no model has one: these are reported."""
    litellm = extra.passed.get("litellm_settings", {})
    if "cache_params" not in litellm or "cache_params" in config["litellm_settings"]:
        return extra.passed
    for name in litellm["cache_params"]:
        extra.findings.append(finding("LM752", ("litellm_settings", "cache_params", name), target="spec.caching"))
    return {**extra.passed, "litellm_settings": {key: value for key, value in litellm.items() if key != "cache_params"}}


def _merged(base: Any, extra: Any, name: str = "") -> Any:
    if name in _ADDED and isinstance(base, list):
        return [*(each for each in extra if each not in base), *base]
    if not isinstance(base, dict) or not isinstance(extra, dict):
        return extra
    return {**base, **{key: _merged(base.get(key), value, key) for key, value in extra.items()}}


def _text(text: str, config: dict[str, Any], merged: dict[str, Any]) -> str:
    """Return the text of `merged`: a section that is as before stands there as it was written."""
    parts = re.split(r"^(?=[A-Za-z_]+:)", text, flags=re.MULTILINE)
    written = {part.split(":", 1)[0]: part for part in parts[1:]}
    sections = [parts[0]]
    for name, value in merged.items():
        if name in written and value == config.get(name):
            sections.append(written[name])
        else:
            dumped = yaml.safe_dump({name: value}, sort_keys=False, allow_unicode=True, width=1000)
            sections.append(f"# with {VARIABLE}:\n{dumped}\n")
    return "".join(sections).rstrip("\n") + "\n"
