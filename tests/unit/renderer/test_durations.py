"""Durations are Go's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langop_model.renderer.durations import seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1ms", 0.001),
        ("300ms", 0.3),
        ("1000us", 0.001),
        ("1500µs", 0.0015),
        ("1500μs", 0.0015),
        ("2000000ns", 0.002),
        ("90s", 90),
        ("1.5s", 1.5),
        (".5s", 0.5),
        ("1.s", 1),
        ("5m", 300),
        ("1h30m", 5400),
        ("1h30m1s500ms", 5401.5),
        ("8760h", 31_536_000),
    ],
)
def test_a_go_duration_is_its_seconds(text: str, expected: float):
    assert seconds(text) == pytest.approx(expected, rel=1e-12)


@given(st.integers(0, 8000), st.integers(0, 59), st.integers(1, 59))
def test_the_parts_of_a_duration_add_up(hours: int, minutes: int, rest: int):
    assert seconds(f"{hours}h{minutes}m{rest}s") == hours * 3600 + minutes * 60 + rest


@pytest.mark.parametrize("text", ["5m", "1.0s", "1000ms"])
def test_whole_seconds_are_a_whole_number(text: str):
    assert type(seconds(text)) is int


@pytest.mark.parametrize("text", ["", "5", "s", "5 minutes", "five", "5min", "1e3s", "--5s", "5m ago", "∞s", "h1"])
def test_what_is_no_duration_is_refused(text: str):
    with pytest.raises(ValueError):  # noqa: PT011 - its text is not shown to anyone
        seconds(text)


@pytest.mark.parametrize("text", ["0s", "0", "-5s", "999us", "1ns", "8760h1ms", "99999999999999h", "1" * 400 + "h"])
def test_what_nothing_can_wait_for_is_refused(text: str):
    with pytest.raises(ValueError):  # noqa: PT011 - its text is not shown to anyone
        seconds(text)


@given(st.text() | st.from_regex(r"[-+]?([0-9.]{0,4}(ns|us|ms|s|m|h|x)?){0,4}", fullmatch=True))
def test_any_text_is_a_positive_number_of_seconds_or_a_value_error(text: str):
    try:
        assert seconds(text) > 0
    except ValueError as problem:
        assert str(problem)  # noqa: PT017 - either is right; a third outcome would fail
