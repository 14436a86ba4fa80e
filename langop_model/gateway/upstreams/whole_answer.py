"""What a whole answer has used, from its bytes: as the provider reports it, else as an estimate that says it is one."""

from __future__ import annotations

from json import JSONDecodeError, JSONDecoder
from typing import Any

import orjson

from langop_model.gateway.upstreams import estimate
from langop_model.gateway.upstreams.base import Answer, Route, UpstreamRequest, Usage
from langop_model.gateway.upstreams.usage import usage_of

LARGE = 1 << 16  # bytes; of vectors and pictures that are longer, only the usage is parsed
LONGEST_USAGE = 4096  # bytes
BULKY = (Route.EMBEDDINGS, Route.IMAGES, Route.IMAGE_EDITS)
PICTURES = (b'"b64_json"', b'"url"')


def of(request: UpstreamRequest, answer: Answer) -> Usage:
    """Return what an answer that is over has used: what its provider reported, of a stream too, else an estimate."""
    account = answer.account
    found = answer.usage or (account.usage() if account is not None else None)
    if found is not None and _says_something(found):
        return found
    return used(request, answer.body or b"") if account is None else account.estimate(question(request))


def used(request: UpstreamRequest, body: bytes) -> Usage:
    """Return what the answer `body` to a request has used."""
    if request.route is Route.SPEECH:
        return _spoken(request)
    answer = _bulky(body) if request.route in BULKY and len(body) > LARGE else _parsed(body)
    found = usage_of(request.route, answer)
    if found is not None and _says_something(found):
        return found
    if request.route is Route.COUNT_TOKENS:
        return Usage()
    return estimate.estimated(question(request), _written(request.route, answer, body))


def question(request: UpstreamRequest) -> int:
    """Return about how many tokens a request asks, with its uploads."""
    return estimate.question_tokens(request.body, sum(len(file.content) for file in request.files))


def _says_something(usage: Usage) -> bool:
    """Whether something was used: some servers report zeros where they have not counted."""
    return bool(usage.output_tokens or usage.input_tokens or usage.queries or usage.images or usage.seconds)


def _spoken(request: UpstreamRequest) -> Usage:
    """Speech is sound, without a usage: its price is for each character of the text."""
    text = request.body.get("input")
    characters = len(text) if isinstance(text, str) else 0
    return Usage(input_tokens=question(request), estimated=True, characters=characters)


def _written(route: Route, answer: dict[str, Any], body: bytes) -> int:
    if answer:
        return estimate.answer_tokens(route, answer)
    return len(body) // estimate.BYTES_PER_TOKEN if route is Route.TRANSCRIPTIONS else 0  # plain text, SRT, VTT


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _bulky(body: bytes) -> dict[str, Any]:
    """Return the usage of a long answer and the number of its pictures, without its vectors and pixels.

    A quote inside a text has a backslash before it, so that the member's name with both quotes is the member.
    """
    answer: dict[str, Any] = {}
    at = body.rfind(b'"usage"')
    if at >= 0:
        rest = body[at + len(b'"usage"') : at + LONGEST_USAGE].decode(errors="replace").lstrip(" \t\r\n:")
        try:
            answer["usage"], _ = JSONDecoder().raw_decode(rest)
        except JSONDecodeError:
            return _parsed(body)
    pictures = max(body.count(each) for each in PICTURES)
    return {**answer, "data": [None] * pictures}
