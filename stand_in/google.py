"""Google's protocol: generateContent of Vertex AI and the Gemini API, and a service account's exchange for a token."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from stand_in.answer import Answer, as_json, as_stream, event
from stand_in.call import Call, Said

if TYPE_CHECKING:
    from stand_in.behaviour import Status

PATH = re.compile(r"(?:/.+)?/models/(?P<model>[^/:]+):(?P<action>generateContent|streamGenerateContent)")
TOKEN_PATH = "/token"

# HTTP status: the error's status and message.
ERRORS: dict[Status, tuple[str, str]] = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    403: ("PERMISSION_DENIED", "The caller does not have permission"),
    404: ("NOT_FOUND", "Publisher Model was not found or your project does not have access to it."),
    408: ("DEADLINE_EXCEEDED", "The request timed out. Please try again."),
    429: ("RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later."),
    500: ("INTERNAL", "An internal error has occurred. Please retry."),
    503: ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    504: ("DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
    "context_length_exceeded": (
        "INVALID_ARGUMENT",
        "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
    ),
}


def answers(method: str, path: str) -> bool:
    """Tell whether a request is this protocol's."""
    return method == "POST" and PATH.fullmatch(path) is not None


def answer(call: Call) -> Answer:
    """Answer a request."""
    said = call.said(call.body.get("contents"), "parts", _instruction(call))
    chunks: list[dict[str, Any]] = [_candidate(piece) for piece in (said.pieces if _streams(call) else [said.text])]
    chunks[-1]["candidates"][0]["finishReason"] = "STOP"
    chunks[-1]["usageMetadata"] = _usage(said)
    return _sent(call, chunks)


def refuse(call: Call, status: Status) -> Answer:
    """Fail as Google does. A blocked prompt is no error there: an answer without candidates says why."""
    if status == "content_policy":
        return _sent(call, [{"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": _usage(Said("", 0, 0))}])
    kind, message = ERRORS.get(status) or ERRORS[500 if isinstance(status, int) and status >= 500 else 400]
    code = status if isinstance(status, int) else 400
    return as_json({"error": {"code": code, "message": message, "status": kind}}, code)


def service_account(token_uri: str, project: str) -> str:
    """Return the JSON of a service account which exchanges its key for a token at `token_uri`."""
    account = {
        "type": "service_account",
        "project_id": project,
        "private_key_id": "stand-in",
        "private_key": _private_key(),
        "client_email": f"stand-in@{project}.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": token_uri,
    }
    return json.dumps(account)


@cache
def _private_key() -> str:
    # Made when it is needed: a key in the sources would set off every secret scanner.
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _streams(call: Call) -> bool:
    return call.path.endswith(":streamGenerateContent")


def _instruction(call: Call) -> object:
    # The Gemini API has both spellings.
    instruction = call.body.get("systemInstruction") or call.body.get("system_instruction")
    return instruction.get("parts") if isinstance(instruction, dict) else None


def _candidate(text: str) -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}]}


def _usage(said: Said) -> dict[str, int]:
    return {
        "promptTokenCount": said.input_tokens,
        "candidatesTokenCount": said.output_tokens,
        "totalTokenCount": said.total_tokens,
    }


def _sent(call: Call, chunks: list[dict[str, Any]]) -> Answer:
    match = PATH.fullmatch(call.path)
    ids = {"modelVersion": match["model"] if match else "", "responseId": f"response-{call.number}"}
    chunks = [{**chunk, **ids} for chunk in chunks]
    if not _streams(call):
        return as_json(chunks[0])
    if call.query.get("alt") == "sse":
        return as_stream(map(event, chunks))
    return as_json(chunks)
