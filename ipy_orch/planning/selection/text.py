r"""Selections as text. Here text becomes a tree; meaning.py gives the tree its meaning.

| text | selects |
|---|---|
| ``*`` | everything |
| ``orders``, ``sales/orders``, ``key:"x y"`` | one asset |
| ``key:sales*``, ``sales/*`` | the assets whose key fits, ``*`` standing for anything |
| ``group:ingest``, ``kind:duckdb``, ``owner:team:data``, ``tag:k=v``, ``tag:k`` | what people said of them |
| ``is:external``, ``is:materializable``, ``key_prefix:a/b``, ``key_substring:ord`` | what they are and are called |
| ``check:orders:not_empty``, ``check:*`` | a check alone, all checks alone |
| ``+orders``, ``orders+``, ``++orders`` | with one layer upstream, downstream; with two |
| ``*orders``, ``orders*`` | with all that is upstream, downstream |
| ``2+orders``, ``orders+3`` | with so many layers |
| ``+key:orders``, ``+(a or b)``, ``roots(a)+`` | ``+`` on anything but a bare name: all the way |
| ``roots(...)``, ``sinks(...)`` | the first, the last of a selection |
| ``a or b``, ``a, b``, ``a b`` | either |
| ``a and b``, ``not a``, ``(...)`` | as they read |

Commas, spaces, quoted bare names, ``check:``, ``key_prefix:`` and bare names beside operators are ours. The rest is
Dagster's syntax with Dagster's meaning, also where a bare ``+orders`` is one layer and ``+key:orders`` is all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from ipy_orch.errors import DagsterInvalidAssetSelectionError, closest

__all__ = [
    "NOTHING",
    "Attribute",
    "Both",
    "Call",
    "Downstream",
    "Either",
    "Everything",
    "Name",
    "Node",
    "Not",
    "Upstream",
    "parse",
    "quoted",
]

ATTRIBUTES = ("key", "group", "kind", "owner", "tag", "is", "check", "key_prefix", "key_substring")
FUNCTIONS = ("roots", "sinks", "materializable", "required_multi_asset_neighbors", "upstream_source_assets")
NULLABLE = ("group", "kind", "owner")
SORTS = ("external", "materializable")
MAX_NESTING = 50
NOTHING = "not *"

_SPACE = re.compile(r"\s*")
_AND, _OR, _NOT = (re.compile(rf"(?:{word}|{word.upper()})(?![\w./:\[\]?*-])") for word in ("and", "or", "not"))
_COMMA, _OPEN, _CLOSE, _EQUALS = (re.compile(re.escape(sign)) for sign in ",()=")
_UP = re.compile(r"(?:(?P<layers>\d+)\+|(?P<plus>\++))(?=[\w\"'(*/.\[])")
_DOWN = re.compile(r"\+(?P<layers>\d+)(?!\w)|(?P<plus>\++)")
_ATTRIBUTE = re.compile(r"([A-Za-z_]+):")
_CALL = re.compile(r"([A-Za-z_]\w*)\s*(?=\()")
_BARE = re.compile(r"[\w*/.\[][\w*/.\[\]?-]*")
_OPERAND = re.compile(r"[\w*/.\[(\"']")
_NULL = re.compile(r"<null>")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", re.DOTALL)
_VALUE = re.compile(r"[^\s()\"',=+<>]+")


@dataclass(frozen=True, slots=True)
class Everything:
    """Be ``*``."""


@dataclass(frozen=True, slots=True)
class Name:
    """Be a key without ``key:``; a ``*`` in it stands for anything."""

    text: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """Be ``name:value``, or ``tag:value=extra``; a value of None is ``<null>``."""

    name: str
    value: str | None
    extra: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """Be ``function(argument)``."""

    function: str
    argument: Node


@dataclass(frozen=True, slots=True)
class Upstream:
    """Be ``+node`` or ``2+node``; a depth of None is all the way."""

    node: Node
    depth: int | None


@dataclass(frozen=True, slots=True)
class Downstream:
    """Be ``node+`` or ``node+2``; a depth of None is all the way."""

    node: Node
    depth: int | None


@dataclass(frozen=True, slots=True)
class Not:
    """Be ``not node``."""

    node: Node


@dataclass(frozen=True, slots=True)
class Both:
    """Be ``a and b``."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Be ``a or b``."""

    nodes: tuple[Node, ...]


Node: TypeAlias = Everything | Name | Attribute | Call | Upstream | Downstream | Not | Both | Either


def parse(text: str) -> Node:
    """Return the tree of a selection.

    Raises:
        DagsterInvalidAssetSelectionError: when it can't be read; a caret shows where.

    >>> parse("2+orders")
    Upstream(node=Name(text='orders'), depth=2)
    """
    return Parser(text).parse()


def quoted(value: str | None) -> str:
    r"""Return a value as :func:`parse` reads it, ``<null>`` for None.

    >>> print(quoted('say "hi"'))
    "say \"hi\""
    """
    if value is None:
        return "<null>"
    return '"{}"'.format(value.replace("\\", "\\\\").replace('"', '\\"'))


class Parser:
    """Read a selection by recursive descent, without tokens: what ``+`` and ``:`` mean depends on what they touch."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.nesting = 0

    def parse(self) -> Node:
        """Return the tree of the whole text."""
        self.skip_space()
        if self.at_end:
            raise self.error("it's empty", hint="`*` selects everything")
        node = self.either()
        if not self.at_end:
            raise self.unexpected()
        return node

    # -- the grammar, loosest first -----------------------------------------------------------------------------------

    def either(self) -> Node:
        """Read ``a or b``, ``a, b`` or ``a b``."""
        nodes = [self.both()]
        while self.take(_OR) or self.take(_COMMA) or self.next_is_apart():
            nodes.append(self.both())
        return nodes[0] if len(nodes) == 1 else Either(tuple(nodes))

    def both(self) -> Node:
        """Read ``a and b``."""
        nodes = [self.negated()]
        while self.take(_AND):
            nodes.append(self.negated())
        return nodes[0] if len(nodes) == 1 else Both(tuple(nodes))

    def negated(self) -> Node:
        """Read ``not a``."""
        if not self.take(_NOT):
            return self.traversed()
        self.enter()
        node = Not(self.negated())
        self.nesting -= 1
        return node

    def traversed(self) -> Node:
        """Read ``+a``, ``a+``, ``2+a+3``; only what touches the operand belongs to it."""
        self.skip_space()
        before = self.touching(_UP)
        operand = self.operand()
        after = self.touching(_DOWN)
        stars, node = bare(operand)
        found: list[Node] = []
        if before or "up" in stars:
            found.append(Upstream(node, layers(before, node) if before else None))
        if after or "down" in stars:
            found.append(Downstream(node, layers(after, node) if after else None))
        return Either(tuple(found)) if len(found) > 1 else found[0] if found else node

    def operand(self) -> Node:
        """Read what stands between operators."""
        if self.touching(_OPEN):
            return self.enclosed()
        if attribute := self.touching(_ATTRIBUTE):
            return self.attribute(attribute)
        if (call := _CALL.match(self.text, self.at)) and self.calls(call):
            return self.call(call)
        if (text := self.string()) is not None:
            return Attribute("key", text)
        if self.peek(_AND) or self.peek(_OR) or self.peek(_NOT) or not (name := self.touching(_BARE)):
            raise self.unexpected()
        return Everything() if name.group() == "*" else Name(name.group())

    def enclosed(self) -> Node:
        """Read up to the closing parenthesis."""
        opened = self.at - 1
        self.enter()
        node = self.either()
        if not self.take(_CLOSE):
            raise self.unexpected() if not self.at_end else self.error("this parenthesis isn't closed", at=opened)
        self.nesting -= 1
        return node

    def calls(self, call: re.Match[str]) -> bool:
        """Tell whether a word before a parenthesis is a function, and not a name that stands apart."""
        touches, word = call.end() == call.end(1), call.group(1)
        return word in FUNCTIONS or (touches and word.lower() not in ("and", "or", "not"))

    def call(self, call: re.Match[str]) -> Node:
        """Read ``function(...)``."""
        function = call.group(1)
        if function not in FUNCTIONS:
            hint = closest(function, FUNCTIONS) or f"there are {', '.join(f'`{name}(...)`' for name in FUNCTIONS)}"
            raise self.error(f"there is no function `{function}`", hint=hint)
        self.at = call.end()
        self.take(_OPEN)
        return Call(function, self.enclosed())

    def attribute(self, attribute: re.Match[str]) -> Node:
        """Read the value of ``name:``."""
        name = attribute.group(1)
        if name not in ATTRIBUTES:
            near = closest(name, ATTRIBUTES, offer="did you mean `{}:`?")
            known = f"a check is `check:{name}:...`; there are {', '.join(f'`{one}:`' for one in ATTRIBUTES)}"
            raise self.error(f"there is no attribute `{name}:`", at=attribute.start(), hint=near or known)
        value = self.value(attribute.group())
        if value is None and name not in NULLABLE:
            raise self.error(f"`{name}:` can't be `<null>`", at=attribute.end())
        if name == "is" and value not in SORTS:
            raise self.error(
                f"an asset can't be `{value}`", at=attribute.end(), hint="`is:external` or `is:materializable`"
            )
        extra = self.value(f"{name}:{value}=") if name == "tag" and self.touching(_EQUALS) else None
        return Attribute(name, value, extra)

    def value(self, after: str) -> str | None:
        """Read a quoted or plain value, None for ``<null>``."""
        self.skip_space()
        if self.touching(_NULL):
            return None
        if (text := self.string()) is not None:
            return text
        if self.peek(_AND) or self.peek(_OR) or not (plain := self.touching(_VALUE)):
            raise self.error(f"a value is missing after `{after}`", hint='quote what isn\'t a plain word: `key:"a b"`')
        return plain.group()

    def string(self) -> str | None:
        """Read a quoted string."""
        found = self.touching(_QUOTED)
        if found:
            return re.sub(r"\\(.)", r"\1", found.group()[1:-1], flags=re.DOTALL)
        if self.text[self.at : self.at + 1] in ("'", '"'):
            raise self.error("this quote isn't closed")
        return None

    # -- the text -----------------------------------------------------------------------------------------------------

    @property
    def at_end(self) -> bool:
        """Tell whether nothing is left."""
        return self.at >= len(self.text)

    def skip_space(self) -> None:
        """Go to the next character that isn't blank."""
        if found := _SPACE.match(self.text, self.at):
            self.at = found.end()

    def peek(self, pattern: re.Pattern[str]) -> bool:
        """Tell whether ``pattern`` is next."""
        return pattern.match(self.text, self.at) is not None

    def touching(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Take ``pattern`` if it's right here."""
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Take ``pattern`` if it's next, blanks aside."""
        back = self.at
        self.skip_space()
        found = self.touching(pattern)
        if not found:
            self.at = back
        return found

    def next_is_apart(self) -> bool:
        """Tell whether another operand follows after a blank, which reads as ``or``."""
        start = self.at
        self.skip_space()
        return self.at > start and (self.peek(_UP) or self.peek(_OPERAND))

    def enter(self) -> None:
        """Count a level of nesting.

        Raises:
            DagsterInvalidAssetSelectionError: when there are too many for the interpreter's stack.
        """
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.error(f"it's nested more than {MAX_NESTING} levels deep")

    def unexpected(self) -> DagsterInvalidAssetSelectionError:
        """Return the error for what can't stand here."""
        self.skip_space()
        if self.at_end:
            return self.error("it ends where a name is missing", hint="a name, `key:...`, `group:...` or `( ... )`")
        word = _BARE.match(self.text, self.at)
        found = word.group() if word else self.text[self.at]
        hint = "" if found == ")" and self.nesting else HINTS.get(found, "")
        if word and self.text[self.at - 1 : self.at] == "+":
            hint = HINTS["+"]
        return self.error(f"`{shown(found)}` can't stand here", hint=hint)

    def error(self, what: str, *, at: int | None = None, hint: str = "") -> DagsterInvalidAssetSelectionError:
        """Return an error with a caret under the position."""
        column = self.at if at is None else at
        return DagsterInvalidAssetSelectionError(
            f"can't read this selection: {what}\n    {shown(self.text)}\n    {' ' * column}^", hint=hint
        )


HINTS = {
    "+": "`+` touches what it belongs to: `+a` is upstream, `a+` is downstream, `a or b` is both assets",
    "-": '`a and not b` leaves out `b`; quote a name that begins with a dash: `key:"-a"`',
    "!": "write `not`",
    "~": "write `not`",
    "&": "write `and`",
    "|": "write `or`",
    ")": "no parenthesis is open here",
    ":": 'quote a name with a colon: `key:"a:b"`',
}


def bare(operand: Node) -> tuple[set[str], Node]:
    """Return which stars around a bare name mean "all the way", and the name without them.

    >>> bare(Name("*orders"))
    ({'up'}, Name(text='orders'))
    >>> bare(Name("sales/*"))
    (set(), Name(text='sales/*'))
    """
    if not isinstance(operand, Name):
        return set(), operand
    core = operand.text.removeprefix("*").removesuffix("*")
    if not core or "*" in core or core[0] == "/" or core[-1] == "/":
        return set(), operand
    ends = {"up": operand.text[0] == "*", "down": operand.text[-1] == "*"}
    return {end for end, starred in ends.items() if starred}, Name(core)


def layers(sign: re.Match[str], node: Node) -> int | None:
    """Return how many layers a ``+`` takes: those said, one for each sign on a bare name, else all of them."""
    if sign["layers"] is not None:
        return int(sign["layers"])
    return None if len(sign["plus"]) == 1 and not isinstance(node, Name) else len(sign["plus"])


def shown(text: str) -> str:
    """Return the text on one line and without control characters, each character in its place."""
    return "".join(char if char.isprintable() else " " if char.isspace() else "·" for char in text)
