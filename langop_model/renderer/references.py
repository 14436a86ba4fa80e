"""References between resources: fallbacks to other models, and the names that clients may ask for."""

from __future__ import annotations

from collections import Counter

from langop_model.renderer.findings import Path
from langop_model.renderer.plan import Fallback, Model
from langop_model.renderer.settings import Settings
from langop_model.renderer.wording import did_you_mean


def resolve(models: list[Model], namespaces: list[str], settings: Settings, *, gateway: bool, lenient: bool = False) -> None:
    """Resolve the fallbacks of `models` among each other (a gateway), or to sibling proxies (one model alone).

    Records an error for a reference that leads nowhere or to the model itself. Models may back each other up: a fallback gets
    one attempt and no fallbacks of its own. In a `lenient` gateway a reference that leads nowhere is skipped with a warning:
    its model may be rejected, or created later.
    """
    by_name = {model.name: model for model in models}
    for model, namespace in zip(models, namespaces, strict=True):
        seen: set[str] = set()
        for index, entry in enumerate(model.spec.get("fallbacks", [])):
            path: Path = ("spec", "fallbacks", index, "modelRef")
            ref = entry["modelRef"]
            if ref in seen:
                model.findings.add("LM212", *path, ref=ref)
            elif ref == model.name:
                model.findings.add("LM203", *path)
            elif gateway and ref not in by_name:
                known = sorted(by_name)
                hint = did_you_mean(ref, known)
                model.findings.add("LM430" if lenient else "LM204", *path, ref=ref, known=", ".join(known), hint=hint)
            else:
                group = by_name[ref].group if gateway else f"fallback/{ref}"
                url = None if gateway else settings.sibling_url.replace("{ref}", ref).replace("{namespace}", namespace)
                conditions = list(dict.fromkeys(entry.get("conditions") or ["error"]))
                model.fallbacks.append(Fallback(index, ref, group, conditions, url))
            seen.add(ref)


def name(models: list[Model]) -> None:
    """Give the models of one proxy the names that clients may ask for them by.

    Records what is wrong: two resources of one name, or a resource called like another's model. Several resources with one
    modelName share it: each becomes a group of its own, `<modelName>@<resource>`, and a request gets one after the other.
    """
    by_name: dict[str, Model] = {}
    for model in models:
        if by_name.setdefault(model.name, model) is not model:
            model.findings.add("LM201", "metadata", "name", name=model.name)
    groups = Counter(model.group for model in models)
    for model in models:
        other = next((each for each in models if each.group == model.name != model.group), None)
        if other is not None and groups[model.name] == 1:
            model.findings.add("LM202", "metadata", "name", name=model.name, other=other.name)
    taken = {group: f"the modelName of {_of(group, models)}" for group in groups}
    taken |= {model.name: f"the name of the resource {model.name}" for model in models if model.name not in taken}
    for model in models:
        _set_aliases(model, taken)
    for group in (group for group, count in groups.items() if count > 1):
        _share(group, [model for model in models if model.group == group])


def names(models: list[Model]) -> list[str]:
    """Return the names that clients may ask for: of each model its group and its aliases."""
    return [name for model in models for name in (model.group, *model.aliases)]


def shared_names(models: list[Model]) -> dict[str, list[str]]:
    """Return the modelNames that several of the models have, each with the groups that serve it."""
    groups: dict[str, list[str]] = {}
    for model in models:
        if model.shares_its_name:
            groups.setdefault(model.spec["modelName"], []).append(model.group)
    return groups


def _of(group: str, models: list[Model]) -> str:
    return next(model.name for model in models if model.group == group)


def _set_aliases(model: Model, taken: dict[str, str]) -> None:
    """A model answers to its resource's name, unless it means every model of its provider; and to spec.aliases."""
    if not model.serves_any and model.name != model.group:
        model.aliases.append(model.name)
    if model.written_name and model.written_name not in taken:
        model.aliases.append(model.written_name)
        taken[model.written_name] = f"the modelName of {model.name}"
    for index, alias in enumerate(model.spec.get("aliases", [])):
        path: Path = ("spec", "aliases", index)
        if model.serves_any:
            model.findings.add("LM418", *path, alias=alias)
        elif alias in taken:
            model.findings.add("LM416", *path, alias=alias, other=taken[alias])
        else:
            model.aliases.append(alias)
            taken[alias] = f"an alias of {model.name}"


def _share(group: str, models: list[Model]) -> None:
    for model in models:
        others = ", ".join(other.name for other in models if other is not model)
        model.findings.add("LM322", "spec", "modelName", name=group, others=others)
        model.group = f"{group}@{model.name}"
        if model.name == group:
            continue
        if model.name not in model.aliases:
            model.aliases.insert(0, model.name)
