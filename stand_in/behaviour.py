"""What the stand-in does: wait, fail, drop the connection, or say something else."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Literal, TypedDict

from stand_in.answer import Answer

Refusal = Literal["context_length_exceeded", "content_policy"]
"""What providers refuse a prompt for; each protocol answers in its provider's own shape."""

Status = int | Refusal
"""An HTTP status, or a refusal. Below 400 is a normal answer."""

Outcome = Status | Literal["hang", "disconnect"] | Answer
"""What one request of a script comes to."""

EVERYWHERE = ""


class Behaviour(TypedDict, total=False):
    """How requests are answered. What is not given is normal: at once, whole, 200, saying what was asked.

    delay: seconds before the answer, or before the failure.
    status: fail each request so, with the provider's own error body.
    statuses: a script, used up request by request; afterwards `status` holds, or requests are answered normally.
    retry_after: seconds, as the Retry-After header of a failure.
    hang: never answer, until `StandIn.release()` or until the client leaves.
    disconnect: close the connection without an answer.
    chunk_delay: seconds between two chunks of a stream.
    break_after: close the connection after so many chunks of a stream; 0 is right after the headers.
    end_after: end a stream after so many chunks, as if there was nothing more to say.
    usage: tokens of the prompt and of the answer. Otherwise words are counted.
    text: the answer's text.
    answer: sent as it is, whatever was asked; an entry of `statuses` may be one too. Of a streamed one, `chunk_delay`,
        `break_after` and `end_after` hold.
    """

    delay: float
    status: Status
    statuses: Sequence[Outcome]
    retry_after: float
    hang: bool
    disconnect: bool
    chunk_delay: float
    break_after: int
    end_after: int
    usage: tuple[int, int]
    text: str
    answer: Answer


class Behaviours:
    """The behaviour of each endpoint. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[str, Behaviour] = {}
        self._scripts: dict[str, deque[Outcome]] = {}

    def tell(self, endpoint: str, behaviour: Behaviour) -> None:
        """Replace the behaviour of one endpoint, or of EVERYWHERE: all endpoints which have none of their own."""
        unknown = behaviour.keys() - Behaviour.__annotations__.keys()
        if unknown:
            raise TypeError(f"no such behaviour: {', '.join(sorted(unknown))}")
        with self._lock:
            self._told[endpoint] = behaviour
            self._scripts[endpoint] = deque(behaviour.get("statuses", ()))

    def forget(self) -> None:
        """Make every endpoint behave normally."""
        with self._lock:
            self._told.clear()
            self._scripts.clear()

    def take(self, endpoint: str) -> Behaviour:
        """Return the behaviour for the endpoint's next request, which uses up one entry of a script."""
        with self._lock:
            place = endpoint if endpoint in self._told else EVERYWHERE
            behaviour = self._told.get(place, Behaviour()).copy()
            script = self._scripts.get(place)
            if not script:
                return behaviour
            outcome = script.popleft()
        behaviour.pop("answer", None)
        ends: Behaviour = {"hang": False, "disconnect": False, "status": 200}
        if outcome == "hang":
            ends["hang"] = True
        elif outcome == "disconnect":
            ends["disconnect"] = True
        elif isinstance(outcome, int | str):
            ends["status"] = outcome
        else:
            ends["answer"] = outcome
        return behaviour | ends
