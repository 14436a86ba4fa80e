"""The modules of serving/unused.py, which are only promised: LiteLLM has them, its proxy names them, and serving uses none."""

from __future__ import annotations

from typing import Any


def test_every_promised_module_is_still_there(served: dict[str, Any]):
    assert served["missing"] == []


def test_every_promised_module_would_still_be_imported(served: dict[str, Any]):
    assert served["unused"] == []


def test_nothing_but_functions_types_and_routers_is_promised(served: dict[str, Any]):
    assert served["values"] == []


def test_the_import_of_litellm_needs_none_of_them(served: dict[str, Any]):
    assert served["kept_at_import"] == []


def test_the_start_and_the_open_routes_need_none_of_them(served: dict[str, Any]):
    assert (served["kept"], served["imported_later"]) == ([], [])


def test_the_open_routes_answered(served: dict[str, Any]):
    refused = {request for request, status in served["statuses"].items() if status != 200}
    assert refused == {"images/generations 7", "audio/speech 8"}  # by the stand-in, which has been asked:
    assert {"/v1/images/generations", "/v1/audio/speech"} <= set(served["asked"])
