"""Keys that become something else: fields of the specs that do not state them, and sections of the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from langop_model.contract.references import REFERENCE
from langop_model.renderer import catalogue, nested, source
from langop_model.renderer.durations import in_go
from langop_model.renderer.extra import by_hand, retry_policy, table
from langop_model.renderer.extra.refusals import finding, refused
from langop_model.renderer.extra.retry_policy import checked
from langop_model.renderer.extra.table import CACHE, SECTIONS, Row
from langop_model.renderer.extra.wanted import ALL, Default, Extra, NamedFallback
from langop_model.renderer.findings import Finding, Path, SpecError, dotted
from langop_model.renderer.settings import Settings

MASTER_KEY = "LITELLM_MASTER_KEY"  # the variable from which the gateway reads its key for clients
MASTER_KEY_PATH: Path = ("general_settings", "master_key")
WITHHELD = "LANGOP_ENVIRONMENT_"  # before the name of a variable that LiteLLM would read for a provider by itself


def translate(wanted: dict[str, Any], settings: Settings) -> Extra:
    """Return what the checked map `wanted` asks for. Raises SpecError with all that can't be."""
    extra = Extra()
    problems = list(_conflicts(wanted))
    extra.variables = dict(_variables(wanted))
    wanted = _renamed(wanted)
    for row in table.rows():
        paths = [path for key in row.keys if (path := _path_of(key)) and nested.at(wanted, path) is not None]
        if len(paths) > 1 and row.effect == "translated" and row.rule not in _ADDED:
            extra.findings += [finding("LM753", path, by=dotted(paths[0])) for path in paths[1:] if not row.only]
        try:
            _take(row, paths, wanted, extra)
        except SpecError as problem:
            problems += problem.findings
    _environment(wanted.get("environment_variables", {}), extra)
    extra.defaults += _backend(wanted, known=settings.redis or bool(extra.redis))
    try:
        extra.groups = by_hand.groups(wanted.get("model_list", []), settings.namespace, extra)
    except SpecError as problem:
        problems += problem.findings
    if problems:
        raise SpecError(problems)
    return extra


def _take(row: Row, paths: list[Path], wanted: dict[str, Any], extra: Extra) -> None:
    """Note what one row's keys ask for."""
    if not paths or row.effect == "refused" or row.rule == "section":
        return
    if row.effect == "passed" and paths[0][0] in SECTIONS and len(paths[0]) > 1:
        for path in paths:
            _need(row, path, wanted)
            extra.passed = _merge(extra.passed, _nested(path, nested.at(wanted, path)))
        return
    rule = _RULES.get(row.rule)
    if rule is not None:
        rule(row, paths, wanted, extra)
    elif row.effect == "translated":
        value = nested.at(wanted, paths[0])
        extra.defaults += _defaults(row, paths[0], value)
        if row.reader:
            extra.passed = _merge(extra.passed, _nested(paths[0], value))


def _defaults(row: Row, path: Path, value: Any) -> Iterator[Default]:
    for name, fixed in row.fields.items():
        yield Default(path, tuple(name.split(".")), fixed, row.within)
    if not row.field or (row.values and table.word(value) not in row.values):
        return
    if row.values:
        value = row.values[table.word(value)]
    if row.convert == "seconds":
        value = in_go(value)
    yield checked(Default(path, tuple(row.field.split(".")), value, row.within))


def _need(row: Row, path: Path, wanted: dict[str, Any]) -> None:
    callbacks = ("callbacks", "success_callback", "failure_callback")
    if row.needs and not any(nested.at(wanted, ("litellm_settings", name)) for name in callbacks):
        raise SpecError([finding("LM751", path, problem=f"has no effect without {row.needs}")])


def _fallbacks(row: Row, paths: list[Path], wanted: dict[str, Any], extra: Extra) -> None:
    for index, entry in enumerate(nested.at(wanted, paths[0])):
        for name, targets in entry.items():
            extra.fallbacks.append(NamedFallback((*paths[0], index, name), name, tuple(targets), row.causes))


def _default_fallbacks(row: Row, paths: list[Path], wanted: dict[str, Any], extra: Extra) -> None:
    extra.fallbacks.append(NamedFallback(paths[0], ALL, tuple(nested.at(wanted, paths[0])), row.causes))


def _retry_policy(_: Row, paths: list[Path], wanted: dict[str, Any], extra: Extra) -> None:
    extra.defaults[:0] = retry_policy.defaults(paths[0], nested.at(wanted, paths[0]), _retries(wanted), frozenset())


def _model_group_retry_policy(_: Row, paths: list[Path], wanted: dict[str, Any], extra: Extra) -> None:
    of_groups: list[Default] = []  # what names a model comes before what holds for all
    for name, policy in nested.at(wanted, paths[0]).items():
        of_groups += retry_policy.defaults((*paths[0], name), policy, _retries(wanted), frozenset({name}))
    extra.defaults[:0] = of_groups


def _retries(wanted: dict[str, Any]) -> int:
    """Return the number of retries that holds where a policy is silent."""
    places = (("router_settings", "num_retries"), ("litellm_settings", "num_retries"))
    return int(next((value for place in places if (value := nested.at(wanted, place)) is not None), 0))


def _cooldown(row: Row, paths: list[Path], wanted: dict[str, Any], extra: Extra) -> None:
    value = nested.at(wanted, paths[0])
    extra.cooldown[row.member] = not value if row.member == "enabled" else value  # disable_cooldowns says the opposite


def _redis(_: Row, paths: list[Path], wanted: dict[str, Any], extra: Extra) -> None:
    for path in paths:
        name = str(path[-1])
        member = "cluster_nodes" if name == "redis_startup_nodes" else name.removeprefix("redis_")
        value = nested.at(wanted, path)
        value = _port(path, value) if member == "port" else value
        if extra.redis.setdefault(member, value) != value:
            problem = "names another redis than router_settings does, and one serves the cache, the limits and the cooldowns"
            raise SpecError([finding("LM751", path, problem=problem)])
    if ("sentinel_nodes" in extra.redis) != ("service_name" in extra.redis):
        problem = "needs both sentinel_nodes, where Sentinel is, and service_name, the master that it watches"
        raise SpecError([finding("LM751", paths[-1], problem=problem)])
    address = next((member for member in ("url", "host") if member in extra.redis), None)
    others = [member for member in ("cluster_nodes", "sentinel_nodes") if member in extra.redis]
    if len(named := [*([address] if address else []), *others]) > 1:
        problem = f"names redis by {' and by '.join(named)}: one of them serves the cache, the limits and the cooldowns"
        raise SpecError([finding("LM751", paths[-1], problem=problem)])


def _port(path: Path, value: Any) -> int | str:
    if isinstance(value, str) and value.startswith(REFERENCE):
        return value
    if str(value).isascii() and str(value).isdigit() and 1 <= int(value) <= 65535:
        return int(value)
    raise SpecError([finding("LM731", path, problem="must be a port's number, or os.environ/NAME")])


def _aliases(_: Row, paths: list[Path], wanted: dict[str, Any], extra: Extra) -> None:
    for alias, target in nested.at(wanted, paths[0]).items():
        path = (*paths[0], alias)
        if isinstance(target, dict) and target["hidden"]:
            raise SpecError([finding("LM751", path, problem="every name of a model is listed: write hidden: false")])
        extra.aliases[alias] = (path, target["model"] if isinstance(target, dict) else target)


def _callbacks(row: Row, paths: list[Path], wanted: dict[str, Any], extra: Extra) -> None:
    for path in paths:
        names = list(dict.fromkeys(nested.at(wanted, path)))
        wrong = [refused((*path, names.index(name)), row) for name in names if name in row.refuses]
        if wrong:
            raise SpecError(wrong)
        for name in names:
            if name in row.fields and not any(default.field == _field(row, name) for default in extra.defaults):
                extra.defaults.append(Default(path, _field(row, name), True))
        others = [name for name in names if name not in row.fields]
        if others:
            extra.passed = _merge(extra.passed, _nested(path, others))


def _field(row: Row, name: str) -> tuple[str, ...]:
    return tuple(str(row.fields[name]).split("."))


_Rule = Callable[[Row, list[Path], dict[str, Any], Extra], None]
_RULES: dict[str, _Rule] = {
    "fallbacks": _fallbacks,
    "default_fallbacks": _default_fallbacks,
    "retry_policy": _retry_policy,
    "model_group_retry_policy": _model_group_retry_policy,
    "cooldown": _cooldown,
    "redis": _redis,
    "aliases": _aliases,
    "callbacks": _callbacks,
}


_ADDED = ("callbacks", "redis")  # rules that read every key of their row


def _backend(wanted: dict[str, Any], *, known: bool) -> Iterator[Default]:
    """A cache without a type is LiteLLM's redis where one is known, as in LiteLLM, and in memory where none is."""
    paths = [
        path for path in (("litellm_settings", "cache"), ("router_settings", "cache_responses")) if nested.at(wanted, path)
    ]
    if paths and known and nested.at(wanted, (*CACHE, "type")) is None:
        yield Default(paths[0], ("caching", "backend"), "redis", within=True)


def _conflicts(wanted: dict[str, Any]) -> Iterator[Finding]:
    """Find settings of redis for a cache that is kept in memory, and a master key that is no reference."""
    cache = nested.at(wanted, CACHE) or {}
    members = [key for key in cache if table.by_key()[table.spelt((*CACHE, key))].rule == "redis"]
    if cache.get("type") == "local" and members:
        yield finding("LM751", (*CACHE, members[0]), problem="has no effect with type: local, which is kept in memory")
    key = nested.at(wanted, MASTER_KEY_PATH)
    if key is not None and not str(key).startswith(REFERENCE):
        yield finding("LM732", MASTER_KEY_PATH)


def _environment(variables: dict[str, str], extra: Extra) -> None:
    """Pass variables on; one that is a reference gets its value at the start, and is not in the configuration."""
    own = {name: value for name, value in variables.items() if not value.startswith(REFERENCE)}
    if own:
        extra.passed["environment_variables"] = own


def _variables(wanted: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the variables of the pod that are referred to: the name for the gateway's processes, and the pod's own name."""
    for path, value in source.walk(wanted):
        if not isinstance(value, str) or not value.startswith(REFERENCE):
            continue
        name = value.removeprefix(REFERENCE)
        if path[0] == "environment_variables":
            yield str(path[-1]), name
        else:
            yield (MASTER_KEY if path == MASTER_KEY_PATH else _new_name(name)), name


def _renamed(value: Any) -> Any:
    """Return a value with its references to variables by the names that these have for the gateway's processes."""
    if isinstance(value, dict):
        return {key: _renamed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each) for each in value]
    if isinstance(value, str) and value.startswith(REFERENCE):
        return REFERENCE + _new_name(value.removeprefix(REFERENCE))
    return value


def _new_name(name: str) -> str:
    """A variable that LiteLLM would read for a provider by itself is withheld from it: it gets a name that LiteLLM ignores."""
    return f"{WITHHELD}{name}" if name in catalogue.foreign_settings() else name


def _path_of(key: str) -> Path:
    """Return the path of a key of the table; empty for one of model_list or of the environment, which have their own rules."""
    return () if "[]" in key or "*" in key or key.startswith("environment_variables.") else tuple(key.split("."))


def _nested(path: Path, value: Any) -> dict[str, Any]:
    for key in reversed(path):
        value = {key: value}
    whole: dict[str, Any] = value
    return whole


def _merge(base: Any, more: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(more, dict):
        return more
    return {**base, **{key: _merge(base.get(key), value) for key, value in more.items()}}
