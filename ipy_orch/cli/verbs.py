"""The commands that ask a session: list, plan, materialize, check, why, lineage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from ipy_orch.cli.errors import FAILED, Refused, in_shell
from ipy_orch.cli.running import refuse_place
from ipy_orch.cli.sources import Source, find_source, opened, sourced

__all__ = ["check", "lineage", "listing", "materialize", "plan", "why"]

F = TypeVar("F", bound=Callable[..., Any])

FORMATS: Final = ("svg", "html", "dot", "text")


def requested(command: F) -> F:
    """Give a command the options of a request."""
    options = [
        click.option("--force", is_flag=True, help="Run what is selected although it is fresh."),
        click.option("--config", metavar="YAML", help="Run config: YAML or a file of it."),
        click.option("--env", metavar="NAME", help="The environment whose resources are used."),
        click.option("--partition", metavar="KEY", help="Partitions of what is partitioned: a key, `a..b`, `last`."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


workers_option = click.option("--workers", type=click.IntRange(min=1), metavar="N", help="How many steps run at once.")


def selected(words: Sequence[str]) -> str | None:
    """Return the selection that words make: several names are a union.

    >>> selected(["orders", "raw+"]), selected(["group:x", "and", "kind:y"]), selected([])
    ('orders or raw+', 'group:x and kind:y', None)
    """
    from ipy_orch.export.written import words as joined

    return joined(" ".join(words)) if words else None


def given(**options: Any) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value not in (None, False)}


def answer(source: Source, verb: str, *, as_json: bool, workers: int | None = None, **options: Any) -> dict[str, Any]:
    """Return the answer of a source's session, with progress where a person looks at it."""
    from ipy_orch.cli.progress import Progress

    with Progress(stderr=as_json) as progress, opened(source, progress) as ask:
        told = ask(verb, **given(workers=workers, **options))
    told["told"] = [*dict.fromkeys(progress.told)]
    return told


def show_notices(told: Mapping[str, Any]) -> None:
    """Print what a person should know besides."""
    from ipy_orch.cli.printing import say

    for notice in told.get("notices", ()):
        say(f"note: {notice}", "yellow", stderr=True)


def finish(told: dict[str, Any], *, as_json: bool, show: Callable[[dict[str, Any]], None]) -> None:
    """Print an answer, as JSON or for people, and its notices."""
    from ipy_orch.cli.printing import show_json

    seen = told.pop("told")
    if as_json:
        show_json(told)
    else:
        show({**told, "told": seen})
        show_notices(told)


# -- reading ----------------------------------------------------------------------------------------------------------


@click.command("list", short_help="List what there is, and how it stands.")
@sourced()
def listing(words: tuple[str, ...], module: str | None, store: Path | None, kernel: str | None, as_json: bool) -> None:
    """List assets, checks, jobs, schedules and sensors, and how they stand. Nothing is materialized.

    \b
    Examples:
        ipy-orch list                       what the project of this folder has
        ipy-orch list etl.ipynb             a notebook's; its plain cells run, in a kernel of its own
        ipy-orch list -m shop.definitions --json
    """
    source, rest = find_source(words, module, store, kernel)
    finish(answer(source, "list", as_json=as_json, selection=selected(rest)), as_json=as_json, show=show_list)


def show_list(told: Mapping[str, Any]) -> None:
    """Print the tables of what there is."""
    from ipy_orch.cli.printing import counted, heading, show_rows

    words = Counter(row["status"] for row in told["assets"])
    heading("Assets", ", ".join(f"{number} {word}" for word, number in words.items()) or "none")
    show_rows("assets", told["assets"])
    for kind in ("checks", "jobs", "automations"):
        if told[kind]:
            heading(kind.capitalize(), counted(len(told[kind]), kind.removesuffix("s")))
            show_rows(kind, told[kind])


@click.command(short_help="Say what `materialize` would run, and why.")
@sourced()
@requested
def plan(
    words: tuple[str, ...],
    module: str | None,
    store: Path | None,
    kernel: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Say what `materialize` would run, and why. Nothing is materialized.

    SELECTION is as in `ipy-orch materialize --help`.

    \b
    Examples:
        ipy-orch plan                       everything that isn't fresh
        ipy-orch plan etl.ipynb daily+      one asset and all that reads it
    """
    source, rest = find_source(words, module, store, kernel)
    told = answer(source, "plan", as_json=as_json, selection=selected(rest), **options)
    finish(told, as_json=as_json, show=show_plan)


def show_plan(told: Mapping[str, Any]) -> None:
    """Print the steps of a plan with their reasons."""
    from ipy_orch.cli.printing import counted, heading, say, show_rows

    if not told["steps"]:
        say(f"nothing to do: {counted(len(told['fresh']), 'asset')} fresh")
        return
    heading("Plan", counted(len(told["steps"]), "step") + (f", {len(told['fresh'])} fresh" if told["fresh"] else ""))
    show_rows("steps", told["steps"])


@click.command(short_help="Say why an asset is stale.")
@sourced("ASSET")
def why(words: tuple[str, ...], module: str | None, store: Path | None, kernel: str | None, as_json: bool) -> None:
    """Say what has changed since the value of ASSET was made. Nothing is materialized.

    \b
    Examples:
        ipy-orch why daily
        ipy-orch why etl.ipynb daily --json
    """
    source, rest = find_source(words, module, store, kernel)
    if len(rest) != 1:
        told = "name the asset" if not rest else f"name one asset, not {len(rest)}"
        raise click.UsageError(f"{told}: `ipy-orch why ASSET`.")
    finish(answer(source, "why", as_json=as_json, asset=rest[0]), as_json=as_json, show=show_why)


def show_why(told: Mapping[str, Any]) -> None:
    """Print why an asset stands as it does."""
    from rich.text import Text

    from ipy_orch.cli.printing import STYLES, say

    reason = f": {told['reason']}" if told["reason"] else ""
    say(Text.assemble((told["asset"], "bold"), " is ", (told["status"], STYLES.get(told["status"], "")), reason))
    for change in told["changes"]:
        say(f"  {change['kind']} {change['name']}".rstrip())
        for line in change["lines"]:
            say(f"    {line}", {"-": "red", "+": "green"}.get(line[:1], ""))
    for one in told["upstream"]:
        say(f"  because {one}")
    if told["status"] not in ("fresh", "external"):
        which = f" --partition {told['partition']}" if told["partition"] is not None else ""
        hint = in_shell(f"`%materialize {told['asset']}{which}`")
        say(f"  hint: {hint}", "dim")


@click.command(short_help="Draw the lineage.")
@sourced()
@click.option(
    "-o", "--output", metavar="FORMAT|FILE", help="svg, html, dot or text, or a file that ends so.  [default: text]"
)
def lineage(
    words: tuple[str, ...],
    module: str | None,
    store: Path | None,
    kernel: str | None,
    as_json: bool,
    output: str | None,
) -> None:
    """Draw the lineage with the status of each asset: as text, or as a picture for a page. Nothing is materialized.

    \b
    Examples:
        ipy-orch lineage                    a text tree
        ipy-orch lineage -o lineage.html    a page of its own
        ipy-orch lineage daily -o svg > daily.svg
    """
    source, rest = find_source(words, module, store, kernel)
    form, file = form_of(output)
    told = answer(source, "lineage", as_json=as_json, selection=selected(rest), form="svg" if form == "html" else form)
    drawn = told["picture"]
    if form == "html":
        drawn = page(source.location.label, drawn)
    told["picture"] = drawn
    finish(told, as_json=as_json, show=lambda _: put(drawn, file))


def form_of(output: str | None) -> tuple[str, Path | None]:
    """Return the format that is asked for, and the file to write, if any.

    Raises:
        Refused: for a format that there isn't.
    """
    if output is None or output in FORMATS:
        return output or "text", None
    file = Path(output).expanduser()
    form = {".txt": "text"}.get(file.suffix, file.suffix.removeprefix("."))
    if form not in FORMATS:
        raise Refused(
            f"`{output}` is no format that a lineage is drawn in",
            hint=f"one of {', '.join(FORMATS)}, or a file that ends so",
        )
    refuse_place(file)
    return form, file


def page(title: str, svg: str) -> str:
    """Return a page with a picture; it fetches nothing and runs nothing."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{escape(title)}</title>\n</head>\n<body>\n{svg}\n</body>\n</html>\n"
    )


def put(drawn: str, file: Path | None) -> None:
    """Print a picture, or write it."""
    from ipy_orch.cli.printing import say

    if file is None:
        click.echo(drawn)
    else:
        file.write_text(drawn, encoding="utf-8")
        say(f"written: {file}")


# -- running ----------------------------------------------------------------------------------------------------------


@click.command(short_help="Bring assets up to date.")
@sourced()
@requested
@workers_option
def materialize(
    words: tuple[str, ...],
    module: str | None,
    store: Path | None,
    kernel: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Bring assets up to date: those selected and, before them, what they read that is missing or stale.

    What is fresh isn't run: values and their reasons are kept in `.ipy_orch/`, beside the notebook or in the project.

    \b
    SELECTION is names of assets, `+a` (and what it reads), `a+` (and what
    reads it), `group:x`, `tag:k=v`, `kind:x`, `and`, `or`, `not`; quote it
    where the shell would read it. Without one, all assets are meant.

    \b
    Examples:
        ipy-orch materialize                      all assets of the project
        ipy-orch materialize etl.ipynb daily      one, and what it needs
        ipy-orch materialize "group:report" --workers 4
        ipy-orch materialize daily --force --config '{ops: {daily: {config: {limit: 10}}}}'

    Ends with 1 when an asset or a check fails, with 2 when the request can't be met.
    """
    run(words, module, store, kernel, "materialize", as_json=as_json, **options)


@click.command(short_help="Run the checks of assets.")
@sourced()
@click.option("--env", metavar="NAME", help="The environment whose resources are used.")
@workers_option
def check(
    words: tuple[str, ...],
    module: str | None,
    store: Path | None,
    kernel: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Run the checks of assets, and before them what those need.

    SELECTION is as in `ipy-orch materialize --help`.

    \b
    Examples:
        ipy-orch check                      all checks of the project
        ipy-orch check etl.ipynb daily

    Ends with 1 when a check fails that isn't a warning.
    """
    run(words, module, store, kernel, "check", as_json=as_json, **options)


def run(
    words: Sequence[str],
    module: str | None,
    store: Path | None,
    kernel: str | None,
    verb: str,
    *,
    as_json: bool,
    **options: Any,
) -> None:
    """Run what is selected, and end with 1 where something failed."""
    source, rest = find_source(words, module, store, kernel)
    told = answer(source, verb, as_json=as_json, selection=selected(rest), **options)
    success = told["success"]
    finish(told, as_json=as_json, show=show_report)
    if not success:
        raise click.exceptions.Exit(FAILED)


def show_report(told: Mapping[str, Any]) -> None:
    """Print what came of a run, beside the lines that were printed while it went on."""
    from ipy_orch.cli.printing import say
    from ipy_orch.cli.progress import line_of

    for line in told["assets"]:
        own = [name for name in told["told"] if name.partition("[")[0] == line["asset"]]  # with its partition
        if len(own) != 1 and line["status"] != "failed":
            say(line_of(line["status"], line["asset"], line["text"]))
    failing = [row for row in told["checks"] if row["status"] in ("failed", "raised")]
    for row in failing:
        if row["earlier"]:  # what it looked at is as it was: nothing has run that would say it anew
            say(line_of("failed", name_of(row), said_then(row)))
    for error in told["errors"]:
        say(f"\n{error['step']} failed:", "bold red", stderr=True)
        say(error["traceback"].rstrip() or error["error"], stderr=True)
    words = Counter(line["status"] for line in told["assets"])
    bad = [name_of(row) for row in failing]
    parts = [", ".join(f"{number} {word}" for word, number in words.items())]
    parts += [f"failed checks: {', '.join(bad)}"] if bad else []
    say(" · ".join(part for part in parts if part), "dim")


def name_of(row: Mapping[str, Any]) -> str:
    """Return the name of a check."""
    return f"{row['asset']}:{row['check']}"


def said_then(row: Mapping[str, Any]) -> str:
    """Return what a check said in an earlier run, and when."""
    from ipy_orch.cli.printing import worded

    words = worded(row)
    parts = (f"failed in the run of {words['when']}", *(words.get(name) for name in ("reason", "description", "found")))
    return " · ".join(part for part in parts if part)
