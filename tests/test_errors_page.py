"""docs/errors.md: each error that the code can give clients, with its status and code, and no other."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT
from tests.support.client_errors import ANY, ClientError, every

PAGE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+|\*its own\*) \| (?:`(\w+)` )?\| (.+?) \| .+ \|$", re.MULTILINE)
ROWS = [
    ClientError(ANY if text.startswith("*") else text, int(status) if status.isdigit() else 0, code)
    for status, code, text in ROW.findall(PAGE)
]


def plain(error: ClientError) -> ClientError:
    """Return an error whose text varies as a whole with no text."""
    return ClientError(error.text if error.text.strip(f"{ANY} ,.:") else ANY, error.status, error.code)


CODE = set(map(plain, every()))


@pytest.mark.parametrize("error", sorted(CODE), ids=lambda error: f"{error.status} {error.text}")
def test_each_error_of_the_code_has_its_row(error: ClientError):
    assert error in ROWS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.status} {row.text}")
def test_each_row_is_an_error_of_the_code(row: ClientError):
    assert row in CODE


def test_no_row_is_there_twice():
    assert len(ROWS) == len(set(ROWS)) > 70


def test_errors_are_found_in_the_code():
    """By the forms that they have there: a name, a condition, an f-string, a default."""
    found = every()
    assert ClientError("the provider can't be reached", 503) in found
    assert ClientError("the connection to the provider broke", 502) in found
    assert ClientError("the connection to the provider broke", 503) not in found
    assert ClientError("the request's head is larger than … KiB", 431) in found
    assert ClientError("…: this model does not take that. Send the request without it", 400, "unsupported_parameter") in found
