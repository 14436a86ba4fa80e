"""Server-sent events as they arrive: bytes divided into complete events."""

from __future__ import annotations

MAX_EVENT_SIZE = 16 * 2**20  # bytes; a picture in base64 is the largest thing that providers send in one event
END = b"\n\n"


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
