"""The error bodies of providers: what their many forms say, in the words of OpenAI's errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

LONGEST_MESSAGE = 4000  # characters
# Ends of a task of the A2A protocol that are no answer: https://a2a-protocol.org/v0.3.0/specification/#63-taskstate-enum
FAILED_TASKS = frozenset({"canceled", "failed", "rejected"})


@dataclass(frozen=True, slots=True)
class ErrorDetails:
    """What an error body says; empty where it does not."""

    message: str = ""
    type: str | None = None
    code: str | None = None
    param: str | None = None
    inner_codes: tuple[str, ...] = ()  # of an error within the error, as Azure and OpenRouter have it


NOTHING = ErrorDetails()


def details_of(body: bytes) -> ErrorDetails:
    """Return what an error body says. A page of HTML and other text hold nothing that a client could use."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return NOTHING
    if isinstance(found, list) and found:  # Gemini's streams begin with an array
        found = found[0]
    return of(found)


def says_error(found: Mapping[str, Any]) -> bool:
    """Whether a parsed answer or event says an error, whatever its HTTP status is."""
    error = _error(found)
    return (bool(error) and not isinstance(error, bool)) or "error" in (found.get("type"), found.get("object"))


def of(found: Any) -> ErrorDetails:
    """Return what a parsed error body says.

    OpenAI, Anthropic and Gemini have an object `error`; older vLLM, Mistral and Cohere its members at the top; FastAPI's
    servers a `detail`; AWS a `message` or `Message`.
    """
    if isinstance(found, str):
        return ErrorDetails(found[:LONGEST_MESSAGE])
    if not isinstance(found, dict):
        return NOTHING
    error = _error(found)
    if isinstance(error, dict):
        return _members(error)
    if "detail" in found:
        return _detail(found["detail"])
    errors = found.get("errors")
    outer = of(errors[0]) if isinstance(errors, list) and errors else _members(found)
    if isinstance(error, str) and not outer.message:
        return ErrorDetails(error[:LONGEST_MESSAGE], outer.type, outer.code, outer.param)
    return outer


def _error(found: Mapping[str, Any]) -> Any:
    """Return the member `error`; of OpenAI's event `response.failed` that of its response, of OpenRouter that of a choice.

    A task of A2A that has failed says so in its status.
    """
    response = found.get("response")
    if found.get("type") == "response.failed" and isinstance(response, dict):
        return response.get("error")
    return found.get("error") or of_choice(found.get("choices")) or _of_task(found.get("result"))


def _of_task(result: Any) -> dict[str, str] | None:
    """Return the error of a task of A2A that has failed, in the words of its agent."""
    status = result.get("status") if isinstance(result, dict) else None
    state = status.get("state") if isinstance(status, dict) else None
    if not isinstance(state, str) or state not in FAILED_TASKS:
        return None
    message = status.get("message") if isinstance(status, dict) else None
    parts = message.get("parts") if isinstance(message, dict) else None
    texts = [part.get("text") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    said = " ".join(text for text in texts if isinstance(text, str))
    return {"message": said or f"the task of the agent has ended as {state}"}


def of_choice(choices: Any) -> Any:
    """Return the error of the first choice that has one: OpenRouter's, where a provider failed while it answered."""
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and isinstance(choice.get("error"), dict):
            return choice["error"]
    return None


def _members(error: dict[str, Any]) -> ErrorDetails:
    message = next((error[name] for name in ("message", "Message", "msg", "error_message") if error.get(name)), "")
    if isinstance(message, dict | list):
        nested = _detail(message)
        message = nested.message
    kind = error.get("type") or error.get("status") or error.get("__type")
    code = error.get("code")
    return ErrorDetails(
        str(message)[:LONGEST_MESSAGE],
        kind if isinstance(kind, str) else None,
        str(code) if isinstance(code, str | int) and not isinstance(code, bool) else None,
        error["param"] if isinstance(error.get("param"), str) else None,
        tuple(_inner_codes(error)),
    )


def _inner_codes(error: dict[str, Any]) -> Iterator[str]:
    """Yield the codes of errors within an error: Azure's `innererror`, OpenRouter's `metadata`, Google's `details`."""
    for name in ("innererror", "inner_error", "metadata"):
        inner = error.get(name)
        if isinstance(inner, dict):
            yield from (inner[key] for key in ("code", "error_type", "type") if isinstance(inner.get(key), str))
            yield from ("flagged_input",) if "flagged_input" in inner else ()
    details = error.get("details")
    for each in details if isinstance(details, list) else ():
        if isinstance(each, dict) and isinstance(each.get("reason"), str):
            yield each["reason"]


def _detail(detail: Any) -> ErrorDetails:
    """FastAPI's `detail`: a text, an object, or a list of places with a message each."""
    if isinstance(detail, list):
        places = [each for each in detail if isinstance(each, dict)]
        texts = [_place(each) for each in places] or [str(each) for each in detail]
        param = ".".join(map(str, places[0].get("loc", ())[1:])) if places and isinstance(places[0].get("loc"), list) else None
        return ErrorDetails("; ".join(texts)[:LONGEST_MESSAGE], "invalid_request_error", None, param or None)
    return of(detail)


def _place(each: dict[str, Any]) -> str:
    loc = each.get("loc")
    where = ".".join(map(str, loc)) if isinstance(loc, list) else ""
    said = str(each.get("msg", "")) or str(each.get("message", ""))
    return f"{where}: {said}" if where else said
