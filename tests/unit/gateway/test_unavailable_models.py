"""LanguageModels that can't be served, as the front reads them from a configuration and reports them."""

from __future__ import annotations

from typing import Any

from langop_model.gateway.access import health_status
from langop_model.gateway.configuration import Configuration

BAD = {"resource": "bad", "namespace": "default", "reason": "the LanguageModel bad can't be served: LM104"}


def configured(**members: Any) -> Configuration:
    return Configuration.of({"callback_settings": {"langop": {"models": {}, **members}}})


def test_its_names_and_wildcards_mean_it():
    (model,) = configured(unavailable={"bad": {**BAD, "names": ["bad-model", "bad/*"]}}).unavailable
    assert [model.serves(name) for name in ("bad-model", "bad/any", "bad/", "bad", "good")] == [True, True, True, False, False]


def test_one_that_is_not_served_degrades_the_gateway_and_is_named():
    report = health_status.report([], configured(unavailable={"bad": {**BAD, "names": ["bad"]}}))
    assert (report["status"], report["unavailable"]) == ("degraded", [BAD])


def test_one_that_is_served_in_its_previous_version_is_named_too():
    report = health_status.report([], configured(outdated={"bad": BAD}))
    assert (report["status"], report["outdated"]) == ("degraded", [BAD])


def test_without_either_nothing_is_said():
    report = health_status.report([], configured())
    assert report["status"] == "healthy"
    assert not report.keys() & {"unavailable", "outdated"}
