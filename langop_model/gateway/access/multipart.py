"""Forms: multipart/form-data read with python-multipart, the parser of Starlette and FastAPI. Imported at the first form."""

from __future__ import annotations

from dataclasses import dataclass, field

from python_multipart.multipart import MultipartParser, parse_options_header


@dataclass(slots=True)
class Part:
    """One part of a form: a file has a `file_name`, a text has none."""

    name: str = ""
    file_name: str | None = None
    content_type: str = "text/plain"
    content: bytearray = field(default_factory=bytearray)

    @property
    def text(self) -> str:
        """The content as text. Raises ValueError where it is not UTF-8."""
        return self.content.decode("utf-8")


class _Reader:
    """The callbacks of the parser."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.parts: list[Part] = []
        self.header, self.value = bytearray(), bytearray()
        self.is_complete = False

    def on_part_begin(self) -> None:
        if len(self.parts) == self.most:
            raise ValueError(f"more than {self.most} parts")
        self.parts.append(Part())

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].content += data[start:end]

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self.header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def on_header_end(self) -> None:
        name, value = bytes(self.header).lower(), bytes(self.value)
        self.header, self.value = bytearray(), bytearray()
        part = self.parts[-1]
        if name == b"content-disposition":
            _, options = parse_options_header(value)
            part.name = options.get(b"name", b"").decode("utf-8")
            part.file_name = options[b"filename"].decode("utf-8") if b"filename" in options else None
        elif name == b"content-type":
            part.content_type = value.decode("latin-1")

    def on_end(self) -> None:
        self.is_complete = True


def parse(body: bytes, content_type: bytes, most: int) -> list[Part]:
    """Return the parts of a form, `most` of them at most. Raises ValueError for what is not a complete form."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise ValueError("no boundary")
    reader = _Reader(most)
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": reader.on_part_begin,
            "on_part_data": reader.on_part_data,
            "on_header_field": reader.on_header_field,
            "on_header_value": reader.on_header_value,
            "on_header_end": reader.on_header_end,
            "on_end": reader.on_end,
        },
    )
    parser.write(body)
    parser.finalize()
    if not reader.is_complete or not all(part.name for part in reader.parts):
        raise ValueError("the form is incomplete")
    return reader.parts
