"""A gateway whose clients name the provider's models: what they invent makes no time series."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from stand_in import StandIn
from tests.live.laboratory import Laboratory, a_model, mount
from tests.support import plain_http
from tools.processes import Gateway

MODEL = {"all": a_model("all", modelName="*", observability={"metrics": True})}


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    folder: Path = tmp_path_factory.mktemp("any")
    with StandIn() as provider, Gateway(mount(MODEL, folder, provider), folder, folder) as gateway:
        yield Laboratory(gateway, provider)


def series(laboratory: Laboratory) -> set[tuple[str, ...]]:
    text = plain_http.get(f"{laboratory.gateway.url}/metrics").text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))) for sample in samples}


def test_models_that_clients_name_make_no_time_series(laboratory: Laboratory):
    def ask(first: int, last: int) -> None:
        for number in range(first, last):
            assert laboratory.ask(f"all/invented-{number}").status_code == 200
        laboratory.provider.behave("all", status=404)
        assert laboratory.ask(f"all/refused-{first}").status_code == 404
        laboratory.provider.behave("all")

    ask(0, 3)
    before = series(laboratory)
    ask(3, 30)
    assert series(laboratory) - before == set()
    assert any(name.startswith("langop_requests_total") for name, *_ in before)
