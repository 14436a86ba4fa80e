"""A request in Gemini's format as chat completions, and the answer back, by LiteLLM's adapter between the two.

The adapter reads one spelling, one part of the system's text and two roles, and loses the rest silently. Google's own format
has two spellings of each member, and its clients send tools' results with a role of their own. LiteLLM's function for this
route has no way for the members that a deployment adds to each request, and for Google's models it needs its proxy's packages:
so the chat is asked here.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from litellm.google_genai.adapters.transformation import GoogleGenAIAdapter

from langop_model.gateway.upstreams.translator_protocol import Call
from langop_model.translator import chat, requests
from langop_model.translator.deployment import Deployment
from langop_model.translator.failures import RefusedRequestError
from langop_model.translator.requests import Request, drop

_ADAPTER = GoogleGenAIAdapter()
_KEPT = frozenset(
    {"maxOutputTokens", "responseJsonSchema", "responseMimeType", "responseSchema", "stopSequences", "temperature", "topP"}
)
_HINTS = frozenset({"enableEnhancedCivicAnswers", "mediaResolution", "thinkingConfig", "topK"})
# Hints that the adapter loses, by their names in a chat.
_CHATS = {"frequencyPenalty": "frequency_penalty", "presencePenalty": "presence_penalty", "seed": "seed"}
# What these mean is what happens anyway.
_AS_IT_IS: Mapping[str, tuple[Any, ...]] = {
    "candidateCount": (1,),
    "responseLogprobs": (False,),
    "responseModalities": ([], ["TEXT"], ["Text"], ["text"]),
}
HINTS = frozenset({"labels", "safetySettings", "serviceTier", "store"})
_ROLES = {"function": "user", "model": "model", "tool": "user", "user": "user"}
_PARTS = frozenset({"fileData", "functionCall", "functionResponse", "inlineData", "text"})
_ABOUT_PARTS = frozenset({"mediaResolution", "thought", "thoughtSignature", "videoMetadata"})
_JSON = "application/json"


def prepare(request: Request, beside: Mapping[str, Any], call: Call, deployment: Deployment) -> Request:
    """Return the chat that a request means, with the members `beside` Gemini's own, which `ask` asks.

    Raises RefusedRequestError for what would be lost.
    """
    own = request.arguments
    if own.pop("safetySettings", None):
        drop(request, "safetySettings", call)
    hints = _hints(request, call, deployment)
    own["config"] = _config(request, call, deployment)
    own["contents"] = list(_turns(own["contents"]))
    if "systemInstruction" in own:
        own["systemInstruction"] = {"parts": [{"text": _text(own["systemInstruction"])}]}
    if "tools" in own:
        own["tools"] = [_tool(tool) for tool in own["tools"]]
    if "toolConfig" in own:
        _choose(own)
    body = {**_ADAPTER.translate_generate_content_to_completion(deployment.model, **own), **hints, **beside}
    chat = requests.chat(dataclasses.replace(call, body=body), deployment)
    return Request(chat.arguments, [*request.dropped, *chat.dropped])


async def ask(**arguments: Any) -> Any:
    """Ask the chat, and return its answer or its stream in Gemini's format."""
    answer = await chat.complete(**arguments)
    if hasattr(answer, "__aiter__"):
        return _ADAPTER.translate_completion_output_params_streaming(answer)
    return _ADAPTER.translate_completion_to_generate_content(answer)


def _hints(request: Request, call: Call, deployment: Deployment) -> dict[str, Any]:
    """Take the hints out of the configuration that the adapter would lose, and return those that the model takes."""
    kept = {}
    config = request.arguments["config"] = _camel(request.arguments["config"])
    for name, named in _CHATS.items():
        value = config.pop(name, None)
        if value is not None and named in deployment.supported():
            kept[named] = value
        elif value is not None:
            drop(request, f"generationConfig.{name}", call)
    return kept


def _camel(found: Any) -> dict[str, Any]:
    """Return an object with its members spelled as Google's documentation does."""
    if not isinstance(found, dict):
        return {}
    return {re.sub(r"_([a-z])", lambda match: match[1].upper(), name): value for name, value in found.items()}


def _config(request: Request, call: Call, deployment: Deployment) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in request.arguments["config"].items():
        if name in _KEPT:
            kept[name] = value
        elif name in _HINTS:
            drop(request, f"generationConfig.{name}", call)
        elif value is not None and value not in _AS_IT_IS.get(name, ()):
            raise _refused(f"generationConfig.{name}")
    _check_format(kept, deployment)
    return kept


def _check_format(config: dict[str, Any], deployment: Deployment) -> None:
    """Ask for an object where the request asks for JSON of any kind, as chat completions' own JSON mode does."""
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    kind = config.get("responseMimeType")
    if kind not in (None, "text/plain", _JSON):
        raise _refused(f"generationConfig.responseMimeType {kind}")
    if schema is None and kind == _JSON:
        schema = config["responseSchema"] = {"type": "object"}
    if schema is None:
        return
    if not isinstance(schema, dict) or str(schema.get("type")).lower() != "object":
        raise _refused("generationConfig.responseSchema of anything but an object")
    if "response_format" not in deployment.supported():
        raise _refused("generationConfig.responseSchema")


def _turns(contents: Any) -> Iterator[dict[str, Any]]:
    """Yield the turns: results of tools before what else their turn says, as chat completions have them."""
    for turn in contents if isinstance(contents, list) else [contents]:
        if not isinstance(turn, dict):
            raise RefusedRequestError("contents has a turn that is no object")
        role = _ROLES.get(turn.get("role") or "user")
        if role is None:
            raise _refused(f"a turn of the role {turn['role']}")
        parts = [part for part in _parts(turn.get("parts")) if part.get("thought") is not True]
        results = [part for part in parts if "functionResponse" in part]
        others = [part for part in parts if "functionResponse" not in part]
        yield from ({**turn, "role": role, "parts": each} for each in (results, others) if each)


def _parts(found: Any) -> Iterator[dict[str, Any]]:
    for part in found if isinstance(found, list) else [found]:
        spelled = {"text": part} if isinstance(part, str) else _camel(part)
        for name, value in spelled.items():
            if value is not None and name not in _PARTS | _ABOUT_PARTS:
                raise _refused(f"a part with {name}")
        yield spelled


def _text(instruction: Any) -> str:
    """Return the system's text, which may be in several parts."""
    found = instruction.get("parts") if isinstance(instruction, dict) else instruction
    parts = list(_parts(found))
    if not all(isinstance(part.get("text"), str) for part in parts):
        raise _refused("a systemInstruction that is not text")
    return "\n".join(part["text"] for part in parts)


def _tool(tool: Any) -> dict[str, Any]:
    spelled = _camel(tool)
    for name, value in spelled.items():
        if value is not None and name != "functionDeclarations":
            raise _refused(f"a tool with {name}")
    declared = spelled.get("functionDeclarations") or []
    return {"functionDeclarations": [{**_camel(each), **_parameters(each)} for each in declared]}


def _parameters(declared: Any) -> dict[str, Any]:
    """The schema of a function is its author's: only the name of the member has two spellings."""
    found = next((declared[name] for name in ("parametersJsonSchema", "parameters_json_schema") if name in declared), None)
    return {} if found is None else {"parametersJsonSchema": found}


def _choose(own: dict[str, Any]) -> None:
    """Offer only the functions that may be called: the bridge reads the mode, and not their names."""
    config = _camel(own["toolConfig"])
    for name, value in config.items():
        if value is not None and name != "functionCallingConfig":
            raise _refused(f"toolConfig.{name}")
    calling = _camel(config.get("functionCallingConfig"))
    names = calling.pop("allowedFunctionNames", None)
    own["toolConfig"] = {"functionCallingConfig": calling}
    if names:
        for tool in own.get("tools") or []:
            tool["functionDeclarations"] = [each for each in tool["functionDeclarations"] if each.get("name") in names]


def _refused(what: str) -> RefusedRequestError:
    return RefusedRequestError(f"{what} is not supported by this model")
