"""docs/metrics.md: made from the definitions, and says where each figure of LiteLLM's proxy has gone."""

from __future__ import annotations

import pytest

from langop_model.gateway.accounting.definitions import ALL
from langop_model.gateway.accounting.registry import Definition
from langop_model.gateway.accounting.request_definitions import TOKENS_OF_ENDPOINT
from tests.conftest import ROOT
from tools import metrics_doc

PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
# What the dashboard and the alerts for LiteLLM's proxy used.
BEFORE = """
litellm_cache_hits_metric_total litellm_cached_tokens_metric_total litellm_deployment_failed_fallbacks_total
litellm_deployment_failure_responses_total litellm_deployment_state litellm_deployment_success_responses_total
litellm_deployment_successful_fallbacks_total litellm_deployment_total_requests_total litellm_in_flight_requests
litellm_input_tokens_metric_total litellm_llm_api_latency_metric litellm_llm_api_time_to_first_token_metric
litellm_output_tokens_metric_total litellm_overhead_latency_metric litellm_proxy_failed_requests_metric_total
litellm_proxy_total_requests_metric_total litellm_request_total_latency_metric litellm_spend_metric_total
litellm_total_tokens_metric_total
"""


def test_the_page_is_the_definitions():
    assert metrics_doc.page() == PAGE, "run `make metrics-doc`"


@pytest.mark.parametrize("definition", ALL, ids=lambda definition: definition.name)
def test_each_metric_has_its_row_once(definition: Definition):
    assert PAGE.count(f"| `{definition.series}` | {definition.kind} |") == 1


@pytest.mark.parametrize("name", BEFORE.split())
def test_each_metric_that_dashboards_used_has_its_place(name: str):
    assert f"| `{name}` | `" in PAGE


def test_a_gauge_says_what_several_workers_make_of_it():
    assert "Of several workers, the smallest." in PAGE
    assert metrics_doc.workers(TOKENS_OF_ENDPOINT) == ""
