"""Draw the map of the system, once for each building block: ``python -m live_book.draw_system``.

Every chapter opens with the picture in which its own block is lit. The pictures are committed, so
that a chapter shows them wherever it is opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

IMAGES = Path(__file__).resolve().parent.parent / "chapters" / "images"
WIDTH, HEIGHT = 560, 286
BOX_WIDTH, BOX_HEIGHT = 136, 76


@dataclass(frozen=True)
class Block:
    """One box of the map: its name, what it does, and where it stands (column, row)."""

    name: str
    label: str
    role: str
    column: int
    row: int

    @property
    def left(self) -> int:
        return 20 + self.column * 192

    @property
    def top(self) -> int:
        return 40 + self.row * 132


BLOCKS = (
    Block("client", "Client", "asks and plays", 0, 0),
    Block("load-balancer", "Load balancer", "spreads the load", 1, 0),
    Block("reverse-proxy", "Reverse proxy", "keeps answers", 2, 0),
    Block("web-server", "Web server", "speaks HTTP", 2, 1),
    Block("api", "API", "does the work", 1, 1),
    Block("database", "Database", "remembers", 0, 1),
)
# from box to box: the way that a request takes
ARROWS = (
    ("client", "load-balancer"),
    ("load-balancer", "reverse-proxy"),
    ("reverse-proxy", "web-server"),
    ("web-server", "api"),
    ("api", "database"),
)


def draw(lit: str | None) -> str:
    """The map as an SVG document, with one block lit.

    Args:
        lit: a block's name, ``"messages"`` for what travels between the blocks, or ``None``.

    Raises:
        ValueError: there is no such block.
    """
    blocks = {block.name: block for block in BLOCKS}
    if lit not in (None, "messages", *blocks):
        raise ValueError(f"The map has no block {lit!r}; it has {', '.join(blocks)} and messages.")
    words = "A request goes from the client through the load balancer, the reverse proxy and the "
    words += "web server to the API, which asks the database. The answer takes the same way back."
    if lit is not None:
        words += f" Lit in this picture: {blocks[lit].label if lit in blocks else 'messages'}."
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" '
        "font-family=\"system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif\">",
        f"<title>Map of the music service</title><desc>{escape(words)}</desc>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="5" '
        'markerHeight="5" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" fill="#33415c"/>'
        "</marker></defs>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="12" fill="#f4f6fa"/>',
    ]
    parts += [_arrow(blocks[a], blocks[b], lit == "messages") for a, b in ARROWS]
    parts += [_box(block, block.name == lit) for block in BLOCKS]
    return "\n".join([*parts, "</svg>", ""])


def _box(block: Block, lit: bool) -> str:
    fill, edge, width, ink = (
        ("#1d4ed8", "#0b1f5c", 4, "#ffffff") if lit else ("#ffffff", "#7a869c", 1.5, "#1b2333")
    )
    middle = block.left + BOX_WIDTH / 2
    drawn = [
        f'<rect x="{block.left}" y="{block.top}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" '
        f'rx="9" fill="{fill}" stroke="{edge}" stroke-width="{width}"/>',
        _text(middle, block.top + 34, block.label, 15, ink, bold=True),
        _text(middle, block.top + 57, block.role, 13, ink),
    ]
    if lit:
        drawn.append(_text(middle, block.top - 12, "▼ you are here", 14, "#1d3fa8", bold=True))
    return "\n".join(drawn)


def _arrow(start: Block, end: Block, lit: bool) -> str:
    if start.row == end.row:
        forward = end.column > start.column
        x1 = start.left + (BOX_WIDTH + 4 if forward else -4)
        x2 = end.left + (-4 if forward else BOX_WIDTH + 4)
        y1 = y2 = start.top + BOX_HEIGHT / 2
    else:
        x1 = x2 = start.left + BOX_WIDTH / 2
        y1, y2 = start.top + BOX_HEIGHT + 4, end.top - 4
    width = 4 if lit else 2
    line = (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#33415c" stroke-width="{width}" '
        'marker-end="url(#tip)" marker-start="url(#tip)"/>'
    )
    if lit and start.row != end.row:
        line += _text(x1 - 116, (y1 + y2) / 2 + 5, "you are here: messages ▶", 14, "#1d3fa8", True)
    return line


def _text(x: float, y: float, words: str, size: int, ink: str, bold: bool = False) -> str:
    weight = ' font-weight="700"' if bold else ""
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="middle" font-size="{size}"{weight} '
        f'fill="{ink}">{escape(words)}</text>'
    )


def main() -> None:
    """Write every picture of the map."""
    IMAGES.mkdir(exist_ok=True)
    for lit in (None, "messages", *(block.name for block in BLOCKS)):
        name = "system.svg" if lit is None else f"system-{lit}.svg"
        (IMAGES / name).write_text(draw(lit), encoding="utf-8")


if __name__ == "__main__":
    main()
