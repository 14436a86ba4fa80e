"""The direct way to a chat completion, past what FastAPI does for each request."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI, Response
from fastapi.testclient import TestClient
from starlette.middleware import Middleware
from starlette.responses import JSONResponse

from langop_model.gateway.internals import direct
from langop_model.gateway.scope import App, Message, Receive, Send

ANSWERS: dict[str, Any] = {
    "an answer": {"choices": [{"message": {"content": "Grüße, 世界"}}], "usage": None, "cost": 1.5e-07},
    "what JSON has no type for": {"at": datetime(2026, 1, 2, tzinfo=UTC), "kinds": {"a"}},
    "keys that are no texts": {1: "a"},
    "a number of more than 64 bits": {"number": 2**80},
}


HEADERS = {"x-litellm-response-cost": "0.5", "X-Own": "yes"}


def named(name: str) -> Any:
    """Return middleware of this name that says in a header that it was passed."""

    class Passed:
        def __init__(self, app: App) -> None:
            self.app = app

        async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
            async def marked_send(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message["headers"].append((b"passed", name.encode()))
                await send(message)

            await self.app(scope, receive, marked_send)

    Passed.__name__ = name
    return Passed


class Small:
    """What direct.py looks at of LiteLLM's application, and an answer that says that it came from there."""

    def __init__(self, handlers: dict[Any, Any] | None = None) -> None:
        self.exception_handlers = handlers or {}
        self.user_middleware = [Middleware(named(name)) for name in ("InFlightRequestsMiddleware", "CORSMiddleware")]

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        await JSONResponse("the whole way")(scope, receive, send)


def client(monkeypatch: pytest.MonkeyPatch, endpoint: App, may: bool = True, app: Any = None) -> TestClient:
    monkeypatch.setattr(direct, "_chat_completion", endpoint)
    return TestClient(direct.Direct(app or Small(), lambda: may), raise_server_exceptions=False)


async def answer(scope: Message, receive: Receive, send: Send) -> None:
    await JSONResponse("the direct way")(scope, receive, send)


@pytest.mark.parametrize("path", sorted(direct.PATHS))
def test_a_chat_completion_goes_the_direct_way(path: str, monkeypatch: pytest.MonkeyPatch):
    assert client(monkeypatch, answer).post(path).json() == "the direct way"


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/chat/completions"), ("POST", "/v1/embeddings")])
def test_anything_else_goes_the_whole_way(method: str, path: str, monkeypatch: pytest.MonkeyPatch):
    assert client(monkeypatch, answer).request(method, path).json() == "the whole way"


def test_a_chat_completion_goes_the_whole_way_where_somebody_looks_at_it(monkeypatch: pytest.MonkeyPatch):
    assert client(monkeypatch, answer, may=False).post("/v1/chat/completions").json() == "the whole way"


def test_it_passes_the_middleware_that_is_kept_and_no_other(monkeypatch: pytest.MonkeyPatch):
    headers = client(monkeypatch, answer).post("/v1/chat/completions").headers
    assert headers.get_list("passed") == ["InFlightRequestsMiddleware"]


def test_litellm_finds_its_own_application_in_the_request(monkeypatch: pytest.MonkeyPatch):
    app = Small()
    found: list[Any] = []

    async def look(scope: Message, receive: Receive, send: Send) -> None:
        found.append(scope["app"])
        await answer(scope, receive, send)

    client(monkeypatch, look, app=app).post("/v1/chat/completions")
    assert found == [app]


def test_an_error_is_answered_by_the_handler_that_litellm_has_for_it(monkeypatch: pytest.MonkeyPatch):
    class Known(Exception):
        pass

    async def handle(_: Any, error: Exception) -> Response:
        return JSONResponse(type(error).__name__, 418)

    async def fail(scope: Message, *_: Any) -> None:
        raise Known if scope["path"].startswith("/v1") else OSError

    asked = client(monkeypatch, fail, app=Small({Known: handle, Exception: handle}))
    answers = [asked.post(path) for path in ("/v1/chat/completions", "/chat/completions")]
    assert [(each.status_code, each.json()) for each in answers] == [(418, "Known"), (418, "OSError")]


@pytest.mark.parametrize("content", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_what_fastapi_makes_of_it(content: Any):
    app = FastAPI()

    @app.get("/")
    async def endpoint(response: Response):  # noqa: ANN202 - without a type, as LiteLLM's function
        response.headers.update(HEADERS)
        response.set_cookie("a", "1")
        return content

    expected = TestClient(app).get("/")
    given = direct.Given()
    given.headers.update(HEADERS)
    given.set_cookie("a", "1")
    made = direct._response(content, given)
    assert TestClient(made).get("/").json() == expected.json()
    assert _headers(TestClient(made).get("/")) == _headers(expected)


def _headers(answer: Any) -> set[tuple[str, str]]:
    """The headers but the length: orjson writes 1.5e-7 where json writes 1.5e-07."""
    return {header for header in answer.headers.items() if header[0] != "content-length"}


def test_a_stream_or_another_response_of_litellm_is_sent_as_it_is():
    response = Response("data: 1\n\n", media_type="text/event-stream")
    assert direct._response(response, direct.Given()) is response
