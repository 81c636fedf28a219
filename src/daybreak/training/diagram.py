"""A network's blocks as an SVG picture: a row each from top to bottom, a line beside them for what skips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from daybreak.training.tracing import Trace

ROW, GAP, HEAD = 26, 10, 22  # px: a block, between blocks, the name of a group above them
LEFT, WIDTH = 14, 730  # px: of the rows
LANE = 11  # px between two lines beside the rows
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1c2733}.kind,.group{fill:#5a6b7b}.group{font-size:12px}"
    ".number{text-anchor:end;font-variant-numeric:tabular-nums}"
    ".block{fill:#e4eef8;stroke:#7d9cb8}.free{fill:#f4f4f1;stroke:#b3b3a8}.end{fill:#fdf3d8;stroke:#c9a94f}"
    ".hold{fill:none;stroke:#c4cdd6;stroke-dasharray:3 3}.flow{fill:none;stroke:#5a6b7b;stroke-width:1.3}"
)


@dataclass(frozen=True)
class _Row:
    """One box: its text, its look and the height of its top."""

    name: str
    kind: str
    shape: str
    parameters: str
    look: str
    top: int

    @property
    def middle(self) -> int:
        return self.top + ROW // 2


def draw(title: str, given: str, traced: Trace) -> str:
    """The picture as SVG text.

    Args:
        title: above it all.
        given: what goes in besides the picture, "" for nothing.
        traced: what to draw.
    """
    rows, holds, height = _lay_out(given, traced)
    # places move by one: the picture is row 0
    edges = {(source + 1, n) for n, block in enumerate(traced.blocks, 1) for source in block.inputs}
    edges |= {(source + 1, len(rows) - 1) for source in traced.ends}
    lanes = _lanes(sorted((a, b) for a, b in edges if b - a > 1))
    right = LEFT + WIDTH + LANE * (max(lanes.values(), default=-1) + 2) + 6
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right} {height}" width="{right}" '
        f'height="{height}" role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#5a6b7b"/></marker>',
        f'<rect width="{right}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT}" y="20" font-weight="bold">{escape(title)}</text>',
        *(line for hold in holds for line in _hold(*hold)),
        *(line for row in rows for line in _box(row)),
        *(_arrow(rows[a], rows[b]) for a, b in sorted(edges) if b - a == 1),
        *(_skip(rows[a], rows[b], LEFT + WIDTH + LANE * (lane + 1)) for (a, b), lane in lanes.items()),
        "</svg>",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def shown(shape: Sequence[int]) -> str:
    """C×H×W."""
    return "×".join(map(str, shape))


def _lay_out(given: str, traced: Trace) -> tuple[list[_Row], list[tuple[str, int, int]], int]:
    """Rows, (name, top, height) of the groups, and the height of it all."""
    top = 34
    rows = [_Row("picture", given, shown(traced.picture), "", "end", top)]
    holds: list[tuple[str, int, int]] = []
    group, begun = "", 0

    def close() -> None:
        if group:
            holds.append((group, begun, rows[-1].top + ROW + 6 - begun))

    for block in traced.blocks:
        top += ROW + GAP
        if block.group != group:
            close()
            top += 6 if group else 0
            group, begun = block.group, top
            top += HEAD if group else 0
        times = f"{block.times} × " if block.times > 1 else ""
        many = f"{block.parameters:,}" if block.parameters else ""
        look = "block" if block.parameters else "free"
        rows.append(_Row(block.name, times + block.kind, shown(block.shape), many, look, top))
    close()
    top += ROW + GAP + (6 if group else 0)
    rows.append(_Row("result", "", shown(traced.result), "", "end", top))
    return rows, holds, top + ROW + 12


def _lanes(edges: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Each line's place beside the rows, short ones first and inside, no two that overlap in one."""
    lanes: dict[tuple[int, int], int] = {}
    for a, b in sorted(edges, key=lambda e: (e[1] - e[0], e)):
        taken = {lane for (c, d), lane in lanes.items() if c < b and a < d}
        lanes[a, b] = next(n for n in range(len(edges)) if n not in taken)
    return lanes


def _hold(name: str, top: int, tall: int) -> Iterator[str]:
    yield f'<rect class="hold" x="5" y="{top}" width="{WIDTH + 18}" height="{tall}" rx="5"/>'
    yield f'<text class="group" x="{LEFT}" y="{top + 15}">{escape(name)}</text>'


def _box(row: _Row) -> Iterator[str]:
    line = row.middle + 5
    yield f'<rect class="{row.look}" x="{LEFT}" y="{row.top}" width="{WIDTH}" height="{ROW}" rx="4"/>'
    yield f'<text x="{LEFT + 9}" y="{line}">{escape(row.name)}</text>'
    yield f'<text class="kind" x="{LEFT + 112}" y="{line}">{escape(row.kind)}</text>'
    yield f'<text class="number" x="{LEFT + WIDTH - 98}" y="{line}">{row.shape}</text>'
    yield f'<text class="number" x="{LEFT + WIDTH - 9}" y="{line}">{row.parameters}</text>'


def _arrow(above: _Row, below: _Row) -> str:
    x = LEFT + WIDTH - 135
    return f'<path class="flow" marker-end="url(#tip)" d="M{x} {above.top + ROW}V{below.top}"/>'


def _skip(above: _Row, below: _Row, x: int) -> str:
    right = LEFT + WIDTH
    start, end = above.middle + 4, below.middle - 4
    path = f"M{right} {start}H{x - 5}Q{x} {start} {x} {start + 5}V{end - 5}Q{x} {end} {x - 5} {end}H{right}"
    return f'<path class="flow" marker-end="url(#tip)" d="{path}"/>'
