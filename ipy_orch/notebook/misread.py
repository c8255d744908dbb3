"""What argparse says of a magic's line, in our words: what is wrong, what was meant, where to read on."""

from __future__ import annotations

import re
from argparse import Action, ArgumentParser
from typing import Final

from ipy_orch.errors import closest

__all__ = ["misread"]

UNKNOWN: Final = re.compile(r"unrecognized arguments: (.*)", re.DOTALL)
MISSING: Final = re.compile(r"the following arguments are required: (.*)")
CHOICE: Final = re.compile(r"argument (\S+): invalid choice: '([^']*)'")


def misread(said: str, parser: ArgumentParser) -> str:
    """Return what is wrong with a line, and what to type instead.

    >>> parser = ArgumentParser("why")
    >>> _ = parser.add_argument("asset")
    >>> misread("the following arguments are required: asset", parser)
    '`%why` needs more: asset (`%why ASSET`; `%why?` says more)'
    """
    actions = parser._actions  # noqa: SLF001 - argparse has no other way to ask
    more = f"`%{parser.prog}?` says more"
    if found := UNKNOWN.match(said):
        what, near = unknown(found[1].split(), actions)
        return f"`%{parser.prog}` {what} ({near}; {more})" if near else f"`%{parser.prog}` {what} ({more})"
    if found := MISSING.match(said):
        typed = " ".join(one.strip().upper() for one in found[1].split(","))
        return f"`%{parser.prog}` needs more: {found[1]} (`%{parser.prog} {typed}`; {more})"
    if found := CHOICE.match(said):
        choices = [*map(str, choices_of(found[1], actions))]
        near = closest(found[2], choices) or more
        return f"`%{parser.prog}` takes {', '.join(choices)} here, not `{found[2]}` ({near})"
    return f"`%{parser.prog}`: {said} ({more})"


def unknown(words: list[str], actions: list[Action]) -> tuple[str, str]:
    """Return which words mean nothing here, and the nearest option to the first of them."""
    options = [option for one in actions for option in one.option_strings]
    if words and words[0].startswith("-"):
        name = words[0].partition("=")[0]
        return f"has no option `{name}`", closest(name, options)
    return f"takes no more than that: `{' '.join(words)}` is too much", ""


def choices_of(name: str, actions: list[Action]) -> list[str]:
    """Return what an argument can be."""
    named = [one for one in actions if name in (one.dest, one.metavar, "/".join(one.option_strings))]
    return [choice for one in named for choice in one.choices or ()]
