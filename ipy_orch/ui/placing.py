"""Where a still picture of the lineage has its cards, boxes and arrows: what ``dot`` says, or columns of our own.

``pip`` brings no ``dot``; the columns need nothing. Cards stand after all that they are made from, near their
neighbours, and groups below each other where they share columns, so boxes never overlap. Lengths are pixels, y points
down.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, TypeAlias

from ipy_orch.ui.cards import Edge, Picture

__all__ = ["Box", "Curve", "Placed", "Point", "Size", "by_dot", "in_columns"]

Point: TypeAlias = tuple[float, float]
Size: TypeAlias = tuple[int, int]
Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, width and height."""

LANE: Final = (0, 2)
"""The size of a lane, in which an arrow passes a column."""
MOST_LANES: Final = 6_000
"""Above, arrows pass under the cards."""
COLUMN: Final = 64
"""Between columns."""
ROW: Final = 14
"""Between cards in a column."""
BAND: Final = 18
PADDING: Final = 11
TITLE: Final = 22
"""Of a box, above its cards."""
SWEEPS: Final = 6


@dataclass(frozen=True, slots=True)
class Curve:
    """Be an arrow: a start, then three points for each Bézier curve, and the tip of its head."""

    points: Sequence[Point]
    tip: Point
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """Be where everything is.

    Args:
        cards: number -> its middle.
        boxes: group -> its box.
    """

    width: float
    height: float
    cards: Mapping[int, Point]
    boxes: Mapping[str, Box]
    curves: Sequence[Curve]


# -- what dot says ----------------------------------------------------------------------------------------------------


def by_dot(said: str, shown: Picture) -> Placed:
    """Return what ``dot -Tjson0`` said of the picture's graph, in which card 3 is ``n3`` and group 0 ``cluster_0``."""
    found = json.loads(said)
    width, height = (float(number) for number in found["bb"].split(",")[2:])
    items = found.get("objects", ())
    names = [item["name"] for item in items]
    cards = {int(item["name"][1:]): flipped(item["pos"], height) for item in items if "pos" in item}
    groups = list(shown.groups)
    boxes = {
        groups[int(item["name"].removeprefix("cluster_"))]: box_of(item["bb"], height)
        for item in items
        if item["name"].startswith("cluster_")
    }
    hidden = {(f"n{edge.tail}", f"n{edge.head}") for edge in shown.edges if edge.hidden}
    curves = [
        curve_of(item, height, hidden=(names[item["tail"]], names[item["head"]]) in hidden)
        for item in found.get("edges", ())
    ]
    return Placed(width, height, cards, boxes, curves)


def box_of(said: str, height: float) -> Box:
    """Return a box."""
    left, bottom, right, top = (float(number) for number in said.split(","))
    return left, height - top, right - left, top - bottom


def curve_of(item: Mapping[str, Any], height: float, *, hidden: bool) -> Curve:
    """Return an arrow; where its tip is, is marked."""
    position = item["pos"]
    points = [flipped(word.removeprefix("e,").removeprefix("s,"), height) for word in position.split()]
    return Curve(points[1:], points[0], hidden) if position.startswith("e,") else Curve(points, points[-1], hidden)


def flipped(word: str, height: float) -> Point:
    """Return a point of Graphviz, whose y points up."""
    x, y = word.split(",")
    return float(x), height - float(y)


# -- columns of our own -----------------------------------------------------------------------------------------------

BACK: Final = 7
"""The length of an arrow's head."""


def in_columns(shown: Picture, sizes: Sequence[Size]) -> Placed:
    """Return the picture in columns from left to right, each group in rows of its own.

    Args:
        sizes: width and height of each card.
    """
    net = network(shown, sizes)
    middles: dict[int, Point] = {}
    boxes = {}
    free = dict.fromkeys(net.column, 0.0)
    for group, members in bands(net):
        rows = ordered(members, net, middles)
        over = range(min(rows), max(rows) + 1) if group else rows  # a box covers all columns from its first to its last
        top = max(free[at] for at in over)
        stack(rows, net, top + (TITLE if group else 0), middles)
        cards = [number for number in members if number < net.real]
        if group:
            boxes[group] = around(cards, sizes, middles, top)
        keep_free(free, rows, net, middles, boxes.get(group))
    width = max((middles[number][0] + size[0] / 2 for number, size in enumerate(sizes)), default=0)
    height = max((bottom - BAND for bottom in free.values()), default=0)
    curves = [curve(edge, chain, net, middles) for edge, chain in zip(shown.edges, net.chains, strict=True)]
    return Placed(width + PADDING, height, {number: middles[number] for number in range(net.real)}, boxes, curves)


@dataclass(frozen=True, slots=True)
class Network:
    """Be cards, and a lane in each column that an arrow passes: what stands in the columns.

    Args:
        real: how many cards there are; the lanes have the numbers after theirs.
        band: the group whose rows it stands in.
        chains: of each arrow, what it goes along.
        near: what is before and after each of them in a chain.
        pitch: from one column to the next.
    """

    real: int
    sizes: list[Size]
    column: list[int]
    band: list[str]
    chains: list[list[int]]
    near: list[list[int]]
    pitch: float


def network(shown: Picture, sizes: Sequence[Size]) -> Network:
    """Return cards and lanes, with their columns."""
    column, band = columns(shown), [card.group for card in shown.cards]
    pitch = max((width for width, _ in sizes), default=0) + COLUMN
    net = Network(len(sizes), [*sizes], column, band, [], [], pitch)
    drawn = sum(column[edge.head] - column[edge.tail] for edge in shown.edges) <= MOST_LANES
    for edge in shown.edges:
        first = len(net.column)
        passed = range(net.column[edge.tail] + 1, net.column[edge.head] if drawn else 0)
        net.column.extend(passed)
        net.sizes.extend(LANE for _ in passed)
        net.band.extend(net.band[edge.tail] for _ in passed)
        net.chains.append([edge.tail, *range(first, len(net.column)), edge.head])
    net.near.extend([] for _ in net.column)
    for chain in net.chains:
        for tail, head in pairwise(chain):
            net.near[tail].append(head)
            net.near[head].append(tail)
    return net


def columns(shown: Picture) -> list[int]:
    """Return the column of each card: after all that it is made from (what leads back, between groups, counts not)."""
    found = [0] * len(shown.cards)
    for edge in sorted(shown.edges, key=lambda edge: edge.head):
        if edge.tail < edge.head:
            found[edge.head] = max(found[edge.head], found[edge.tail] + 1)
    return found


def bands(net: Network) -> list[tuple[str, list[int]]]:
    """Return (group, what stands in its rows), those first that are most to the left."""
    found: dict[str, list[int]] = {}
    for number, group in enumerate(net.band):
        found.setdefault(group, []).append(number)
    return sorted(found.items(), key=lambda band: min(net.column[number] for number in band[1]))


def ordered(members: Sequence[int], net: Network, above: Mapping[int, Point]) -> Mapping[int, list[int]]:
    """Return column -> what stands in it, from top to bottom: sweeps of barycentres, there and back."""
    rows: dict[int, list[int]] = {}
    for number in members:
        rows.setdefault(net.column[number], []).append(number)
    # What has been placed stands above: it draws upwards, the higher the more.
    highest = max((y for _, y in above.values()), default=0) + 1
    place = {number: y / highest - 1 for number, (_, y) in above.items()}
    place |= {number: index for row in rows.values() for index, number in enumerate(row)}
    for sweep in range(SWEEPS):
        for at in sorted(rows, reverse=bool(sweep % 2)):
            row = rows[at]
            row.sort(key={number: wish(number, net, place) for number in row}.__getitem__)
            place.update((number, index) for index, number in enumerate(row))
    return rows


def wish(number: int, net: Network, place: Mapping[int, float]) -> float:
    """Return where the neighbours stand, on average."""
    found = [place[other] for other in net.near[number] if other in place]
    return sum(found) / len(found) if found else place[number]


def stack(rows: Mapping[int, Sequence[int]], net: Network, top: float, middles: dict[int, Point]) -> None:
    """Put what stands in a band into its columns, each column in the band's middle."""
    heights = {at: sum(net.sizes[number][1] + ROW for number in row) - ROW for at, row in rows.items()}
    tallest = max(heights.values())
    for at, row in rows.items():
        y = top + (tallest - heights[at]) / 2
        for number in row:
            height = net.sizes[number][1]
            middles[number] = (PADDING + at * net.pitch + (net.pitch - COLUMN) / 2, y + height / 2)
            y += height + ROW


def keep_free(
    free: dict[int, float],
    rows: Mapping[int, Sequence[int]],
    net: Network,
    middles: Mapping[int, Point],
    box: Box | None,
) -> None:
    """Note where the next band may begin in each column: below what stands there, and below the box over it."""
    inside = {net.column[number] for row in rows.values() for number in row if number < net.real}
    for at, row in rows.items():
        free[at] = max(middles[number][1] + net.sizes[number][1] / 2 for number in row) + BAND
    if box:
        for at in range(min(inside), max(inside) + 1):
            free[at] = box[1] + box[3] + BAND


def around(members: Sequence[int], sizes: Sequence[Size], middles: Mapping[int, Point], top: float) -> Box:
    """Return the box around the cards of a group."""
    left = min(middles[number][0] - sizes[number][0] / 2 for number in members) - PADDING
    right = max(middles[number][0] + sizes[number][0] / 2 for number in members) + PADDING
    bottom = max(middles[number][1] + sizes[number][1] / 2 for number in members) + PADDING
    return left, top, right - left, bottom - top


def curve(edge: Edge, chain: Sequence[int], net: Network, middles: Mapping[int, Point]) -> Curve:
    """Return an arrow: from the right of a card along its lanes to the left of another."""
    half = (net.pitch - COLUMN) / 2
    points = [ends(middles[chain[0]], half)[1]]
    for number in chain[1:]:
        left, right = ends(middles[number], half)
        end = left if number != chain[-1] else (left[0] - BACK, left[1])
        bend = max(COLUMN, abs(end[0] - points[-1][0])) / 2
        points += [(points[-1][0] + bend, points[-1][1]), (end[0] - bend, end[1]), end]
        if number != chain[-1]:
            points += [end, right, right]
    return Curve(points, ends(middles[chain[-1]], half)[0], edge.hidden)


def ends(middle: Point, half: float) -> tuple[Point, Point]:
    """Return the left and the right end of what stands there."""
    return (middle[0] - half, middle[1]), (middle[0] + half, middle[1])
