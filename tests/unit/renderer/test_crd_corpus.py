"""Resources that the cluster's schema accepts, each in a gateway beside a good model: served, or left out with a reason.

The schema accepts more than anything could do: a negative limit, an address that is none. NOT_SERVED lists all of it. Whatever
is not in it is served, zeros and absent fields among them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from langop_model.launch.load_config import DOWNGRADED_IN_GATEWAY
from langop_model.renderer.available_models import AvailableModels
from langop_model.renderer.rendering import Rendering
from langop_model.renderer.settings import Settings
from tests.unit import crd
from tests.unit.crd import INT32
from tests.unit.crd_corpus import BASE, TEXTS, corpus
from tests.unit.specs import a_spec, codes

FIELDS = sorted(crd.schema()["properties"]["spec"]["properties"])
EMPTY, SPACE, _, UNICODE, LINES, REFERENCE, LONG = TEXTS
LEAST, MOST = INT32
WEIRD = [SPACE, UNICODE, LINES, REFERENCE, LONG]
NO_ADDRESS = [SPACE, "x", UNICODE, LINES, REFERENCE, LONG]

NOT_SERVED: dict[str, list[Any]] = {
    "modelName": [LINES, REFERENCE, LONG],
    "endpoint": [EMPTY, *NO_ADDRESS],
    "apiKeySecretRef.name": [EMPTY, *WEIRD],
    "apiKeySecretRef.key": WEIRD,
    "timeout": ["0s", "1ns", "99999999h"],
    "configuration.additionalParameters": [{"": ""}],
    "configuration.additionalParameters.{}": [REFERENCE],
    "configuration.stopSequences.[]": [REFERENCE],
    "configuration.maxTokens": [LEAST, -1],
    "configuration.temperature": [-1, 2.5, 1e308],
    "configuration.topP": [-1, 2.5, 1e308],
    "configuration.frequencyPenalty": [2.5, 1e308],
    "configuration.presencePenalty": [2.5, 1e308],
    "rateLimits.requestsPerMinute": [LEAST, -1],
    "rateLimits.tokensPerMinute": [LEAST, -1],
    "rateLimits.concurrentRequests": [LEAST, -1],
    "retryPolicy.initialBackoff": ["0s", "1ns", "99999999h"],
    "retryPolicy.maxBackoff": ["0s", "1ns", "99999999h"],
    "retryPolicy.backoffMultiplier": [-1, 0.5, 1e308],
    "retryPolicy.retryableStatusCodes": [[0], [0, 0]],
    "retryPolicy.retryableStatusCodes.[]": [LEAST, -1, 0, 1, MOST],
    "fallbacks.[].modelRef": [EMPTY, *WEIRD],
    "fallbacks.[].conditions": [["x"], ["x", "x"]],
    "fallbacks.[].conditions.[]": list(TEXTS),
    "loadBalancing.endpoints.[].url": [EMPTY, *NO_ADDRESS],
    "loadBalancing.endpoints.[].region": [LINES, REFERENCE],
    "loadBalancing.healthCheck.interval": ["0s", "1ns", "99999999h"],
    "loadBalancing.healthCheck.timeout": ["0s", "1ns", "99999999h"],
    "regions.[].name": [EMPTY, LINES, REFERENCE],
    "regions.[].endpoint": NO_ADDRESS,
    "regions.[].enabled": [False],
    "caching.ttl": ["0s", "1ns", "99999999h"],
    "caching.maxSize": [LEAST, -1],
    "costTracking.currency": [LINES, REFERENCE],
    "costTracking.inputTokenCost": [-1, 1e308],
    "costTracking.outputTokenCost": [-1, 1e308],
}


# A text that starts with os.environ/ is refused wherever it is, also where no process of this gateway reads it.
REFERENCES_ELSEWHERE = {
    field: [REFERENCE]
    for field in (
        "apiKeySecretRef.namespace",
        *(
            ".".join(path)
            for path, node in crd.fields(crd.schema()["properties"]["spec"])
            if path[:1] == ("egress",) and node["type"] == "string" and "enum" not in node
        ),
    )
}


@cache
def by_field() -> dict[str, list[tuple[Any, dict[str, Any]]]]:
    """Return the corpus by field: values, and the specs that have them."""
    fields: dict[str, list[tuple[Any, dict[str, Any]]]] = {}
    for path, value, spec in corpus():
        fields.setdefault(".".join(path), []).append((value, spec))
    return fields


def render(folder: Path, spec: Any, settings: Settings = Settings(redis=True)) -> Rendering:  # noqa: B008 - frozen
    """Return the rendering of a gateway of a good model and `spec`."""
    good, edge = folder / "model__good.json", folder / "model__edge.json"
    good.write_text(json.dumps({**BASE, "modelName": "good-model"}), encoding="utf-8")
    edge.write_text(json.dumps(spec), encoding="utf-8")
    return AvailableModels(settings, DOWNGRADED_IN_GATEWAY).render([str(edge), str(good)])


def unavailable(result: Rendering) -> dict[str, Any]:
    found: dict[str, Any] = result.config["callback_settings"]["langop"].get("unavailable", {})
    return found


def unique(values: Iterable[Any]) -> list[Any]:
    return [json.loads(text) for text in dict.fromkeys(json.dumps(value) for value in values)]


@pytest.mark.parametrize("field", by_field())
def test_a_boundary_of_a_field_is_served_or_listed_here(tmp_path: Path, field: str):
    left_out = []
    for value, spec in by_field()[field]:
        result = render(tmp_path, spec)
        assert "good-model" in result.config["callback_settings"]["langop"]["models"]
        for model in unavailable(result).values():
            assert f"spec{'' if field == 'regions.[].enabled' else '.' + field.split('.', maxsplit=1)[0]}" in model["reason"]
            left_out.append(value)
    assert unique(left_out) == unique(NOT_SERVED.get(field, REFERENCES_ELSEWHERE.get(field, [])))


def test_every_spec_of_the_corpus_is_one_that_the_cluster_accepts():
    """But for a text that the API server never checks: all of it is tried as the resource's schema says."""
    validator = Draft202012Validator(crd.schema()["properties"]["spec"])
    specs = [spec for cases in by_field().values() for _, spec in cases]
    assert [spec for spec in specs if not validator.is_valid(spec)] == []
    assert len(specs) > 500


def test_what_is_listed_is_in_the_corpus():
    for field, values in NOT_SERVED.items():
        assert all(any(value == each for each, _ in by_field()[field]) for value in values), field


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*FIELDS, "kind", "metadata", "x"]), inner),
)


@given(spec=crd.specs())
def test_whatever_the_cluster_accepts_the_good_model_is_served(tmp_path: Path, spec: dict[str, Any]):
    check(render(tmp_path, spec))


@given(content=JSON)
def test_whatever_json_is_mounted_the_good_model_is_served(tmp_path: Path, content: Any):
    check(render(tmp_path, content))


def check(result: Rendering) -> None:
    """The good model is served, and every other one is served too or named with an error that is no defect of ours."""
    assert "good" in {model.name for model in result.models}
    for model in unavailable(result).values():
        assert re.match(r"the LanguageModel .* can't be served: LM\d{3}", model["reason"], re.DOTALL)
        assert not {"LM601", "LM762"} & set(re.findall(r"LM\d{3}", model["reason"])), "a defect"


# What a zero means.


@pytest.mark.parametrize("limit", ["requestsPerMinute", "tokensPerMinute", "concurrentRequests"])
def test_a_limit_of_zero_is_no_limit_and_said(tmp_path: Path, limit: str):
    result = render(tmp_path, a_spec(modelName="edge", rateLimits={limit: 0}))
    assert not result.config["callback_settings"]["langop"]["models"]["edge"].get("limits", {}).keys() - {"wait"}
    assert [finding.path[-1] for finding in result.findings if finding.code == "LM141"] == [limit]


@pytest.mark.parametrize(
    "fields",
    [
        {"configuration": {"maxTokens": 0}},
        {"rateLimits": {"requestsPerMinute": 0}},
        {"caching": {"enabled": True, "backend": "memory", "maxSize": 0}},
        {"retryPolicy": {"maxAttempts": 2, "backoffMultiplier": 0, "initialBackoff": ""}},
        {"apiKeySecretRef": {"name": "keys", "key": ""}},
        {"region": "", "project": "", "location": ""},
        {"loadBalancing": {"endpoints": [{"url": "https://a.example.com/v1", "weight": 1, "region": ""}]}},
        {"regions": [{"name": "eu", "enabled": True, "endpoint": ""}]},
    ],
    ids="-".join,
)
def test_a_zero_without_a_meaning_is_the_same_as_none(tmp_path: Path, fields: dict[str, Any]):
    zero = render(tmp_path, a_spec(modelName="edge", **fields))
    none = render(tmp_path, a_spec(modelName="edge", **without(fields)))
    assert zero.config == none.config


def without(value: Any) -> Any:
    """Return `value` without its zeros."""
    if isinstance(value, list):
        return [without(item) for item in value]
    return {key: without(item) for key, item in value.items() if item not in (0, "")} if isinstance(value, dict) else value


@pytest.mark.parametrize("fields", [{"configuration": {"temperature": 0}}, {"retryPolicy": {"maxAttempts": 0}}])
def test_a_zero_with_a_meaning_is_a_value(tmp_path: Path, fields: dict[str, Any]):
    assert "LM141" not in codes(render(tmp_path, a_spec(modelName="edge", **fields)).findings)


def test_in_a_manifest_a_limit_of_zero_is_refused(tmp_path: Path):
    """Its author can say what is meant."""
    manifest = {"apiVersion": "langop.io/v1alpha1", "kind": "LanguageModel", "metadata": {"name": "edge"}}
    result = render(tmp_path, {**manifest, "spec": a_spec(rateLimits={"requestsPerMinute": 0})})
    assert unavailable(result)["edge"]["reason"].partition(": ")[2].startswith("LM105")
