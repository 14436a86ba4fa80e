"""Everything beside model_list: what the extra configuration makes of it, written into the specs where they can say it."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from langop_model.contract.references import REFERENCE
from langop_model.importing import secrets, table
from langop_model.importing.groups import Made, ordered
from langop_model.renderer import nested, source
from langop_model.renderer.extra import defaults, reading, translation
from langop_model.renderer.extra import table as extra_table
from langop_model.renderer.extra.table import Row
from langop_model.renderer.extra.wanted import ALL, Extra
from langop_model.renderer.findings import Findings, Path, SpecError, dotted
from langop_model.renderer.settings import Settings

_REMAINS = ("cooldown", "redis")  # rules about the whole gateway, for which no LanguageModel has a field
_APPROXIMATE = {
    "retry_policy": "one number of retries holds for all errors that are retried",
    "model_group_retry_policy": "one number of retries holds for all errors that are retried",
}


@dataclass(slots=True)
class Sections:
    """What the sections ask for: `extra`, as the renderer reads it, and `remaining`, the keys that stay a configuration."""

    extra: Extra
    wanted: dict[str, Any] = field(default_factory=dict)
    remaining: dict[str, Any] = field(default_factory=dict)

    @property
    def strategy(self) -> str:
        """The strategy in the words of spec.loadBalancing.strategy; empty for LiteLLM's own, which weighs."""
        stated = (self.wanted.get("router_settings") or {}).get("routing_strategy", "simple-shuffle")
        return "" if stated == "simple-shuffle" else self.extra.strategy


def read(document: dict[str, Any], found: Findings) -> Sections:
    """Return what the sections of a configuration ask for, with a finding for each key."""
    wanted = reading.stated({key: copy.deepcopy(value) for key, value in document.items() if key != "model_list"})
    hidden = _hide_secrets(wanted)
    extra = _translated(wanted, found)
    for path, variable in hidden.items():
        if nested.at(wanted, path) == f"{REFERENCE}{variable}":  # what was not imported needs no Secret
            found.add("LM805", *path, target=f"os.environ/{variable}", secret="a variable that a Secret has to fill")  # noqa: S106 - words
    result = Sections(extra, wanted)
    for path, value in _keys(wanted):
        row = extra_table.row_of(path)
        if row is None:  # a variable that has no place of its own
            _keep(path, value, result, found)
        else:
            _say(path, value, row, result, found)
    return result


def apply(sections: Sections, made: list[Made], found: Findings) -> None:
    """Write into the specs what the sections say for all models, or for those that they name."""
    by_called = {name: each for each in reversed(made) for name in (*each.model_names, each.spec["modelName"], each.name)}
    extra = sections.extra
    for alias, (path, target) in extra.aliases.items():
        if target in by_called and alias not in by_called:
            by_called[target].spec.setdefault("aliases", []).append(alias)
            by_called[alias] = by_called[target]
        else:
            found.add(
                "LM804",
                *path,
                because="the model that it names is not there, or the alias is another's name",
                instead="remove it",
            )
    for wanted in sorted(extra.fallbacks, key=lambda each: (each.causes == ("error",), each.name == ALL)):
        targets = [by_called[name] for name in wanted.targets if name in by_called]
        missing = [name for name in (wanted.name, *wanted.targets) if name not in by_called and name != ALL]
        if missing:
            found.add("LM804", *wanted.path, because=f"no entry has the model_name {missing[0]}", instead="remove it")
        of = made if wanted.name == ALL else [by_called[wanted.name]] if wanted.name in by_called else []
        for each in of:
            _add_fallbacks(each, [target.name for target in targets], wanted.causes)
    for each in made:
        several = len(each.spec.get("loadBalancing", {}).get("endpoints", [])) > 1 or len(each.spec.get("regions", [])) > 1
        filled = defaults.fill(each.spec, [each.name, *each.model_names], extra, bare=False)
        if not several and "strategy" in filled.get("loadBalancing", {}):
            del filled["loadBalancing"]["strategy"]
            filled = {name: value for name, value in filled.items() if value != {}}
        each.spec = ordered(filled)


def _add_fallbacks(made: Made, names: Iterable[str], causes: tuple[str, ...]) -> None:
    stated = made.spec.setdefault("fallbacks", [])
    for name in names:
        known = next((each for each in stated if each["modelRef"] == name), None)
        if name == made.name:
            continue
        if known is None:
            stated.append({"modelRef": name} if causes == ("error",) else {"modelRef": name, "conditions": list(causes)})
        elif "conditions" in known:  # the same model for one more cause
            both = [*known["conditions"], *(cause for cause in causes if cause not in known["conditions"])]
            known.update({"conditions": both} if causes != ("error",) else {})
            if causes == ("error",):
                del known["conditions"]
    if not stated:
        del made.spec["fallbacks"]


def _hide_secrets(wanted: dict[str, Any]) -> dict[Path, str]:
    """Put a reference in place of each secret that is written out; return the variables by the paths of their keys."""
    hidden: dict[Path, str] = {}
    for path, value in list(source.walk(wanted)):
        name = next((str(segment) for segment in reversed(path) if isinstance(segment, str)), "")
        if not secrets.is_secret(name, value) and not (isinstance(value, str) and table.looks_secret(value)):
            continue
        variable = _variable(path)
        holder: Any = wanted
        for segment in path[:-1]:
            holder = holder[segment]
        holder[path[-1]] = f"{REFERENCE}{variable}"
        hidden[path] = variable
    return hidden


def _variable(path: Path) -> str:
    names = [str(segment) for segment in path if isinstance(segment, str)]
    if path[0] == "environment_variables":
        return names[-1]
    return {"master_key": "LITELLM_MASTER_KEY", "redis_password": "REDIS_PASSWORD", "password": "REDIS_PASSWORD"}.get(
        names[-1], names[-1].upper()
    )


def _translated(wanted: dict[str, Any], found: Findings) -> Extra:
    """Return what the renderer makes of `wanted`, without what it refuses: that is named, and taken out of `wanted`."""
    while True:
        problems = reading.problems(wanted)
        try:
            if problems:
                raise SpecError(problems)
            return translation.translate(wanted, Settings())
        except SpecError as refusal:
            for problem in reversed(refusal.findings):  # what is taken out of a list moves those after it
                removed = _remove(wanted, problem.path)
                reason = problem.message.removeprefix(dotted(problem.path)).removeprefix(" is refused").lstrip(": ")
                found.add("LM804", *(removed or problem.path), because=reason, instead=problem.fix)
                if not removed:
                    wanted.clear()


def _remove(wanted: Any, path: Path) -> Path:
    """Take the key at `path` out, or the nearest one around it; return its path. Of the unknown the problem names no path."""
    if not path:
        known = [key for key in wanted if extra_table.row_of((key,)) is None]
        for key in known:
            del wanted[key]
        return (known[0],) if known else ()
    for depth in range(len(path), 0, -1):
        holder: Any = nested.at(wanted, path[: depth - 1])
        last: Any = path[depth - 1]
        if (isinstance(holder, dict) and last in holder) or (isinstance(holder, list) and isinstance(last, int)):
            del holder[last]
            return path[:depth]
    return ()


def _keys(wanted: dict[str, Any]) -> Iterable[tuple[Path, Any]]:
    for section, members in wanted.items():
        if section not in extra_table.SECTIONS:
            if section == "environment_variables" and isinstance(members, dict):
                yield from (((section, name), value) for name, value in members.items())
            else:
                yield (section,), members
            continue
        for key, value in members.items():
            if (section, key) == extra_table.CACHE:
                yield from (((section, key, name), inner) for name, inner in value.items())
            else:
                yield (section, key), value


def _say(path: Path, value: Any, row: Row, result: Sections, found: Findings) -> None:
    """Record what became of a key that the gateway takes, and keep it where no field of a LanguageModel says it."""
    others = [name for name in value if name not in row.fields] if row.rule == "callbacks" and isinstance(value, list) else []
    stays = row.effect == "passed" or row.rule in _REMAINS or path == translation.MASTER_KEY_PATH or bool(others)
    if stays:
        _keep(path, others or value, result, found)
    elif row.rule in _APPROXIMATE:
        found.add("LM802", *path, target=_plain(row.to), difference=_APPROXIMATE[row.rule])
    elif row.only:
        found.add("LM801", *path, target=f"nothing: {_plain(row.to)}")
    else:
        found.add("LM801", *path, target=_plain(row.to))


def _keep(path: Path, value: Any, result: Sections, found: Findings) -> None:
    holder = result.remaining
    for segment in path[:-1]:
        holder = holder.setdefault(str(segment), {})
    holder[str(path[-1])] = value
    what = "no LanguageModel has a field for it: it is in the ConfigMap"
    found.add("LM803", *path, what=what, fix="set LANGOP_GATEWAY_EXTRA_CONFIG of the gateway from the ConfigMap")


def _plain(text: str) -> str:
    return text.replace("`", "")
