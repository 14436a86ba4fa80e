"""LANGOP_GATEWAY_EXTRA_CONFIG: a LiteLLM configuration that is written by hand, beside what the LanguageModels say.

Each key is translated into fields of the LanguageModels that do not say otherwise, passed on to who reads it, or refused:
schema/extra-configuration.json says which, and docs/extra-configuration.md shows it. What is passed on is merged last: maps
merge, plain values replace, entries of model_list and callbacks are added.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from langop_model.renderer.extra.wanted import NOTHING, VARIABLE, Extra, Group
from langop_model.renderer.findings import Finding, SpecError
from langop_model.renderer.settings import Settings

if TYPE_CHECKING:
    from langop_model.renderer.global_settings import GlobalSettings
    from langop_model.renderer.plan import Model

__all__ = ["NOTHING", "VARIABLE", "Extra", "fill", "findings", "groups_of", "merge", "process_of", "read"]


def read(settings: Settings) -> Extra:
    """Return what `settings.extra_config` asks for. Raises SpecError (LM730 to LM732, LM750, LM751) with all that is wrong."""
    if not settings.extra_config.strip():
        return NOTHING
    from langop_model.renderer.extra import reading, refusals, translation

    text = settings.extra_config
    wanted = reading.parse(text)
    try:
        if wrong := reading.problems(wanted):
            raise SpecError(wrong)
        extra = translation.translate(wanted, settings)
    except SpecError as refusal:
        raise SpecError(refusals.located(refusal.findings, text)) from None
    extra.text = text
    return extra


def fill(spec: dict[str, Any], wanted: Extra, *, names: Iterable[str], bare: bool) -> dict[str, Any]:
    """Return `spec`, of a model that answers to `names`, with the defaults of `wanted` in the fields that it does not state."""
    if not wanted.defaults:
        return spec
    from langop_model.renderer.extra import defaults

    return defaults.fill(spec, names, wanted, bare=bare)


def groups_of(wanted: Extra, models: list[Model]) -> list[Group]:
    """Return the model groups that are written by hand beside `models`, and give all of them what `wanted` names.

    A group whose name a model has already is skipped, with a finding.
    """
    if wanted is NOTHING:
        return []
    from langop_model.renderer.extra import by_hand, names

    groups = by_hand.beside(models, wanted)
    if models or groups:
        wanted.findings += names.resolve(models, groups, wanted)
    return groups


def merge(wanted: Extra, text: str, config: dict[str, Any], own_parameters: Collection[str]) -> tuple[str, dict[str, Any]]:
    """Return the rendered `text` and its data `config` with what `wanted` passes on. Raises SpecError (LM731)."""
    if not wanted.passed:
        return text, config
    from langop_model.renderer.extra import merging

    return merging.merge(text, config, wanted, own_parameters)


def process_of(wanted: Extra, process: GlobalSettings, groups: list[Group]) -> GlobalSettings:
    """Return what the process does for `groups`, which are written by hand, too."""
    if not groups:
        return process
    from langop_model.renderer.extra import by_hand

    return by_hand.process_of(process, groups, wanted)


def findings(wanted: Extra, served: Sequence[object]) -> tuple[Finding, ...]:
    """Return everything that there is to say about the extra configuration beside the models and groups that are `served`."""
    if wanted is NOTHING or not served:
        return ()
    from langop_model.renderer.extra import defaults, refusals

    return refusals.located([*wanted.findings, *defaults.unused(wanted)], wanted.text)
