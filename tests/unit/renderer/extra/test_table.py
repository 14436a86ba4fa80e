"""The table of all keys, schema/extra-configuration.json, is closed: each key that LiteLLM reads has a row."""

from __future__ import annotations

import pytest

from langop_model.renderer import specification
from langop_model.renderer.extra import table
from langop_model.renderer.extra.table import Row
from langop_model.resources import load_json
from tests.conftest import ROOT
from tests.support.extra_keys import without_a_row
from tools import extra_configuration

ROWS = table.rows()
IDS = [row.keys[0] for row in ROWS]


def test_every_key_of_litellms_classes_has_a_row():
    keys = extra_configuration.schema_keys()
    assert without_a_row(keys) == []
    assert {"general_settings.master_key", "router_settings.num_retries", "litellm_settings.cache_params.ttl"} <= keys


def test_a_key_without_a_row_would_be_noticed():
    assert without_a_row({"router_settings.brand_new", "model_list[].litellm_params.brand_new"}) == [
        "router_settings.brand_new"
    ]


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_row_says_what_becomes_of_its_keys(row: Row):
    assert row.effect in table.EFFECTS
    assert row.keys
    if row.effect == "refused" or row.only or row.refuses:
        assert row.because
        assert row.instead
    if row.effect != "refused":
        assert row.to


@pytest.mark.parametrize("row", [row for row in ROWS if row.field], ids=lambda row: row.keys[0])
def test_a_row_names_a_field_of_the_spec(row: Row):
    field = row.field.split(".")
    assert field[0] == "params" or specification.node_of(field)


def test_no_key_has_two_rows():
    keys = [key for row in ROWS for key in row.keys]
    assert len(keys) == len(set(keys))


def test_every_name_of_a_callback_is_accepted_or_refused_by_name():
    properties = load_json("litellm-config.schema.json")["properties"]["litellm_settings"]["properties"]
    known = {name for key in ("callbacks", "success_callback") for name in properties[key]["items"]["anyOf"][1]["enum"]}
    (row,) = [row for row in ROWS if row.rule == "callbacks"]
    assert set(row.refuses) <= known
    assert set(row.fields) <= known


def test_the_document_is_the_tables():
    text = (ROOT / extra_configuration.DOCUMENT).read_text(encoding="utf-8")
    assert extra_configuration.filled(text) == text, "run `make extra-configuration`"
