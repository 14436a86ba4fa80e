"""The score that `make mutate` prints."""

from __future__ import annotations

import tomllib

import pytest

from tests.conftest import ROOT
from tools.mutate import PARTS, drawn, main, report

LISTING = """
    langop_model.gateway.limits.usage.x_used_of__mutmut_1: killed
    langop_model.gateway.limits.usage.x_used_of__mutmut_2: survived
    langop_model.gateway.limits.usage.x_used_of__mutmut_3: timeout
    langop_model.gateway.limits.usage.x_used_of__mutmut_4: no tests
    langop_model.gateway.limits.usage.x_used_of__mutmut_5: not checked
    langop_model.gateway.routing.retry_delay.x_delay__mutmut_1: killed
"""


def test_a_score_is_of_the_changes_that_were_tried():
    assert list(report(LISTING, ["limits"])) == [
        "langop_model.gateway.limits.usage.x_used_of__mutmut_2: survived",
        "langop_model.gateway.limits.usage.x_used_of__mutmut_4: no tests",
        "limits: 50.0% of 4 changes noticed (1 killed, 1 no tests, 1 not checked, 1 survived, 1 timeout)",
    ]


def test_each_part_has_its_own_score():
    lines = [line for line in report(LISTING, [*PARTS]) if "mutmut" not in line]
    assert [line.partition(" changes")[0] for line in lines] == [
        "limits: 50.0% of 4",
        "routing: 100.0% of 1",
        "renderer: nothing of 0",
    ]


def test_a_module_of_a_part_has_a_score_of_its_own():
    assert list(report(LISTING, ["routing.retry_delay", "routing.retry"])) == [
        "routing.retry_delay: 100.0% of 1 changes noticed (1 killed)",
        "routing.retry: nothing of 0 changes noticed ()",
    ]


def test_a_sample_is_drawn_from_each_part_and_is_the_same_each_time():
    sample = drawn(LISTING, ["limits", "routing"], 3)
    assert sample == drawn(LISTING, ["limits", "routing"], 3)
    assert [name.split(".")[2] for name in sample] == ["limits", "limits", "limits", "routing"]
    assert len(set(sample)) == 4


@pytest.mark.parametrize("parts", [["limit"], ["routing", "limit"]])
def test_an_unknown_part_is_refused_with_those_that_there_are(parts: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(parts) == 2
    assert capsys.readouterr().err == "there is no part limit: limits, routing, renderer\n"


def test_each_part_is_what_the_settings_let_be_changed():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    assert settings["only_mutate"] == [f"{package.replace('.', '/')}/*.py" for package in PARTS.values()]
