"""The promise: no field is silently dropped.

Each leaf of each example is changed, one at a time, into another value that the schema accepts. The configuration must then be
another one, or a finding must name the leaf or an object that holds it. A finding about the whole spec names nothing.

The promise is held twice: by an implementation of this file's own, and by `explain`, which shows it to users.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from langop_model.renderer import manifest, rendering, specification, templating
from langop_model.renderer.explanation import explain
from langop_model.renderer.findings import Finding, Findings, SpecError, dotted, lint_codes
from langop_model.renderer.manifest import Resource
from langop_model.renderer.rendering import Rendering
from langop_model.renderer.settings import Settings
from tests.conftest import ROOT
from tests.unit.corners import CORNERS
from tests.unit.specs import a_resource, a_spec

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
GATEWAY = sorted((ROOT / "examples" / "gateway").glob("*.yaml"))
SETTINGS = Settings(ignored=lint_codes())  # a lint rule speaks of a value, not of what became of it

FieldPath = tuple[str | int, ...]

CHOICES = {
    "provider": ["openai", "anthropic", "openai-compatible", "azure", "bedrock", "vertex", "custom"],
    "strategy": ["round-robin", "least-connections", "random", "weighted", "latency-based"],
    "backend": ["memory", "redis", "memcached"],
    "level": ["debug", "info", "warn", "error"],
    "conditions": ["error", "rate_limit", "timeout", "server_error", "context_window", "content_policy"],
    "protocol": ["TCP", "UDP", "SCTP"],
    "litellmProvider": ["openai", "groq", "vertex_ai"],
}
STATUSES = [400, 401, 408, 429, 500, 502, 503]
EMPTY = {
    "conditions": ["content_policy"],
    "retryableStatusCodes": [401],
    "stopSequences": ["changed"],
    "additionalParameters": {"user": "changed"},
}


def resources_of(path: Path) -> list[Resource]:
    return manifest.read(str(path.relative_to(ROOT)), SETTINGS).resources


def leaves(value: Any, path: FieldPath) -> Iterator[tuple[FieldPath, Any]]:
    if isinstance(value, dict | list) and value:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    else:
        yield path, value


def others(path: FieldPath, value: Any) -> list[Any]:  # noqa: PLR0911 - one for each kind of value
    """Return other values for the leaf at `path`; whether the schema accepts them is asked later."""
    name = next(segment for segment in reversed(path) if isinstance(segment, str))
    if value in ([], {}):
        return [EMPTY[name]] if name in EMPTY else []
    if name in CHOICES:
        return [choice for choice in CHOICES[name] if choice != value]
    if name == "retryableStatusCodes":
        return [status for status in STATUSES if status != value]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1, value * 2 + 10]
    if isinstance(value, float):
        return [value + 0.5, value / 2]
    return other_texts(value)


def other_texts(text: str) -> list[str]:
    if re.fullmatch(r"([0-9.]+(ns|us|µs|ms|s|m|h))+", text):
        return ["13s", "17m"]
    if text.startswith("http"):
        return ["https://changed.example.org/other"]
    if text in ("true", "false"):
        return ["true" if text == "false" else "false"]
    if text.startswith("{"):
        return [json.dumps({"changed": "other"})]
    return [f"{int(text) + 1}"] if text.isdigit() else [f"{text}x", "changed"]


def changed(resource: Resource, path: FieldPath, value: Any) -> Resource:
    whole = copy.deepcopy(resource.manifest)
    target: Any = whole
    for segment in path[:-1]:
        target = target[segment]
    target[path[-1]] = value
    return resource.replace(manifest=whole)


def accepted_by_the_schema(resource: Resource) -> bool:
    found = Findings()
    specification.validate(resource, found)
    return not found.errors


def said(findings: Iterable[Finding], resource: Resource, path: FieldPath) -> list[Finding]:
    """Return what findings say about the leaf at `path` of `resource`, or about an object that holds it."""
    return [
        finding
        for finding in findings
        if finding.resource in ("", resource.name) and len(finding.path) > 1 and path[: len(finding.path)] == finding.path
    ]


def explains_why_nothing_shows(finding: Finding) -> bool:
    return finding.level == "error" or finding.fidelity in ("unsupported", "elsewhere")


def silent(resources: list[Resource], index: int, *, gateway: bool = False, strict: bool = False) -> tuple[int, list[str]]:
    """Return how many leaves a resource has, and those that may change without anything to see or to read.

    `strict` takes a finding about the leaf only where it says why nothing shows: the leaf has no effect, is somebody else's
    business, or is refused. What is done approximately must show.
    """
    resource = resources[index]
    original = rendering.render(resources, SETTINGS, gateway=gateway)
    count, found = 0, []
    for path, value in leaves(resource.manifest["spec"], ("spec",)):
        count += 1
        before = said(original.findings, resource, path)
        named = any(explains_why_nothing_shows(finding) for finding in before) if strict else bool(before)
        if not named and not any(
            after.config != original.config or wording(after, resource, path) != wording(original, resource, path)
            if isinstance(after, Rendering)
            else said(after, resource, path)
            for after in renderings_with_another_value(resources, index, path, value, gateway=gateway)
        ):
            found.append(f"{dotted(path)}: {value!r}")
    return count, found


def wording(result: Rendering, resource: Resource, path: FieldPath) -> list[tuple[str, str]]:
    return [(finding.code, finding.message) for finding in said(result.findings, resource, path)]


def renderings_with_another_value(
    resources: list[Resource], index: int, path: FieldPath, value: Any, *, gateway: bool
) -> Iterator[Rendering | tuple[Finding, ...]]:
    """Yield what becomes of the resources with other values at `path`: a rendering, or the findings of a refusal."""
    variants = [changed(resources[index], path, other) for other in others(path, value)]
    variants = [variant for variant in variants if accepted_by_the_schema(variant)]
    assert variants or value in ([], {}), f"this test knows no other value for {dotted(path)}: {value!r}"
    for variant in variants:
        try:
            yield rendering.render([*resources[:index], variant, *resources[index + 1 :]], SETTINGS, gateway=gateway)
        except SpecError as problem:
            yield problem.findings


# The examples.


def test_no_leaf_of_any_example_is_silent(capsys: pytest.CaptureFixture[str]):
    count, found = 0, []
    for path in EXAMPLES:
        for resource in resources_of(path):
            number, missing = silent([resource], 0)
            count += number
            found += [f"{path.name}: {leaf}" for leaf in missing]
    with capsys.disabled():
        print(f"\n{count - len(found)} of {count} leaves of the examples show in the configuration or are named by a finding")  # noqa: T201
    assert found == []
    assert count > 200


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_leaf_that_is_called_approximate_shows_all_the_same(path: Path):
    for resource in resources_of(path):
        assert silent([resource], 0, strict=True)[1] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_explain_finds_no_silent_leaf_in_an_example(path: Path):
    for resource in resources_of(path):
        rows = list(explain(resource, SETTINGS))
        assert [dotted(row.path) for row in rows if row.fidelity == "silent"] == []
        assert [row.path for row in rows] == [leaf for leaf, _ in leaves(resource.manifest["spec"], ("spec",))]


@pytest.mark.parametrize("index", range(len(GATEWAY)), ids=[path.stem for path in GATEWAY])
def test_no_leaf_of_a_model_of_the_gateway_is_silent(index: int):
    resources = [resource for path in GATEWAY for resource in resources_of(path)]
    assert silent(resources, index, gateway=True)[1] == []


# Corners that no example shows.


@pytest.mark.parametrize("corner", CORNERS)
def test_no_leaf_of_a_corner_is_silent(corner: str):
    assert silent([a_resource(CORNERS[corner])], 0)[1] == []


@pytest.mark.parametrize("corner", CORNERS)
def test_explain_agrees_about_a_corner(corner: str):
    """A leaf for which `explain` can only show a refusal is one that it knows nothing about."""
    rows = explain(a_resource(CORNERS[corner]), SETTINGS)
    assert [dotted(row.path) for row in rows if row.fidelity in ("silent", "refused")] == []


PAIRS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "metrics": ({"observability": {"metrics": True}}, {"observability": {"metrics": True}}),
    "tracing": ({"observability": {"tracing": True}}, {"observability": {"tracing": True}}),
    "cache": ({"caching": {"enabled": True, "ttl": "1m"}}, {"caching": {"enabled": True, "ttl": "1m"}}),
    "logs": ({"observability": {"logging": {"level": "warn"}}}, {"observability": {"logging": {"level": "debug"}}}),
    "retries": ({"retryPolicy": {"maxAttempts": 2}}, {"retryPolicy": {"maxAttempts": 3, "initialBackoff": "2s"}}),
    "limits": ({"rateLimits": {"requestsPerMinute": 5, "concurrentRequests": 3}}, {"rateLimits": {"tokensPerMinute": 5}}),
}


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("pair", PAIRS)
def test_no_leaf_of_a_pair_in_one_gateway_is_silent(pair: str, index: int):
    resources = [
        a_resource(a_spec(**{"modelName": f"model-{name}", **fields}), name)
        for name, fields in zip("ab", PAIRS[pair], strict=True)
    ]
    assert silent(resources, index, gateway=True)[1] == []


# The proof that these tests can fail.


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the templates, in use instead of them."""
    copied = tmp_path / "templates"
    shutil.copytree(ROOT / "templates", copied)
    monkeypatch.setattr(templating, "place", lambda _: str(copied))
    templating.environment.cache_clear()
    yield copied
    templating.environment.cache_clear()


COST_FINDING = '{% do report("LM407", "spec", "costTracking", field, switch="spec.costTracking.enabled") %}'


@pytest.mark.parametrize(
    ("lines", "example", "leaf", "strict"),
    [
        (
            {
                "timeout.yaml.j2": "      timeout: {{ spec.timeout | seconds }}",
                "upstream.yaml.j2": "        timeout: {{ model.spec.timeout | seconds }}",
            },
            "custom-endpoint",
            "spec.timeout",
            False,
        ),
        (
            {
                "group-caching.yaml.j2": "          ttl: {{ caching.ttl | seconds }}",
                "caching.yaml.j2": "    ttl: {{ process.cache_ttl }}",
            },
            "openai-model",
            "spec.caching.ttl",
            False,
        ),
        (
            {"rate-limits.yaml.j2": "          {{ name }}: {{ limits[field] }}"},
            "azure-openai",
            "spec.rateLimits.tokensPerMinute",
            True,  # a finding speaks of all limits
        ),
        ({"cost-tracking.yaml.j2": COST_FINDING}, "without-cost", "spec.costTracking.inputTokenCost", True),
    ],
    ids=["timeout", "ttl", "limit", "finding"],
)
def test_a_line_that_is_missing_in_a_template_makes_its_field_silent(
    templates: Path, lines: Mapping[str, str], example: str, leaf: str, strict: bool
):
    for template, line in lines.items():
        path = templates / template
        text = path.read_text(encoding="utf-8")
        assert text.count(f"{line}\n") == 1
        path.write_text(text.replace(f"{line}\n", ""), encoding="utf-8")

    (resource,) = resources_of(ROOT / "examples" / f"{example}.yaml")
    assert leaf in [entry.split(": ")[0] for entry in silent([resource], 0, strict=strict)[1]]
    if not strict:
        assert leaf in [dotted(row.path) for row in explain(resource, SETTINGS) if row.fidelity == "silent"]
