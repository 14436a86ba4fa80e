"""When a provider may be asked again, from what servers say: RFC 9110 (10.2.3), and OpenAI's retry-after-ms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from multidict import CIMultiDict

from langop_model.gateway.upstreams.retry_after import LONGEST, seconds_of


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": " 7 "}, 7),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "1.5"}, 1.5),  # no standard, but servers write it
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "20.5", "Retry-After": "1"}, 0.0205),  # Azure sends both: the precise one counts
        ({"retry-after-ms": "soon", "Retry-After": "3"}, 3),
        ({"retry-after-ms": "", "Retry-After": "3"}, 3),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}, 0),  # it has passed
        ({"Retry-After": "Sunday, 06-Nov-94 08:49:37 GMT"}, 0),  # the two older formats of dates
        ({"Retry-After": "Sun Nov  6 08:49:37 1994"}, 0),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, LONGEST),
        ({"Retry-After": "999999999999"}, LONGEST),
        ({"retry-after-ms": "9" * 400}, LONGEST),
    ],
)
def test_what_servers_say(headers: dict[str, str], seconds: float | None):
    assert seconds_of(CIMultiDict(headers)) == seconds


@pytest.mark.parametrize(
    "written", [lambda at: format_datetime(at, usegmt=True), lambda at: at.strftime("%a %b %d %H:%M:%S %Y")]
)
def test_a_date_is_so_far_from_now(written: Callable[[datetime], str]):
    soon = datetime.now(UTC) + timedelta(hours=2)
    seconds = seconds_of(CIMultiDict({"Retry-After": written(soon)}))
    assert seconds is not None
    assert 7000 < seconds <= 7200


@pytest.mark.parametrize(
    "text",
    [
        "", "-1", "+5", "1e3", "inf", "Infinity", "nan", "1_000", "7s", "2m59.56s", "5, 7", "٣", "soon",
        "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 99999 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 +99999999999999",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["retry-after", "retry-after-ms"])
def test_what_nobody_says_is_no_advice(text: str, name: str):
    """And no reason to ask again at once."""
    assert seconds_of(CIMultiDict({name: text})) is None


def test_headers_of_both_http_clients_are_read():
    assert seconds_of(httpx.Headers({"RETRY-AFTER": "7"})) == seconds_of(CIMultiDict({"RETRY-AFTER": "7"})) == 7
