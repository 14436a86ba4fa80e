"""Every golden configuration is loaded by the real LiteLLM, which drops a deployment that it does not understand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import yaml

from langop_model.gateway.access import routes
from tests.conftest import ROOT

GOLDENS = sorted((ROOT / "tests" / "golden").glob("*.config.yaml"))
EXPECTED_WARNINGS = (
    "LITELLM_MASTER_KEY is not set",  # the description's open proxy
    "trusted_proxy_ranges",  # sign-in to the admin UI, which is switched off
    "not in built-in cost map",  # a price of one's own
    "Error connecting to Sync Redis client",  # none runs for this test
)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what LiteLLM made of each golden configuration, by file name. One process loads them all."""
    folder = tmp_path_factory.mktemp("loaded")
    broken = folder / "broken.config.yaml"
    broken.write_text(GOLDENS[0].read_text(encoding="utf-8").replace("max_tokens: 8192", "rpm: fifty"), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    process = subprocess.run(
        [sys.executable, "-m", "tests.litellm.load_configurations", *map(str, GOLDENS), str(broken)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    printed = json.loads(process.stdout)
    loaded = {path.rsplit("/", 1)[-1]: result for path, result in printed["loaded"].items()}
    return {**loaded, "internals": printed["internals"], "routes": printed["routes"]}


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda path: path.name)
def test_litellm_keeps_every_deployment_that_was_rendered(golden: Any, loaded: dict[str, Any]):
    rendered = [entry["model_info"]["id"] for entry in yaml.safe_load(golden.read_text(encoding="utf-8"))["model_list"]]
    result = loaded[golden.name]
    assert result["error"] is None
    assert result["ids"] == rendered
    assert len(set(rendered)) == len(rendered)


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda path: path.name)
def test_litellm_has_nothing_to_warn_about(golden: Any, loaded: dict[str, Any]):
    unexpected = [
        warning for warning in loaded[golden.name]["warnings"] if not any(known in warning for known in EXPECTED_WARNINGS)
    ]
    assert unexpected == []


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda path: path.name)
def test_litellm_knows_the_model_by_both_its_names(golden: Any, loaded: dict[str, Any]):
    config = yaml.safe_load(golden.read_text(encoding="utf-8"))
    names = {entry["model_name"] for entry in config["model_list"]} | set(
        config["router_settings"].get("model_group_alias", {})
    )
    assert names <= set(loaded[golden.name]["groups"])


# What langop_model.gateway overrides, calls or relies on. When a new LiteLLM differs here, read the gateway again.
INTERNALS = {
    "Router.async_get_available_deployment": ["self", "model", "request_kwargs", "messages", "input", "specific_deployment"],
    "Router.async_function_with_retries": ["self", "args", "kwargs"],
    "Router.async_function_with_fallbacks_common_utils": [
        "self", "e", "disable_fallbacks", "fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "model_group",
        "args", "kwargs", "include_fallback_errors",
    ],
    "Router.get_deployment": ["self", "model_id"],
    "Router._increment_deployment_usage": [
        "self", "deployment_id", "deployment_name", "model_group", "total_tokens", "rpm_increment", "parent_otel_span",
    ],
    "RouterRateLimitError": ["self", "model", "cooldown_time", "enable_pre_call_checks", "cooldown_list", "model_ids"],
    "Router": ["_inherit_builtin_cache_pricing", "_inherit_builtin_service_tier_pricing"],
    "Cache": ["get_cache_key"],
    "litellm": ["callback_settings", "_turn_on_json", "cache"],
    "proxy_server": [
        "llm_router", "user_custom_auth",
        "_build_redis_usage_cache_from_environment", "_set_redis_usage_cache", "redis_usage_cache", "spend_counter_cache",
        "cli_sso_session_cache", "litellm_config_cache",
    ],
    "_redis.get_redis_async_client": ["connection_pool", "env_overrides"],
    "a Router": ["model_names", "model_group_alias", "pattern_router", "model_id_to_deployment_index_map", "model_list"],
    "auth_utils": ["_BANNED_REQUEST_BODY_PARAMS"],
    "litellm_pre_call_utils": [
        "_CLIENT_PRICING_METADATA_FIELDS", "_ROUTER_RESERVED_METADATA_FIELDS", "_UNTRUSTED_METADATA_CONTROL_FIELDS",
        "_UNTRUSTED_ROOT_CONTROL_FIELDS",
    ],
    "utils": ["_get_max_position_embeddings"],
    "SagemakerChatConfig.transform_request": ["self", "model", "messages", "optional_params", "litellm_params", "headers"],
    "Router.async_function_with_fallbacks": ["self", "args", "kwargs"],
    "_logging._get_uvicorn_json_log_config": [],
    "_logging.resolve_log_level": ["log_level"],
}  # fmt: skip


@pytest.mark.parametrize("name", INTERNALS)
def test_litellms_internals_are_where_the_gateway_expects_them(name: str, loaded: dict[str, Any]):
    assert loaded["internals"][name] == INTERNALS[name]


def test_a_cache_lookup_says_what_the_gateway_asks_it(loaded: dict[str, Any]):
    needed = {"cached_result", "final_embedding_cached_response", "embedding_all_elements_cache_hit"}
    assert needed <= set(loaded["internals"]["CachingHandlerResponse"])


def test_a_broken_deployment_would_be_noticed(loaded: dict[str, Any]):
    assert loaded["broken.config.yaml"]["ids"] == [] or loaded["broken.config.yaml"]["warnings"]


# What is open to clients.


def test_every_route_of_litellm_is_closed_but_those_of_the_data_plane(loaded: dict[str, Any]):
    """What a new LiteLLM serves beside them is closed without a change here."""
    open_ones = {
        (method, path) for method, path in loaded["routes"] if routes.find(method, path.replace("{model_id}", "a-model"))
    }
    assert len(loaded["routes"]) > 600
    assert open_ones == {
        *(("POST", f"{version}{path}") for version in ("", "/v1") for path in (
            "/chat/completions", "/completions", "/embeddings", "/responses", "/audio/speech", "/audio/transcriptions",
            "/images/generations", "/images/edits", "/rerank",
        )),
        ("POST", "/v2/rerank"), ("POST", "/v1/messages"), ("POST", "/v1/messages/count_tokens"),
        ("GET", "/models"), ("GET", "/v1/models"), ("GET", "/models/{model_id}"), ("GET", "/v1/models/{model_id}"),
        ("GET", "/metrics"), ("GET", "/health"),
        ("GET", "/health/liveliness"), ("GET", "/health/liveness"), ("GET", "/health/readiness"),
    }  # fmt: skip


def test_every_open_route_is_one_of_litellms(loaded: dict[str, Any]):
    """Else a new LiteLLM has moved it."""
    here = {(method, path) for method, path in routes.ROUTES if path != "/metrics/"}  # a mounted application
    assert here - {(method, path) for method, path in loaded["routes"]} == set()
