"""What the schema of the rendered file promises: it takes a right config, and refuses what LiteLLM swallows."""

import copy
import importlib.metadata
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "schema" / "litellm-config.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)

COMPLETE = """
environment_variables:
  INITIAL_RETRY_DELAY: "1"
  LITELLM_LOG: INFO
model_list:
  - model_name: chat
    litellm_params:
      model: openai/gpt-4o
      api_base: http://one.example.com/v1
      api_key: os.environ/LANGOP_KEY_0
      additional_drop_params: [logit_bias]
      drop_params: true
      extra_headers: {x-team: search}
      input_cost_per_token: 0.0000025
      max_parallel_requests: 10
      max_retries: 0
      num_retries: 3
      order: 1
      output_cost_per_token: 1.0e-05
      rpm: 100
      stop: [END]
      stream_timeout: 5
      temperature: 0.2
      timeout: 0.5
      top_k: 40
      tpm: 100000
      weight: 70
    model_info:
      id: chat-endpoint-0
      base_model: azure/gpt-4o
      health_check_timeout: 5
      mode: chat
      region: eu-west-1
  - model_name: chat
    litellm_params:
      model: bedrock/anthropic.claude-3-haiku-20240307-v1:0
      aws_bedrock_runtime_endpoint: https://bedrock.example.com
      aws_region_name: us-east-1
      order: 2
      weight: 0
    model_info: {id: chat-endpoint-1, allowed_fails: 2, cooldown_time: 30}
  - model_name: gemini
    litellm_params:
      model: vertex_ai/gemini-2.0-flash
      vertex_credentials: /etc/secrets/google/key.json
      vertex_location: europe-west4
      vertex_project: langop
  - model_name: local
    litellm_params: {model: ollama_chat/llama3, api_base: "http://ollama:11434", keep_alive: 5m, num_ctx: 8192}
  - model_name: fallback/sibling
    litellm_params:
      model: openai/sibling
      api_base: http://sibling.default.svc.cluster.local:4000/v1
      api_key: not-needed
      extra_body: {disable_fallbacks: true, num_retries: 0}
    model_info: {id: fallback-0, disable_background_health_check: true}
router_settings:
  allowed_fails_policy: {InternalServerErrorAllowedFails: 2}
  content_policy_fallbacks: [{chat: [local]}]
  context_window_fallbacks: [{chat: [gemini]}]
  cooldown_time: 30
  disable_cooldowns: false
  enable_pre_call_checks: true
  enable_weighted_failover: true
  fallbacks: [{chat: [fallback/sibling, local]}]
  model_group_alias: {my-model: chat, hidden-model: {model: chat, hidden: true}}
  model_group_retry_policy: {local: {DefaultRetries: 1}}
  num_retries: 3
  optional_pre_call_checks: [enforce_model_rate_limits]
  retry_after: 1
  retry_policy: {RateLimitErrorRetries: 3, TimeoutErrorRetries: 0, BadRequestErrorRetries: null}
  routing_groups:
    - {group_name: fast, models: [gemini], routing_strategy: latency-based-routing, routing_strategy_args: {ttl: 3}}
  routing_strategy: simple-shuffle
  timeout: 30.5
litellm_settings:
  cache: true
  cache_params: {type: redis, host: redis, port: 6379, ssl: true, ttl: 300, namespace: chat, max_messages: null}
  callbacks: [prometheus, otel, langop_model.gateway.callbacks.request_log]
  disable_hf_tokenizer_download: true
  drop_params: true
  failure_callback: [sentry]
  json_logs: true
  prometheus_exclude_labels: [client_ip, user_agent]
  prometheus_latency_buckets: [0.1, 1, 10]
  request_timeout: 600
  require_auth_for_metrics_endpoint: false
  success_callback: [langfuse]
  turn_off_message_logging: true
general_settings:
  admission_queue_timeout_seconds: 60
  background_health_checks: true
  custom_auth: langop_model.gateway.auth.check
  dangerously_permit_weak_or_unset_master_key: true
  disable_model_info_refresh: true
  enable_health_check_routing: true
  health_check_ignore_transient_errors: true
  health_check_interval: 30
  health_check_skip_disabled_background_models: true
  health_check_staleness_threshold: 90
  max_in_flight_requests_per_worker: 10
  max_queued_requests_per_worker: 100
"""

PARAMS = "model_list/0/litellm_params"
INFO = "model_list/0/model_info"
CACHE = "litellm_settings/cache_params"
ABSENT = object()

MISTAKES = {
    # LiteLLM ignores these keys without a word.
    "callbacks at the top level": ("success_callback", ["prometheus"]),
    "a limit beside litellm_params": ("model_list/0/rpm", 5),
    "a misspelt section": ("router_setings", {}),
    "a misspelt router setting": ("router_settings/num_retrys", 2),
    "a misspelt litellm setting": ("litellm_settings/drop_parameters", True),
    "a misspelt general setting": ("general_settings/backgroud_health_checks", True),
    "a misspelt model_info key": (f"{INFO}/disable_background_health_checks", True),
    "a misspelt cache parameter": (f"{CACHE}/max_size_in_memory", 5),
    "a misspelt strategy argument": ("router_settings/routing_strategy_args", {"lowest_latency_bufer": 0.5}),
    "an exception retry_policy does not know": ("router_settings/retry_policy/BadGatewayErrorRetries", 3),
    "an exception a group's retry policy does not know": ("router_settings/model_group_retry_policy/local/Retries", 3),
    "an exception allowed_fails_policy does not know": ("router_settings/allowed_fails_policy/AnyErrorAllowedFails", 1),
    "an exception a deployment's allowed_fails_policy does not know": (f"{INFO}/allowed_fails_policy", {"Error": 1}),
    "a cache setting that never was": ("litellm_settings/cache_kwargs", {"ttl": 300}),
    "a validation setting that never was": ("litellm_settings/disable_strict_validation", True),
    "health checks among litellm settings": ("litellm_settings/health_check_interval", 30),
    "a price beside litellm_params": ("model_list/0/input_cost_per_token", 0.1),
    "a weight in model_info": (f"{INFO}/weight", 2),
    "model_info inside litellm_params": (f"{PARAMS}/model_info", {"id": "a"}),
    "an id inside litellm_params": (f"{PARAMS}/id", "a"),
    "fallbacks inside litellm_params": (f"{PARAMS}/fallbacks", ["local"]),
    # It sends these to the provider, in the body of every request.
    "a misspelt litellm parameter": (f"{PARAMS}/timout", 5),
    "allowed_fails inside litellm_params": (f"{PARAMS}/allowed_fails", 2),
    # It drops the whole deployment for these, and starts without it.
    "a rate that is no number": (f"{PARAMS}/rpm", "abc"),
    "a model without a provider": (f"{PARAMS}/model", "gpt-4o"),
    "a model of an unknown provider": (f"{PARAMS}/model", "opnai/gpt-4o"),
    # It loads these, and requests die or go astray later.
    "retries in quotes": ("router_settings/num_retries", "2"),
    "retries of a deployment in quotes": (f"{PARAMS}/num_retries", "2"),
    "retries of LiteLLM in quotes": ("litellm_settings/num_retries", "2"),
    "retries of an exception in quotes": ("router_settings/retry_policy/RateLimitErrorRetries", "3"),
    "a timeout with a unit": (f"{PARAMS}/timeout", "1s"),
    "a stream timeout with a unit": (f"{PARAMS}/stream_timeout", "1s"),
    "a router timeout with a unit": ("router_settings/timeout", "10s"),
    "a request timeout with a unit": ("litellm_settings/request_timeout", "10s"),
    "a cooldown with a unit": ("router_settings/cooldown_time", "5s"),
    "a weight in quotes": (f"{PARAMS}/weight", "70"),
    "an order in quotes": (f"{PARAMS}/order", "1"),
    "a rate of zero, which blocks the endpoint": (f"{PARAMS}/rpm", 0),
    "no address, which means the public one": (f"{PARAMS}/api_base", None),
    "no key, which means OPENAI_API_KEY": (f"{PARAMS}/api_key", None),
    "a header that is no string": (f"{PARAMS}/extra_headers/x-team", 7),
    "an unquoted date as API version": (f"{PARAMS}/api_version", 20241021),
    "a fallback in place of a list, tried letter by letter": ("router_settings/fallbacks/0/chat", "local"),
    "a lifetime with a unit": (f"{CACHE}/ttl", "5m"),
    # It loads these, and nothing happens.
    "a health check every 2.5 seconds": ("general_settings/health_check_interval", 2.5),
    "a health check interval with a unit": ("general_settings/health_check_interval", "30s"),
    "a health check interval of zero": ("general_settings/health_check_interval", 0),
    "a pre-call check that does not exist": ("router_settings/optional_pre_call_checks/0", "rate_limits"),
    "a success callback that does not exist": ("litellm_settings/success_callback/0", "promethues"),
    "a cache whose kind is left to chance": (f"{CACHE}/type", ABSENT),
    "an environment variable LiteLLM refuses to set": ("environment_variables/NO_PROXY", "localhost"),
    "a price that YAML reads as text": (f"{PARAMS}/output_cost_per_token", yaml.safe_load("1e-05")),
    "a flag that is no flag": ("litellm_settings/drop_params", "sometimes"),
    # It does not start with these.
    "a cache backend that does not exist": (f"{CACHE}/type", "memcached"),
    "a strategy that does not exist": ("router_settings/routing_strategy", "round-robin"),
    "a group strategy that does not exist": ("router_settings/routing_groups/0/routing_strategy", "round-robin"),
    "a health check interval of the router": ("router_settings/health_check_interval", 30),
    "a callback that does not exist": ("litellm_settings/callbacks/0", "promethues"),
    "a metric label that does not exist": ("litellm_settings/prometheus_exclude_labels/0", "clientip"),
    "fallbacks of two models in one item": ("router_settings/fallbacks/0/gemini", ["local"]),
    "fallbacks that are no list": ("router_settings/fallbacks", {"chat": ["local"]}),
    "an entry without a name": ("model_list/0/model_name", ABSENT),
    "an entry without a model": (f"{PARAMS}/model", ABSENT),
    # The launcher exports these before LiteLLM sees them.
    "an environment variable that is no string": ("environment_variables/LITELLM_LOG", 1),
}


def changed(path: str, value: object) -> dict[str, object]:
    """Return the complete config with one value set, or taken away."""
    config: dict[str, object] = yaml.safe_load(COMPLETE)
    *parents, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    place: Any = config
    for step in parents:
        place = place[step]
    if value is ABSENT:
        del place[last]
    else:
        place[last] = copy.deepcopy(value)
    return config


@pytest.fixture(scope="module")
def json_types() -> ModuleType:
    """The half of the tool that needs no LiteLLM."""
    spec = importlib.util.spec_from_file_location("json_types", ROOT / "tools" / "json_types.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_schema_is_what_the_installed_litellm_yields() -> None:
    tool = [sys.executable, str(ROOT / "tools" / "litellm_schema.py"), "--check"]
    result = subprocess.run(tool, capture_output=True, text=True, check=False, timeout=240)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_schema_is_itself_valid() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_says_which_litellm_it_describes_and_how_to_remake_it() -> None:
    assert SCHEMA["x-litellm-version"] == importlib.metadata.version("litellm")
    assert "make litellm-schema" in SCHEMA["$comment"]


def test_a_complete_config_is_accepted() -> None:
    assert [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(yaml.safe_load(COMPLETE))] == []


def test_an_empty_gateway_is_accepted() -> None:
    assert VALIDATOR.is_valid({"model_list": []})


@pytest.mark.parametrize(("path", "value"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_that_litellm_does_not_report_is_refused(path: str, value: object) -> None:
    errors = list(VALIDATOR.iter_errors(changed(path, value)))
    assert len(errors) == 1
    found = "/".join(map(str, errors[0].absolute_path))
    assert found in (path, path.rpartition("/")[0])  # the value, or the object with a key too many or too few


@pytest.mark.parametrize("section", ["router_settings", "litellm_settings", "general_settings"])
def test_null_is_refused_where_it_says_no_more_than_leaving_the_key_out(section: str) -> None:
    config = yaml.safe_load(COMPLETE)
    config[section] = dict.fromkeys(config[section])
    assert {error.absolute_path[1] for error in VALIDATOR.iter_errors(config)} == set(config[section])


def test_a_stale_schema_is_reported_key_by_key(json_types: ModuleType) -> None:
    closed = json_types.closed
    old = closed({"a": closed({"kept": {}, "gone": {"type": "string"}, "loose": {}})})
    new = closed({"a": closed({"kept": {}, "new": {"type": "object"}, "loose": {"type": "integer"}})})
    assert json_types.differences(old, new) == [
        'gone     a.gone  {"type": "string"}',
        'changed  a.loose  {} -> {"type": "integer"}',
        'new      a.new  {"type": "object"}',
    ]


def test_a_new_key_is_one_new_line_of_a_diff(json_types: ModuleType) -> None:
    keys = {f"a_rather_long_name_{number}": {"type": "string"} for number in range(9)}
    before = json_types.layout(json_types.closed(keys)).splitlines()
    after = json_types.layout(json_types.closed(keys | {"a_rather_long_name_4b": {"type": "string"}})).splitlines()
    assert [line.strip() for line in after if line not in before] == ['"a_rather_long_name_4b": {"type": "string"},']


@pytest.mark.parametrize(
    ("annotation", "default", "expected"),
    [
        (float | str | bytes.__class__ | None, None, {"type": ["number", "string"]}),
        (int | None, None, {"type": "integer"}),
        (int | None, 4, {"type": ["integer", "null"]}),
        (bool | None, True, {"type": "boolean"}),
        (list[str], None, {"type": "array", "items": {"type": "string"}}),
        (dict[str, int], None, {"type": "object", "additionalProperties": {"type": "integer"}}),
        (Any, None, {}),
        (ModuleType, None, None),
    ],
    ids=str,
)
def test_an_annotation_becomes_the_json_that_can_satisfy_it(
    json_types: ModuleType, annotation: object, default: object, expected: object
) -> None:
    assert json_types.setting(annotation, default) == expected
