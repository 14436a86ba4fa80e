"""Which translator workers ask: with a changed configuration another one, which is waited for, where it has to be another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from langop_model.gateway.configuration import Configuration
from langop_model.gateway.serving import translators as module
from langop_model.gateway.serving.translators import WANTED, Translators

VARIABLES, OTHERS = {"LITELLM_LOG": "INFO"}, {"LITELLM_LOG": "ERROR"}
RELAYED, TRANSLATED = Configuration({}), Configuration({}, litellm_settings={"callbacks": ["langfuse"]})


@dataclass
class Process:
    """A translator that answers when it is told to."""

    settings: Mapping[str, Any]
    folder: Path
    say: Any = None
    environment: Mapping[str, str] = field(default_factory=dict)
    wanted: bool = False
    stopped: bool = False
    restarts: int = 0
    health: Any = field(default_factory=lambda: SimpleNamespace(up=False))

    @property
    def path(self) -> str:
        return f"/{id(self)}"

    def start(self, environment: Mapping[str, str]) -> None:
        self.wanted, self.environment = True, environment

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def translators(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Translators:
    monkeypatch.setattr(module, "TranslatorProcess", Process)
    return Translators(tmp_path, metrics=None)  # type: ignore[arg-type]


def present(translators: Translators) -> Any:
    assert translators.present is not None
    return translators.present


def test_one_that_nothing_needs_is_not_started_and_not_waited_for(translators: Translators):
    translators.prepare(RELAYED, VARIABLES)
    assert not present(translators).wanted
    assert (translators.ready, translators.up) == (True, None)


def test_one_that_a_change_needs_is_waited_for(translators: Translators):
    first = translators.prepare(RELAYED, VARIABLES)
    assert translators.prepare(RELAYED, VARIABLES) == first
    assert translators.ready
    assert translators.prepare(TRANSLATED, VARIABLES) != first  # callbacks have variables of their own
    assert present(translators).wanted
    assert not translators.ready
    present(translators).health.up = True
    assert translators.ready


def test_the_one_that_serving_workers_ask_is_never_waited_for(translators: Translators):
    first = translators.prepare(RELAYED, VARIABLES)
    translators.heard(WANTED, first)
    assert translators.prepare(RELAYED, VARIABLES) == first
    assert (translators.ready, translators.up) == (True, False)


def test_other_variables_need_another_one_which_is_waited_for(translators: Translators):
    first = translators.prepare(RELAYED, VARIABLES)
    translators.heard(WANTED, first)
    previous = present(translators)
    previous.health.up = True
    assert translators.prepare(RELAYED, OTHERS) != first
    assert present(translators).wanted
    assert (translators.ready, translators.up) == (False, True)
    present(translators).health.up = True
    translators.took_effect()
    previous.health.up = False
    assert (translators.ready, translators.up) == (True, True)
    translators.settled()
    assert previous.stopped


def test_a_change_that_failed_leaves_the_former_one(translators: Translators):
    first = translators.prepare(RELAYED, VARIABLES)
    translators.heard(WANTED, first)
    translators.prepare(RELAYED, OTHERS)
    failed = present(translators)
    translators.failed()
    assert failed.stopped
    assert str(present(translators).path) == first
    assert translators.ready


def test_a_worker_starts_the_one_that_it_asks_and_no_other(translators: Translators):
    first = translators.prepare(RELAYED, VARIABLES)
    translators.prepare(RELAYED, OTHERS)
    translators.heard(WANTED, first)
    assert [process.wanted for process in translators.previous] == [True]
    assert not present(translators).wanted
