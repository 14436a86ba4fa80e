"""A gateway of several models: one that can't be served is skipped and named, and the others are served.

As `launch` sees it: a mounted ConfigMap with a model__<name>.json for each model, and mounted Secrets.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from langop_model.contract.settings import SECTION
from langop_model.contract.unavailable_models import UnavailableModel, outdated, unavailable
from langop_model.launch.config_watcher import ConfigReloader
from langop_model.renderer import settings as settings_module
from langop_model.renderer import templating
from langop_model.renderer.findings import Finding, SpecError
from tests.support.kubelet import Pod, look
from tests.unit.specs import a_manifest, a_spec, codes

GOOD = a_spec(modelName="good-model")
BAD = a_spec(modelName="bad-model", aliases=["bad-alias"], rateLimits={"requestsPerMinute": -1})
SECRET = "sk-Very-Secret-4711"


class Gateway:
    """A pod with several models, and what `launch` writes and says for it."""

    def __init__(self, folder: Path) -> None:
        self.pod = Pod(folder)
        self.said: list[Finding] = []
        self.reloader = ConfigReloader(self.pod.environment, self.said.extend)

    def start(self, **specs: Any) -> dict[str, str]:
        """Mount and load these models; return the variables of the processes."""
        self.pod.mount_models(**specs)
        return self.reloader.first()

    def change(self, **specs: Any) -> dict[str, str] | None:
        """Change the mount, and return the variables of the changed configuration: None where nothing is to be served."""
        self.said.clear()
        if specs:
            self.pod.mount_models(**specs)
        variables = look(self.reloader)
        if variables is not None:
            self.reloader.took_effect()
        return variables

    @property
    def section(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(Path(self.pod.environment["LANGOP_CONFIG_PATH"]).read_text())
        return found["callback_settings"][SECTION]  # type: ignore[no-any-return]

    @property
    def served(self) -> list[str]:
        return sorted(self.section["models"])

    @property
    def unavailable(self) -> dict[str, UnavailableModel]:
        return unavailable(self.section)

    @property
    def outdated(self) -> dict[str, UnavailableModel]:
        return outdated(self.section)


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    monkeypatch.setattr(settings_module, "SERVICE_ACCOUNT_NAMESPACE", tmp_path / "none")
    return Gateway(tmp_path)


def refusal(gateway: Gateway, **specs: Any) -> tuple[Finding, ...]:
    with pytest.raises(SpecError) as caught:
        gateway.start(**specs)
    return caught.value.findings


# At the start.


def test_the_others_are_served(gateway: Gateway):
    gateway.start(good=GOOD, bad=BAD)
    assert gateway.served == ["good-model"]


def test_the_configuration_names_it_and_all_its_names(gateway: Gateway):
    gateway.start(good=GOOD, bad=BAD)
    (model,) = gateway.unavailable.values()
    assert (model.resource, model.namespace) == ("bad", "default")
    assert model.names == ("bad-model", "bad", "bad-alias")


def test_the_reason_is_its_first_error(gateway: Gateway):
    gateway.start(good=GOOD, bad=BAD)
    before, _, error = gateway.unavailable["bad"].reason.partition(": ")
    assert before == "the LanguageModel bad in the namespace default can't be served"
    assert error.startswith("LM105: spec.rateLimits.requestsPerMinute is (hidden), but must be at least")


def test_its_errors_are_said_and_that_it_is_not_served(gateway: Gateway):
    """The errors with their place, then that it is not served."""
    gateway.start(good=GOOD, bad=BAD)
    errors = [finding for finding in gateway.said if finding.level == "error"]
    assert codes(errors) == ["LM105", "LM760"]
    assert errors[0].file.endswith("model__bad.json")
    assert "LanguageModel bad " in errors[1].message


def test_without_a_bad_model_there_is_no_such_section(gateway: Gateway):
    gateway.start(good=GOOD)
    assert {"unavailable", "outdated"} & gateway.section.keys() == set()


def test_with_no_model_left_it_ends_with_the_errors_of_all(gateway: Gateway):
    found = refusal(gateway, bad=BAD, worse="{")
    assert {finding.code for finding in found if finding.level == "error"} == {"LM005", "LM105"}


def test_a_single_model_is_as_strict_as_ever(gateway: Gateway):
    gateway.pod.mount_model(BAD)
    with pytest.raises(SpecError):
        gateway.reloader.first()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "7", '"text"', '{"spec": null}', "\ufeff", "{" * 5000, '{"a": 1, "a": 2}']
)
def test_a_file_that_is_no_specification_stops_nothing(gateway: Gateway, text: str):
    gateway.start(good=GOOD, bad=text)
    assert gateway.served == ["good-model"]
    assert gateway.unavailable["bad"].names[-1:] == ("bad",)


def test_a_file_that_is_no_text_stops_nothing(gateway: Gateway):
    gateway.pod.mount_models(good=GOOD)
    assert gateway.pod.mount
    gateway.pod.mount.write({"model__good.json": json.dumps(GOOD), "model__bad.json": b"\xff\xfe\x00"})
    gateway.reloader.first()
    assert (gateway.served, gateway.unavailable["bad"].names) == (["good-model"], ("bad",))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"endpoint": None}, "LM120"),
        ({"provider": "groq", "endpoint": None}, "LM205"),
        ({"timeout": "soon"}, "LM106"),
        ({"fallbacks": [{"modelRef": "bad"}]}, "LM203"),
        ({"caching": {"enabled": True, "backend": "memcached"}}, "LM704"),
        ({"caching": {"enabled": True, "backend": "redis"}}, "LM704"),
        ({"apiKeySecretRef": {"name": "missing", "key": "one"}}, "LM701"),
        ({"configuration": {"additionalParameters": {"api_key": "x"}}}, "LM206"),
    ],
)
def test_whatever_stage_finds_the_error_the_others_are_served(gateway: Gateway, fields: dict[str, Any], code: str):
    spec = {name: value for name, value in {**GOOD, "modelName": "bad-model", **fields}.items() if value is not None}
    gateway.start(good=GOOD, bad=spec)
    assert gateway.served == ["good-model"]
    assert gateway.unavailable["bad"].reason.partition(": ")[2].startswith(code)


def test_a_defect_that_one_model_uncovers_stops_no_other(gateway: Gateway, monkeypatch: pytest.MonkeyPatch):
    original = templating.render

    def fails(name: str, **context: Any) -> list[str]:
        if any(model.name == "bad" for model in context["models"]):
            raise KeyError(SECRET)
        return original(name, **context)

    monkeypatch.setattr(templating, "render", fails)
    gateway.start(good=GOOD, bad=a_spec(modelName="bad-model"))
    assert gateway.served == ["good-model"]
    assert (
        gateway.unavailable["bad"]
        .reason.partition(": ")[2]
        .startswith("LM762: the LanguageModel bad can't be rendered: (hidden)")
    )


def test_a_defect_of_no_single_model_is_one_of_the_gateway(gateway: Gateway, monkeypatch: pytest.MonkeyPatch):
    original = templating.render

    def fails(name: str, **context: Any) -> list[str]:
        if len(context["models"]) > 1:
            raise KeyError("together")
        return original(name, **context)

    monkeypatch.setattr(templating, "render", fails)
    with pytest.raises(KeyError, match="together"):
        gateway.start(good=GOOD, other=a_spec(modelName="other"))


def test_wrong_extra_configuration_is_nobodys_but_the_gateways(gateway: Gateway):
    gateway.pod.environment["LANGOP_GATEWAY_EXTRA_CONFIG"] = "no_such_section: {}"
    assert codes(refusal(gateway, good=GOOD, bad=BAD)) == ["LM731"]


# Its names and its reason.


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timeout", SECRET),
        ("endpoint", f"https://user:{SECRET}@llm.example.com"),
        ("endpoint", SECRET),
        ("region", SECRET + "\n"),
        ("provider", SECRET),
        ("apiKeySecretRef", SECRET),
        ("apiKeySecretRef", {"name": SECRET, "key": "one"}),
        ("apiKeySecretRef", {"name": SECRET.lower(), "key": "one"}),
        ("params", SECRET),
        ("params", {"temperature": SECRET}),
        ("retryPolicy", {"maxAttempts": SECRET}),
        ("rateLimits", {"requestsPerMinute": SECRET}),
        ("configuration", {"additionalParameters": {"temperature": SECRET}}),
    ],
)
def test_the_reason_repeats_no_value(gateway: Gateway, field: str, value: Any):
    gateway.start(good=GOOD, bad={**GOOD, "modelName": "bad-model", field: value})
    (model,) = gateway.unavailable.values()
    assert SECRET.lower() not in model.reason.lower()


def test_the_reason_repeats_no_value_of_a_file_that_can_not_be_parsed(gateway: Gateway):
    gateway.start(good=GOOD, bad=f"password: !{SECRET} x")
    assert SECRET not in gateway.unavailable["bad"].reason


def test_the_name_of_one_that_serves_any_model_is_a_wildcard(gateway: Gateway):
    gateway.start(good=GOOD, bad={**BAD, "modelName": "*"})
    assert gateway.unavailable["bad"].serves("bad/any-model")
    assert not gateway.unavailable["bad"].serves("good-model")


def test_a_name_that_another_one_serves_is_not_its(gateway: Gateway):
    gateway.start(good=GOOD, bad={**BAD, "modelName": "good-model"})
    assert gateway.unavailable["bad"].names == ("bad", "bad-alias")


@pytest.mark.parametrize("model_name", [None, 7, [], {}, "", "x" * 5000, "a\nb"])
def test_a_model_name_that_is_none_leaves_the_resources(gateway: Gateway, model_name: Any):
    gateway.start(good=GOOD, bad={**BAD, "modelName": model_name, "aliases": "text"})
    assert gateway.unavailable["bad"].names == ("bad",)


# Between models.


def test_a_fallback_to_one_that_is_not_served_is_skipped(gateway: Gateway):
    other = a_spec(modelName="other-model")
    gateway.start(good={**GOOD, "fallbacks": [{"modelRef": "bad"}, {"modelRef": "other"}]}, bad=BAD, other=other)
    assert [entry["group"] for entry in gateway.section["models"]["good-model"]["fallbacks"]] == ["other-model"]
    (finding,) = [finding for finding in gateway.said if finding.code == "LM430"]
    assert finding.path == ("spec", "fallbacks", 0, "modelRef")


def test_a_fallback_to_one_that_is_not_mounted_is_skipped(gateway: Gateway):
    gateway.start(good={**GOOD, "fallbacks": [{"modelRef": "deleted"}]})
    assert gateway.served == ["good-model"]
    assert "LM430" in codes(gateway.said)


def test_models_that_back_each_other_up_are_served(gateway: Gateway):
    other = a_spec(modelName="other-model", fallbacks=[{"modelRef": "good"}])
    gateway.start(good={**GOOD, "fallbacks": [{"modelRef": "other"}]}, other=other)
    assert gateway.served == ["good-model", "other-model"]


def test_of_two_resources_with_one_name_the_first_is_served(gateway: Gateway):
    gateway.start(a=a_manifest(GOOD, "same"), b=a_manifest(a_spec(modelName="second"), "same"))
    assert gateway.served == ["good-model"]
    assert gateway.unavailable["same"].names == ("second",)


def test_a_name_that_is_the_model_name_of_another_means_the_other(gateway: Gateway):
    gateway.start(**{"good-model": a_spec(modelName="second"), "other": GOOD})
    assert gateway.served == ["good-model"]
    assert gateway.unavailable["good-model"].names == ("second",)


def test_of_two_with_one_model_name_the_good_one_serves_it_alone(gateway: Gateway):
    gateway.start(good=GOOD, bad={**BAD, "modelName": "good-model"})
    assert "shared" not in gateway.section
    assert "LM322" not in codes(gateway.said)


# At a change.


def test_a_model_that_is_added_is_served_although_another_is_bad(gateway: Gateway):
    gateway.start(good=GOOD, bad=BAD)
    assert gateway.change(added=a_spec(modelName="added-model")) is not None
    assert gateway.served == ["added-model", "good-model"]


def test_a_bad_model_that_is_added_stops_nothing_and_is_named(gateway: Gateway):
    gateway.start(good=GOOD)
    assert gateway.change(bad=BAD) is not None
    assert (gateway.served, list(gateway.unavailable)) == (["good-model"], ["bad"])


def test_a_model_that_becomes_bad_is_served_in_its_previous_version(gateway: Gateway):
    gateway.start(good=GOOD, other=a_spec(modelName="other-model", timeout="7s"))
    gateway.change(other=a_spec(modelName="other-model", timeout="soon"))
    assert gateway.served == ["good-model", "other-model"]
    assert gateway.unavailable == {}
    assert gateway.outdated["other"].reason.partition(": ")[2].startswith("LM106")
    assert "timeout: 7 " in Path(gateway.pod.environment["LANGOP_CONFIG_PATH"]).read_text().replace("\n", " ")
    assert "LM761" in codes(gateway.said)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"provider": 1}'])
def test_a_file_that_becomes_unreadable_leaves_the_previous_version(gateway: Gateway, text: str):
    gateway.start(good=GOOD, other=a_spec(modelName="other-model"))
    gateway.change(other=text)
    assert gateway.served == ["good-model", "other-model"]


def test_the_previous_version_stays_over_further_changes(gateway: Gateway):
    gateway.start(good=GOOD, other=a_spec(modelName="other-model"))
    gateway.change(other="{")
    gateway.change(good={**GOOD, "timeout": "9s"})
    assert gateway.served == ["good-model", "other-model"]
    assert list(gateway.outdated) == ["other"]


def test_a_model_that_is_fixed_is_served_as_it_is_now(gateway: Gateway):
    gateway.start(good=GOOD, bad=BAD)
    gateway.change(bad=a_spec(modelName="bad-model"))
    assert gateway.served == ["bad-model", "good-model"]
    assert {"unavailable", "outdated"} & gateway.section.keys() == set()


def test_another_error_of_a_model_that_is_not_served_is_said(gateway: Gateway):
    gateway.start(good=GOOD, bad=BAD)
    assert gateway.change(bad={**BAD, "retryPolicy": {"maxAttempts": 11}}) is None
    assert codes(gateway.said) == ["LM105"]
    assert gateway.said[0].path == ("spec", "retryPolicy", "maxAttempts")


def test_a_model_that_is_removed_is_gone_although_it_was_bad(gateway: Gateway):
    gateway.start(good=GOOD, bad=BAD)
    gateway.change(bad=None)
    assert gateway.unavailable == {}


def test_a_model_that_is_removed_has_no_previous_version(gateway: Gateway):
    gateway.start(good=GOOD, other=a_spec(modelName="other-model"))
    gateway.change(other=None)
    assert gateway.served == ["good-model"]


def test_a_fallback_is_followed_again_when_its_model_is_fixed(gateway: Gateway):
    gateway.start(good={**GOOD, "fallbacks": [{"modelRef": "bad"}]}, bad=BAD)
    gateway.change(bad=a_spec(modelName="bad-model"))
    assert gateway.section["models"]["good-model"]["fallbacks"][0]["group"] == "bad-model"


# Keys.


def keyed(name: str, **fields: Any) -> dict[str, Any]:
    return a_spec(modelName=f"{name}-model", apiKeySecretRef={"name": name, "key": "key"}, **fields)


def test_a_missing_secret_stops_no_other_model(gateway: Gateway):
    gateway.pod.mount_secret("good", {"key": "sk-good"})
    variables = gateway.start(good=keyed("good"), bad=keyed("bad"))
    assert (gateway.served, variables["LANGOP_KEY_GOOD__KEY"]) == (["good-model"], "sk-good")
    assert gateway.unavailable["bad"].reason.partition(": ")[2].startswith("LM701: the key for spec.apiKeySecretRef is missing")


@pytest.mark.parametrize(("content", "code"), [("", "LM702"), (b"\xff", "LM701")])
def test_a_key_that_is_none_stops_no_other_model(gateway: Gateway, content: str | bytes, code: str):
    gateway.pod.mount_secret("bad", {"key": content})
    gateway.start(good=GOOD, bad=keyed("bad"))
    assert gateway.served == ["good-model"]
    assert gateway.unavailable["bad"].reason.partition(": ")[2].startswith(code)


def test_a_secret_that_comes_later_brings_its_model(gateway: Gateway):
    gateway.start(good=GOOD, bad=keyed("bad"))
    gateway.pod.mount_secret("bad", {"key": "sk-late"})
    assert (gateway.change() or {})["LANGOP_KEY_BAD__KEY"] == "sk-late"
    assert gateway.served == ["bad-model", "good-model"]


def test_the_previous_version_keeps_the_key_that_it_was_loaded_with(gateway: Gateway):
    gateway.pod.mount_secret("other", {"key": "sk-first"})
    gateway.start(good=GOOD, other=keyed("other"))
    gateway.pod.mount_secret("other", {})
    variables = gateway.change(good={**GOOD, "timeout": "9s"}) or {}
    assert (gateway.served, variables["LANGOP_KEY_OTHER__KEY"]) == (["good-model", "other-model"], "sk-first")
    assert gateway.outdated["other"].reason.partition(": ")[2].startswith("LM701")


def test_a_key_of_one_that_is_not_served_reaches_no_process(gateway: Gateway):
    gateway.pod.mount_secret("bad", {"key": "sk-unused"})
    variables = gateway.start(good=GOOD, bad=keyed("bad", timeout="soon"))
    assert "sk-unused" not in variables.values()


# Regions and siblings.


def test_a_model_whose_regions_are_all_disabled_stops_no_other(gateway: Gateway):
    regions = [{"name": "eu", "endpoint": "https://eu.example.com/v1", "enabled": False}]
    gateway.start(good=GOOD, bad=a_spec(modelName="bad-model", regions=regions))
    assert gateway.served == ["good-model"]
    assert gateway.unavailable["bad"].reason.partition(": ")[2].startswith("LM210")


def test_a_shared_setting_of_one_that_is_not_served_is_nobodys(gateway: Gateway):
    debug = {"logging": {"level": "debug"}}
    gateway.start(good={**GOOD, "observability": {"logging": {"level": "error"}}}, bad={**BAD, "observability": debug})
    assert "LM314" not in codes(gateway.said)
    config = yaml.safe_load(Path(gateway.pod.environment["LANGOP_CONFIG_PATH"]).read_text())
    assert config["environment_variables"]["LITELLM_LOG"] == "ERROR"


# What today's operator writes.


def test_what_is_the_operators_business_stops_nothing(gateway: Gateway):
    rules = [{"to": {"dns": ["api.example.com"]}, "ports": [{"port": 443}]}]
    gateway.start(
        good={**GOOD, "clusterRef": "production", "networkPolicies": rules}, other={**GOOD, "clusterRef": {"name": "a"}}
    )
    assert gateway.unavailable == {}
    said = sorted((finding.code, finding.path[-1]) for finding in gateway.said if finding.fidelity == "elsewhere")
    assert said == [("LM501", "networkPolicies"), ("LM506", "clusterRef"), ("LM506", "clusterRef")]


@pytest.mark.parametrize("model_name", ["gpt-*", "*-mini", "openai/*", "**", "* "])
def test_a_partial_pattern_of_model_names_is_left_out(gateway: Gateway, model_name: str):
    gateway.start(good=GOOD, bad=a_spec(modelName=model_name))
    assert gateway.served == ["good-model"]
    assert "or * alone" in gateway.unavailable["bad"].reason


def test_every_model_of_a_provider_is_served(gateway: Gateway):
    gateway.start(good=GOOD, every=a_spec(modelName="*"))
    assert gateway.served == ["every/*", "good-model"]


def test_a_limit_of_zero_is_no_limit(gateway: Gateway):
    gateway.start(good={**GOOD, "rateLimits": {"requestsPerMinute": 0, "tokensPerMinute": 5000}})
    assert gateway.section["models"]["good-model"]["limits"]["tokens_per_minute"] == 5000
    assert "requests_per_minute" not in gateway.section["models"]["good-model"]["limits"]
