"""The rendered text is read back as LiteLLM reads it, and held against what LiteLLM really reads."""

from __future__ import annotations

import pytest

from langop_model.renderer import output_check
from langop_model.renderer.findings import SpecError

RIGHT = """
model_list:
  - model_name: a
    litellm_params:
      model: openai/a
      rpm: 5
"""


def problem(text: str, own: tuple[str, ...] = ()) -> str:
    with pytest.raises(SpecError) as caught:
        output_check.parse([text], own)
    (finding,) = caught.value.findings
    assert finding.code == "LM601"
    return finding.message


def test_a_right_configuration_is_returned_as_data():
    assert output_check.parse([RIGHT])["model_list"][0]["litellm_params"] == {"model": "openai/a", "rpm": 5}


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("rpm: 5", "rmp: 5", "rmp"),
        ("rpm: 5", "rpm: five", "model_list[0].litellm_params.rpm"),
        ("model_list:", "models:", "models"),
        ("model: openai/a", "tpm: 5", "model"),
        ("model_name: a", "model_nane: a", "model_nane"),
    ],
)
def test_what_litellm_does_not_read_is_refused_with_its_place(old: str, new: str, named: str):
    assert named in problem(RIGHT.replace(old, new))


@pytest.mark.parametrize("text", ["a: [", "a: 1\n b: 2", "\0"])
def test_what_is_no_yaml_is_refused(text: str):
    assert "no YAML" in problem(text)


@pytest.mark.parametrize("text", ["", "null", "[]", "text", "5"])
def test_what_is_no_object_is_refused(text: str):
    assert problem(text)


def test_a_parameter_that_the_spec_named_may_be_unknown_to_litellm():
    assert output_check.parse([RIGHT, "      house_style: terse\n"], ["house_style"])


def test_a_named_parameter_that_litellm_knows_is_checked():
    assert "rpm" in problem(RIGHT.replace("rpm: 5", "rpm: five"), ("rpm",))


def test_another_unknown_parameter_is_refused_all_the_same():
    assert "other" in problem(RIGHT + "      house_style: terse\n      other: 1\n", ("house_style",))
