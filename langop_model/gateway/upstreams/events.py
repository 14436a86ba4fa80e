"""Server-sent events as they arrive: bytes divided into complete events."""

from __future__ import annotations

import orjson

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")  # what a line of a stream of events begins with
LONGEST_FIELD = max(map(len, FIELDS))  # bytes
MAX_EVENT_SIZE = 16 * 2**20  # bytes; a picture in base64 is the largest thing that providers send in one event
MEDIA_TYPE = "text/event-stream"
END = b"\n\n"
DONE = b"[DONE]"  # the data of the last event of a chat
DONE_EVENT = b"data: " + DONE + END


class EventTooLargeError(ValueError):
    """An event without an end in sight."""


class EventSplitter:
    """Collects bytes until an event is complete. An event keeps the blank line at its end; lines end with a line feed."""

    __slots__ = ("rest",)

    def __init__(self) -> None:
        self.rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the events that `data` completes. Raises EventTooLargeError."""
        if b"\r" in data or self.rest.endswith(b"\r"):
            # JSON writes a carriage return as an escape, so one in the data ends a line.
            data = self.rest + data
            held = data.endswith(b"\r")  # the first half of a line end, perhaps
            self.rest = b""
            data = data[: len(data) - held].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            if held:
                return self._split(data, b"\r")
        elif self.rest:
            data, self.rest = self.rest + data, b""
        return self._split(data, b"")

    def last(self) -> list[bytes]:
        """Return what is left at the end, if that is a complete event whose blank line its server omits.

        A browser would ignore it, but the clients of providers read it. Data that was cut off is no event.
        """
        rest, self.rest = self.rest.rstrip(b"\r\n"), b""
        said = data_of(rest + END)
        return [rest + END] if said == DONE or holds_object(said) else []

    def _split(self, data: bytes, held: bytes) -> list[bytes]:
        *events, rest = data.split(END)
        if len(rest) > MAX_EVENT_SIZE:
            raise EventTooLargeError
        self.rest = rest + held
        return [event + END for event in events if event.strip()]


def data_of(event: bytes) -> bytes:
    """Return the data of an event: what its `data:` lines hold."""
    if event.startswith(b"data:") and event.count(b"\n") == 2:
        return event[5:].strip()
    lines = [line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(lines)


def holds_object(data: bytes) -> bool:
    """Whether the data of an event is a JSON object, as in every protocol of a model but for `[DONE]`."""
    try:
        return isinstance(orjson.loads(data), dict)
    except orjson.JSONDecodeError:
        return False


def begins(data: bytes) -> bool:
    """Whether a body that begins with `data` is a stream of events, whatever its media type says."""
    return data.removeprefix(BYTE_ORDER_MARK).lstrip().startswith(FIELDS)
