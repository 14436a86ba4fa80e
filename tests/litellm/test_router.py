"""What the gateway's Router does not do again for each request has LiteLLM's result."""

from __future__ import annotations

from typing import Any

import litellm
import pytest

from langop_model.gateway.routing.router import GatewayRouter


@pytest.fixture
def router(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(litellm, "callback_settings", {})
    parameters = {"model": "openai/m", "api_base": "http://provider/v1", "api_key": "k"}
    return GatewayRouter(model_list=[{"model_name": "m", "litellm_params": parameters, "model_info": {"id": "m-1"}}])


def test_a_deployment_is_the_one_that_litellm_builds_and_is_built_once(router: Any):
    found = router.get_deployment("m-1")
    assert found == super(GatewayRouter, router).get_deployment("m-1")
    assert router.get_deployment(model_id="m-1") is found


def test_a_deployment_that_has_changed_is_built_anew(router: Any):
    before = router.get_deployment("m-1")
    changed = {**router.model_list[0], "litellm_params": {**router.model_list[0]["litellm_params"], "model": "openai/n"}}
    router.model_list[0] = changed
    assert before.litellm_params.model == "openai/m"
    assert router.get_deployment("m-1").litellm_params.model == "openai/n"


def test_an_id_that_is_none_has_no_deployment(router: Any):
    assert router.get_deployment("m-2") is None
    assert "m-2" not in router.built
