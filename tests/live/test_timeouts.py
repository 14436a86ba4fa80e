"""spec.timeout: how long a provider may take."""

from __future__ import annotations

import time

import pytest

from tests.live.laboratory import Laboratory, a_model

MODELS = {
    "timeout-short": a_model("timeout-short", timeout="300ms"),
    "timeout-long": a_model("timeout-long", timeout="1500ms"),
    "timeout-gap": a_model("timeout-gap", timeout="600ms"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_hanging_provider_is_cut_off_after_the_timeout(laboratory: Laboratory, stream: bool):
    took = {}
    for model, timeout in (("timeout-short", 0.3), ("timeout-long", 1.5)):
        laboratory.provider.behave(model, hang=True)
        began = time.monotonic()
        assert laboratory.ask(model, stream=stream).status_code == 504
        took[model] = time.monotonic() - began
        assert took[model] > timeout * 0.97
    # What a machine adds to both falls out of the difference, which is to be 1.2 s.
    assert took["timeout-long"] - took["timeout-short"] == pytest.approx(1.2, rel=0.4)


def test_a_slow_answer_within_the_timeout_arrives(laboratory: Laboratory):
    laboratory.provider.behave("timeout-long", delay=0.5)
    assert laboratory.ask("timeout-long").status_code == 200


def test_a_stream_may_take_longer_as_long_as_its_parts_come(laboratory: Laboratory):
    laboratory.provider.behave("timeout-gap", chunk_delay=0.1, text=" ".join("abcdefghij"))
    began = time.monotonic()
    answer = laboratory.ask("timeout-gap", stream=True)
    assert time.monotonic() - began > 0.6
    assert answer.text.rstrip().endswith("data: [DONE]")


def test_a_stream_that_stops_is_cut_off(laboratory: Laboratory):
    laboratory.provider.behave("timeout-gap", chunk_delay=20, text="one two three")
    began = time.monotonic()
    answer = laboratory.ask("timeout-gap", stream=True)
    assert time.monotonic() - began < 15
    assert "timeout" in answer.text.lower()
