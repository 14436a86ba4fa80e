"""The path of a request as a Mermaid flowchart, which GitHub and GitLab draw in Markdown."""

from __future__ import annotations

from langop_model.presentation.plain import printable
from langop_model.renderer.request_path import RequestPath


def draw(path: RequestPath) -> str:
    """Return the flowchart, without the fence around it. Texts are escaped: no value is Mermaid's syntax, or HTML."""
    lines = ["flowchart LR"]
    lines += [f'    {node.id}["{"<br>".join(escape(line) for line in node.lines)}"]' for node in path.nodes]
    for edge in path.edges:
        arrow = "-.->" if edge.fails else "-->"
        label = f'|"{escape(edge.label)}"|' if edge.label else ""
        lines.append(f"    {edge.source} {arrow}{label} {edge.target}")
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Return `text` with Mermaid's entity codes in place of everything but letters, digits and harmless marks."""
    return "".join(letter if letter.isalnum() or letter in " .,:/-_+%@…" else f"#{ord(letter)};" for letter in printable(text))
