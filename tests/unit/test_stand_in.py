"""What the stand-in provider promises to the tests that rely on it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import httpx
import openai
import pytest

from stand_in import StandIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openai.types.chat import ChatCompletionMessageParam

    from stand_in.behaviour import Status

HTTP = httpx.Client(timeout=5)  # one for all: making one loads the system's certificates
PATHS = {
    "openai": "/v1/chat/completions",
    "azure": "/openai/deployments/east/chat/completions",
    "anthropic": "/v1/messages",
    "bedrock": "/model/some.model-v1:0/converse",
    "google": "/v1beta/models/some-model:generateContent",
}
HELLO: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "Be brief"},
    {"role": "user", "content": "Hello there world"},
]


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with StandIn() as server:
        yield server


@pytest.fixture
def provider(server: StandIn) -> Iterator[StandIn]:
    yield server
    server.reset()
    server.wait_until(lambda: server.in_flight == 0)


@pytest.fixture(scope="module")
def client(server: StandIn) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0, timeout=5) as client:
        yield client


def ask(base: str, path: str = PATHS["openai"], **body: object) -> httpx.Response:
    return HTTP.post(base + path, json={"messages": [{"role": "user", "content": "Hi"}], **body})


def stream(client: openai.OpenAI) -> openai.Stream[openai.types.chat.ChatCompletionChunk]:
    return client.chat.completions.create(model="m", messages=HELLO, stream=True)


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines]


class TestOpenAI:
    def test_an_answer_says_what_the_user_asked(self, client: openai.OpenAI) -> None:
        answer = client.chat.completions.create(model="some-model", messages=HELLO)
        assert answer.choices[0].message.content == "You said: Hello there world"
        assert answer.choices[0].finish_reason == "stop"
        assert answer.model == "some-model"

    def test_the_last_user_message_is_what_was_asked(self, client: openai.OpenAI) -> None:
        earlier: list[ChatCompletionMessageParam] = [
            {"role": "user", "content": "Good day"},
            {"role": "assistant", "content": "Yes?"},
        ]
        answer = client.chat.completions.create(model="m", messages=[*earlier, *HELLO])
        assert answer.choices[0].message.content == "You said: Hello there world"

    def test_usage_counts_words(self, client: openai.OpenAI) -> None:
        usage = client.chat.completions.create(model="m", messages=HELLO).usage
        assert usage is not None
        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (5, 5, 10)

    def test_a_message_may_consist_of_parts(self, client: openai.OpenAI) -> None:
        parts: list[ChatCompletionMessageParam] = [{"role": "user", "content": [{"type": "text", "text": "in parts"}]}]
        answer = client.chat.completions.create(model="m", messages=parts)
        assert answer.choices[0].message.content == "You said: in parts"

    def test_a_stream_delivers_the_same_text_word_by_word(self, client: openai.OpenAI) -> None:
        chunks = list(stream(client))
        assert [chunk.choices[0].delta.content for chunk in chunks[1:-1]] == [
            "You ",
            "said: ",
            "Hello ",
            "there ",
            "world",
        ]
        assert chunks[-1].choices[0].finish_reason == "stop"

    def test_a_stream_ends_with_the_usage_if_it_is_asked_for(self, client: openai.OpenAI) -> None:
        options: Any = {"include_usage": True}
        chunks = list(client.chat.completions.create(model="m", messages=HELLO, stream=True, stream_options=options))
        assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.total_tokens == 10

    def test_a_stream_has_no_usage_unless_it_is_asked_for(self, client: openai.OpenAI) -> None:
        assert all(chunk.usage is None and chunk.choices for chunk in stream(client))

    def test_a_completion_answers_its_prompt(self, client: openai.OpenAI) -> None:
        assert client.completions.create(model="m", prompt="Hello").choices[0].text == "You said: Hello"
        chunks = client.completions.create(model="m", prompt="Hello", stream=True)
        assert "".join(chunk.choices[0].text for chunk in chunks) == "You said: Hello"

    def test_a_response_answers_its_input(self, client: openai.OpenAI) -> None:
        answer = client.responses.create(model="m", instructions="Be brief", input="Hello")
        assert answer.output_text == "You said: Hello"
        assert answer.usage is not None
        assert answer.usage.total_tokens == 6

    def test_a_streamed_response_ends_with_the_whole(self, client: openai.OpenAI) -> None:
        received = list(client.responses.create(model="m", input="Hello", stream=True))
        deltas = [each.delta for each in received if each.type == "response.output_text.delta"]
        assert deltas == ["You ", "said: ", "Hello"]
        assert received[-1].type == "response.completed"
        assert received[-1].response.output_text == "You said: Hello"

    def test_equal_texts_have_equal_vectors(self, client: openai.OpenAI) -> None:
        first, second, other = client.embeddings.create(model="m", input=["same", "same", "other"], dimensions=4).data
        assert len(first.embedding) == 4
        assert first.embedding == second.embedding
        assert first.embedding != other.embedding

    def test_a_vector_is_the_same_in_both_encodings(self, client: openai.OpenAI) -> None:
        floats = client.embeddings.create(model="m", input="same", encoding_format="float")
        decoded = client.embeddings.create(model="m", input="same")  # the client asks for base64 by itself
        assert floats.data[0].embedding == decoded.data[0].embedding

    def test_models_are_listed(self, client: openai.OpenAI) -> None:
        assert [model.id for model in client.models.list()] == ["stand-in"]

    def test_any_prefix_will_do(self, provider: StandIn) -> None:
        assert ask(provider.url, "/some/where/v2/chat/completions").status_code == 200

    def test_an_unknown_path_is_an_openai_error(self, provider: StandIn) -> None:
        answer = ask(provider.url, "/v1/nothing")
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == "Invalid URL (POST /v1/nothing)"

    def test_a_body_that_is_no_json_is_refused(self, provider: StandIn) -> None:
        answer = HTTP.post(provider.url + PATHS["openai"], content=b"{")
        assert answer.status_code == 400
        assert answer.json()["error"]["type"] == "invalid_request_error"


def test_azure_answers_under_a_deployment(provider: StandIn) -> None:
    with openai.AzureOpenAI(azure_endpoint=provider.url, api_key="key", api_version="2024-10-21") as client:
        answer = client.chat.completions.create(model="east", messages=HELLO)
        chunks = list(client.chat.completions.create(model="east", messages=HELLO, stream=True))
    assert answer.choices[0].message.content == "You said: Hello there world"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "You said: Hello there world"
    seen = provider.requests[0]
    assert seen.path == "/openai/deployments/east/chat/completions"
    assert seen.query == {"api-version": "2024-10-21"}
    assert seen.headers["api-key"] == "key"


class TestAnthropic:
    def test_a_message_is_answered(self, provider: StandIn) -> None:
        answer = ask(provider.url, PATHS["anthropic"], system="Be brief").json()
        assert answer["content"] == [{"type": "text", "text": "You said: Hi"}]
        assert answer["stop_reason"] == "end_turn"
        assert (answer["usage"]["input_tokens"], answer["usage"]["output_tokens"]) == (3, 3)

    def test_a_stream_has_anthropics_events(self, provider: StandIn) -> None:
        answer = ask(provider.url, PATHS["anthropic"], stream=True)
        names = [line.removeprefix("event: ") for line in answer.text.splitlines() if line.startswith("event: ")]
        assert names == [
            "message_start",
            "content_block_start",
            "ping",
            *["content_block_delta"] * 3,
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
        received = events(answer)
        assert [each["type"] for each in received] == names
        assert "".join(each["delta"]["text"] for each in received[3:6]) == "You said: Hi"
        assert received[0]["message"]["usage"]["input_tokens"] == 1
        assert received[-2]["usage"] == {"output_tokens": 3}


class TestBedrock:
    BODY: ClassVar[dict[str, Any]] = {
        "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
        "system": [{"text": "Be brief"}],
    }

    def test_a_conversation_is_answered(self, provider: StandIn) -> None:
        answer = ask(provider.url, PATHS["bedrock"], **self.BODY).json()
        assert answer["output"]["message"] == {"role": "assistant", "content": [{"text": "You said: Hi"}]}
        assert answer["stopReason"] == "end_turn"
        assert answer["usage"] == {"inputTokens": 3, "outputTokens": 3, "totalTokens": 6}

    def test_a_model_may_be_an_encoded_arn(self, provider: StandIn) -> None:
        answer = ask(provider.url, "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Aprofile%2Fone/converse", **self.BODY)
        assert answer.status_code == 200

    def test_a_stream_is_framed_as_aws_does(self, provider: StandIn) -> None:
        eventstream = pytest.importorskip("botocore.eventstream")
        buffer = eventstream.EventStreamBuffer()  # checks the lengths and both checksums
        buffer.add_data(ask(provider.url, PATHS["bedrock"] + "-stream", **self.BODY).content)
        frames = [(frame.headers[":event-type"], json.loads(frame.payload)) for frame in buffer]
        assert [kind for kind, _ in frames] == [
            "messageStart",
            *["contentBlockDelta"] * 3,
            "contentBlockStop",
            "messageStop",
            "metadata",
        ]
        assert "".join(content["delta"]["text"] for _, content in frames[1:4]) == "You said: Hi"
        assert frames[-1][1]["usage"]["totalTokens"] == 6


class TestGoogle:
    BODY: ClassVar[dict[str, Any]] = {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "systemInstruction": {"parts": [{"text": "Be brief"}]},
    }
    VERTEX = "/v1/projects/p/locations/l/publishers/google/models/some-model"

    @pytest.mark.parametrize("model", [VERTEX, "/v1beta/models/some-model"])
    def test_content_is_generated(self, provider: StandIn, model: str) -> None:
        answer = ask(provider.url, f"{model}:generateContent", **self.BODY).json()
        assert answer["candidates"][0]["content"]["parts"] == [{"text": "You said: Hi"}]
        assert answer["candidates"][0]["finishReason"] == "STOP"
        assert answer["usageMetadata"] == {"promptTokenCount": 3, "candidatesTokenCount": 3, "totalTokenCount": 6}
        assert answer["modelVersion"] == "some-model"

    def test_a_stream_ends_with_the_reason_and_the_usage(self, provider: StandIn) -> None:
        received = events(ask(provider.url, f"{self.VERTEX}:streamGenerateContent?alt=sse", **self.BODY))
        candidates = [each["candidates"][0] for each in received]
        assert [each["content"]["parts"][0]["text"] for each in candidates] == ["You ", "said: ", "Hi"]
        assert [each.get("finishReason") for each in candidates] == [None, None, "STOP"]
        assert received[-1]["usageMetadata"]["totalTokenCount"] == 6

    def test_without_sse_a_stream_is_one_list(self, provider: StandIn) -> None:
        assert len(ask(provider.url, f"{self.VERTEX}:streamGenerateContent", **self.BODY).json()) == 3

    def test_a_service_account_gets_its_token_here(self, provider: StandIn) -> None:
        account = json.loads(provider.service_account("some-project"))
        answer = HTTP.post(account["token_uri"], data={"assertion": "any"}).json()
        assert account["project_id"] == "some-project"
        assert answer["token_type"] == "Bearer"
        assert answer["access_token"]

    def test_a_token_is_given_whatever_the_models_do(self, provider: StandIn) -> None:
        provider.behave(disconnect=True)
        assert HTTP.post(f"{provider.url}/token").status_code == 200

    def test_a_token_uses_up_nothing_of_a_script(self, provider: StandIn) -> None:
        provider.behave(statuses=[503])
        HTTP.post(f"{provider.url}/token")
        assert ask(provider.url, PATHS["google"]).status_code == 503


class TestFailures:
    @pytest.mark.parametrize("status", [400, 401, 404, 408, 429, 500, 502, 503, 529])
    @pytest.mark.parametrize("protocol", PATHS)
    def test_every_protocol_fails_with_the_status(self, provider: StandIn, protocol: str, status: int) -> None:
        provider.behave(status=status)
        assert ask(provider.url, PATHS[protocol]).status_code == status

    @pytest.mark.parametrize(
        ("protocol", "found"),
        [
            ("openai", lambda answer: answer.json()["error"]["code"] == "rate_limit_exceeded"),
            ("azure", lambda answer: answer.json()["error"]["code"] == "429"),
            ("anthropic", lambda answer: answer.json()["error"]["type"] == "rate_limit_error"),
            ("bedrock", lambda answer: answer.headers["x-amzn-errortype"] == "ThrottlingException"),
            ("google", lambda answer: answer.json()["error"]["status"] == "RESOURCE_EXHAUSTED"),
        ],
    )
    def test_an_error_has_its_providers_shape(
        self, provider: StandIn, protocol: str, found: Callable[[httpx.Response], bool]
    ) -> None:
        provider.behave(status=429)
        assert found(ask(provider.url, PATHS[protocol]))

    @pytest.mark.parametrize(
        ("protocol", "refusal", "words"),
        [
            ("openai", "context_length_exceeded", "maximum context length"),
            ("azure", "context_length_exceeded", "maximum context length"),
            ("anthropic", "context_length_exceeded", "prompt is too long"),
            ("bedrock", "context_length_exceeded", "Input is too long"),
            ("google", "context_length_exceeded", "exceeds the maximum number of tokens allowed"),
            ("openai", "content_policy", "violating our usage policy"),
            ("azure", "content_policy", "ResponsibleAIPolicyViolation"),
            ("anthropic", "content_policy", "content filtering policy"),
        ],
    )
    def test_a_refused_prompt_is_a_bad_request(self, provider: StandIn, protocol: str, refusal: Status, words: str) -> None:
        provider.behave(status=refusal)
        answer = ask(provider.url, PATHS[protocol])
        assert answer.status_code == 400
        assert words in answer.text

    def test_bedrock_and_google_filter_without_an_error(self, provider: StandIn) -> None:
        provider.behave(status="content_policy")
        bedrock, google = ask(provider.url, PATHS["bedrock"]), ask(provider.url, PATHS["google"])
        assert (bedrock.status_code, bedrock.json()["stopReason"]) == (200, "content_filtered")
        assert (google.status_code, google.json()["promptFeedback"]["blockReason"]) == (200, "PROHIBITED_CONTENT")

    def test_a_failure_can_say_when_to_retry(self, provider: StandIn, client: openai.OpenAI) -> None:
        provider.behave(status=429, retry_after=2)
        with pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(model="m", messages=HELLO)
        assert caught.value.response.headers["retry-after"] == "2"

    def test_a_script_is_used_up_in_order_then_all_is_normal(self, provider: StandIn) -> None:
        provider.behave(statuses=[429, 503, 200, "context_length_exceeded"])
        assert [ask(provider.url).status_code for _ in range(6)] == [429, 503, 200, 400, 200, 200]

    def test_after_a_script_the_status_holds(self, provider: StandIn) -> None:
        provider.behave(statuses=[200], status=500)
        assert [ask(provider.url).status_code for _ in range(3)] == [200, 500, 500]

    def test_a_script_can_drop_a_connection(self, provider: StandIn) -> None:
        provider.behave(statuses=["disconnect"])
        with pytest.raises(httpx.RemoteProtocolError):
            ask(provider.url)
        assert ask(provider.url).status_code == 200

    def test_a_script_can_let_a_request_hang(self, provider: StandIn) -> None:
        provider.behave(statuses=["hang"])
        with pytest.raises(httpx.ReadTimeout):
            HTTP.post(provider.url + PATHS["openai"], json={}, timeout=0.1)
        assert ask(provider.url).status_code == 200

    def test_a_dropped_connection_has_no_answer(self, provider: StandIn) -> None:
        provider.behave(disconnect=True)
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            ask(provider.url)
        provider.wait_until(lambda: provider.in_flight == 0)
        assert provider.requests[0].finished is None

    def test_a_stream_broken_in_the_middle_raises_at_the_client(self, provider: StandIn, client: openai.OpenAI) -> None:
        provider.behave(break_after=3)
        chunks = stream(client)
        assert len(list(islice(chunks, 3))) == 3
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
            next(chunks)
        provider.wait_until(lambda: provider.in_flight == 0)
        assert provider.requests[0].finished is None

    def test_a_stream_can_end_too_early(self, provider: StandIn, client: openai.OpenAI) -> None:
        provider.behave(end_after=2)
        assert len(list(stream(client))) == 2


class TestAnswers:
    def test_text_and_usage_can_be_given(self, provider: StandIn, client: openai.OpenAI) -> None:
        provider.behave(text="Something else", usage=(1000, 200))
        answer = client.chat.completions.create(model="m", messages=HELLO)
        assert answer.choices[0].message.content == "Something else"
        assert answer.usage is not None
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (1000, 200)

    def test_an_answer_can_be_delayed(self, provider: StandIn) -> None:
        provider.behave(delay=0.1)
        ask(provider.url)
        (seen,) = provider.requests
        assert seen.finished is not None
        assert seen.finished - seen.arrived >= 0.09  # the event loop's clock counts milliseconds

    def test_the_chunks_of_a_stream_can_be_delayed(self, provider: StandIn, client: openai.OpenAI) -> None:
        provider.behave(chunk_delay=0.02)
        arrivals = [time.monotonic() for _ in stream(client)]
        assert len(arrivals) == 7
        assert arrivals[-1] - arrivals[0] >= 0.1

    def test_a_new_behaviour_replaces_the_old_one(self, provider: StandIn) -> None:
        provider.behave(status=503)
        provider.behave(text="again")
        assert ask(provider.url).json()["choices"][0]["message"]["content"] == "again"

    def test_no_behaviour_is_normal(self, provider: StandIn) -> None:
        provider.behave(status=503)
        provider.behave()
        assert ask(provider.url).status_code == 200

    def test_a_misspelt_behaviour_is_refused(self, provider: StandIn) -> None:
        misspelt: Any = {"stauts": 503}
        with pytest.raises(TypeError, match="stauts"):
            provider.behave(**misspelt)


class TestHanging:
    def test_a_hanging_request_is_answered_when_it_is_released(self, provider: StandIn) -> None:
        provider.behave(hang=True)
        with ThreadPoolExecutor() as pool:
            answer = pool.submit(ask, provider.url)
            provider.wait_until(lambda: provider.in_flight == 1)
            assert not answer.done()
            provider.release()
            assert answer.result().status_code == 200

    def test_release_is_for_the_requests_that_hang_now(self, provider: StandIn) -> None:
        provider.behave(hang=True)
        provider.release()
        with pytest.raises(httpx.ReadTimeout):
            HTTP.post(provider.url + PATHS["openai"], json={}, timeout=0.1)

    def test_a_client_that_leaves_is_noticed(self, provider: StandIn) -> None:
        provider.behave(hang=True)
        with pytest.raises(httpx.ReadTimeout):
            HTTP.post(provider.url + PATHS["openai"], json={}, timeout=0.1)
        provider.wait_until(lambda: len(provider.requests) == 1 and provider.in_flight == 0)
        assert provider.requests[0].finished is None

    def test_a_hanging_request_does_not_hold_up_the_end(self) -> None:
        with StandIn() as provider, ThreadPoolExecutor() as pool:
            provider.behave(hang=True)
            answer = pool.submit(ask, provider.url)
            provider.wait_until(lambda: provider.in_flight == 1)
            provider.stop()
            assert isinstance(answer.exception(), httpx.RemoteProtocolError)


class TestEndpoints:
    def test_requests_are_recorded_under_their_endpoint(self, provider: StandIn) -> None:
        for base in (provider.base("east"), provider.base("west"), provider.url):
            ask(base)
        assert [(seen.endpoint, seen.path) for seen in provider.requests] == [
            ("east", PATHS["openai"]),
            ("west", PATHS["openai"]),
            ("", PATHS["openai"]),
        ]

    def test_an_endpoint_behaves_on_its_own(self, provider: StandIn) -> None:
        east, west = provider.base("east"), provider.base("west")
        provider.behave("east", status=503)
        assert [ask(base).status_code for base in (east, west, provider.url)] == [503, 200, 200]

    def test_a_behaviour_for_all_is_for_endpoints_without_their_own(self, provider: StandIn) -> None:
        east, west = provider.base("east"), provider.base("west")
        provider.behave("east", status=503)
        provider.behave(status=429)
        assert [ask(base).status_code for base in (east, west, provider.url)] == [503, 429, 429]

    def test_each_endpoint_has_its_own_script(self, provider: StandIn) -> None:
        east, west = provider.base("east"), provider.base("west")
        provider.behave("east", statuses=[500])
        provider.behave("west", statuses=[503])
        assert [ask(base).status_code for base in (west, east, west, east)] == [503, 500, 200, 200]

    def test_a_label_that_is_not_registered_is_a_path(self, provider: StandIn) -> None:
        ask(f"{provider.url}/north")
        (seen,) = provider.requests
        assert (seen.endpoint, seen.path) == ("", "/north" + PATHS["openai"])

    def test_a_label_that_is_not_registered_has_no_behaviour(self, provider: StandIn) -> None:
        with pytest.raises(ValueError, match="north"):
            provider.behave("north", status=503)

    @pytest.mark.parametrize("label", ["", "a/b", "openai", "v1"])
    def test_a_label_can_not_hide_a_protocols_paths(self, provider: StandIn, label: str) -> None:
        with pytest.raises(ValueError, match="label"):
            provider.base(label)


class TestRecording:
    def test_a_request_is_kept_as_it_came(self, provider: StandIn) -> None:
        before = time.monotonic()
        HTTP.post(f"{provider.url}/v1/chat/completions?a=1", json={"model": "m"}, headers={"X-Some": "Thing"})
        (seen,) = provider.requests
        assert (seen.method, seen.path, seen.query) == ("POST", "/v1/chat/completions", {"a": "1"})
        assert seen.headers["x-some"] == "Thing"
        assert seen.body == {"model": "m"}
        assert seen.finished is not None
        assert before <= seen.arrived <= seen.finished <= time.monotonic()

    def test_a_body_that_is_no_json_is_none(self, provider: StandIn) -> None:
        HTTP.post(f"{provider.url}/token", content=b"{")
        assert provider.requests[0].body is None

    def test_a_form_is_recorded_by_its_names(self, provider: StandIn) -> None:
        HTTP.post(f"{provider.url}/token", data={"a": "1"})
        assert provider.requests[0].body == {"a": "1"}

    def test_requests_are_numbered_in_the_order_of_arrival(self, provider: StandIn) -> None:
        for _ in range(3):
            ask(provider.url)
        first, *rest = (seen.number for seen in provider.requests)
        assert rest == [first + 1, first + 2]

    def test_the_peak_is_how_many_were_answered_at_the_same_time(self, provider: StandIn) -> None:
        provider.behave(hang=True)
        with ThreadPoolExecutor() as pool:
            answers = [pool.submit(ask, provider.url) for _ in range(4)]
            provider.wait_until(lambda: provider.in_flight == 4)
            provider.release()
            assert [answer.result().status_code for answer in answers] == [200] * 4
        assert provider.in_flight == 0
        assert provider.most_in_flight == 4

    def test_one_after_the_other_is_a_peak_of_one(self, provider: StandIn) -> None:
        for _ in range(10):
            ask(provider.url)
        assert provider.most_in_flight == 1

    def test_a_stream_is_in_flight_until_its_last_chunk(self, provider: StandIn, client: openai.OpenAI) -> None:
        provider.behave(chunk_delay=0.02)
        chunks = stream(client)
        next(chunks)
        assert provider.in_flight == 1
        list(chunks)
        assert provider.in_flight == 0
        assert provider.requests[0].finished is not None

    def test_a_stream_is_in_flight_until_its_client_leaves(self, provider: StandIn, client: openai.OpenAI) -> None:
        provider.behave(chunk_delay=2)
        chunks = stream(client)
        next(chunks)
        chunks.close()
        provider.wait_until(lambda: provider.in_flight == 0, timeout=1)
        assert provider.requests[0].finished is None

    def test_clear_forgets_the_requests_and_the_peak(self, provider: StandIn) -> None:
        ask(provider.url)
        provider.clear()
        assert (provider.requests, provider.most_in_flight) == ([], 0)

    def test_clear_keeps_what_is_in_flight(self, provider: StandIn) -> None:
        provider.behave(hang=True)
        with ThreadPoolExecutor() as pool:
            answer = pool.submit(ask, provider.url)
            provider.wait_until(lambda: provider.in_flight == 1)
            provider.clear()
            assert (provider.in_flight, provider.most_in_flight) == (1, 1)
            provider.release()
            answer.result()
        assert provider.requests == []

    def test_only_the_most_recent_requests_are_kept(self) -> None:
        with StandIn(keep=2) as provider:
            for _ in range(3):
                ask(provider.url)
            assert [seen.number for seen in provider.requests] == [2, 3]

    def test_waiting_has_an_end(self, provider: StandIn) -> None:
        with pytest.raises(TimeoutError, match="0 seen"):
            provider.wait_until(lambda: bool(provider.requests), timeout=0.01)


class TestServer:
    def test_the_address_is_free_again_after_the_end(self) -> None:
        with StandIn() as first:
            assert ask(first.url).status_code == 200
        with pytest.raises(httpx.ConnectError):
            ask(first.url)
        with StandIn(first.port) as second:
            assert ask(second.url).status_code == 200

    def test_it_runs_as_a_program_until_interrupted(self) -> None:
        command = [sys.executable, "-m", "stand_in", "--port", "0"]
        root = Path(__file__).parents[2]
        with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            assert program.stderr is not None
            lines = [program.stdout.readline() for _ in range(7)]
            bases = dict(line.rsplit(maxsplit=1) for line in lines[1:])
            assert HTTP.get(bases["  OpenAI"] + "/models").status_code == 200
            program.send_signal(signal.SIGINT)
            assert program.wait(timeout=5) == 0
            assert program.stderr.read() == ""
