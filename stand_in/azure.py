"""Azure OpenAI's protocol: OpenAI's bodies under the path of a deployment, and errors of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stand_in import openai
from stand_in.answer import Answer, as_json
from stand_in.call import Call

if TYPE_CHECKING:
    from stand_in.behaviour import Status

# HTTP status: the error's code and message. Other failures look as they do at OpenAI.
ERRORS: dict[Status, tuple[str, str]] = {
    401: ("401", "Access denied due to invalid subscription key or wrong API endpoint."),
    404: ("DeploymentNotFound", "The API deployment for this resource does not exist."),
    408: ("Timeout", "The operation was timeout."),
    429: ("429", "Requests to the ChatCompletions_Create Operation have exceeded the call rate limit of your tier."),
    500: ("InternalServerError", "The server had an error while processing your request. Sorry about that!"),
    503: ("ServiceUnavailable", "The service is temporarily unable to process your request. Please try again later."),
}


def answers(method: str, path: str) -> bool:
    """Tell whether a request is this protocol's."""
    return "/openai/deployments/" in path and openai.answers(method, path)


def answer(call: Call) -> Answer:
    """Answer a request."""
    return openai.answer(call)


def refuse(call: Call, status: Status) -> Answer:
    """Fail as Azure does."""
    if status == "content_policy":
        return as_json({"error": _filtered()}, 400)
    if isinstance(status, int) and status in ERRORS:
        code, message = ERRORS[status]
        return as_json({"error": {"code": code, "message": message}}, status, {"apim-request-id": str(call.number)})
    return openai.refuse(call, status)


def _filtered() -> dict[str, Any]:
    passed = {"filtered": False, "severity": "safe"}
    categories = {
        "hate": passed,
        "self_harm": passed,
        "sexual": passed,
        "violence": {"filtered": True, "severity": "high"},
    }
    return {
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. "
        "Please modify your prompt and retry.",
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": categories},
    }
