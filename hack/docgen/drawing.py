"""Boxes, arrows and words as SVG: text only, so that no program and no network is needed."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

Point = tuple[float, float]
FILLS = {
    "plain": ("#ffffff", "#57606a"),
    "ask": ("#ddf4ff", "#0969da"),
    "good": ("#dafbe1", "#1a7f37"),
    "skip": ("#fff8c5", "#9a6700"),
    "bad": ("#ffebe9", "#cf222e"),
    "quiet": ("#eaeef2", "#8c959f"),
}
LINE = 17
HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" \
height="{height}" role="img" aria-label="{title}" font-family="system-ui, sans-serif" \
font-size="14" fill="#1f2328">
<title>{title}</title>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" \
orient="auto"><path d="M0 0 8 4 0 8z" fill="#57606a"/></marker></defs>
<rect width="100%" height="100%" rx="8" fill="#f6f8fa"/>
"""


class Drawing:
    """One picture; sizes are pixels, the origin is its upper left corner."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self._parts = [HEAD.format(width=width, height=height, title=escape(title))]

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        text: str,
        kind: str,
        *,
        has_head: bool = True,
    ) -> None:
        """A box with centred lines of text; the first of several is bold, as a head is."""
        fill, stroke = FILLS[kind]
        self._parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" '
            f'fill="{fill}" stroke="{stroke}"/>\n'
        )
        lines = text.split("\n")
        top = y + height / 2 - LINE * (len(lines) - 1) / 2 + 5
        for number, line in enumerate(lines):
            is_head = has_head and number == 0 and len(lines) > 1
            self.text(x + width / 2, top + number * LINE, line, is_bold=is_head)

    def text(
        self, x: float, y: float, text: str, *, anchor: str = "middle", is_bold: bool = False
    ) -> None:
        """One line of text."""
        weight = ' font-weight="600"' if is_bold else ""
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{weight}>{escape(text)}</text>\n'
        )

    def arrow(self, points: Sequence[Point], label: str = "", label_at: Point = (0, 0)) -> None:
        """A line with a tip at its last point."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="#57606a" marker-end="url(#tip)"/>\n'
        )
        if label:
            self.text(*label_at, label)

    def dashed(self, x: float, top: float, bottom: float) -> None:
        """A thin upright line: a moment."""
        self._parts.append(
            f'<line x1="{x}" y1="{top}" x2="{x}" y2="{bottom}" stroke="#57606a" '
            'stroke-dasharray="4 4"/>\n'
        )

    def svg(self) -> str:
        """The picture as text."""
        return "".join([*self._parts, "</svg>\n"])
