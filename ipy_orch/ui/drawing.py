"""The lineage as SVG: cards where placing.py puts them, drawn so that they can be read on light and on dark pages.

All text is written here, through :func:`escape`; everything else is fixed but for numbers. Each shape says its colours
itself: pages that trust nobody take styles away. A card has a fill of its own and so keeps its contrast on any page;
what stands outside of cards has a grey that is readable on white and on black. Inside JupyterLab's page its theme's
variables replace both.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator
from typing import Final

from ipy_orch.ui.cards import VERDICTS, Card, Picture, shortened
from ipy_orch.ui.placing import Placed, Point, Size

__all__ = ["COLOURS", "GREY", "escape", "sizes", "svg"]

GREY: Final = "#808790"
COLOURS: Final = {
    "fresh": "#2f9e57",
    "stale": "#c47f00",
    "failed": "#e0524a",
    "missing": GREY,
    "evicted": "#4688e0",
    "external": GREY,
}
MARKS: Final = {"passed": COLOURS["fresh"], "warned": COLOURS["stale"], "failed": COLOURS["failed"], "not run": GREY}

PADDING, NARROWEST, WIDEST, GAP, MARGIN = 12, 104, 244, 6, 8
TITLE, SMALL = 13, 11
ROWS: Final = {1: 34, 2: 48, 3: 68}
ROOM: Final = WIDEST - 2 * PADDING - 4

FONTS: Final = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
STYLE: Final = f"""
.ipy-orch-lineage {{ max-width: 100%; height: auto; font-family: var(--jp-ui-font-family, {FONTS}); }}
.ipy-orch-lineage .card {{ fill: var(--jp-layout-color1, #ffffff); stroke: var(--jp-border-color1, #c4c8cd); }}
.ipy-orch-lineage .title {{ fill: var(--jp-content-font-color1, #1f2328); font-weight: 600; }}
.ipy-orch-lineage .small {{ fill: var(--jp-content-font-color2, #59636e); }}
.ipy-orch-lineage .kind {{ fill: var(--jp-layout-color2, #eef0f2); }}
.ipy-orch-lineage .group {{ fill: #808790; fill-opacity: 0.09; stroke: #808790; stroke-opacity: 0.35; }}
.ipy-orch-lineage .group-name {{ fill: var(--jp-content-font-color2, #808790); font-weight: 600; }}
.ipy-orch-lineage .edge {{ fill: none; stroke: #808790; stroke-width: 1.4; }}
.ipy-orch-lineage .hollow {{ fill: var(--jp-layout-color1, #ffffff); }}
""".strip()


def svg(picture: Picture, placed: Placed) -> str:
    """Return the picture as SVG, everything where it is placed."""
    page = (round(placed.width) + 2 * MARGIN, round(placed.height) + 2 * MARGIN)
    parts = [*boxes(placed), *arrows(placed), *cards(placed, picture)]
    opened = (
        '<svg xmlns="http://www.w3.org/2000/svg" class="ipy-orch-lineage" role="img"'
        f' width="{page[0]}" height="{page[1]}" viewBox="{-MARGIN} {-MARGIN} {page[0]} {page[1]}"'
        f' font-family="{FONTS}" style="min-width: {page[0] * 0.6:.0f}px">'
    )
    return "\n".join([opened, f"<title>{escape(picture.title)}</title>", f"<style>{STYLE}</style>", *parts, "</svg>"])


def escape(text: str) -> str:
    """Return the text as content of an element or of a quoted attribute.

    >>> escape("<a href='x'>")
    '&lt;a href=&#39;x&#39;&gt;'
    """
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        text = text.replace(sign, entity)
    return text


# -- how large --------------------------------------------------------------------------------------------------------


def sizes(picture: Picture) -> list[Size]:
    """Return width and height of each card, in pixels; all are as wide as the widest, so that they stand in columns."""
    width = round(min(max(map(needed_width, picture.cards), default=0), WIDEST))
    return [(width, height_of(card)) for card in picture.cards]


def height_of(card: Card) -> int:
    """Return the height of a card: one to three rows."""
    return ROWS[1 + bool(card.status) + bool(card.kinds or card.checks)]


def needed_width(card: Card) -> float:
    """Return the width that the content of a card needs."""
    title = wide(title_of(card), TITLE, bold=True) + (18 if card.word else 0)
    content = max(title, wide(status_of(card), SMALL), footer_width(card))
    return max(content + 2 * PADDING + 4, NARROWEST)


def wide(text: str, size: int, *, bold: bool = False) -> float:
    """Return about how wide a text is, in pixels; a little more than in most fonts."""
    return sum(map(relative_width, text)) * size * (1.2 if bold else 1.07)


def relative_width(char: str) -> float:
    """Return the width of a character, relative to the size of the font."""
    if unicodedata.combining(char):
        return 0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.0
    if char in "iljtfrI.,:;|'`!()[]/ ":
        return 0.36
    return 0.86 if char in "mwMW@%" else 0.68 if char.isupper() else 0.58


def title_of(card: Card) -> str:
    """Return the title, its middle left out where it's too long: names differ at both ends."""
    room = ROOM - (18 if card.word else 0)
    fits = (
        length
        for length in range(min(len(card.title), 80), 0, -1)
        if wide(shortened(card.title, length), TITLE, bold=True) <= room
    )
    return shortened(card.title, next(fits, 1))


def status_of(card: Card) -> str:
    """Return the status, its end cut off where it's too long."""
    text = card.status[:200]
    if wide(text, SMALL) <= ROOM:
        return text
    while wide(text + "…", SMALL) > ROOM:
        text = text[:-1]
    return text + "…"


def footer_width(card: Card) -> float:
    """Return the width of kinds and checks beside each other."""
    kinds = sum(wide(kind_of(kind), SMALL) + 10 + GAP for kind in card.kinds)
    return kinds + sum(check_width(number) for _, number in card.checks)


def check_width(number: int) -> float:
    """Return the width of ``✓ 3`` and the gap before it."""
    return wide(f"✓ {number}", SMALL) + 2 * GAP


def kind_of(kind: str) -> str:
    """Return a kind, shortened: up to three stand in a row."""
    return shortened(kind, 14)


# -- boxes of groups --------------------------------------------------------------------------------------------------


def boxes(placed: Placed) -> Iterator[str]:
    """Yield the boxes around groups."""
    for group, (x, y, width, height) in placed.boxes.items():
        yield (
            f'<rect class="group" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
            f' rx="10" fill="{GREY}" fill-opacity="0.09" stroke="{GREY}" stroke-opacity="0.35"/>'
        )
        yield text_at(x + 10, y + 15, shortened(group, 40), "group-name", SMALL, GREY)


# -- arrows -----------------------------------------------------------------------------------------------------------


def arrows(placed: Placed) -> Iterator[str]:
    """Yield the arrows."""
    for arrow in placed.curves:
        dashes = ' stroke-dasharray="2 4"' if arrow.hidden else ""
        curve = f"M{at(arrow.points[0])}C{' '.join(map(at, arrow.points[1:]))}"
        back = unit(arrow.points[-1], arrow.tip)
        yield (
            f'<path class="edge" d="{curve}" fill="none" stroke="{GREY}" stroke-width="1.4"{dashes}/>'
            f'<path class="head" d="{head(arrow.tip, back)}" fill="{GREY}"/>'
        )


def unit(start: Point, end: Point) -> Point:
    """Return the direction from one point to another."""
    x, y = end[0] - start[0], end[1] - start[1]
    length = math.hypot(x, y) or 1.0
    return x / length, y / length


def head(tip: Point, along: Point) -> str:
    """Return the path of an arrow's head."""
    back = (tip[0] - 7 * along[0], tip[1] - 7 * along[1])
    left = (back[0] - 3.2 * along[1], back[1] + 3.2 * along[0])
    right = (back[0] + 3.2 * along[1], back[1] - 3.2 * along[0])
    return f"M{at(tip)}L{at(left)}L{at(right)}Z"


def at(point: Point) -> str:
    """Return a point as SVG writes it."""
    return f"{point[0]:.1f},{point[1]:.1f}"


# -- cards ------------------------------------------------------------------------------------------------------------


def cards(placed: Placed, picture: Picture) -> Iterator[str]:
    """Yield the cards."""
    extents = sizes(picture)
    for number, (x, y) in placed.cards.items():
        yield "\n".join(drawn(picture.cards[number], extents[number], x, y))


def drawn(card: Card, extent: Size, center_x: float, center_y: float) -> Iterator[str]:
    """Yield what a card consists of."""
    width, height = extent
    x, y = center_x - width / 2, center_y - height / 2
    colour = COLOURS.get(card.word, GREY)
    dashes = ' stroke-dasharray="4 3"' if card.word == "external" else ""
    yield f"<g><title>{escape(': '.join(filter(None, [card.title, card.status])))}</title>"
    yield (
        f'<rect class="card" x="{x:.1f}" y="{y:.1f}" width="{width}" height="{height}" rx="6" fill="#ffffff"'
        f' stroke="#c4c8cd"{dashes}/>'
    )
    if card.word not in ("external", ""):
        yield f'<path d="{stripe(x, y, height)}" fill="{colour}"/>'
    if card.word:
        yield sign(card.word, x + PADDING + 8, y + 17, colour)
    left = x + PADDING + (20 if card.word else 0)
    yield text_at(left, y + 21.5, title_of(card), "title", TITLE, "#1f2328")
    if card.status:
        yield text_at(x + PADDING + 2, y + 38, status_of(card), "small", SMALL, "#59636e")
    yield from footer(card, x, y + height - 20, width)
    yield "</g>"


def stripe(x: float, y: float, height: float) -> str:
    """Return the path of the coloured stripe at the left of a card."""
    return f"M{x + 5:.1f},{y:.1f}h-0.5a4.5,6 0 0 0 -4.5,6v{height - 12:.1f}a4.5,6 0 0 0 4.5,6h0.5z"


def sign(word: str, x: float, y: float, colour: str) -> str:
    """Return the shape that stands for a status, so that it needn't be told by its colour."""
    line = f'stroke="{colour}" stroke-width="1.8" stroke-linecap="round"'
    if word == "fresh":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'
    if word == "stale":
        return f'<path d="M{x:.1f},{y - 5.5:.1f}l6,10.5h-12z" fill="{colour}" stroke-linejoin="round"/>'
    if word == "failed":
        return f'<path d="M{x - 4:.1f},{y - 4:.1f}l8,8m0,-8l-8,8" fill="none" {line}/>'
    if word == "external":
        return f'<path class="hollow" d="M{x:.1f},{y - 5.5:.1f}l5.5,5.5l-5.5,5.5l-5.5,-5.5z" fill="none" {line}/>'
    if word not in ("missing", "evicted"):
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
    dashes = ' stroke-dasharray="1 3.2"' if word == "evicted" else ""
    return f'<circle class="hollow" cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="none" {line}{dashes}/>'


def footer(card: Card, x: float, y: float, width: float) -> Iterator[str]:
    """Yield kinds at the left and checks at the right."""
    left = x + PADDING + 1
    for kind in map(kind_of, card.kinds):
        long = wide(kind, SMALL) + 10
        place = f'x="{left:.1f}" y="{y - 1:.1f}" width="{long:.1f}"'
        yield f'<rect class="kind" {place} height="15" rx="7" fill="#eef0f2"/>'
        yield text_at(left + long / 2, y + 10.2, kind, "small", SMALL - 1, "#59636e", anchor="middle")
        left += long + GAP
    right = x + width - PADDING
    for verdict, number in reversed(card.checks):
        yield check_at(right, y + 10.5, verdict, number)
        right -= check_width(number)


def check_at(x: float, y: float, verdict: str, number: int) -> str:
    """Return ``✓ 3``, ending at ``x``."""
    mark = f'<tspan fill="{MARKS[verdict]}" font-weight="700">{VERDICTS[verdict]}</tspan>'
    return (
        f'<text class="small" x="{x:.1f}" y="{y:.1f}" font-size="{SMALL}" fill="#59636e" text-anchor="end">'
        f"{mark} {number}<title>{number} {escape(verdict)}</title></text>"
    )


def text_at(x: float, y: float, text: str, kind: str, size: int, colour: str, anchor: str = "start") -> str:
    """Return a line of text."""
    weight = ' font-weight="600"' if kind in ("title", "group-name") else ""
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}"{weight}'
        f' text-anchor="{anchor}">{escape(text)}</text>'
    )
