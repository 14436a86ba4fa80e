"""OpenAI's Responses API, plain and streamed."""

from __future__ import annotations

import time
from typing import Any

from stand_in.answer import Answer, as_json, as_stream, event
from stand_in.call import Call


def answer(call: Call) -> Answer:
    """Answer a request."""
    given = call.body.get("input")
    turns = [{"role": "user", "content": given}] if isinstance(given, str) else given
    said = call.said(turns, system=call.body.get("instructions"))
    item_id = f"msg_{call.number}"
    part = {"type": "output_text", "text": said.text, "annotations": [], "logprobs": []}
    item = {"id": item_id, "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    usage = {
        "input_tokens": said.input_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": said.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": said.total_tokens,
    }
    begun = {
        "id": f"resp_{call.number}",
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "model": call.model,
        "output": [],
        "error": None,
        "incomplete_details": None,
        "instructions": call.body.get("instructions"),
        "metadata": call.body.get("metadata") or {},
        "parallel_tool_calls": True,
        "temperature": call.body.get("temperature", 1.0),
        "top_p": call.body.get("top_p", 1.0),
        "max_output_tokens": call.body.get("max_output_tokens"),
        "previous_response_id": call.body.get("previous_response_id"),
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "truncation": "disabled",
        "usage": None,
        "user": None,
    }
    completed = {**begun, "status": "completed", "output": [item], "usage": usage}
    if not call.wants_stream:
        return as_json(completed)

    of_item = {"item_id": item_id, "output_index": 0}
    of_part = {**of_item, "content_index": 0}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **of_part, "part": {**part, "text": ""}},
        *({"type": "response.output_text.delta", **of_part, "delta": piece, "logprobs": []} for piece in said.pieces),
        {"type": "response.output_text.done", **of_part, "text": said.text, "logprobs": []},
        {"type": "response.content_part.done", **of_part, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": completed},
    ]
    return as_stream(event({**each, "sequence_number": number}, each["type"]) for number, each in enumerate(events))
