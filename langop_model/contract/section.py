"""Reading the section `callback_settings.langop` of a configuration.

The renderer has checked it: an unknown or missing member raises TypeError or KeyError here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langop_model.contract.settings import (
    Caching,
    Cooldown,
    Endpoint,
    Fallback,
    Group,
    HealthCheck,
    Key,
    KeyHeader,
    Limits,
    Log,
    ModelRules,
    Retries,
    UnsupportedDefaults,
    Upstream,
)


def groups(settings: Mapping[str, Any]) -> dict[str, Group]:
    """Return the groups of a `callback_settings.langop` section by name."""
    return {name: _group(name, section) for name, section in settings["models"].items()}


def shared_names(settings: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the modelNames that several LanguageModels have, each with the groups that serve it."""
    return {name: tuple(groups) for name, groups in settings.get("shared", {}).items()}


def keys(section: Mapping[str, Any]) -> dict[str, Key]:
    """Return the keys of one group's section by LiteLLM's parameter."""
    entries = section.get("keys", {})
    return {name: Key(**{**entry, "names": tuple(entry.get("names", ()))}) for name, entry in entries.items()}


def _group(name: str, section: Mapping[str, Any]) -> Group:
    members = dict(section)
    members["endpoints"] = tuple(Endpoint(**endpoint) for endpoint in section["endpoints"])
    members["keys"] = keys(section)
    for member in ("routes", "accepts"):
        if member in section:
            members[member] = tuple(section[member])
    if "unsupported_defaults" in section:
        rules = section["unsupported_defaults"]
        members["unsupported_defaults"] = tuple(UnsupportedDefaults(each["match"], tuple(each["names"])) for each in rules)
    if "limits" in section:
        members["limits"] = Limits(**section["limits"])
    if "retries" in section:
        retries = section["retries"]
        members["retries"] = Retries(**{**retries, "status_codes": frozenset(retries.get("status_codes", ()))})
    if "fallbacks" in section:
        members["fallbacks"] = tuple(Fallback(each["group"], frozenset(each["causes"])) for each in section["fallbacks"])
    for member, kind in (("health_check", HealthCheck), ("log", Log), ("caching", Caching), ("cooldown", Cooldown)):
        if member in section:
            members[member] = kind(**section[member])
    if "upstream" in section:
        members["upstream"] = _upstream(section["upstream"])
    return Group(name=name, **members)


def _upstream(section: Mapping[str, Any]) -> Upstream:
    members = dict(section)
    if "key" in section:
        members["key"] = KeyHeader(**section["key"])
    members["models"] = tuple(ModelRules(**_rules(each)) for each in section.get("models", ()))
    return Upstream(**_rules(members))


def _rules(section: Mapping[str, Any]) -> dict[str, Any]:
    return {**section, **{name: tuple(section.get(name, ())) for name in ("drops", "translates")}}
