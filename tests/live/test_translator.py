"""The translator beside a running gateway: when it starts, what its death costs, and what a change means for it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from stand_in import StandIn
from tests.live.changing import RETRIES, Translating, put
from tests.live.laboratory import PATIENCE
from tests.support.proc import command_line
from tests.support.waiting import eventually
from tools.processes import Gateway


@pytest.fixture(scope="module")
def translating(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Translating]:
    folder = tmp_path_factory.mktemp("translating")
    with StandIn() as provider:
        translating = Translating(Gateway(folder / "model.json", folder / "secrets", folder), provider, folder)
        translating.mount(**RETRIES)
        put(folder / "secrets" / "keys" / "one", "sk-first\n")
        with translating.gateway:
            yield translating


def test_what_is_relayed_starts_none(translating: Translating):
    assert translating.ask().status_code == 200
    assert translating.translators() == []


def test_it_starts_with_the_first_request_that_needs_it_which_waits(translating: Translating):
    assert translating.respond().status_code == 200
    assert len(translating.translators()) == 1


def test_what_it_was_doing_when_it_died_is_retried(translating: Translating):
    translating.provider.behave("reload", delay=2)
    begun = translating.respond_in_background(4)
    (killed,) = translating.translators()
    os.kill(killed, signal.SIGKILL)
    assert [each.result(PATIENCE).status_code for each in begun] == [200] * 4
    assert killed not in translating.translators()
    assert "the translator ended (SIGKILL)" in translating.log()
    translating.provider.behave("reload")


def test_a_change_that_means_nothing_to_it_leaves_it_alone(translating: Translating):
    before, served = translating.translators(), translating.served()
    translating.mount(timeout="90s", **RETRIES)
    translating.until_served(served + 1)
    assert translating.respond().status_code == 200
    assert translating.translators() == before


def test_a_change_of_its_variables_replaces_it_and_loses_no_request(translating: Translating):
    before, served = translating.translators(), translating.served()
    translating.provider.behave("reload", delay=3)
    begun = translating.respond_in_background(2)
    translating.mount(observability={"logging": {"level": "error"}})  # without retries
    translating.until_served(served + 1)
    translating.provider.behave("reload")
    assert translating.respond().status_code == 200
    assert [each.result(PATIENCE).status_code for each in begun] == [200, 200]
    assert len(translating.provider.requests) == 3
    eventually(lambda: len(translating.translators()) == 1)
    assert translating.translators() != before
    assert translating.respond().status_code == 200


def test_without_retries_what_it_was_doing_when_it_died_has_failed(translating: Translating):
    translating.provider.behave("reload", delay=2)
    begun = translating.respond_in_background(2)
    (killed,) = translating.translators()
    os.kill(killed, signal.SIGKILL)
    answers = [each.result(PATIENCE) for each in begun]
    assert [answer.status_code for answer in answers] == [502, 502]
    assert {answer.json()["error"]["message"] for answer in answers} == {"the translator ended before it answered"}
    translating.provider.behave("reload")
    assert translating.respond().status_code == 200


def test_it_ends_with_a_gateway_that_is_killed(translating: Translating):
    """The last one: afterwards the gateway is gone."""
    (left,) = translating.translators()
    assert translating.gateway.process is not None
    translating.gateway.process.kill()
    eventually(lambda: not command_line(left))
