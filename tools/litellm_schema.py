"""Generate schema/litellm-config.schema.json: what the installed LiteLLM really reads in its config.yaml.

LiteLLM ignores unknown keys, drops a deployment it cannot parse, and accepts values that kill requests later. So the
rendered file is checked against a closed schema, made here from LiteLLM's own signatures, models and source text.

    python tools/litellm_schema.py            print the schema
    python tools/litellm_schema.py --write    write the file
    python tools/litellm_schema.py --check    exit 1 and list the differences if the file is stale
"""

import argparse
import ast
import importlib.metadata
import importlib.util
import inspect
import json
import os
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run as a script, Python puts tools/ there instead

from tools import gateway_schema  # noqa: E402
from tools.json_types import (  # noqa: E402
    HAND,
    NOT_A_DEPLOYMENT,
    NOT_A_SETTING,
    OURS,
    REDIS_CLIENT,
    STRICT,
    Known,
    Schema,
    Untyped,
    closed,
    differences,
    flatten,
    json_type,
    layout,
    of_hints,
    of_signature,
    setting,
    settings_of_model,
)

TARGET = ROOT / "schema" / "litellm-config.schema.json"
PROXY = "proxy/proxy_server.py"


def schema() -> Schema:
    """Assemble the whole schema."""
    sections = {
        "environment_variables": environment_variables(),
        "model_list": model_list(),
        "callback_settings": gateway_schema.callback_settings(),
        "router_settings": closed(strict("router_settings", router_settings())),
        "litellm_settings": closed(strict("litellm_settings", litellm_settings())),
        "general_settings": closed(strict("general_settings", general_settings())),
    }
    made = closed(sections, ["model_list"])
    known = {path.rpartition(".")[2] for path in flatten(made)}
    if stale := [name for name in STRICT if name.rpartition(".")[2] not in known]:
        raise SystemExit(f"tools/json_types.py, STRICT: LiteLLM no longer has {stale}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "What LiteLLM reads in config.yaml, taken from its code. Regenerate it: make litellm-schema",
        "x-litellm-version": importlib.metadata.version("litellm"),  # the renderer's: resources.litellm_version
        **made,
    }


def environment_variables() -> Schema:
    """ProxyConfig._load_environment_variables skips _BLOCKED_ENV_KEYS and turns everything else into text."""
    found = re.search(r"_BLOCKED_ENV_KEYS: set\[str\] = (\{.*?\})", source(PROXY), re.DOTALL)
    if found is None:
        raise SystemExit(f"{PROXY}: _BLOCKED_ENV_KEYS is gone")
    blocked = sorted(ast.literal_eval(found[1]))
    names = {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "not": {"enum": blocked}}
    return {"type": "object", "propertyNames": names, "additionalProperties": {"type": "string"}}


def model_list() -> Schema:
    """One entry is a DeploymentTypedDict (types/router.py); it needs a name and a model with a known provider."""
    from litellm.types.router import DeploymentTypedDict

    parts = {
        "model_name": {"type": "string", "minLength": 1},
        "litellm_params": closed(strict("litellm_params", litellm_params()) | {"model": model()}, ["model"]),
        "model_info": closed(strict("model_info", model_info()) | {"health_check": gateway_schema.health_check()}),
    }
    if parts.keys() != DeploymentTypedDict.__annotations__.keys():
        raise SystemExit(f"DeploymentTypedDict now has {sorted(DeploymentTypedDict.__annotations__)}")
    return {"type": "array", "items": closed(parts, ["model_name", "litellm_params"])}


def model() -> Schema:
    """Demand a provider that get_llm_provider_logic.py knows: LiteLLM drops a deployment without one, and goes on."""
    import litellm
    from litellm.llms.openai_like.json_loader import JSONProviderRegistry

    providers = {provider.value for provider in litellm.LlmProviders} | set(JSONProviderRegistry.list_providers())
    return {"type": "string", "pattern": f"^({'|'.join(sorted(providers))})/."}


def litellm_params() -> Known:
    """Collect what a deployment may carry; the first source that knows a name decides its type.

    types/router.py (LiteLLM_Params, LiteLLMParamsTypedDict), types/litellm_params.py (LiteLLM's own options), main.py
    (completion), types/utils.py (callback variables), each provider's config class under llms/, and at last bare names.
    What LiteLLM passes to itself during a call (InternalState, KWARG_ARTIFACTS) has no place in a file.
    """
    import litellm
    from litellm import constants
    from litellm.litellm_core_utils.get_litellm_params import OPTIONAL_KWARGS_KEYS
    from litellm.types import litellm_params as own
    from litellm.types import router, utils

    names = {*utils.all_litellm_params, *OPTIONAL_KWARGS_KEYS, *constants.DEFAULT_CHAT_COMPLETION_PARAM_VALUES}
    found: Known = {name: {} for name in sorted(names)}
    for options in (*provider_options(), own_options(own)):
        found |= options
    found |= of_hints(utils.StandardCallbackDynamicParams)
    found |= of_signature(litellm.completion)
    found |= of_hints(router.LiteLLMParamsTypedDict) | settings_of_model(router.LiteLLM_Params)
    found |= by_hand("litellm_params", found)
    internal = {*own.owned_wire_names(own.InternalState), *own.KWARG_ARTIFACTS, *NOT_A_DEPLOYMENT}
    return {name: rule for name, rule in found.items() if name not in internal and not name.startswith("_")}


def own_options(module: Untyped) -> Known:
    """Types of LiteLLM's own options; an annotation in quotes names a class that is only there for type checkers."""
    roots = (module.ConnectionSettings, module.LiteLLMOptions)
    leaves = [leaf.type for root in roots for leaf in module.fields(root)]
    options = {o.metadata.get(module.WIRE_NAME, o.name): o.type for leaf in leaves for o in module.fields(leaf)}
    return {name: {} if isinstance(kind, str) else setting(kind) for name, kind in options.items()}


def provider_options() -> Iterable[Known]:
    """Yield the constructor parameters of every provider's chat config: num_ctx, top_k, safe_prompt and the like."""
    import litellm
    from litellm.utils import ProviderConfigManager

    for provider in reversed(list(litellm.LlmProviders)):  # the first provider of the enum has the last word
        config = ProviderConfigManager.get_provider_chat_config("any", provider)
        if config is not None:
            yield {name: rule for name, rule in of_signature(type(config).__init__).items() if rule is not None}


def model_info() -> Known:
    """Fields of types/router.py's ModelInfo, of the price table (types/utils.py), and keys read by name."""
    from litellm.types import router, utils

    found = of_hints(utils.ModelInfo) | settings_of_model(router.ModelInfo)
    del found["key"]  # what get_model_info answers, not its argument
    return found | by_hand("model_info", found) | OURS | {"allowed_fails_policy": policy("AllowedFailsPolicy")}


def router_settings() -> Known:
    """Parameters of Router.__init__ (router.py) that ProxyConfig.load_config passes on."""
    import litellm
    from litellm.constants import ROUTER_SETTINGS_MANAGED_OUTSIDE_CONFIG as MANAGED

    found = of_signature(litellm.Router.__init__)
    found |= {
        "retry_policy": policy("RetryPolicy"),
        "model_group_retry_policy": {"type": "object", "additionalProperties": policy("RetryPolicy")},
        "allowed_fails_policy": policy("AllowedFailsPolicy"),
        "routing_groups": {"type": "array", "items": routing_group()},
        "routing_strategy_args": routing_strategy_args(),
    }
    return {name: rule for name, rule in found.items() if name not in MANAGED}


def policy(name: str) -> Schema:
    """RetryPolicy and AllowedFailsPolicy of types/router.py: LiteLLM silently drops a misspelt exception."""
    from litellm.types import router

    count = {"type": ["integer", "null"], "minimum": 0}
    return closed(dict.fromkeys(getattr(router, name).model_fields, count))


def routing_group() -> Schema:
    """RoutingGroup of types/router.py, with the strategies that litellm_core_utils/routing_groups.py accepts."""
    from litellm.litellm_core_utils.routing_groups import VALID_ROUTING_STRATEGIES
    from litellm.types.router import RoutingGroup

    strategies = {"enum": sorted({*VALID_ROUTING_STRATEGIES, "priority"})}
    fields = settings_of_model(RoutingGroup)
    fields |= {"routing_strategy": strategies, "routing_strategy_args": routing_strategy_args()}
    return closed(fields, ["group_name", "models", "routing_strategy"])


def routing_strategy_args() -> Schema:
    """RoutingArgs of the strategies under router_strategy/ that take any."""
    from litellm.router_strategy import lowest_latency, lowest_tpm_rpm, lowest_tpm_rpm_v2

    modules = (lowest_tpm_rpm, lowest_tpm_rpm_v2, lowest_latency)
    return closed({name: rule for each in modules for name, rule in settings_of_model(each.RoutingArgs).items()})


def litellm_settings() -> Known:
    """Keys ProxyConfig.load_config names or proxy_server.py looks up, and the module attributes it sets otherwise."""
    import litellm

    found: Known = {key: {} for key in comparisons(PROXY, "load_config", "key") | lookups("litellm_settings")}
    declared = set(re.findall(r"^([a-z]\w*)(?: *:[^=\n]+)? *=", source("__init__.py"), re.MULTILINE))
    for name in sorted(declared | litellm.__annotations__.keys()):
        if re.fullmatch("[a-z][a-z0-9_]*", name) and not re.search(NOT_A_SETTING, name) and hasattr(litellm, name):
            found[name] = module_attribute(litellm, name)
    callbacks = set(litellm._known_custom_logger_compatible_callbacks)
    hooks = comparisons("proxy/common_utils/callback_utils.py", "initialize_callbacks_on_proxy", "callback")
    loggers = comparisons("litellm_core_utils/litellm_logging.py", "set_callbacks", "callback")
    found |= dict.fromkeys(("success_callback", "failure_callback"), callback_list(callbacks | loggers))
    return found | {"callbacks": callback_list(callbacks | hooks), "cache_params": cache_params(), **prometheus()}


def module_attribute(module: Untyped, name: str) -> Schema | None:
    """Type a module attribute by its annotation, else by its value."""
    annotation, value = module.__annotations__.get(name, inspect.Parameter.empty), getattr(module, name)
    try:
        resolved = eval(annotation, dict(vars(module))) if isinstance(annotation, str) else annotation
    except NameError:  # a class that is only there for type checkers
        resolved = inspect.Parameter.empty
    if resolved is inspect.Parameter.empty and value is not None:
        resolved = type(value)
    return None if isinstance(value, set | frozenset) else setting(resolved, value)


def callback_list(names: Iterable[str]) -> Schema:
    """Accept a name LiteLLM knows, or module.instance."""
    return {"type": "array", "items": {"anyOf": [{"pattern": "^[^.]+\\.."}, {"enum": sorted(names)}], "type": "string"}}


def prometheus() -> Known:
    """Label names of types/integrations/prometheus.py: an unknown one stops the start."""
    from litellm.types.integrations.prometheus import UserAPIKeyLabelNames

    return {"prometheus_exclude_labels": {"type": "array", "items": json_type(UserAPIKeyLabelNames)}}


def cache_params() -> Schema:
    """Parameters of Cache.__init__ (caching/caching.py), and what its **kwargs take to the Redis client (_redis.py).

    Required: type, because cache_params without it mean Redis when empty and memory when not.
    """
    from litellm._redis import _get_redis_kwargs
    from litellm.caching.caching import Cache
    from litellm.types.caching import LiteLLMCacheType

    if gone := REDIS_CLIENT.keys() - _get_redis_kwargs():
        raise SystemExit(f"_redis.py no longer passes on {sorted(gone)}")
    found = of_signature(Cache.__init__) | REDIS_CLIENT | {"type": json_type(LiteLLMCacheType)}
    found |= by_hand("cache_params", found)
    return closed(strict("cache_params", {k: v for k, v in found.items() if not k.startswith("_")}), ["type"])


def general_settings() -> Known:
    """Fields of ConfigGeneralSettings (proxy/_types.py), and keys read although the class lacks them."""
    from litellm.proxy._types import ConfigGeneralSettings

    found: Known = {key: {} for key in lookups("general_settings")}
    found |= settings_of_model(ConfigGeneralSettings)
    return found | by_hand("general_settings", found)


@cache
def source(path: str) -> str:
    """Read a file of the installed LiteLLM."""
    spec = importlib.util.find_spec("litellm")
    if spec is None or spec.origin is None:
        raise SystemExit("LiteLLM is not installed")
    return (Path(spec.origin).parent / path).read_text(encoding="utf-8")


def lookups(variable: str) -> set[str]:
    """Find the keys that proxy_server.py asks a settings section for by name."""
    reads = re.findall(rf"\b{variable}(?:\.get\(|\[)\s*\"(\w+)\"", source(PROXY))
    return {*reads, *re.findall(rf"\"(\w+)\" (?:not )?in {variable}\b", source(PROXY))}


def comparisons(path: str, function: str, variable: str) -> set[str]:
    """Find the strings that a function compares a variable with, by parsing that function alone."""
    found = re.search(rf"^( *)(?:async )?def {function}\(.*?(?=^\1(?:async def|def|class|@)|\Z)", source(path), re.M | re.S)
    if found is None:
        raise SystemExit(f"{path}: {function} is gone")
    tests = [node for node in ast.walk(ast.parse(textwrap.dedent(found[0]))) if isinstance(node, ast.Compare)]
    sides = [test.comparators[0] for test in tests if ast.unparse(test.left) == variable]
    values = [each for side in sides for each in (side.elts if isinstance(side, ast.Set | ast.List | ast.Tuple) else [side])]
    return {each.value for each in values if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def by_hand(section: str, derived: Mapping[str, object]) -> Known:
    """Return the keys no introspection finds, each proven by its literal in the named file, and none twice."""
    found: Known = {}
    for path, rules in HAND[section].items():
        for name, rule in ((name, rule) for names, rule in rules.items() for name in names.split()):
            if not re.search(rf"[\"']{name}[\"']", source(path)):
                raise SystemExit(f"tools/json_types.py, HAND: {path} no longer reads {section}.{name}")
            if derived.get(name):
                raise SystemExit(f"tools/json_types.py, HAND: {section}.{name} is derived from LiteLLM now")
            found[name] = rule
    return found


def strict(section: str, found: Known) -> dict[str, Schema]:
    """Replace the types that LiteLLM accepts and then stumbles over, and leave out what a file cannot hold."""
    rules = {name: STRICT.get(f"{section}.{name}", STRICT.get(name, rule)) for name, rule in found.items()}
    return {name: rule for name, rule in rules.items() if rule is not None}


def main() -> int:
    """Print, write or check the schema."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"write {TARGET.relative_to(ROOT)}")
    parser.add_argument("--check", action="store_true", help="exit 1 and list the differences if the file is stale")
    options = parser.parse_args()
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # before litellm is imported: no network
    made = schema()
    text = layout(made) + "\n"
    if options.check:
        committed = TARGET.read_text(encoding="utf-8") if TARGET.exists() else "{}"
        if committed != text:
            changes = differences(json.loads(committed), made) or ["only the layout differs"]
            print(f"{TARGET.relative_to(ROOT)} is stale, run make litellm-schema:", *changes, sep="\n")
        return int(committed != text)
    if options.write:
        TARGET.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
