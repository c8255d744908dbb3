"""What a picture of the lineage shows: a card for each asset, or for each group where there are too many, and edges.

Whatever a person named enters as :func:`plain` text; the forms (DOT, SVG, text) escape it once more in their own way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from ipy_orch.model.keys import AssetCheckKey, AssetKey
from ipy_orch.model.specs import DEFAULT_GROUP
from ipy_orch.planning.graph import AssetGraph
from ipy_orch.planning.staleness import Status

__all__ = ["Card", "Edge", "Picture", "Statuses", "Verdicts", "picture", "plain", "shortened"]

Statuses: TypeAlias = Mapping[AssetKey, Status]
Verdicts: TypeAlias = Mapping[AssetCheckKey, "str | bool"]

MOST_ASSETS: Final = 300
"""Above this many assets the picture shows groups."""

SIGNS: Final = {"fresh": "●", "stale": "▲", "missing": "○", "failed": "✗", "evicted": "◌", "external": "◇", "": "·"}
WORST_FIRST: Final = ("failed", "stale", "missing", "evicted", "fresh", "external")
VERDICTS: Final = {"passed": "✓", "warned": "!", "failed": "✗", "not run": "?"}


@dataclass(frozen=True, slots=True)
class Card:
    """Be what the picture says of an asset, or of a group of them.

    Args:
        title: the key, spelled ``a/b``.
        word: the status.
        reason: why it has that status.
        group: "" where no box is drawn around it.
        checks: how many of them passed, warned, failed, were not run; only what isn't zero.
    """

    title: str
    word: str = ""
    reason: str = ""
    group: str = ""
    kinds: tuple[str, ...] = ()
    checks: tuple[tuple[str, int], ...] = ()

    @property
    def sign(self) -> str:
        """Return the status as one character."""
        return SIGNS.get(self.word, SIGNS[""])

    @property
    def status(self) -> str:
        """Return the status in words."""
        return f"{self.word}: {self.reason}" if self.reason and self.word else self.word or self.reason

    @property
    def checks_text(self) -> str:
        """Return the checks as signs and numbers."""
        return "  ".join(f"{VERDICTS[verdict]} {number}" for verdict, number in self.checks)


@dataclass(frozen=True, slots=True)
class Edge:
    """Lead from card to card; ``hidden`` when it goes through assets that aren't shown."""

    tail: int
    head: int
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """Be what is shown: cards in order of lineage, and edges between their numbers."""

    cards: tuple[Card, ...]
    edges: tuple[Edge, ...]
    title: str = "lineage"

    @property
    def groups(self) -> Mapping[str, Sequence[int]]:
        """Return group -> numbers of its cards, of the groups that get a box."""
        found: dict[str, list[int]] = {}
        for number, card in enumerate(self.cards):
            if card.group:
                found.setdefault(card.group, []).append(number)
        return found


def picture(
    graph: AssetGraph,
    status: Statuses | None = None,
    checks: Verdicts | None = None,
    selection: Iterable[AssetKey] | None = None,
) -> Picture:
    """Return the cards and edges of the assets selected, or of their groups where there are too many."""
    keys = graph.keys if selection is None else tuple(graph.in_order(set(selection)))
    cards = {key: card_of(graph, key, (status or {}).get(key), checks or {}) for key in keys}
    edges = list(links(graph, keys))
    title = heading(cards.values())
    if len(cards) > MOST_ASSETS:
        return folded(cards, edges, f"{title}, by group")
    numbers = {key: number for number, key in enumerate(keys)}
    drawn = tuple(Edge(numbers[tail], numbers[head], hidden) for tail, head, hidden in edges)
    return Picture(tuple(boxed(cards.values())), drawn, title)


def card_of(graph: AssetGraph, key: AssetKey, status: Status | None, checks: Verdicts) -> Card:
    """Return the card of one asset."""
    spec = graph.spec(key)
    if status is None:
        status = Status("" if graph.maker(key).is_materializable else "external")
    count = Counter(verdict_word(checks.get(check)) for check in graph.checks_of.get(key, ()))
    return Card(
        plain(key.label),
        plain(status.word),
        plain(status.reason),
        plain(spec.group_name or DEFAULT_GROUP),
        tuple(map(plain, graph.kinds(key))),
        tuple((verdict, count[verdict]) for verdict in VERDICTS if count[verdict]),
    )


def verdict_word(verdict: str | bool | None) -> str:
    """Return a verdict as a word."""
    if isinstance(verdict, bool):
        return "passed" if verdict else "failed"
    return verdict if verdict in VERDICTS and verdict is not None else "not run"


def links(graph: AssetGraph, keys: Sequence[AssetKey]) -> Iterator[tuple[AssetKey, AssetKey, bool]]:
    """Yield (upstream, downstream, whether it goes through assets that aren't shown)."""
    shown = set(keys)
    behind: dict[AssetKey, frozenset[AssetKey]] = {}
    for key, deps in graph.upstream.items():
        direct = deps & shown
        through = frozenset(far for dep in deps - shown for far in behind[dep]) - direct
        if key in shown:
            yield from ((dep, key, False) for dep in sorted(direct))
            yield from ((dep, key, True) for dep in sorted(through))
        else:
            behind[key] = direct | through


def boxed(cards: Iterable[Card]) -> Iterator[Card]:
    """Yield the cards, without a group where a box would say nothing."""
    cards = list(cards)
    only_default = {card.group for card in cards} <= {DEFAULT_GROUP}
    for card in cards:
        yield replace(card, group="") if only_default or card.group == DEFAULT_GROUP else card


def folded(cards: Mapping[AssetKey, Card], edges: Iterable[tuple[AssetKey, AssetKey, bool]], title: str) -> Picture:
    """Return a picture with a card for each group."""
    members: dict[str, list[Card]] = {}
    for card in cards.values():
        members.setdefault(card.group, []).append(card)
    numbers = {group: number for number, group in enumerate(members)}
    pairs = {(numbers[cards[tail].group], numbers[cards[head].group]) for tail, head, _ in edges}
    drawn = tuple(Edge(tail, head) for tail, head in sorted(pairs) if tail != head)
    return Picture(tuple(group_card(group, inside) for group, inside in members.items()), drawn, title)


def group_card(group: str, cards: Sequence[Card]) -> Card:
    """Return the card of a group: the worst status in it, and how many have each."""
    words = Counter(card.word for card in cards)
    worst = next((word for word in WORST_FIRST if words[word]), "")
    checks = Counter[str]()
    for card in cards:
        checks.update(dict(card.checks))
    return Card(
        f"{group} ({len(cards)} {'asset' if len(cards) == 1 else 'assets'})",
        worst,
        counted(words) if worst and len(words) > 1 else "",
        checks=tuple((verdict, checks[verdict]) for verdict in VERDICTS if checks[verdict]),
    )


def heading(cards: Iterable[Card]) -> str:
    """Return how many assets there are, and how many of each status."""
    words = Counter(card.word for card in cards)
    number = f"{words.total():,} {'asset' if words.total() == 1 else 'assets'}"
    return f"{number}: {counted(words)}" if any(words) else number


def counted(words: Mapping[str, int]) -> str:
    """Return the words with their numbers, the worst first.

    >>> counted({"fresh": 3, "stale": 1})
    '1 stale, 3 fresh'
    """
    order = [*WORST_FIRST, *sorted(set(words) - set(WORST_FIRST) - {""})]
    return ", ".join(f"{words[word]:,} {word}" for word in order if words.get(word))


def plain(text: str) -> str:
    r"""Return the text on one line, with a dot for each character that isn't printable (ANSI escapes, bidi marks ...).

    >>> plain("a\n\x1b[31mred")
    'a ·[31mred'
    """
    return "".join(char if char.isprintable() else " " if char.isspace() else "·" for char in text)


def shortened(text: str, width: int) -> str:
    """Return at most ``width`` characters, the middle left out: names differ at both ends.

    >>> shortened("delays_by_carrier_and_month", 15)
    'delays_…d_month'
    """
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[-tail:]}"
