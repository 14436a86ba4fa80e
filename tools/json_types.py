"""The JSON types of LiteLLM's settings: set by hand where LiteLLM is too lax, else translated from Python annotations.

Also how the schema is laid out, and how two of them are compared.
"""

import enum
import inspect
import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

Schema = dict[str, Any]
Known = dict[str, Schema | None]  # None: LiteLLM has the name, but a file cannot hold the value
Untyped = Any  # a module or class of LiteLLM, which mypy does not follow

BOOLEAN: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
LIST: Schema = {"type": "array"}
MAP: Schema = {"type": "object"}
POSITIVE: Schema = {"type": "integer", "minimum": 1}
SECONDS: Schema = {"type": "number", "exclusiveMinimum": 0}
STRING: Schema = {"type": "string"}
TEXT: Schema = {"type": "string", "minLength": 1}
STRINGS: Schema = {"type": "array", "items": STRING}
WAIT: Schema = {"type": "number", "minimum": 0}
CHAIN: Schema = {
    "type": "object",
    "additionalProperties": STRINGS | {"minItems": 1},
    "minProperties": 1,
    "maxProperties": 1,
}
CLUSTER_NODES: Schema = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "additionalProperties": False,
        "properties": {"host": TEXT, "port": {"type": ["integer", "string"]}},
        "required": ["host", "port"],
    },
}
SENTINEL_NODES: Schema = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": ["integer", "string"]}},
}
FALLBACKS: Schema = {"type": "array", "items": CHAIN}
ALIAS: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"hidden": BOOLEAN, "model": STRING},
    "required": ["hidden", "model"],
}

# Where LiteLLM loads a value and then misbehaves, its annotation is replaced. A dotted name is for one section only.
STRICT: dict[str, Schema] = {
    "additional_drop_params": STRINGS,
    "allowed_fails": COUNT,
    "api_base": TEXT,  # null and "" mean the provider's public address
    "api_key": TEXT,  # null means OPENAI_API_KEY, for many providers
    "content_policy_fallbacks": FALLBACKS,
    "context_window_fallbacks": FALLBACKS,
    "cooldown_time": WAIT,
    "default_api_key_rpm_limit": POSITIVE,
    "default_api_key_tpm_limit": POSITIVE,
    "default_fallbacks": STRINGS,
    "default_max_parallel_requests": COUNT,  # 0 means no cap
    "drop_params": BOOLEAN,  # a string that is no flag counts as unset
    "extra_headers": {"type": "object", "additionalProperties": STRING},  # a number kills each request
    "fallbacks": FALLBACKS,  # a string instead of a list is tried letter by letter
    "health_check_concurrency": POSITIVE,
    "health_check_interval": POSITIVE,  # "30s" and 2.5 load, and no check ever runs
    "health_check_staleness_threshold": POSITIVE,
    "itpm": POSITIVE,
    "json_logs": BOOLEAN,  # only true itself does anything
    "max_parallel_requests": COUNT,  # 0 means no cap
    "max_retries": COUNT,
    "model_group_alias": {"type": "object", "additionalProperties": {"anyOf": [STRING, ALIAS]}},
    "num_retries": COUNT,  # "2" loads; every failing request then dies in a comparison
    "order": {"type": "integer"},
    "otpm": POSITIVE,
    "request_timeout": SECONDS,
    "retry_after": WAIT,
    "rpm": POSITIVE,  # 0 blocks the endpoint
    "stop": {"type": ["array", "string"], "items": STRING},
    "stream_timeout": SECONDS,
    "timeout": SECONDS,  # "1s" loads; every request then dies in float()
    "tpm": POSITIVE,
    "weight": WAIT,  # a string loads; every request then dies
    "cache_params.port": {"type": ["integer", "string"]},  # annotated as text, handed to Redis as it is
    "cache_params.redis_startup_nodes": CLUSTER_NODES,
    "cache_params.ttl": SECONDS,
    "general_settings.disable_model_info_refresh": BOOLEAN,
    "general_settings.disable_retry_on_max_parallel_request_limit_error": BOOLEAN,
    "general_settings.disable_spend_logs": BOOLEAN,
    "general_settings.enable_health_check_routing": BOOLEAN,
    "general_settings.health_check_details": BOOLEAN,
    "general_settings.health_check_ignore_transient_errors": BOOLEAN,
    "general_settings.use_shared_health_check": BOOLEAN,
    "litellm_settings.cache": BOOLEAN,
    "litellm_settings.cold_storage_custom_logger": STRING,
    "model_info.id": TEXT,
    "router_settings.plugins": STRINGS,  # import paths, which load_config turns into objects
}

# Keys that no introspection finds, by the file of LiteLLM whose text must hold each of them as a literal.
HAND: dict[str, dict[str, dict[str, Schema]]] = {
    "cache_params": {
        "proxy/proxy_server.py": {"default_redis_ttl": SECONDS},
        "_redis.py": {"sentinel_nodes": SENTINEL_NODES, "sentinel_password service_name": STRING},
    },
    "general_settings": {
        "proxy/common_request_processing.py": {"always_include_stream_usage": BOOLEAN},
        "proxy/health_endpoints/_health_endpoints.py": {
            "allow_public_health_readiness_details enable_drain_endpoint": BOOLEAN,
            "drain_endpoint_token": STRING,
        },
        "proxy/hooks/proxy_track_cost_callback.py": {"disable_error_logs": BOOLEAN},
        "proxy/utils.py": {"disable_spend_updates": BOOLEAN},
    },
    "litellm_params": {
        "llms/bedrock/common_utils.py": {"guardrailConfig performanceConfig requestMetadata serviceTier": MAP},
        "llms/fireworks_ai/chat/transformation.py": {"chat_template_kwargs": MAP, "min_p": {"type": "number"}},
        "llms/oci/chat/transformation.py": {"oci_endpoint_id oci_serving_mode": STRING},
        "llms/oci/common_utils.py": {
            "oci_compartment_id oci_fingerprint oci_key oci_key_file oci_region oci_tenancy oci_user": STRING
        },
        "llms/ollama/chat/transformation.py": {
            "format": {"type": ["object", "string"]},
            "keep_alive": {"type": ["number", "string"]},
            "think": {"type": ["boolean", "string"]},
        },
        "llms/openrouter/chat/transformation.py": {"models transforms": STRINGS, "route": STRING},
        "llms/sagemaker/completion/handler.py": {"model_id sagemaker_base_url": STRING},
        "llms/sap/credentials.py": {"resource_group": STRING},
        "llms/snowflake/utils.py": {"account_id": STRING},
        "llms/vertex_ai/gemini/transformation.py": {"cached_content": STRING, "labels": MAP, "safety_settings": LIST},
        "llms/watsonx/common_utils.py": {"project_id space_id zen_api_key": STRING},
        "main.py": {"predibase_tenant_id": STRING},
        "utils.py": {"extra_body": MAP},
    },
    "model_info": {
        "proxy/health_check.py": {
            "disable_background_health_check health_check_supports_max_tokens": BOOLEAN,
            "health_check_max_tokens health_check_max_tokens_non_reasoning health_check_max_tokens_reasoning": POSITIVE,
            "health_check_model health_check_reasoning_effort health_check_voice": STRING,
            "health_check_params": MAP,
            "health_check_timeout": SECONDS,
        },
        "router_rust/surface/registry.py": {"access_groups": STRINGS},
        "router_utils/cooldown_handlers.py": {"allowed_fails": COUNT, "cooldown_time": WAIT},
    },
}

# Our own label: LiteLLM keeps what it does not know in model_info, and shows it under /model/info.
# Another one, health_check, is described in gateway_schema.py.
OURS: Known = {"region": STRING}

# What cache_params may say to the Redis client, through Cache's **kwargs.
REDIS_CLIENT: Known = {
    "db": COUNT,
    "max_connections": POSITIVE,
    "socket_connect_timeout": SECONDS,
    "socket_timeout": SECONDS,
    "ssl": BOOLEAN,
    "ssl_ca_certs": STRING,
    "ssl_check_hostname": BOOLEAN,
    "url": STRING,
    "username": STRING,
}

# Fields of a request, objects that only Python can hand over, and keys whose place is beside litellm_params.
NOT_A_DEPLOYMENT = {"client", "fallbacks", "id", "messages", "model_info", "model_list", "shared_session"}

# Attributes of the litellm module that are data or state; and credentials, which would go to every provider there.
NOT_A_SETTING = (
    "_models$|_key$|^(api_base|azure_llms|check_provider_endpoint|common_cloud_provider_auth_params|config_path"
    "|credential_list|error_logs|guardrail_name_config_map|initialized_langfuse_clients|litellm_mode"
    "|longer_context_model_fallback_dict|model_cost|model_list|models_by_provider|prompt_name_config_map"
    "|secret_manager_client|token)$"
)

_SCALARS: dict[object, str] = {
    bool: "boolean",
    datetime: "string",
    float: "number",
    int: "integer",
    str: "string",
    type(None): "null",
}
_WRAPPERS = {"Annotated", "Final", "NotRequired", "ReadOnly", "Required"}
_BOUNDS = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}
_WIDTH = 140


def closed(properties: Mapping[str, Schema], required: Iterable[str] = ()) -> Schema:
    """Make an object that refuses every key it does not name."""
    schema: Schema = {"additionalProperties": False, "properties": dict(properties), "type": "object"}
    needed = sorted(required)
    return schema | {"required": needed} if needed else schema


def json_type(annotation: object) -> Schema | None:
    """Translate an annotation; None when no JSON value can satisfy it (a client, a callable, an unresolved name)."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in (Any, object, inspect.Parameter.empty):
        return {}
    if getattr(origin, "__name__", getattr(origin, "_name", None)) in _WRAPPERS:
        return _bounded(json_type(arguments[0]), arguments[1:])
    if origin in (typing.Union, types.UnionType):
        return _union([member for member in map(json_type, arguments) if member is not None])
    if origin is typing.Literal:
        return {"enum": sorted(arguments)}
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return {"enum": sorted(member.value for member in annotation)}
    return _class_type(origin or annotation, arguments)


def _class_type(kind: object, arguments: tuple[object, ...]) -> Schema | None:
    """Translate a plain or generic class."""
    if not isinstance(kind, type):
        return None
    if kind in _SCALARS:
        return {"type": _SCALARS[kind]}
    if hasattr(kind, "model_fields"):
        return model_type(kind)
    if hasattr(kind, "__total__") or issubclass(kind, Mapping):  # a TypedDict is a promise that nobody checks
        values = json_type(arguments[1]) if len(arguments) > 1 else {}
        return {"type": "object"} | ({"additionalProperties": values} if values else {})
    if issubclass(kind, Iterable):
        items = json_type(arguments[0]) if arguments else {}
        return {"type": "array"} | ({"items": items} if items else {})
    return None


def model_type(model: Untyped) -> Schema:
    """Describe a pydantic model: closed, since it drops unknown keys silently, unless it keeps them."""
    fields = model.model_fields
    schema = closed(settings_of_model(model), [name for name, field in fields.items() if field.is_required()])
    if model.model_config.get("extra") == "allow":
        del schema["additionalProperties"]
    return schema


def of_hints(owner: object) -> Known:
    """Read the annotations of a TypedDict."""
    return {name: setting(kind) for name, kind in typing.get_type_hints(owner).items()}


def of_signature(function: Callable[..., object]) -> Known:
    """Read the named parameters of a function."""
    parameters = inspect.signature(function).parameters.values()
    named = [each for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    return {each.name: setting(each.annotation, each.default) for each in named if each.name != "self"}


def settings_of_model(model: Untyped) -> dict[str, Schema]:
    """Describe the fields of a pydantic model, bounds included."""
    return {
        name: schema
        for name, field in model.model_fields.items()
        if (schema := setting(field.annotation, field.default, field.metadata)) is not None
    }


def setting(annotation: object, default: object = None, metadata: Iterable[object] = ()) -> Schema | None:
    """Translate the annotation of a setting; null stays only where it switches off a default that is a value."""
    schema = _bounded(json_type(annotation), metadata)
    meaningful = isinstance(default, int | float | str | list) and default and default is not True
    return schema if meaningful or not schema else _without_null(schema)


def _without_null(schema: Schema) -> Schema | None:
    if "enum" in schema:
        return schema | {"enum": [value for value in schema["enum"] if value is not None]}
    if "anyOf" in schema:
        members = [member for each in schema["anyOf"] if (member := _without_null(each)) is not None]
        return members[0] if len(members) == 1 else schema | {"anyOf": members}
    kinds = [kind for kind in _kinds(schema) if kind != "null"]
    return schema | _of_kinds(kinds) if kinds else None


def _kinds(schema: Schema) -> list[str]:
    return [schema["type"]] if isinstance(schema["type"], str) else list(schema["type"])


def _of_kinds(kinds: list[str]) -> Schema:
    return {"type": kinds[0] if len(kinds) == 1 else kinds}


def _bounded(schema: Schema | None, metadata: Iterable[object]) -> Schema | None:
    """Add the bounds of pydantic's Field and of annotated_types (Gt, Ge, Lt, Le)."""
    if schema is None:
        return None
    constraints = [each for item in metadata for each in getattr(item, "metadata", [item])]
    found = {word: getattr(each, name) for each in constraints for name, word in _BOUNDS.items() if hasattr(each, name)}
    return schema | {word: bound for word, bound in found.items() if isinstance(bound, int | float)}


def _union(members: list[Schema]) -> Schema | None:
    if not members:
        return None
    if {} in members:
        return {}
    plain = [member for member in members if set(member) == {"type"}]
    others = [member for member in members if set(member) != {"type"}]
    kinds = sorted({kind for member in plain for kind in _kinds(member)})
    if "number" in kinds and "integer" in kinds:
        kinds.remove("integer")
    choices = [*others, _of_kinds(kinds)] if kinds else others
    return choices[0] if len(choices) == 1 else {"anyOf": choices}


def layout(value: object, depth: int = 0) -> str:
    """Write JSON with one short value per line: a new property is one new line of a diff."""
    line = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if depth + len(line) <= _WIDTH or not isinstance(value, dict | list) or not value:
        return line
    pad, end = " " * (depth + 1), " " * depth
    if isinstance(value, list):
        return "[\n" + ",\n".join(pad + layout(each, depth + 1) for each in value) + f"\n{end}]"
    lines = (f"{pad}{json.dumps(key)}: {layout(value[key], depth + 1)}" for key in sorted(value))
    return "{\n" + ",\n".join(lines) + f"\n{end}}}"


def flatten(schema: Schema, path: str = "") -> dict[str, str]:
    """List every key that a schema knows, as a dotted path, with what it says about that key alone."""
    own = {word: rule for word, rule in schema.items() if word not in ("properties", "items")}
    found = {path: json.dumps(own, sort_keys=True)}
    for key, rule in schema.get("properties", {}).items():
        found |= flatten(rule, f"{path}.{key}" if path else key)
    if "items" in schema:
        found |= flatten(schema["items"], f"{path}[]")
    return found


def differences(old: Schema, new: Schema) -> list[str]:
    """Say what changed between two schemas, one key per line."""
    before, after = flatten(old), flatten(new)
    lines = []
    for path in sorted(before.keys() | after.keys()):
        name = path or "(the file itself)"
        if path not in before:
            lines.append(f"new      {name}  {after[path]}")
        elif path not in after:
            lines.append(f"gone     {name}  {before[path]}")
        elif before[path] != after[path]:
            lines.append(f"changed  {name}  {before[path]} -> {after[path]}")
    return lines
