"""What changes in behaviour from one rendered configuration to another: for `diff`, and for `launch` at a change.

Every place that differs is said: by a row of schema/changes.json, by the rules here and in difference_endpoints.py, or by its
name in the configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from langop_model.renderer import configuration_models, difference_deployments, difference_endpoints, quantities
from langop_model.renderer.configuration_models import FALLBACK, WILDCARD, ConfiguredModel, at, mapping
from langop_model.renderer.difference_rows import Difference, Rows, Severity

_APART = ("endpoints", "fallbacks", "internal")  # members of a section that are no row
_GRAVEST = list(Severity)
# What a cached answer is found by, beside the request (langop_model/gateway/caching/keys.py, shared_state.py).
_KEYED = ("defaults", "upstream.model", "resource", "namespace")
Pairs = list[tuple[ConfiguredModel, ConfiguredModel]]


def sentences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what changes from one configuration to another in short sentences, the gravest first.

    Both are the data of a rendered file. A sentence begins with the model that it is about, where there are several.
    """
    found = compare(before, after)
    several = len({difference.model for difference in found if difference.model}) > 1
    return [f"{each.model}: {each.text}" if several and each.model else each.text for each in found]


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return every difference between two configurations, by model, the gravest first in each."""
    old, new = configuration_models.of(before), configuration_models.of(after)
    pairs, removed, added = _match(old, new)
    found = [*_names(pairs, removed, added, after)]
    for one, other in pairs:
        found += _of_model(one, other, old, new)
    found += _of_process(before, after, found)
    order = list(dict.fromkeys(difference.model for difference in found))
    return sorted(found, key=lambda each: (order.index(each.model), _GRAVEST.index(each.severity)))


def _match(
    old: Mapping[str, ConfiguredModel], new: Mapping[str, ConfiguredModel]
) -> tuple[Pairs, list[ConfiguredModel], list[ConfiguredModel]]:
    """Return the models that are the same on both sides, those that are gone, and those that were added.

    The same group, then the same resource; a single one that is left on either side is the same one, with another name.
    """
    left = [model for model in old.values() if not model.is_internal]
    right = [model for model in new.values() if not model.is_internal]
    pairs: Pairs = []
    for same in (_same_group, _same_resource):
        for one in list(left):
            match = next((other for other in right if same(one, other)), None)
            if match is not None:
                pairs.append((one, match))
                left.remove(one)
                right.remove(match)
    if len(left) == len(right) == 1 and not pairs:
        return [(left[0], right[0])], [], []
    return pairs, left, right


def _same_group(one: ConfiguredModel, other: ConfiguredModel) -> bool:
    return one.group == other.group


def _same_resource(one: ConfiguredModel, other: ConfiguredModel) -> bool:
    return all(one.resource) and one.resource == other.resource


def _names(
    pairs: Pairs, removed: list[ConfiguredModel], added: list[ConfiguredModel], after: Mapping[str, Any]
) -> Iterator[Difference]:
    """Yield what changes for clients that ask for a model by one of its names."""
    taken = {name for model in [*(one for one, _ in pairs), *removed] for name in model.names}
    served = {name: model.group for model in [*(other for _, other in pairs), *added] for name in model.names}
    unavailable = mapping(at(dict(after), "callback_settings", "langop", "unavailable"))
    wildcards = {name.removesuffix("*"): group for name, group in served.items() if name.endswith(WILDCARD)}

    def lost(name: str) -> str:
        prefix = next((each for each in wildcards if name.startswith(each)), None)
        if prefix is not None:
            return f"get the model {name.removeprefix(prefix)} of {wildcards[prefix]}"
        return (
            "get 503"
            if name in unavailable or any(name in mapping(each).get("names", ()) for each in unavailable.values())
            else "get 404"
        )

    for one, other in pairs:
        gone = [name for name in one.names if name not in served]
        if gone:
            what = "model renamed" if one.group in gone else "name removed"
            text = f"{what}: clients that ask for {quantities.listed(gone, 'or')} {lost(gone[0])}"
            yield Difference(other.group, Severity.BREAKS, text, "names")
        for name in one.names:
            if name in served and name not in other.names:
                yield Difference(other.group, Severity.CHANGES, f"clients that ask for {name} get {served[name]}", "names")
        new = [name for name in other.names if name not in one.names and name not in taken]
        if new:
            yield Difference(other.group, Severity.CHANGES, f"clients may ask for {quantities.listed(new, 'or')}", "names")
    for model in removed:
        gone = [name for name in model.names if name not in served] or [model.group]
        text = f"model removed: clients that ask for {quantities.listed(gone, 'or')} {lost(gone[0])}"
        yield Difference(model.group, Severity.BREAKS, text, "names")
    for model in added:
        text = f"model added: clients may ask for {quantities.listed(model.names or [model.group], 'or')}"
        yield Difference(model.group, Severity.CHANGES, text, "names")


def _of_model(
    one: ConfiguredModel, other: ConfiguredModel, old: Mapping[str, ConfiguredModel], new: Mapping[str, ConfiguredModel]
) -> list[Difference]:
    """Return what differs between two versions of a model, beside its names."""
    name = other.group
    found = [*difference_endpoints.compare(name, one.section, other.section), *_fallbacks(name, one, other)]
    apart = ["endpoints"] if found else []
    sections = [{key: value for key, value in each.section.items() if key not in _APART} for each in (one, other)]
    found += Rows("group", name).compare(sections[0], sections[1], apart)
    explained = {place for each in found for place in _stems(each.place)}
    found += difference_deployments.compare(one, other, explained)
    for target in _fallback_groups(one) & _fallback_groups(other) & old.keys() & new.keys():
        if old[target].is_internal and new[target].is_internal:
            said = {(each.place, str(each.after)) for each in found}
            inner = _of_model(old[target], new[target], {}, {})
            found += [
                Difference(name, each.severity, f"fallback {_short(target)}: {each.text}", each.place, each.before, each.after)
                for each in inner
                if (each.place, str(each.after)) not in said
            ]
    return [*found, *_cache_emptied(name, one, other, found)]


def _fallbacks(name: str, one: ConfiguredModel, other: ConfiguredModel) -> Iterator[Difference]:
    was, will = _causes(one), _causes(other)
    for group, causes in will.items():
        if group not in was:
            yield Difference(name, Severity.CHANGES, f"fallback {_short(group)} added: {_when(causes)}", "fallbacks")
        elif was[group] != causes:
            text = f"fallback {_short(group)}: {_when(was[group])} → {_when(causes)}"
            yield Difference(name, Severity.CHANGES, text, "fallbacks")
    for group, causes in was.items():
        if group not in will:
            yield Difference(
                name, Severity.CHANGES, f"fallback {_short(group)} removed: it was asked {_when(causes)}", "fallbacks"
            )
    kept = [[group for group in side if group in was and group in will] for side in (was, will)]
    if kept[0] != kept[1]:
        order = quantities.listed([_short(group) for group in kept[1]])
        yield Difference(name, Severity.CHANGES, f"fallbacks are asked in another order: {order}", "fallbacks")


def _causes(model: ConfiguredModel) -> dict[str, list[str]]:
    found = model.section.get("fallbacks")
    rows = [mapping(each) for each in found] if isinstance(found, list) else []
    return {str(row.get("group")): _distinct(map(str, row.get("causes") or ())) for row in rows}


def _distinct(causes: Iterable[str]) -> list[str]:
    """Return causes each once, in order; `error` is all of them."""
    found = set(causes)
    return sorted(found) if "error" not in found else ["error"]


def _fallback_groups(model: ConfiguredModel) -> set[str]:
    return {group for group in _causes(model) if group.startswith(FALLBACK)}


def _short(group: str) -> str:
    return group.removeprefix(FALLBACK)


def _when(causes: list[str]) -> str:
    return "after any error" if not causes or "error" in causes else f"after {quantities.listed(causes, 'or')}"


def _stems(place: str) -> Iterator[str]:
    """Yield a place and everything that holds it: a.b.c, a.b, a."""
    while place:
        yield place
        place = place.rpartition(".")[0]


def _cache_emptied(name: str, one: ConfiguredModel, other: ConfiguredModel, said: list[Difference]) -> Iterator[Difference]:
    """Say that cached answers are no longer found, where the change does not say so itself."""
    caching = [mapping(model.section.get("caching")) for model in (one, other)]
    if not all(caching) or caching[0].get("backend") != caching[1].get("backend"):
        return
    changed = {place for each in said for place in _stems(each.place)}
    parameters = [sorted(repr(entry.get("litellm_params")) for entry in model.deployments.values()) for model in (one, other)]
    if one.group != other.group or changed & set(_KEYED) or parameters[0] != parameters[1]:
        text = "cache emptied: answers that were kept until now are not found again"
        yield Difference(name, Severity.CHANGES, text, "caching")


def _of_process(before: Mapping[str, Any], after: Mapping[str, Any], said: list[Difference]) -> Iterator[Difference]:
    """Yield what differs beside the models: in what the process does for all of them."""
    explained = {place for each in said for place in _stems(each.place)}
    if any(each.place == "names" for each in said):
        explained.add("models")
    seen = set()
    for each in Rows("process").compare(_process(before), _process(after), explained):
        if each.text not in seen:
            seen.add(each.text)
            yield each


def _process(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration without what is said of its models and of their names."""
    rest = {name: value for name, value in config.items() if name != "model_list"}
    langop = {
        name: value
        for name, value in mapping(at(rest, "callback_settings", "langop")).items()
        if name not in ("models", "shared")
    }
    router = {name: value for name, value in mapping(rest.get("router_settings")).items() if name != "model_group_alias"}
    if "callback_settings" in rest:
        rest["callback_settings"] = {**mapping(rest["callback_settings"]), "langop": langop}
    if "router_settings" in rest:
        rest["router_settings"] = router
    return rest
