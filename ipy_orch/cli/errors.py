"""What the shell says when something is wrong: one message, a hint, an exit code, and no frame of ours.

0 is good; 1: a cell, a step or a check failed; 2: what was asked for can't be done; 130: interrupted.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from typing import IO, Any, Final

import click

from ipy_orch.errors import DagsterError, DagsterExecutionInterruptedError, closest

__all__ = ["FAILED", "INTERRUPTED", "REFUSED", "Door", "Refused", "in_shell", "note_source"]

FAILED: Final = 1
REFUSED: Final = 2
INTERRUPTED: Final = 130
JSON: Final = "ipy_orch.json"
DEBUG: Final = "ipy_orch.debug"
SOURCE: Final = "ipy_orch.source"
#: magics in the hints of lower floors, and the commands that do the same
COMMANDS: Final = {"assets": "list", "checks": "list", "materialize": "materialize", "why": "why", "lineage": "lineage"}
ABOUT: Final = re.compile(r"`ipy-orch (list|plan|materialize|check|why|lineage)(?! -m | \S+\.(?:ipynb|py)\b)")
BACKFILL: Final = re.compile(r"`?%backfill ([\w/.-]+)`?")


def note_source(words: str) -> None:
    """Note what a command is about, as it was named: hints name it, too, so that they can be pasted."""
    if (context := click.get_current_context(silent=True)) is not None:
        context.meta[SOURCE] = words


def in_shell(text: str) -> str:
    """Return a hint in which magics are commands.

    >>> in_shell("`%assets` lists them"), in_shell("`%materialize orders`")
    ('`ipy-orch list` lists them', '`ipy-orch materialize orders`')
    """
    text = text.replace(" and `%forget` it", "")  # a shell remembers no definitions
    text = BACKFILL.sub(r"`%materialize \1 --partition FIRST..LAST`", text)
    text = re.sub(r"%(\w+)", lambda found: f"ipy-orch {COMMANDS[found[1]]}" if found[1] in COMMANDS else found[0], text)
    context = click.get_current_context(silent=True)
    source = f" {context.meta[SOURCE]}" if context is not None and context.meta.get(SOURCE) else ""
    return ABOUT.sub(lambda found: f"{found[0]}{source}", text)


class Refused(click.ClickException):
    """Tell what is wrong with a request."""

    exit_code = REFUSED

    def __init__(self, message: str, where: str = "", hint: str = "") -> None:
        self.where, self.hint = where, in_shell(hint)
        lines = [message, f"  where: {where}" if where else "", f"  hint: {self.hint}" if hint else ""]
        super().__init__("\n".join(line for line in lines if line))
        self.told = {"message": message, "where": where, "hint": self.hint}

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002 - click's argument
        """Print it."""
        from ipy_orch.cli.printing import say

        head, *rest = self.format_message().splitlines()
        say(f"Error: {head}", "bold red", stderr=True)
        for line in rest:
            say(line, stderr=True)


class Interrupted(click.ClickException):
    """Tell that a person ended it."""

    exit_code = INTERRUPTED

    def __init__(self) -> None:
        super().__init__("interrupted: nothing half done is stored")


def shown(error: Exception) -> click.ClickException:
    """Return what to say of an exception: ours are messages, another one is a bug."""
    if isinstance(error, DagsterError):
        return Refused(error.message, error.where, error.hint)
    from ipy_orch.model.env import redact
    from ipy_orch.session.modules import place_of

    told = redact(f"{type(error).__name__}: {error}".splitlines()[0])
    if place := place_of(error):  # the user's code, outside of any step
        return Refused(told, where=place, hint="`--debug` shows the traceback")
    if isinstance(error, OSError) and error.filename is not None:
        return Refused(f"`{error.filename}`: {(error.strerror or told).lower()}")
    return Refused(f"ipy_orch itself failed: {told}", hint="`--debug` shows where; please report it")


class Door(click.Group):
    """Call commands, and turn what they raise into a message and an exit code."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Be the process; when interrupted, don't wait for what runs on other threads: nothing of it would be stored.

        Raises:
            SystemExit: with the exit code.
        """
        try:
            return super().main(*args, **extra)
        except SystemExit as end:
            if end.code == INTERRUPTED and threading.active_count() > 1:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(INTERRUPTED)
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Call a command.

        Raises:
            click.ClickException: in the place of what is wrong.
        """
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort):
            raise
        except (KeyboardInterrupt, DagsterExecutionInterruptedError):
            told: click.ClickException = Interrupted()
        except click.ClickException as error:
            told = error
        except Exception as error:
            if ctx.meta.get(DEBUG) or isinstance(error, BrokenPipeError):
                raise
            told = shown(error)
        if ctx.meta.get(JSON):
            from ipy_orch.cli.printing import show_json

            show_json({"error": told.told if isinstance(told, Refused) else {"message": told.format_message()}})
        raise told

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Return the command of a name.

        Raises:
            Refused: when there's none, with the closest.
        """
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            hint = closest(args[0], self.commands) or "`ipy-orch --help` lists them"
            raise Refused(f"there is no command `{args[0]}`", hint=hint)
        return super().resolve_command(ctx, args)
