"""Models that the extra configuration names: in fallbacks and in aliases."""

from __future__ import annotations

from collections.abc import Iterator

from langop_model.renderer import references, schema_errors
from langop_model.renderer.extra.refusals import finding
from langop_model.renderer.extra.wanted import ALL, Extra, Group, NamedFallback
from langop_model.renderer.findings import Finding, Path
from langop_model.renderer.plan import Fallback, Model

BY_HAND = -1  # the index of a fallback that no entry of spec.fallbacks is

Known = dict[str, list[str]]  # a name to the model groups that it means: several where resources share a modelName


def resolve(models: list[Model], groups: list[Group], extra: Extra) -> Iterator[Finding]:
    """Give `models`, and the `groups` that are written by hand, the aliases and fallbacks that `extra` names.

    A model with spec.fallbacks keeps to these. Yields a finding for each name that no model has, or that is taken: models come
    and go while the extra configuration stays, so that these are warnings.
    """
    known = _known(models, groups)
    yield from _aliases(models, groups, extra, known)
    for wanted in sorted(extra.fallbacks, key=_order):
        missing = [name for name in (wanted.name, *wanted.targets) if name not in known and name != ALL]
        yield from (_no_such(wanted.path, name, known) for name in missing)
        for model in models:
            names = {model.name, model.group, model.spec["modelName"], *model.aliases}
            if wanted.name in (ALL, *names) and not model.spec.get("fallbacks"):
                model.fallbacks += _fallbacks(wanted, known, model.group, [each.group for each in model.fallbacks])
                extra.used.add(wanted.path)
        for group in groups:
            if wanted.name in (ALL, group.name, *group.aliases):
                own = group.section.setdefault("fallbacks", [])
                added = _fallbacks(wanted, known, group.name, [each["group"] for each in own])
                own += [{"group": each.group, "causes": each.conditions} for each in added]
                extra.used.add(wanted.path)
        if wanted.path not in extra.used and not missing:
            yield finding("LM752", wanted.path, target="spec.fallbacks")


def _order(fallback: NamedFallback) -> tuple[bool, bool]:
    """What is for one cause comes before what is for every error, and what names a model before what is for all."""
    return fallback.causes == ("error",), fallback.name == ALL


def _fallbacks(wanted: NamedFallback, known: Known, own: str, already: list[str]) -> list[Fallback]:
    """Return the fallbacks of the group `own`, without itself; what is for all models adds nothing that it has already."""
    groups = dict.fromkeys(group for target in wanted.targets for group in known.get(target, []))
    skipped = [own, *already] if wanted.name == ALL else [own]
    return [Fallback(BY_HAND, group, group, list(wanted.causes)) for group in groups if group not in skipped]


def _known(models: list[Model], groups: list[Group]) -> Known:
    known: Known = dict(references.shared_names(models))
    for model in models:
        for name in (model.group, model.name, *model.aliases):
            known.setdefault(name, [model.group])
    for group in groups:
        known.setdefault(group.name, [group.name])
    return known


def _aliases(models: list[Model], groups: list[Group], extra: Extra, known: Known) -> Iterator[Finding]:
    for alias, (path, target) in extra.aliases.items():
        if target not in known:
            yield _no_such(path, target, known)
        elif alias not in known:
            known[alias] = known[target]
            if len(known[target]) > 1:
                extra.shared[alias] = known[target]
                continue
            (group,) = known[target]
            for model in models:
                model.aliases += [alias] if model.group == group else []
            for each in groups:
                each.aliases.extend([alias] if each.name == group else [])
        elif known[alias] != known[target]:
            yield finding("LM757", path, alias=alias)


def _no_such(path: Path, name: str, known: Known) -> Finding:
    hint = schema_errors.did_you_mean(name, list(known))
    return finding("LM756", path, name=name, known=", ".join(sorted(known)) or "none", hint=hint)
