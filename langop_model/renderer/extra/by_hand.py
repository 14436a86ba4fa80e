"""Entries of model_list that are written by hand: each model_name becomes a model group of the contract.

Its policies are the gateway's own, as those of a LanguageModel are: what LiteLLM reads from litellm_params for limits, retries
and the choice of endpoints moves into the group's section.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from langop_model.renderer import catalogue, endpoints
from langop_model.renderer.catalogue import Provider
from langop_model.renderer.extra import table
from langop_model.renderer.extra.refusals import finding
from langop_model.renderer.extra.relayed import sections as relayed_sections
from langop_model.renderer.extra.wanted import VARIABLE, Default, Extra, Group
from langop_model.renderer.findings import Finding, Findings, Path, SpecError
from langop_model.renderer.global_settings import LITELLM_CACHES, GlobalSettings
from langop_model.renderer.plan import Model
from langop_model.renderer.specification import node_of

LIMITS = ("requests_per_minute", "tokens_per_minute", "concurrent_requests")
TIMEOUT = 300  # seconds: the default of spec.timeout
STATUS_CODES = [408, 409, 429, 500, 501, 502, 503, 504, 520, 529]  # as templates/retry-policy.yaml.j2 has them

Entry = dict[str, Any]


def groups(entries: list[Entry], namespace: str, extra: Extra) -> list[Group]:
    """Return the groups of the checked `entries`, in their order. Raises SpecError (LM751) for what can't be served."""
    by_name: dict[str, list[tuple[Path, Entry]]] = {}
    for index, entry in enumerate(entries):
        by_name.setdefault(entry["model_name"], []).append((("model_list", index), entry))
    made: list[Group] = []
    problems: list[Finding] = []
    for name, places in by_name.items():
        try:
            made.append(_group(name, places, namespace, extra))
        except SpecError as problem:
            problems += problem.findings
    if problems:
        raise SpecError(problems)
    return made


def beside(models: Sequence[Model], extra: Extra) -> list[Group]:
    """Return the groups that no LanguageModel serves already; the others get a finding (LM758)."""
    taken = {
        name: model.name for model in models for name in (model.name, model.group, model.spec["modelName"], *model.aliases)
    }
    ids = {deployment.id: model.name for model in models for deployment in model.deployments}
    left = []
    for group in extra.groups:
        others = [ids[entry["model_info"]["id"]] for entry in group.entries if entry["model_info"]["id"] in ids]
        other = taken.get(group.name) or next(iter(others), None)
        if other is None:
            left.append(group)
        else:
            extra.findings.append(finding("LM758", group.path, name=group.name, other=other))
    return left


def _group(name: str, places: list[tuple[Path, Entry]], namespace: str, extra: Extra) -> Group:
    """Return the group `name`. Raises SpecError for everything that is wrong with its entries."""
    problems = [problem for path, entry in places for problem in _problems(path, entry)]
    own = [_own(entry["litellm_params"]) for _, entry in places]
    for member in ("attempts", "priority", *LIMITS):
        stated = [parameters[member] for parameters in own if member in parameters]
        if stated and (len(stated) < len(own) or (member == "attempts" and len(set(stated)) > 1)):
            what = "as in the other entries of this model_name" if member == "attempts" else "in all of its entries, or in none"
            problems.append(finding("LM751", places[0][0], problem=f"{_spelling(member)} must be set {what}"))
    if problems:
        raise SpecError(problems)
    rendered = [_rendered(name, path, number, entry, extra) for number, (path, entry) in enumerate(places)]
    section = _section(name, namespace, rendered, own, extra)
    relayed = relayed_sections(name, rendered)
    for endpoint in section["endpoints"] if relayed else ():
        endpoint["url"] = relayed["urls"][endpoint["id"]]
    section |= {key: value for key, value in relayed.items() if key != "urls"}
    return Group(name, places[0][0], rendered, section, aliases=[])


def _problems(path: Path, entry: Entry) -> Iterator[Finding]:
    """Yield what keeps an entry from being served."""
    parameters = entry["litellm_params"]
    slug, _, model = parameters["model"].partition("/")
    reason = catalogue.refusals().get(slug)
    if reason:
        yield finding(
            "LM751", (*path, "litellm_params", "model"), problem=f"names the provider {slug}, which is refused: {reason}"
        )
        return
    if slug not in catalogue.litellm_names():
        problem = f"names the provider {slug}, which docs/providers.md does not have"
        yield finding("LM751", (*path, "litellm_params", "model"), problem=problem)
        return
    if "*" in entry["model_name"] and not (entry["model_name"].endswith("/*") and model == "*"):
        problem = "has a *, which is possible only as model_name: NAME/* with model: provider/*"
        yield finding("LM751", (*path, "model_name"), problem=problem)
    provider = catalogue.of_litellm(slug)
    address = parameters.get("api_base") or parameters.get("base_url")
    if not address and not provider.address:
        yield finding("LM751", (*path, "litellm_params"), problem=f"needs api_base for {slug}: {provider.endpoint_format}")
    given = [name for name in provider.credentials if name in parameters]
    if provider.needs_key and not given and not address:
        names = provider.main_credential or " and ".join(provider.credentials)
        yield finding("LM751", (*path, "litellm_params"), problem=f"needs {names}: os.environ/NAME, with a variable of the pod")


def _own(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return what the gateway takes from litellm_params for itself, by the contract's names. The first spelling wins."""
    found: dict[str, Any] = {}
    for row in table.rows():
        for key in row.keys:
            name = key.rpartition(".")[2]
            if row.rule == "parameter" and name in parameters and parameters[name] is not None:
                found.setdefault(row.becomes, parameters[name])
    return found


def _spelling(member: str) -> str:
    return next(row.keys[0].rpartition(".")[2] for row in table.rows() if row.becomes == member)


def _base(address: str, model: str, provider: Provider, path: Path, extra: Extra) -> str:
    """Return the base address that api_base means. Raises SpecError for what is not understood."""
    place = (*path, "litellm_params", "api_base")
    found = Findings()
    base = endpoints.read(provider, address, model, place, found).base
    said = [each.replace(path=place, file=VARIABLE) for each in found.items]
    if found.errors:
        raise SpecError(said)
    extra.findings += said
    return base


def _rendered(name: str, path: Path, number: int, entry: Entry, extra: Extra) -> Entry:
    """Return an entry as the configuration has it."""
    parameters = dict(entry["litellm_params"])
    slug, _, written_model = parameters["model"].partition("/")
    provider = catalogue.of_litellm(slug)
    moved = {key.rpartition(".")[2] for row in table.rows() if row.rule == "parameter" for key in row.keys}
    address = parameters.pop("base_url", None)
    address = parameters.pop("api_base", None) or address
    if address:
        address = _base(address, written_model, provider, path, extra)
    elif provider.always_set_api_base:
        address = provider.address
    written = {"model": parameters.pop("model"), **({"api_base": address} if address else {})}
    if not provider.ambient and not any(name in parameters for name in provider.credentials):
        written["api_key"] = "not-needed"
    written |= {key: value for key, value in parameters.items() if key not in moved}
    written["timeout"] = _own(entry["litellm_params"]).get("timeout", _timeout(extra))
    for default in extra.defaults:
        if default.field == ("params", "stream_timeout") and "stream_timeout" not in written:
            written["stream_timeout"] = default.value
            extra.used.add(default.path)
    info = {"id": f"{name}/endpoint-{number}", **entry.get("model_info", {}), **_check(written, provider, extra)}
    return {"model_name": name, "litellm_params": written, "model_info": {**info, "disable_background_health_check": True}}


def _section(name: str, namespace: str, rendered: list[Entry], own: list[dict[str, Any]], extra: Extra) -> dict[str, Any]:
    """Return the group's section of callback_settings.langop."""
    members = []
    for entry, parameters in zip(rendered, own, strict=True):
        endpoint = {"id": entry["model_info"]["id"]}
        if len(rendered) > 1:
            endpoint |= {key: parameters[key] for key in ("weight", "requests_per_minute", "priority") if key in parameters}
        members.append(endpoint)
    section: dict[str, Any] = {"resource": name, "namespace": namespace, "endpoints": members}
    section["timeout"] = max(entry["litellm_params"]["timeout"] for entry in rendered)
    if len(rendered) > 1:
        section["strategy"] = _default(extra, "loadBalancing", "strategy") or "weighted"
    limits = {member: sum(each[member] for each in own) for member in LIMITS if all(member in each for each in own)}
    if not limits and (most := _default(extra, "rateLimits", "concurrentRequests")):
        limits = {"concurrent_requests": most}
    if limits:
        section["limits"] = {**limits, "wait": section["timeout"]}
    section |= _retries(name, own, extra)
    if "health_check" in rendered[0]["model_info"]:
        section["health_check"] = _health_check(extra)
    if extra.caches:
        section["caching"] = _caching(extra)
    if extra.cooldown:
        section["cooldown"] = extra.cooldown
    return section


def _retries(name: str, own: list[dict[str, Any]], extra: Extra) -> dict[str, Any]:
    attempts = own[0].get("attempts", _default(extra, "retryPolicy", "maxAttempts", model=name))
    if not attempts:
        return {}
    first = _default(extra, "retryPolicy", "initialBackoff")
    retries = {
        "attempts": attempts,
        "initial_backoff": _seconds(first or node_of(("retryPolicy", "initialBackoff"))["default"]),
        "max_backoff": _seconds(node_of(("retryPolicy", "maxBackoff"))["default"]),
        "multiplier": node_of(("retryPolicy", "backoffMultiplier"))["default"],
        "status_codes": _default(extra, "retryPolicy", "retryableStatusCodes", model=name) or STATUS_CODES,
    }
    return {"retries": retries}


def _check(parameters: dict[str, Any], provider: Provider, extra: Extra) -> dict[str, Any]:
    """Return the request of a health check, where the extra configuration asks for checks and the provider has a free one."""
    if not _default(extra, "loadBalancing", "healthCheck", "enabled") or provider.check is None:
        return {}
    header, prefix = provider.key_header
    address = parameters.get("api_base", provider.address)
    check = {
        "url": f"{address}{provider.check.path}",
        "key_header": header,
        "key_prefix": prefix,
        "headers": provider.check.headers,
    }
    return {"health_check": check}


def _health_check(extra: Extra) -> dict[str, Any]:
    node = node_of(("loadBalancing", "healthCheck"))["properties"]
    interval = _default(extra, "loadBalancing", "healthCheck", "interval") or node["interval"]["default"]
    return {
        "interval": _seconds(interval),
        "timeout": _seconds(node["timeout"]["default"]),
        "healthy_threshold": node["healthyThreshold"]["default"],
        "unhealthy_threshold": node["unhealthyThreshold"]["default"],
    }


def _caching(extra: Extra) -> dict[str, Any]:
    ttl = _default(extra, "caching", "ttl")
    return {"backend": _default(extra, "caching", "backend") or "memory", **({"ttl": _seconds(ttl)} if ttl else {})}


def _default(extra: Extra, *field: str, model: str = "") -> Any:
    """Return what the extra configuration says about a field of the specs for the model of this name; None for nothing."""
    found = next((each for each in extra.defaults if each.field == field and (not each.models or model in each.models)), None)
    if found is None:
        return None
    extra.used.add(found.path)
    return found.value


def _timeout(extra: Extra) -> float:
    stated: Default | str | None = _default(extra, "timeout")
    return _seconds(str(stated)) if stated else TIMEOUT


def _seconds(duration: str) -> float:
    from langop_model.renderer import durations

    return durations.seconds(duration)


def process_of(process: GlobalSettings, groups: list[Group], extra: Extra) -> GlobalSettings:
    """Return what the process does for `groups` too: what no LanguageModel asks for, as the extra configuration says it."""
    if not groups:
        return process
    caches = process.cache_type is None and _default(extra, "caching", "enabled")
    ttl = _default(extra, "caching", "ttl") if caches else None
    return process.replace(
        log_level=process.log_level or _default(extra, "observability", "logging", "level"),
        metrics=process.metrics or bool(_default(extra, "observability", "metrics")),
        tracing=process.tracing or bool(_default(extra, "observability", "tracing")),
        cache_type=LITELLM_CACHES.get(_default(extra, "caching", "backend") or "memory") if caches else process.cache_type,
        cache_ttl=_seconds(ttl) if ttl else process.cache_ttl,
    )
