"""Lint: for each rule, what it finds and what it leaves alone; and how a rule is switched off."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from langop_model.renderer import findings, lint, manifest, rendering, source
from langop_model.renderer.findings import Finding, dotted
from langop_model.renderer.lint import timing
from langop_model.renderer.settings import Settings
from tests.conftest import ROOT
from tests.unit.specs import EAST, WEST, a_spec, balanced, codes, render, render_gateway

ALL = ROOT / "tests" / "data" / "lint.yaml"
KEY: dict[str, Any] = {"apiKeySecretRef": {"name": "a", "key": "b"}}
QUICK = "1s"  # a timeout that leaves time for retries


def retrying(attempts: int = 2, timeout: str = QUICK, **policy: Any) -> dict[str, Any]:
    return a_spec(timeout=timeout, retryPolicy={"maxAttempts": attempts, **policy})


def checked(**check: Any) -> dict[str, Any]:
    return a_spec(loadBalancing={"healthCheck": {"enabled": True, **check}})


def priced(**cost: Any) -> dict[str, Any]:
    return a_spec(costTracking={"enabled": True, **cost})


def logging(**fields: Any) -> dict[str, Any]:
    return a_spec(observability={"logging": fields})


def limited(tokens: int, **fields: Any) -> dict[str, Any]:
    return a_spec(rateLimits={"tokensPerMinute": tokens}, **fields)


def claude(model: str = "claude-sonnet-4-5", provider: str = "anthropic", **fields: Any) -> dict[str, Any]:
    endpoint = "https://llm.example.com/v1" if provider == "openai-compatible" else None
    both = {"configuration": {"temperature": 0.2, "topP": 0.9}}
    return a_spec(provider=provider, modelName=model, endpoint=endpoint, **KEY, **{**both, **fields})


def at(endpoint: str, **fields: Any) -> dict[str, Any]:
    return a_spec(endpoint=endpoint, **fields)


def weighing(*weights: int | None, strategy: str = "round-robin", **fields: Any) -> dict[str, Any]:
    endpoints = [{"url": f"https://{n}.example.com/v1", "weight": weight} for n, weight in enumerate(weights)]
    written = [{name: value for name, value in endpoint.items() if value is not None} for endpoint in endpoints]
    return balanced(*written, strategy=strategy, **fields)


LIMIT: dict[str, Any] = {"rateLimits": {"requestsPerMinute": 100}}

FOUND: list[tuple[str, dict[str, Any], list[str]]] = [
    ("LM610", retrying(initialBackoff="1m", maxBackoff="2s"), ["spec.retryPolicy.initialBackoff"]),
    ("LM610", retrying(maxBackoff="500ms"), ["spec.retryPolicy.maxBackoff"]),
    ("LM611", balanced(EAST, WEST, EAST), ["spec.loadBalancing.endpoints[2].url"]),
    ("LM611", balanced(EAST, {"url": f"{EAST['url']}/chat/completions"}), ["spec.loadBalancing.endpoints[1].url"]),
    ("LM611", balanced(EAST, regions=[{"name": "a", "endpoint": EAST["url"]}]), ["spec.regions[0].endpoint"]),
    ("LM611", a_spec(regions=[{"name": "a"}, {"name": "b"}]), ["spec.regions[1]"]),
    ("LM612", checked(interval="5s", timeout="6s"), ["spec.loadBalancing.healthCheck.timeout"]),
    ("LM612", checked(interval="2s"), ["spec.loadBalancing.healthCheck.interval"]),
    ("LM613", a_spec(timeout="99ms"), ["spec.timeout"]),
    ("LM613", checked(timeout="20ms"), ["spec.loadBalancing.healthCheck.timeout"]),
    ("LM614", priced(inputTokenCost=1), ["spec.costTracking.inputTokenCost"]),
    ("LM614", priced(outputTokenCost=1), ["spec.costTracking.outputTokenCost"]),
    ("LM615", limited(1000, configuration={"maxTokens": 1001}), ["spec.rateLimits.tokensPerMinute"]),
    ("LM615", limited(1000, params={"max_completion_tokens": 1001}), ["spec.rateLimits.tokensPerMinute"]),
    ("LM616", at("http://llm.example.com/v1", **KEY), ["spec.endpoint"]),
    ("LM616", at("http://8.8.8.8/v1", credentialsSecretRef={"name": "a"}), ["spec.endpoint"]),
    ("LM618", retrying(2, "1m"), ["spec.retryPolicy"]),
    ("LM618", a_spec(retryPolicy={"maxAttempts": 1}), ["spec.retryPolicy"]),
    ("LM619", at("https://${HOST}/v1"), ["spec.endpoint"]),
    ("LM619", a_spec(modelName="{{ .Values.model }}"), ["spec.modelName"]),
    ("LM619", a_spec(params={"user": "$(POD_NAME)"}), ["spec.params.user"]),
    ("LM620", claude(), ["spec.configuration.topP"]),
    ("LM620", claude(configuration={"temperature": 0.2}, params={"top_p": 0.9}), ["spec.configuration.temperature"]),
    ("LM620", claude(configuration={}, params={"top_p": 0.9, "temperature": 1}), ["spec.params.top_p"]),
    ("LM620", claude("eu.anthropic.claude-opus-4-5-20251101-v1:0", "bedrock", region="eu"), ["spec.configuration.topP"]),
    ("LM620", claude("claude-haiku-4-5@20251001", "vertex"), ["spec.configuration.topP"]),
    ("LM620", claude("anthropic/claude-sonnet-4.6", "openai-compatible"), ["spec.configuration.topP"]),
    ("LM620", claude("claude-opus-4-1-20250805"), ["spec.configuration.topP"]),
    ("LM621", weighing(0, 0), ["spec.loadBalancing.endpoints"]),
    ("LM622", weighing(70, 30, **LIMIT), [f"spec.loadBalancing.endpoints[{n}].weight" for n in (0, 1)]),
    ("LM622", weighing(None, 50, strategy="random", **LIMIT), ["spec.loadBalancing.endpoints[1].weight"]),
    ("LM623", logging(logRequests=True), ["spec.observability.logging.logRequests"]),
    ("LM623", logging(), ["spec.observability.logging.logRequests"]),
    ("LM623", logging(logRequests=False, logResponses=True), ["spec.observability.logging.logResponses"]),
    ("LM624", at("https://chat.example.com/api"), ["spec.endpoint"]),
    ("LM624", a_spec(provider="groq", endpoint="http://gateway:8080", **KEY), ["spec.endpoint"]),
]

LEFT_ALONE: list[tuple[str, dict[str, Any]]] = [
    ("LM610", retrying(initialBackoff="2s", maxBackoff="2s")),
    ("LM610", a_spec(retryPolicy={"maxAttempts": 0, "initialBackoff": "1m", "maxBackoff": "2s"})),
    ("LM611", balanced(EAST, WEST)),
    ("LM611", a_spec(provider="bedrock", endpoint=None, regions=[{"name": "a"}, {"name": "b"}], **KEY)),
    ("LM612", checked(interval="5s", timeout="5s")),
    ("LM612", a_spec(loadBalancing={"healthCheck": {"enabled": False, "interval": "5s", "timeout": "6s"}})),
    ("LM613", a_spec(timeout="100ms")),
    ("LM614", priced(inputTokenCost=1, outputTokenCost=0)),
    ("LM614", priced()),
    ("LM614", a_spec(costTracking={"enabled": False, "inputTokenCost": 1})),
    ("LM614", priced(inputTokenCost=1) | {"params": {"output_cost_per_token": 1}}),
    ("LM615", limited(1000, configuration={"maxTokens": 1000})),
    ("LM615", limited(1000)),
    ("LM616", at("http://llm.example.com/v1")),
    ("LM616", at("https://llm.example.com/v1", **KEY)),
    ("LM618", retrying(2, "40s")),
    ("LM618", a_spec(timeout="1h")),
    ("LM619", a_spec(params={"user": "costs $5 {a} }}"})),
    ("LM620", claude(configuration={"temperature": 0.2})),
    ("LM620", claude("claude-sonnet-4-20250514")),
    ("LM620", claude("claude-opus-4-8")),
    ("LM620", claude("gpt-4o", "openai")),
    ("LM621", weighing(0, 1)),
    ("LM621", weighing(None, None)),
    ("LM622", weighing(70, 30, strategy="weighted", **LIMIT)),
    ("LM622", weighing(50, 50, **LIMIT)),
    ("LM622", weighing(70, 30)),
    ("LM623", logging(logRequests=False)),
    ("LM623", a_spec(observability={"metrics": True})),
    ("LM624", at("https://chat.example.com/api/v1")),
    ("LM624", at("https://api.perplexity.ai")),
    ("LM624", a_spec(provider="ollama_chat", endpoint="http://ollama:11434")),
]


def of(code: str, said: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in said if finding.code == code]


def case(value: Any) -> str | None:
    return value if isinstance(value, str) else None


@pytest.mark.parametrize(("code", "spec", "paths"), FOUND, ids=case)
def test_a_rule_finds(code: str, spec: dict[str, Any], paths: list[str]):
    found = of(code, render(spec).findings)
    assert [dotted(finding.path) for finding in found] == paths
    assert {finding.level for finding in found} == {"warning"}


@pytest.mark.parametrize(("code", "spec"), LEFT_ALONE, ids=case)
def test_a_rule_leaves_alone(code: str, spec: dict[str, Any]):
    assert of(code, render(spec).findings) == []


def test_every_rule_has_a_case_of_both_kinds():
    assert {code for code, *_ in FOUND} == {code for code, _ in LEFT_ALONE} == set(lint.RULES)


def test_the_rules_and_their_texts_are_the_same_codes():
    assert {*lint.RULES, *lint.FILE_RULES} == findings.lint_codes()


@pytest.mark.parametrize("code", sorted(findings.lint_codes()))
def test_every_text_of_a_rule_is_a_warning_that_says_what_to_do(code: str):
    entry = findings.catalogue()[code]
    assert entry["level"] == "warning"
    assert entry["fix"]


# What needs more than one case.


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "127.0.0.1", "[::1]", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.1.1", "[fd00::1]", "vllm",
        "vllm.models.svc", "vllm.models.svc.cluster.local", "studio.local", "llm.internal", "vllm.default",
    ],
)  # fmt: skip
def test_a_key_may_go_over_http_where_only_the_cluster_is(host: str):
    assert of("LM616", render(at(f"http://{host}:8000/v1", **KEY)).findings) == []


def test_a_bare_spec_of_an_operator_is_not_told_about_weights_and_logs():
    """Go leaves out what is 0 or false."""
    assert of("LM621", render(balanced(EAST, WEST), bare=True).findings) == []
    assert of("LM623", render(logging(), bare=True).findings) == []


def test_a_default_is_called_one():
    (by_default,), (stated,) = (of("LM623", render(spec).findings) for spec in (logging(), logging(logRequests=True)))
    assert "its default" in by_default.message
    assert "its default" not in stated.message


def test_the_longest_request_has_all_attempts_waits_and_the_queue():
    """5 s before the end, 6 s in the queue, 4 attempts of 6 s, and 40, 60 and 60 s between them."""
    policy = {"maxAttempts": 3, "initialBackoff": "40s", "maxBackoff": "60s"}
    (found,) = of("LM618", render(a_spec(timeout="6s", retryPolicy=policy, rateLimits={"requestsPerMinute": 9})).findings)
    assert "195 s" in found.message


def test_the_grace_period_is_that_of_the_manifests():
    text = (ROOT / "deploy" / "base" / "deployment.yaml").read_text(encoding="utf-8")
    pod = yaml.safe_load(text)["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] == timing.GRACE_PERIOD
    assert int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][-1]) == timing.PRE_STOP


# Files.


def linted(tmp_path: Path, text: str, ignored: frozenset[str] = frozenset(), *, gateway: bool = False) -> list[Finding]:
    """Return what lint finds in a file with `text`."""
    path = tmp_path / "model.yaml"
    path.write_text(text, encoding="utf-8")
    settings = Settings(ignored=ignored)
    results = [rendering.render_gateway([str(path)], settings)] if gateway else rendering.render_file(str(path), settings)
    return [finding for result in results for finding in result.findings if finding.code in findings.lint_codes()]


HEAD = "apiVersion: langop.io/v1alpha1\nkind: LanguageModel\nmetadata: {name: a}\nspec:\n"
CLEAN = f"{HEAD}  provider: openai-compatible\n  modelName: llama\n  endpoint: http://a/v1\n"
SHORT = f"{CLEAN}  timeout: 1ms"


def test_a_name_twice_in_a_file_is_found(tmp_path: Path):
    (found,) = linted(tmp_path, f"{CLEAN}---\n{CLEAN}")
    assert (found.code, found.line, dotted(found.path)) == ("LM617", 11, "metadata.name")


def test_a_name_in_two_namespaces_is_no_name_twice(tmp_path: Path):
    other = CLEAN.replace("{name: a}", "{name: a, namespace: b}")
    assert linted(tmp_path, f"{CLEAN}---\n{other}") == []


def test_all_rules_speak_in_the_file_that_shows_them():
    results = rendering.render_file(str(ALL), Settings())
    assert {finding.code for result in results for finding in result.findings} >= findings.lint_codes()


# Switching a rule off.


def test_an_option_switches_a_rule_off(tmp_path: Path):
    assert codes(linted(tmp_path, SHORT)) == ["LM613"]
    assert linted(tmp_path, SHORT, frozenset({"LM613"})) == []


@pytest.mark.parametrize(
    "text",
    [
        f"{SHORT}  # langop: ignore LM613\n",
        f"{SHORT}  #langop: ignore LM618, LM613 because it is a test\n",
        SHORT.replace("  timeout", "  # langop: ignore LM613\n  timeout"),
        SHORT.replace("  timeout", "  # langop: ignore LM613\n\n  # as in the lab\n  timeout"),
        f"# langop: ignore-file LM613\n{SHORT}\n",
        f"{SHORT}\n# langop: ignore-file LM613\n",
        f"{SHORT}\n---\n{SHORT.replace('name: a', 'name: b')}\n# langop: ignore-file LM613",
    ],
)
def test_a_comment_switches_a_rule_off(tmp_path: Path, text: str):
    assert linted(tmp_path, text) == []


@pytest.mark.parametrize(
    "text",
    [
        f"{SHORT}  # langop: ignore LM618\n",
        f"# langop: ignore LM613\n{SHORT}\n",
        f"{SHORT}\n# langop: ignore LM613\n",
        SHORT.replace("llama", "'llama # langop: ignore-file LM613'"),
        SHORT.replace("llama", "|-\n    # langop: ignore-file LM613"),
    ],
)
def test_a_comment_elsewhere_or_inside_a_value_switches_nothing_off(tmp_path: Path, text: str):
    assert codes(linted(tmp_path, text)) == ["LM613"]


def test_a_comment_hides_nothing_but_lint(tmp_path: Path):
    """What is dropped or approximate is always said."""
    path = tmp_path / "model.yaml"
    path.write_text(f"# langop: ignore-file LM414\n{SHORT}\n  region: eu\n", encoding="utf-8")
    (result,) = rendering.render_file(str(path), Settings())
    assert {"LM414", "LM625"} <= set(codes(result.findings))


@pytest.mark.parametrize("comment", ["ignore LM999", "ignore", "disable LM613", "ignore-line LM613", ""])
def test_a_comment_without_effect_is_found_where_it_is(tmp_path: Path, comment: str):
    (found,) = of("LM625", linted(tmp_path, f"{SHORT}  # langop: {comment}\n"))
    assert (found.line, found.column) == (8, 17)
    assert codes(linted(tmp_path, f"# langop: {comment}\n{SHORT}", gateway=True)) == ["LM625", "LM613"]


def test_the_yaml_inside_a_config_map_has_comments_too():
    inner = "provider: openai-compatible\nmodelName: a\nendpoint: http://a/v1\ntimeout: 1ms  # langop: ignore LM613\n"
    outer = yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap", "data": {"model.json": inner}})
    read = manifest.collect("x.yaml", source.parse("x.yaml", outer), Settings())
    assert of("LM613", rendering.render(read.resources, Settings()).findings) == []


def test_each_model_of_a_gateway_is_linted():
    result = render_gateway(one=a_spec(timeout="1ms"), two=a_spec(modelName="b", timeout="2ms"))
    assert [finding.resource for finding in of("LM613", result.findings)] == ["one", "two"]


def test_the_report_about_claude_is_answered():
    text = (
        f"{HEAD}  provider: anthropic\n  modelName: claude-sonnet-4-5\n  apiKeySecretRef: {{name: a}}\n"
        "  configuration: {temperature: 0.2, topP: 0.95}\n"
    )
    read = manifest.collect("claude.yaml", source.parse("claude.yaml", text), Settings())
    assert "LM620" in codes(rendering.render(read.resources, Settings()).findings)
