"""What is imported while the first configuration is being rendered must not depend on it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from langop_model.renderer import catalogue
from tests.conftest import ROOT
from tests.litellm.conftest import found_by

GOLDENS = sorted((ROOT / "tests" / "golden").glob("*.config.yaml"))


@pytest.fixture(scope="module")
def early() -> dict[str, Any]:
    return found_by("import_early")


def test_every_package_is_there_and_none_is_litellm(early: dict[str, Any]):
    assert (early["missing"], early["litellm"]) == ([], [])


def test_none_reads_a_variable_that_a_configuration_sets(early: dict[str, Any]):
    configurations = [yaml.safe_load(golden.read_text(encoding="utf-8")) for golden in GOLDENS]
    assert {name for each in configurations for name in each["environment_variables"]}.isdisjoint(early["asked"])


def test_none_reads_a_variable_that_is_withheld(early: dict[str, Any]):
    assert set(catalogue.foreign_settings()).isdisjoint(early["asked"])


def test_none_looks_through_all_variables(early: dict[str, Any]):
    assert "*" not in early["asked"]


def test_the_watch_sees_what_is_read(early: dict[str, Any]):
    assert "AIOHTTP_NO_EXTENSIONS" in early["asked"]
