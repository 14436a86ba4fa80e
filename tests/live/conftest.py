"""The laboratory that the live tests share, and their order: what takes a minute begins first and is looked at last."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from stand_in import StandIn
from tests.live.guarded import guarded, guarded_gateway
from tests.live.laboratory import Laboratory, in_background, mount
from tests.live.observed import collector, debugged, debugged_gateway, observed, observed_gateway
from tools.processes import Gateway

__all__ = [
    "collector",
    "debugged",
    "debugged_gateway",
    "guarded",
    "guarded_gateway",
    "laboratory",
    "observed",
    "observed_gateway",
]

HERE = Path(__file__).parent
# For the signatures of requests to Bedrock. Not from the environment: a developer's own must not be used.
AWS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-real-key-4711"}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "looked_at_last: begins with the laboratory (BEGIN of its module) and takes a minute")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what is looked at last behind the other tests of this folder, with which its gateway ends."""
    last = [item for item in items if item.get_closest_marker("looked_at_last")]
    others = [item for item in items if item not in last]
    end = max((number for number, item in enumerate(others, 1) if HERE in item.path.parents), default=0)
    items[:] = [*others[:end], *last, *others[end:]]


@pytest.fixture(scope="package")
def laboratory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """A gateway with the MODELS of all modules of this folder that are run; what their BEGIN lists has begun."""
    here = [item for item in request.session.items if isinstance(item, pytest.Function) and HERE in item.path.parents]
    modules = {item.module for item in here}
    models: dict[str, Any] = {}
    for module in modules:
        own = getattr(module, "MODELS", {})
        assert not models.keys() & own.keys(), "two modules have a model of the same name"
        models |= own
    folder = tmp_path_factory.mktemp("laboratory")
    with StandIn() as provider, Gateway(mount(models, folder, provider), folder, folder, environment=AWS) as gateway:
        laboratory = Laboratory(gateway, provider)
        wanted = {item.originalname for item in here}
        for module in modules:
            for test, begin in getattr(module, "BEGIN", {}).items():
                if test in wanted:
                    laboratory.begun[test] = in_background(partial(begin, laboratory))
        yield laboratory
