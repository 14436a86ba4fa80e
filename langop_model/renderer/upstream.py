"""How the gateway asks a model's provider without LiteLLM: the member `upstream` of its section, where that is possible."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from langop_model.renderer import parameters
from langop_model.renderer.catalogue import Relay
from langop_model.renderer.plan import Deployment, Model

ALL_ROUTES = {
    "chat": "/chat/completions",
    "completions": "/completions",
    "embeddings": "/embeddings",
    "responses": "/responses",
    "messages": "/messages",
    "count_tokens": "/messages/count_tokens",
    "moderations": "/moderations",
    "images": "/images/generations",
    "image_edits": "/images/edits",
    "transcriptions": "/audio/transcriptions",
    "speech": "/audio/speech",
    "rerank": "/rerank",
}
"""What another gateway of this project serves, each with its path below /v1."""

PARAMETERS = {
    "temperature": "temperature",
    "maxTokens": "max_tokens",
    "topP": "top_p",
    "frequencyPenalty": "frequency_penalty",
    "presencePenalty": "presence_penalty",
    "stopSequences": "stop",
}
"""The fields of spec.configuration, each with its parameter of chat completions."""

# Parameters of LiteLLM that the gateway follows without LiteLLM.
FOLLOWED = frozenset(
    {"allowed_openai_params", "api_version", "base_model", "drop_params", "extra_body", "extra_headers", "stream_timeout"}
)


def of_model(model: Model) -> dict[str, Any]:
    """Return `upstream` of a model's section; empty where LiteLLM translates all its requests."""
    relay = _relay(model)
    if relay is None:
        return {}
    section: dict[str, Any] = {
        "model": model.spec["modelName"],
        "routes": _places(model, relay),
        "streams": dict(relay.streams),
    }
    if model.provider.key:
        header, prefix = model.provider.key_header
        parameter = model.provider.main_credential
        key = {"name": header, "prefix": prefix, "parameter": parameter if parameter != "api_key" else ""}
        section["key"] = {name: value for name, value in key.items() if value}
    headers = {**relay.headers, **_texts(model.parameters.get("extra_headers"))}
    extra = model.parameters.get("extra_body")
    section |= {"headers": headers, "extra_body": extra if isinstance(extra, dict) else {}}
    section |= relay.rules(model.spec["modelName"])
    section |= {"query": _query(model, relay), "developer_role": relay.developer_role}
    if model.serves_any:
        section["models"] = [dict(rules) for rules in relay.models]
    return {name: value for name, value in section.items() if value or name in ("model", "routes")}


def is_relayed(model: Model) -> bool:
    """Whether requests go to a model's provider without LiteLLM, as far as they need no translation."""
    return _relay(model) is not None


def routes(model: Model) -> list[str]:
    """Return the routes that a model serves: those that LiteLLM can ask its provider, and those that are relayed.

    Some of LiteLLM's do not follow an endpoint.
    """
    provider = model.provider
    has_endpoint = any(deployment.endpoint for deployment in model.deployments) and not provider.endpoint_locked
    translated = [route for route in provider.routes if not (has_endpoint and route in provider.fixed_routes)]
    relay = _relay(model)
    return list(dict.fromkeys([*translated, *(_places(model, relay) if relay is not None else ())]))


def _places(model: Model, relay: Relay) -> dict[str, str]:
    """Return where the routes are: paths below the endpoint, or a whole URL for one that the provider has elsewhere.

    That URL is the provider's own, so it counts for endpoints at its scheme and host alone: who asks another server wants all
    requests to go there.
    """
    origins = {_origin(address(model, each)) for each in model.deployments}
    return {route: place for route, place in relay.routes.items() if place.startswith("/") or origins == {_origin(place)}}


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _relay(model: Model) -> Relay | None:
    """Return how a model's provider is asked in its own protocol; None where LiteLLM translates all its requests."""
    relay = model.provider.relay
    if relay is None or not _has_plain_key(model) or not all(address(model, each) for each in model.deployments):
        return None
    return relay if all(_is_followed(name) for name in model.parameters) else None


def accepts(model: Model) -> list[str]:
    """Return the members of requests that clients may send beside those that all may: never a setting of LiteLLM's."""
    allowed = model.parameters.get("allowed_openai_params")
    named = [str(name) for name in allowed] if isinstance(allowed, list) else []
    harmless = [name for name in named if parameters.may_be_allowed(name)]
    return list(dict.fromkeys([*model.provider.members, *harmless]))


def _query(model: Model, relay: Relay) -> dict[str, str]:
    """Return the query of requests: what the specification says, or else the row."""
    stated = {"api_version": model.spec.get("apiVersion"), **model.parameters}
    return {name: str(stated.get(entry["parameter"]) or entry["default"]) for name, entry in relay.query.items()}


def address(model: Model, deployment: Deployment) -> str:
    """Return where an endpoint is, without what a route's path adds; empty where only LiteLLM knows."""
    provider = model.provider
    if deployment.endpoint and not provider.endpoint_locked:
        return deployment.endpoint
    return "" if any(letters in provider.address for letters in ("REGION", "LOCATION", "PROVIDER")) else provider.address


def defaults(model: Model) -> dict[str, Any]:
    """Return the members that requests get unless the client gives them: those stated, but for what LM312 says of the model."""
    unsupported = {PARAMETERS[field] for field in model.provider.unsupported_fields_of(model.spec["modelName"])}
    return {name: value for name, value in stated_defaults(model).items() if name not in unsupported}


def stated_defaults(model: Model) -> dict[str, Any]:
    """Return the members of requests that spec.configuration, additionalParameters and params name, as chat completions do."""
    configuration = model.spec.get("configuration", {})
    stated = {name: configuration[field] for field, name in PARAMETERS.items() if configuration.get(field, []) != []}
    return stated | {name: value for name, value in model.parameters.items() if parameters.is_request_member(name)}


def unsupported_defaults(model: Model) -> list[dict[str, Any]]:
    """Return which defaults of a model that serves any are not for some of its provider's models, by patterns of names.

    The first that matches counts, so one without names may stand before others. Empty where all models take all defaults.
    """
    if not model.serves_any:
        return []
    stated = defaults(model)
    by_model = model.provider.unsupported_fields_by_model.items()
    named = [(match, [PARAMETERS[field] for field in fields if PARAMETERS[field] in stated]) for match, fields in by_model]
    while named and not named[-1][1]:
        named.pop()
    return [{"match": match, "names": names} for match, names in named]


def _is_followed(name: str) -> bool:
    return parameters.is_request_member(name) or name in FOLLOWED or "_cost" in name


def _has_plain_key(model: Model) -> bool:
    """Whether the provider's key, if there is one, is sent as it is mounted: no token is fetched for it, nothing is signed."""
    provider = model.provider
    plain = {provider.main_credential}
    if "apiKeySecretRef" in model.spec:
        return provider.main_credential not in provider.files
    return {credential.parameter for credential in model.credentials.items} <= plain


def _texts(value: Any) -> dict[str, str]:
    return {name: str(text) for name, text in value.items()} if isinstance(value, dict) else {}
