"""`explain`: the effective model, and that what its sentences say is true."""

from __future__ import annotations

import re
from typing import Any

import pytest

from langop_model.contract import section
from langop_model.contract.settings import Group, Retries
from langop_model.gateway.caching import memory
from langop_model.gateway.limits.sliding_window import WINDOW
from langop_model.gateway.routing import endpoints
from langop_model.gateway.routing.retry_delay import delay
from langop_model.renderer import durations, effective, manifest, rendering
from langop_model.renderer.effective import Effective, Field, Origin
from langop_model.renderer.settings import Settings
from langop_model.resources import load_json
from tests.conftest import ROOT
from tests.unit.corners import CORNERS
from tests.unit.specs import EAST, SETTINGS, WEST, a_resource, a_spec, balanced

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
OPENAI = a_spec(provider="openai", endpoint=None, apiKeySecretRef={"name": "a"})
PRICES = a_spec(costTracking={"enabled": True, "inputTokenCost": 0.003, "outputTokenCost": 2})
TABLE: dict[str, dict[str, str]] = load_json("sentences.json")["fields"]


def explained(spec: Any, settings: Settings = SETTINGS, *, bare: bool = False) -> Effective:
    return effective.explain([a_resource(spec, bare=bare)], settings)[0]


def row(spec: Any, name: str, settings: Settings = SETTINGS, *, bare: bool = False) -> Field:
    return next(each for each in explained(spec, settings, bare=bare).fields if each.name == f"spec.{name}")


def does(spec: Any, name: str) -> str:
    return row(spec, name).does


# The table.


def test_every_field_of_the_schema_has_a_row_and_every_row_a_field():
    assert list(TABLE) == list(effective.fields())


def test_the_fields_of_the_schema_are_found():
    """Else the test above would compare two short lists."""
    assert {"provider", "fallbacks[].modelRef", "params.*", "loadBalancing.healthCheck.interval"} <= set(effective.fields())
    assert len(list(effective.fields())) > 60


def test_every_value_has_a_sentence():
    objects = {name for name in TABLE if any(other.startswith((f"{name}.", f"{name}[")) for other in TABLE)}
    assert [name for name, entry in TABLE.items() if name not in objects and not entry.get("does")] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_has_a_sentence_for_each_field_that_it_writes(path: Any):
    for resource in manifest.read(str(path.relative_to(ROOT)), SETTINGS).resources:
        (model,) = effective.explain([resource], SETTINGS)
        assert [each.name for each in model.fields if not each.does.endswith(".") or "  " in each.does] == []
        assert {each.fidelity for each in model.fields} <= {"", "exact", "approximate", "unsupported", "elsewhere"}
        assert [each.name for each in model.fields if each.origin is Origin.WRITTEN and not each.fidelity] == []


@pytest.mark.parametrize("corner", CORNERS)
def test_a_corner_has_a_sentence_for_each_field(corner: str):
    fields = explained(CORNERS[corner]).fields
    assert [each.name for each in fields if not each.does.endswith(".")] == []
    assert [each.name for each in fields if each.fidelity in ("refused", "silent")] == []


# Where a value comes from.


@pytest.mark.parametrize(
    ("spec", "name", "value", "origin"),
    [
        (a_spec(timeout="1m"), "timeout", "1m", Origin.WRITTEN),
        (a_spec(), "timeout", "5m", Origin.RESOURCE),
        (a_spec(), "retryPolicy", None, Origin.PROJECT),
        (a_spec(retryPolicy={}), "retryPolicy.maxAttempts", 3, Origin.RESOURCE),
        (a_spec(retryPolicy={"maxAttempts": 1}), "retryPolicy.maxBackoff", "30s", Origin.RESOURCE),
        (a_spec(), "caching", None, Origin.PROJECT),
        (a_spec(params={"rpm": 7}), "rateLimits.requestsPerMinute", 7, Origin.PARAMETER),
        (OPENAI, "endpoint", "https://api.openai.com/v1", Origin.PROJECT),
    ],
)
def test_a_value_says_where_it_comes_from(spec: Any, name: str, value: Any, origin: Origin):
    found = row(spec, name)
    assert (found.value, found.origin) == (value, origin)


def test_the_statuses_retried_by_default_are_this_projects():
    found = row(a_spec(retryPolicy={"maxAttempts": 1}), "retryPolicy.retryableStatusCodes")
    assert (found.origin, found.value[:3], found.fidelity) == (Origin.PROJECT, [408, 409, 429], "")


def test_a_value_of_the_extra_configuration_says_so():
    settings = Settings(extra_config="router_settings: {timeout: 20}")
    found = row(a_spec(), "timeout", settings)
    assert (found.value, found.origin) == ("20s", Origin.EXTRA)
    assert "20 s" in found.does


def test_an_absent_boolean_of_a_bare_spec_is_false():
    """The operator writes bare specs from Go structs, after the API server has filled defaults."""
    spec = a_spec(observability={"tracing": False})
    assert row(spec, "observability.metrics", bare=True).value is False
    assert row(spec, "observability.metrics").value is True


def test_a_zero_that_counts_as_absent_is_no_limit():
    spec = a_spec(rateLimits={"requestsPerMinute": 0, "tokensPerMinute": 5})
    found = row(spec, "rateLimits.requestsPerMinute", bare=True)
    assert (found.value, found.does) == (0, "Requests per minute are not limited.")
    assert "LM141" in [each.code for each in found.findings]


# What is said of a field.


def test_findings_are_beside_the_field_that_they_are_about():
    spec = a_spec(costTracking={"enabled": True, "currency": "EUR", "inputTokenCost": 1, "outputTokenCost": 1})
    found = row(spec, "costTracking.currency")
    assert ([each.code for each in found.findings], found.fidelity) == (["LM311"], "approximate")


def test_a_finding_about_an_object_is_beside_its_fields():
    """Where it says how faithfully they are kept."""
    rows = [each for each in explained(a_spec(rateLimits={"requestsPerMinute": 5})).fields if each.fidelity == "approximate"]
    assert [(each.name, [one.code for one in each.findings]) for each in rows] == [
        ("spec.rateLimits.requestsPerMinute", ["LM345"])
    ]


def test_every_finding_about_a_field_is_beside_some_field():
    for path in EXAMPLES:
        for resource in manifest.read(str(path.relative_to(ROOT)), SETTINGS).resources:
            (model,) = effective.explain([resource], SETTINGS)
            beside = {finding for each in model.fields for finding in each.findings}
            assert [
                each.code for each in model.findings if len(each.path) > 1 and each not in beside and each.path[0] == "spec"
            ] == []


def test_one_field_is_explained_alone():
    (model,) = effective.explain([a_resource(a_spec(rateLimits={"requestsPerMinute": 5}))], SETTINGS, only="spec.rateLimits")
    assert [each.name for each in model.fields] == [
        f"spec.rateLimits.{name}" for name in ("requestsPerMinute", "tokensPerMinute", "concurrentRequests")
    ]


@pytest.mark.parametrize("only", ["loadBalancing.endpoints[1].url", "loadBalancing.endpoints[1]"])
def test_one_entry_of_a_list_is_explained_alone(only: str):
    (model,) = effective.explain([a_resource(balanced(EAST, WEST))], SETTINGS, only=only)
    assert model.fields
    assert {each.name.rpartition(".")[0] for each in model.fields} == {"spec.loadBalancing.endpoints[1]"}


def test_a_fallback_of_a_gateway_is_one_of_its_models():
    resources = [
        a_resource(a_spec(modelName="one", fallbacks=[{"modelRef": "b"}]), "a"),
        a_resource(a_spec(modelName="two"), "b"),
    ]
    model, _ = effective.explain(resources, SETTINGS, gateway=True)
    (found,) = [each for each in model.fields if each.name == "spec.fallbacks[0].modelRef"]
    assert (found.does, found.fidelity) == ("The model b is asked once in this gateway, without retries.", "exact")


def test_what_another_model_of_a_gateway_decides_is_approximate():
    """The gateway has one log level: where a field is changed the other model is not there, and the finding says so."""
    logging = [{"observability": {"logging": {"level": level}}} for level in ("warn", "debug")]
    resources = [a_resource(a_spec(modelName=name, **fields), name) for name, fields in zip("ab", logging, strict=True)]
    model, _ = effective.explain(resources, SETTINGS, gateway=True)
    (found,) = [each for each in model.fields if each.name == "spec.observability.logging.level"]
    assert (found.fidelity, [each.code for each in found.findings]) == ("approximate", ["LM314"])
    assert found.does == "The gateway logs from the level DEBUG on."


def test_models_of_one_name_are_explained_with_each_other():
    resources = [a_resource(a_spec(params={"weight": weight}), name) for name, weight in (("a", 1), ("b", 3))]
    model, _ = effective.explain(resources, SETTINGS, gateway=True)
    (found,) = [each for each in model.fields if each.name == "spec.params.weight"]
    assert (found.fidelity, model.facts.names) == ("exact", ("llama", "a"))


# The figures are those that the gateway follows.


def numbers(text: str) -> list[float]:
    """Return the numbers of a sentence; durations in seconds."""
    units = {"ms": 0.001, "s": 1, "h": 3600, "min": 60}
    found = re.findall(r"(?<![\w.-])(\d[\d,]*(?:\.\d+)?)(?: (ms|s|h|min)\b)?", text)
    return [round(float(figure.replace(",", "")) * units.get(unit, 1), 9) for figure, unit in found]


def group(spec: Any) -> Group:
    config = rendering.render([a_resource(spec)], SETTINGS).config
    (found,) = section.groups(config["callback_settings"]["langop"]).values()
    return found


POLICIES = [
    {"maxAttempts": 3},
    {"maxAttempts": 1, "initialBackoff": "250ms"},
    {"maxAttempts": 4, "initialBackoff": "500ms", "maxBackoff": "2s", "backoffMultiplier": 3},
    {"maxAttempts": 5, "initialBackoff": "1m", "maxBackoff": "30s", "backoffMultiplier": 1},
    {"maxAttempts": 2, "initialBackoff": "90m", "maxBackoff": "3h"},
]


@pytest.mark.parametrize("policy", POLICIES)
def test_the_waits_of_retries_are_those_of_the_gateway(policy: dict[str, Any]):
    spec = a_spec(retryPolicy=policy)
    retries: Retries = group(spec).retries
    waits = [delay(retries, number, None) for number in range(1, retries.attempts + 1)]
    assert numbers(does(spec, "retryPolicy.maxAttempts")) == [retries.attempts + 1, *(round(wait, 9) for wait in waits)]
    assert numbers(does(spec, "retryPolicy.initialBackoff")) == [waits[0]]
    assert numbers(does(spec, "retryPolicy.maxBackoff")) == [retries.max_backoff]


def test_a_request_is_tried_up_to_four_times():
    assert does(a_spec(retryPolicy={"maxAttempts": 3}), "retryPolicy.maxAttempts") == (
        "A request is tried up to 4 times: after 1 s, 2 s, 4 s."
    )


@pytest.mark.parametrize("timeout", ["1500ms", "90s", "5m", "2h", "36h30m"])
def test_a_timeout_is_said_in_the_units_that_count(timeout: str):
    assert numbers(does(a_spec(timeout=timeout), "timeout"))[:1] == numbers_of_duration(timeout)


def numbers_of_duration(text: str) -> list[float]:
    seconds = durations.seconds(text)
    return [seconds] if seconds < 7200 or seconds % 60 else [seconds // 3600 * 3600]


@pytest.mark.parametrize(
    ("spec", "name", "expected"),
    [
        (a_spec(rateLimits={"requestsPerMinute": 1200}), "rateLimits.requestsPerMinute", [1200, WINDOW, 300, 429]),
        (a_spec(rateLimits={"tokensPerMinute": 50000}), "rateLimits.tokensPerMinute", [50000, WINDOW, 300, 429]),
        (a_spec(rateLimits={"concurrentRequests": 7}), "rateLimits.concurrentRequests", [7, 300, 429]),
        (a_spec(caching={"enabled": True, "ttl": "90s"}), "caching.ttl", [90]),
        (a_spec(caching={"enabled": True, "maxSize": 12}), "caching.maxSize", [12]),
        (a_spec(caching={"enabled": True}), "caching.maxSize", [memory.DEFAULT_MEGABYTES]),
        (PRICES, "costTracking.inputTokenCost", [1000, 0.003]),
        (PRICES, "costTracking.outputTokenCost", [1000, 2]),
        (a_spec(configuration={"maxTokens": 4096}), "configuration.maxTokens", [4096]),
        (a_spec(configuration={"topP": 0.25}), "configuration.topP", [25]),
        (a_spec(loadBalancing={"healthCheck": {"interval": "1m"}}), "loadBalancing.healthCheck.interval", [60]),
        (a_spec(loadBalancing={"healthCheck": {"timeout": "250ms"}}), "loadBalancing.healthCheck.timeout", [0.25]),
        (a_spec(loadBalancing={"healthCheck": {"healthyThreshold": 4}}), "loadBalancing.healthCheck.healthyThreshold", [4]),
        (a_spec(loadBalancing={"healthCheck": {"unhealthyThreshold": 9}}), "loadBalancing.healthCheck.unhealthyThreshold", [9]),
        (balanced(EAST, WEST), "loadBalancing.healthCheck", [endpoints.FAILURES_IN_A_ROW, endpoints.COOLDOWN_SECONDS]),
    ],
)  # fmt: skip
def test_the_figures_of_a_sentence_are_those_that_count(spec: Any, name: str, expected: list[float]):
    assert numbers(does(spec, name)) == expected


@pytest.mark.parametrize(
    ("weights", "words"),
    [((1, 1), "half of the requests"), ((1, 2), "a third of the requests"), ((43, 57), "about 43 % of the requests")],
)
def test_a_weight_is_said_as_its_share(weights: tuple[int, int], words: str):
    spec = balanced({**EAST, "weight": weights[0]}, {**WEST, "weight": weights[1]})
    assert does(spec, "loadBalancing.endpoints[0].weight") == f"It gets {words}."


def test_random_shares_are_as_the_gateway_chooses():
    """Measured on the gateway's own choice of endpoints, not on what the sentence is made of."""
    chosen = endpoints.Endpoints(group(balanced({**EAST, "weight": 1}, {**WEST, "weight": 3})))
    counts = [0, 0]
    for _ in range(400):
        state = chosen.choose()
        assert state is not None
        counts[chosen.states.index(state)] += 1
    assert counts == [100, 300]


def test_an_endpoint_of_a_higher_priority_number_waits_for_the_others():
    spec = balanced({**EAST, "priority": 1}, {**WEST, "priority": 2})
    words = "requests only while those of a lower priority number are down or used up"
    assert does(spec, "loadBalancing.endpoints[0].priority") == "It gets all requests; endpoints of a lower number come first."
    assert does(spec, "loadBalancing.endpoints[1].priority") == f"It gets {words}; endpoints of a lower number come first."


# The summary.


def test_a_model_is_summed_up_in_plain_words():
    spec = a_spec(rateLimits={"requestsPerMinute": 60}, caching={"enabled": True, "ttl": "1h"}, fallbacks=[{"modelRef": "b"}])
    assert " ".join(explained(spec).summary) == (
        "Clients ask for llama or model. A server that speaks the protocol of OpenAI is asked for llama, in the client's own "
        "protocol where possible. At most 60 requests a minute; a request above that waits up to 300 s. Answers are kept in "
        "memory for 3,600 s. A request is tried once. An attempt may take 300 s. When it still fails, b is asked, depending on "
        "the cause."
    )


# What has no effect, and where requests go: found by specifications that were made at random.

REGIONS = [{"name": "eu", "endpoint": "https://eu.example.com/v1"}]
URLS = {"endpoints": [{"url": "https://eu.example.com/v1"}]}


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ({"provider": "cohere", "regions": REGIONS}, "regions[0].endpoint"),
        ({"provider": "cohere", "loadBalancing": URLS}, "loadBalancing.endpoints[0].url"),
        ({"provider": "sagemaker", "loadBalancing": URLS}, "loadBalancing.endpoints[0].url"),
    ],
)  # fmt: skip
def test_an_endpoint_that_litellm_translates_has_its_address(spec: dict[str, Any], name: str):
    assert does(a_spec(endpoint=None, **spec), name).endswith("go to https://eu.example.com/v1.")


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"region": "us"}, "region"),
        ({"project": "p"}, "project"),
        ({"location": "eu"}, "location"),
        ({"apiVersion": "1"}, "apiVersion"),
        ({"provider": "litellm_custom", "apiKeySecretRef": {"name": "a"}}, "apiKeySecretRef.name"),
        ({"provider": "litellm_custom", "apiKeySecretRef": {"name": "a", "key": "k"}}, "apiKeySecretRef.key"),
        ({"provider": "litellm_custom", "credentialsSecretRef": {"name": "a"}}, "credentialsSecretRef.name"),
        ({"params": {"weight": 2}}, "params.weight"),
        ({"costTracking": {"currency": "EUR"}}, "costTracking.currency"),
    ],
)
def test_a_field_that_is_not_used_says_so(fields: dict[str, Any], name: str):
    found = row(a_spec(**fields), name)
    assert (found.fidelity, found.does) == ("unsupported", "It has no effect.")


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (a_spec(modelName="*", aliases=["fast"]), "The model has no further name."),
        (a_spec(modelName="*", aliases=[]), "The model has no further name."),
        (a_spec(aliases=["fast", "good"]), "Clients may also ask for fast or good."),
    ],
)
def test_only_aliases_that_are_served_are_names(spec: Any, sentence: str):
    found = row(spec, "aliases")
    assert (found.does, found.fidelity == "silent") == (sentence, False)


def test_stop_sequences_that_are_not_sent_end_nothing():
    stop = {"configuration": {"stopSequences": ["END"]}}
    assert does(a_spec(provider="triton", **stop), "configuration.stopSequences").startswith("It is not sent: ")
    other = a_spec(params={"stop": ["other"]}, **stop)
    assert does(other, "configuration.stopSequences") == "It is not used: params sets the same."


def test_stop_sequences_are_shown_as_they_are():
    spec = a_spec(configuration={"stopSequences": ["</s>", "终"]})
    assert '"</s>" or "终"' in does(spec, "configuration.stopSequences")


@pytest.mark.parametrize("name", ["requestsPerMinute", "tokensPerMinute", "concurrentRequests"])
def test_a_limit_of_one_is_singular(name: str):
    assert re.match(
        r"At most 1 (request|token) (of questions and answers )?is ", does(a_spec(rateLimits={name: 1}), f"rateLimits.{name}")
    )


def test_a_condition_that_is_named_twice_is_said_once():
    spec = a_spec(fallbacks=[{"modelRef": "other", "conditions": ["timeout", "timeout"]}])
    assert does(spec, "fallbacks[0].conditions") == "It is asked after timeout."


def test_a_weight_whose_share_is_rounded_away_is_not_silent():
    spec = balanced(
        {**EAST, "weight": 2**31 - 1}, {**WEST, "weight": 60}, strategy="random", rateLimits={"requestsPerMinute": 60}
    )
    assert [row(spec, f"loadBalancing.endpoints[{index}].weight").fidelity for index in (0, 1)] == ["exact", "exact"]
