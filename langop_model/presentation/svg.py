"""The path of a request as SVG: columns of boxes from left to right, drawn without a layout engine."""

from __future__ import annotations

import html
from dataclasses import dataclass

from langop_model.renderer.request_path import Edge, Node, RequestPath

LETTER, LINE, PAD = 7.4, 17, 10  # pixels: the width of a letter at 12 px, the height of a line, the space around a text
GAP_X, GAP_Y, MARGIN = 46, 22, 12


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> tuple[float, float]:
        return self.x, self.y + self.height / 2

    @property
    def right(self) -> tuple[float, float]:
        return self.x + self.width, self.y + self.height / 2


def draw(path: RequestPath, title: str, name: str) -> str:
    """Return the picture as an `svg` element; `title` is for readers of the screen, `name` is unique in the page."""
    boxes, width, height = _layout(path)
    parts = []
    labelled: set[tuple[str, str]] = set()
    for edge in path.edges:  # several ways to one box have one label
        parts.append(_edge(edge, boxes, height, labelled=(edge.target, edge.label) not in labelled))
        labelled.add((edge.target, edge.label))
    parts += [_node(node, boxes[node.id]) for node in path.nodes]
    label = html.escape(title)
    return (
        f'<svg class="path" role="img" aria-labelledby="{name}" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" xmlns="http://www.w3.org/2000/svg"><title id="{name}">{label}</title>'
        f'<defs><marker id="{name}-arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path class="arrow" d="M0 0 8 4 0 8z"/></marker></defs>'
        + "".join(parts).replace("#arrow", f"#{name}-arrow")
        + "</svg>"
    )


def _layout(path: RequestPath) -> tuple[dict[str, _Box], float, float]:
    """Return the boxes by their ids, and the size of the picture: columns are centred, with room for labels between them."""
    heights = [sum(_height(node) for node in column) + GAP_Y * (len(column) - 1) for column in path.columns]
    whole = max(heights)
    boxes: dict[str, _Box] = {}
    x = float(MARGIN)
    for column, height in zip(path.columns, heights, strict=True):
        width = max(LETTER * max(map(len, node.lines)) for node in column) + 2 * PAD
        y = MARGIN + (whole - height) / 2
        for node in column:
            boxes[node.id] = _Box(x, y, width, _height(node))
            y += _height(node) + GAP_Y
        labels = [
            len(edge.label) for edge in path.edges if edge.source in {node.id for node in column} and edge.label != "again"
        ]
        x += width + GAP_X + LETTER * max(labels, default=0)
    loops = any(_is_loop(edge, boxes) for edge in path.edges)
    return boxes, max(box.x + box.width for box in boxes.values()) + MARGIN, whole + 2 * MARGIN + (30 if loops else 0)


def _height(node: Node) -> float:
    return len(node.lines) * LINE + 2 * PAD - 4


def _is_loop(edge: Edge, boxes: dict[str, _Box]) -> bool:
    return boxes[edge.target].x < boxes[edge.source].x


def _node(node: Node, box: _Box) -> str:
    lines = "".join(
        f'<text x="{box.x + PAD:g}" y="{box.y + PAD + 10 + LINE * index:g}" class="line{index}">{html.escape(line)}</text>'
        for index, line in enumerate(node.lines)
    )
    frame = f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="6"/>'
    return f'<g class="box {node.stage}">{frame}{lines}</g>'


def _edge(edge: Edge, boxes: dict[str, _Box], height: float, *, labelled: bool) -> str:
    kind = "fails" if edge.fails else "way"
    (x, y), (to_x, to_y) = boxes[edge.source].right, boxes[edge.target].left
    if _is_loop(edge, boxes):  # back to an earlier column, below everything
        one, other, low = boxes[edge.source], boxes[edge.target], height - MARGIN - 8
        x, to_x = one.x + one.width / 2, other.x + other.width / 2
        line = f"M{x:g} {one.y + one.height:g} V{low:g} H{to_x:g} V{other.y + other.height:g}"
        label = (
            f'<text class="label" x="{(x + to_x) / 2:g}" y="{low - 5:g}" text-anchor="middle">{html.escape(edge.label)}</text>'
        )
    else:
        middle = to_x - GAP_X / 2
        line = f"M{x:g} {y:g} C{middle:g} {y:g} {to_x - GAP_X:g} {to_y:g} {to_x:g} {to_y:g}"
        beside = to_y + 15 if y < to_y else to_y - 6  # on the side that the way does not come from
        label = f'<text class="label" x="{to_x - 8:g}" y="{beside:g}" text-anchor="end">{html.escape(edge.label)}</text>'
    return f'<path class="{kind}" d="{line}" marker-end="url(#arrow)"/>{label if edge.label and labelled else ""}'
