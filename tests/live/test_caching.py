"""spec.caching with the backend memory: what is asked again does not reach the provider."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from stand_in import StandIn
from tests.live.observed import TTL, ObservedGateway, model, mount, question
from tools.processes import Gateway

CONVERSATION = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hello."},
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "How are you?"},
    {"role": "assistant", "content": "Well."},
    {"role": "user", "content": "And yesterday?"},
]


def asked_twice(laboratory: ObservedGateway, ask: Callable[[str], str]) -> int:
    """Ask a new question twice within the time to live, and return how often the provider saw it."""
    while True:
        text, started = question(), time.monotonic()
        answers = [ask(text), ask(text)]
        if time.monotonic() - started < TTL:
            assert answers == [f"You said: {text}"] * 2
            return len(laboratory.seen(text))


def test_an_equal_request_does_not_reach_the_provider(observed: ObservedGateway):
    assert asked_twice(observed, lambda text: observed.said("cached", text)) == 1


def test_a_conversation_of_seven_messages_is_cached_too(observed: ObservedGateway):
    def ask(text: str) -> str:
        return observed.said("cached", text, messages=[*CONVERSATION, {"role": "user", "content": text}])

    assert asked_twice(observed, ask) == 1


def test_a_stream_is_cached_too(observed: ObservedGateway):
    assert asked_twice(observed, lambda text: observed.streamed("cached", text)) == 1


def test_a_hit_does_not_depend_on_the_endpoint_that_answered_first(observed: ObservedGateway):
    assert asked_twice(observed, lambda text: observed.said("cached-at-two", text)) == 1


@pytest.mark.parametrize("name", ["temperature", "seed", "top_k", "repetition_penalty"])
def test_another_parameter_is_another_request(observed: ObservedGateway, name: str):
    text = question()
    for value in (1, 2):
        observed.said("cached", text, **{name: value})
    assert [seen.body[name] for seen in observed.seen(text)] == [1, 2]


def test_another_schema_of_an_openai_compatible_server_is_another_request(observed: ObservedGateway):
    text = question()
    for choice in (["yes", "no"], ["red", "green"]):
        observed.said("cached", text, guided_choice=choice)
    assert [seen.body["guided_choice"] for seen in observed.seen(text)] == [["yes", "no"], ["red", "green"]]


def test_two_models_of_a_gateway_never_share_an_answer(observed: ObservedGateway):
    text = question()
    for name in ("cached", "cached-too"):
        observed.said(name, text)
    assert [seen.endpoint for seen in observed.seen(text)] == ["cached", "cached-too"]


def test_a_model_without_caching_is_not_cached_beside_one_that_is(observed: ObservedGateway):
    assert asked_twice(observed, lambda text: observed.said("not-cached", text)) == 2


def test_an_answer_is_forgotten_after_its_time_to_live(observed: ObservedGateway):
    text = question()
    observed.said("cached", text)
    time.sleep(TTL + 1)
    observed.said("cached", text)
    assert len(observed.seen(text)) == 2


def test_a_failure_is_not_cached(observed: ObservedGateway):
    text = question()
    observed.provider.behave("cached", statuses=[500])
    assert observed.post("cached", text).status_code == 500
    assert observed.said("cached", text) == f"You said: {text}"
    assert len(observed.seen(text)) == 2


def test_what_was_not_used_for_longest_makes_room_when_max_size_is_reached(observed: ObservedGateway):
    while True:
        started = time.monotonic()
        questions = [question("x" * 150_000) for _ in range(10)]  # each answer repeats its question: 1.5 MB, of which 1 MB fits
        for text in questions:
            observed.said("cached", text)
        for text in (questions[-1], questions[0]):
            observed.said("cached", text)
        if time.monotonic() - started < TTL:
            break
    assert [len(observed.seen(text)) for text in (questions[-1], questions[0])] == [1, 2]


def test_without_the_cache_the_questions_find_a_difference(tmp_path: Path):
    """The proof that the tests above can fail: the rendered configuration, without the model's caching."""
    with StandIn() as provider:
        caching = {"enabled": True, "ttl": f"{TTL:g}s", "maxSize": 1}
        mounted, secrets = mount(tmp_path, [model("cached", f"{provider.base('cached')}/v1", caching=caching)])
        gateway = Gateway(mounted, secrets, tmp_path)
        render = [sys.executable, "render.py", "render", "--gateway", str(mounted), "-o", str(gateway.config)]
        subprocess.run(render, env=gateway.environment, check=True, capture_output=True)
        config = yaml.safe_load(gateway.config.read_text(encoding="utf-8"))
        assert config["callback_settings"]["langop"]["models"]["cached"].pop("caching")["backend"] == "memory"
        for entry in config["model_list"]:
            entry["litellm_params"]["api_key"] = "not-needed"
        gateway.config.write_text(yaml.safe_dump(config), encoding="utf-8")
        try:
            with gateway.log.open("wb") as output:
                command = [sys.executable, "-m", "tests.live.serve", str(gateway.config), str(gateway.port)]
                gateway.process = subprocess.Popen(command, env=gateway.environment, stdout=output, stderr=output)
                gateway.wait_until_ready()
            laboratory = ObservedGateway(gateway, provider)
            assert asked_twice(laboratory, lambda text: laboratory.said("cached", text)) == 2
            assert asked_twice(laboratory, lambda text: laboratory.streamed("cached", text)) == 2
        finally:
            gateway.stop()
