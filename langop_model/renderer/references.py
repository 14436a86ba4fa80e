"""References between resources: fallbacks to other models, and the names that clients may ask for."""

from __future__ import annotations

from langop_model.renderer import schema_errors
from langop_model.renderer.findings import Findings, Path
from langop_model.renderer.plan import Fallback, Model
from langop_model.renderer.settings import Settings


def resolve(models: list[Model], namespaces: list[str], settings: Settings, *, gateway: bool) -> None:
    """Resolve the fallbacks of `models` among each other (a gateway), or to sibling proxies (one model alone).

    Records an error for a reference that leads nowhere, back to itself, or in a circle that can be seen from here.
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
                model.findings.add("LM203", *path, circle=f"{ref} -> {ref}")
            elif gateway and ref not in by_name:
                known = sorted(by_name)
                model.findings.add("LM204", *path, ref=ref, known=", ".join(known), hint=schema_errors.did_you_mean(ref, known))
            else:
                group = by_name[ref].group if gateway else f"fallback/{ref}"
                url = None if gateway else settings.sibling_url.replace("{ref}", ref).replace("{namespace}", namespace)
                conditions = entry.get("conditions") or ["error"]
                model.fallbacks.append(Fallback(index, ref, group, conditions, url))
            seen.add(ref)
    if gateway:
        _refuse_circles(by_name)


def check_names(models: list[Model]) -> None:
    """Record what is wrong with the names of the resources of one gateway."""
    by_name: dict[str, Model] = {}
    by_group: dict[str, Model] = {}
    for model in models:
        if model.name in by_name:
            model.findings.add("LM201", "metadata", "name", name=model.name)
        if model.group in by_group:
            other = by_group[model.group].name
            model.findings.add("LM213", "spec", "modelName", name=model.group, other=other)
        by_name.setdefault(model.name, model)
        by_group.setdefault(model.group, model)
    for model in models:
        other_model = by_group.get(model.name)
        if other_model is not None and other_model.group != model.group:
            model.findings.add("LM202", "metadata", "name", name=model.name, other=other_model.name)


def _refuse_circles(by_name: dict[str, Model]) -> None:
    done: set[str] = set()

    def visit(name: str, trail: list[str], found: Findings | None, path: Path) -> None:
        if name in trail:
            if found is not None:
                found.add("LM203", *path, circle=" -> ".join([*trail[trail.index(name) :], name]))
            return
        if name in done:
            return
        model = by_name[name]
        for fallback in model.fallbacks:
            visit(fallback.ref, [*trail, name], model.findings, ("spec", "fallbacks", fallback.index, "modelRef"))
        done.add(name)

    for name in by_name:
        visit(name, [], None, ())
