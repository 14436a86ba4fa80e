"""What `launch` says: a line of JSON for each thing where a program reads, text where a person asked for it."""

from __future__ import annotations

import json

import pytest

from langop_model.cli import main
from langop_model.launch import messages
from langop_model.renderer import findings
from langop_model.renderer.findings import SpecError


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_finding_is_one_line_of_json(capsys: pytest.CaptureFixture[str]):
    messages.configure({})
    messages.say([findings.make("LM701", ("spec", "apiKeySecretRef"), secret="/etc/secrets/a\nb", reason="(no text)")])
    (line,) = lines(capsys)
    assert (line["level"], line["code"], line["path"]) == ("ERROR", "LM701", "spec.apiKeySecretRef")
    assert line["message"] == "LM701: the key for spec.apiKeySecretRef is missing: /etc/secrets/a\\nb (no text)"
    assert line["fix"] == "create the Secret and mount it at this path"


@pytest.mark.parametrize(("code", "level"), [("LM703", "ERROR"), ("LM727", "WARNING"), ("LM724", "INFO")])
def test_a_findings_level_is_the_lines(capsys: pytest.CaptureFixture[str], code: str, level: str):
    messages.configure({})
    messages.say([findings.make(code, changes="")])
    assert lines(capsys)[0]["level"] == level


def test_people_get_text(capsys: pytest.CaptureFixture[str]):
    messages.configure({"LANGOP_LOG_FORMAT": "text"})
    messages.say([findings.make("LM703")])
    assert capsys.readouterr().err.startswith("error LM703: is missing")


def test_an_event_and_the_configuration_are_lines_too(capsys: pytest.CaptureFixture[str]):
    messages.configure({})
    messages.event("serving", models=["a"])
    messages.configuration("a: 1\nb: 2\n")
    messages.trace("  File one\n  File two\n")
    serving, configuration, trace = lines(capsys)
    assert (serving["message"], serving["event"], serving["models"]) == ("serving", "serving", ["a"])
    assert configuration["text"] == "a: 1\nb: 2\n"
    assert trace["level"] == "ERROR"


def test_a_format_that_does_not_exist_is_a_line_of_json(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SpecError) as caught:
        messages.configure({"LANGOP_LOG_FORMAT": "xml"})
    assert caught.value.findings[0].code == "LM738"
    assert "json, text" in caught.value.findings[0].message
    messages.say(caught.value.findings)
    assert lines(capsys)[0]["code"] == "LM738"


@pytest.mark.parametrize("option", [["--port", "x"], ["--num_workers", "900"]])
def test_a_wrong_option_of_launch_is_a_line_of_json(
    option: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LANGOP_LOG_FORMAT", "json")
    with pytest.raises(SystemExit) as ended:
        main(["launch", *option])
    assert ended.value.code == 2
    (line,) = lines(capsys)
    assert (line["level"], line["event"]) == ("ERROR", "wrong_usage")
    assert f"'{option[0]}'" in str(line["message"])


def test_a_wrong_option_of_launch_is_text_for_people(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LANGOP_LOG_FORMAT", "text")
    with pytest.raises(SystemExit):
        main(["launch", "--port", "x"])
    assert "Try '" in capsys.readouterr().err
