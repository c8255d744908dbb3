"""The magics: each reads its line and calls a verb of the session."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from html import escape
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from IPython.core import magic_arguments
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_cell_magic, line_magic, magics_class, no_var_expand

from ipy_orch.authoring.cells.cells import is_definition_cell, read_cell
from ipy_orch.authoring.cells.options import ASSET_OPTIONS, CHECK_OPTIONS, Option
from ipy_orch.errors import (
    DagsterError,
    DagsterInvalidConfigError,
    DagsterInvalidDefinitionError,
    DagsterInvalidSubsetError,
    DagsterInvariantViolationError,
    DagsterUnknownPartitionError,
)
from ipy_orch.export.written import words
from ipy_orch.model.keys import AssetKey, labels
from ipy_orch.notebook.cells import Cells
from ipy_orch.notebook.display import show
from ipy_orch.notebook.formatters import block
from ipy_orch.notebook.misread import misread
from ipy_orch.notebook.running import Presenter
from ipy_orch.notebook.tracebacks import is_users, usage
from ipy_orch.session.config.environments import NoSuchEnvironment
from ipy_orch.session.config.run_config import read_run_config
from ipy_orch.session.executors import NoSuchExecutor
from ipy_orch.session.report import Report
from ipy_orch.session.session import Session
from ipy_orch.ui.lineage import lineage

__all__ = ["OrchMagics"]

F = TypeVar("F", bound=Callable[..., Any])

HELP: Final = frozenset({"-h", "--help"})
SELECTION: Final = (
    "which assets: names, `+a` (and upstream), `a+` (and downstream), `group:x`, `tag:k=v`, `kind:x`, "
    "`and`, `or`, `not`"
)


def positive(text: str) -> int:
    """Return a number that is at least 1.

    Raises:
        ArgumentTypeError: when it isn't one.
    """
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"`{text}` isn't a whole number of at least 1")
    return int(text)


def arg(*names: str, **options: Any) -> Any:
    """Describe an argument of a magic."""
    return magic_arguments.argument(*names, **options)  # type: ignore[no-untyped-call]


def option_args(options: Iterable[Option]) -> list[Any]:
    """Describe the options of a cell magic, so that ``?`` shows them; reading them is the authoring floor's."""
    return [arg(one.flag, help=one.help.replace("%", "%%"), **form_of(one)) for one in options]


def form_of(option: Option) -> dict[str, str]:
    """Return how an option is written, as argparse wants it."""
    return {"action": "store_true"} if option.kind == "flag" else {"metavar": option.metavar}


def takes(kind: Callable[[Any], Any], arguments: Iterable[Any]) -> Callable[[F], F]:
    """Make a magic with arguments, whose help they make."""

    def decorate(function: F) -> F:
        @wraps(function)
        def magic(self: Magics, line: str, *cell: str) -> Any:
            if HELP.isdisjoint(line.split()):
                return function(self, line, *cell)
            shell: Any = self.shell
            sign = "%" if shell.find_line_magic(function.__name__) else "%%"
            return shell.run_line_magic("pinfo", f"{sign}{function.__name__}")

        for one in reversed(list(arguments)):
            one(magic)
        magic_arguments.magic_arguments()(magic)  # type: ignore[no-untyped-call]
        return cast("F", no_var_expand(kind(magic)))

    return decorate


def line(*arguments: Any) -> Callable[[F], F]:
    """Make a line magic."""
    return takes(line_magic, arguments)


def cell(*arguments: Any) -> Callable[[F], F]:
    """Make a cell magic."""
    return takes(cell_magic, arguments)


def line_or_cell(*arguments: Any) -> Callable[[F], F]:
    """Make a magic of a line, or of a whole cell."""
    return takes(line_cell_magic, arguments)


def read(magic: Callable[..., Any], line: str) -> Any:
    """Return the arguments of a line.

    Raises:
        UsageError: when they are wrong.
    """
    try:
        return magic_arguments.parse_argstring(magic, line)  # type: ignore[no-untyped-call]
    except UsageError as error:
        raise UsageError(misread(str(error), magic.parser)) from None  # type: ignore[attr-defined]


CONFIG_STAYS: Final = "the config stays for the session; `--config {}` drops it"
PARTS: Final = ("ops", "resources", "loggers", "execution")
ENV: Final = arg("--env", metavar="NAME", help="the environment whose resources are used, see %%use")
USAGE: Final = (
    DagsterInvalidSubsetError,
    DagsterInvalidConfigError,
    DagsterUnknownPartitionError,
    NoSuchEnvironment,
    NoSuchExecutor,
)
PARTITION: Final = arg(
    "--partition",
    metavar="KEY",
    action="append",
    help="which partition of what is partitioned: a key, several with commas, `a..b` with both ends, `last`",
)
EXECUTOR: Final = arg(
    "--executor", metavar="WHERE", help="threads, processes, dask, ipyparallel, or a variable that holds an executor"
)


def typed(partitions: Sequence[str] | None) -> str | list[str] | None:
    """Return the partitions that were typed."""
    if not partitions:
        return None
    return unquoted(partitions[0]) if len(partitions) == 1 else [unquoted(one) for one in partitions]


@magics_class
class OrchMagics(Magics):
    """Assets and checks in cells, and the verbs of the session."""

    def __init__(self, ip: InteractiveShell, session: Session, cells: Cells, presenter: Presenter) -> None:
        super().__init__(ip)
        self.session, self.cells, self.presenter = session, cells, presenter
        self.opened: dict[str, Any] = {}

    # -- cells --------------------------------------------------------------------------------------------------------

    @cell(
        arg("name", help="the name of the asset, also of the variable that holds its value; `a/b` for a prefix"),
        *option_args(ASSET_OPTIONS),
    )
    def asset(self, line: str, cell: str) -> None:
        """Make an asset of this cell: register it, bring what it reads up to date, run it and show its value.

        The body is the body of a function. Its value is the last expression, else the variable named like the asset.
        Names of other assets are inputs, names of ConfigurableResource instances are resources.
        """
        self.run_source("asset", line, cell)

    @cell(
        arg("asset", help="the asset that is checked"),
        arg("check", nargs="?", help="the name of the check; by default ASSET_check"),
        *option_args(CHECK_OPTIONS),
    )
    def asset_check(self, line: str, cell: str) -> None:
        """Make a check of this cell, and run it.

        The value of the body is a bool, (bool, metadata), or an AssetCheckResult.
        """
        self.run_source("asset_check", line, cell)

    def run_source(self, magic: str, line: str, body: str) -> None:
        """Register and run the cell of a magic or directive."""
        text = f"%%{magic} {line}\n{body}" if line.strip() or not is_definition_cell(body) else body
        try:
            read_cell(text, where="this cell")
        except DagsterError as error:
            raise usage(error) from None
        cell = self.cells.define(text)
        try:
            self.presenter.source_cell(cell)
        except DagsterInvalidDefinitionError:
            self.cells.refuse(cell)
            raise

    # -- running ------------------------------------------------------------------------------------------------------

    @line_or_cell(
        arg("selection", nargs="*", help=f"{SELECTION}; all by default"),
        arg("--force", action="store_true", help="run what is selected although it is fresh"),
        arg("--config", metavar="YAML", help="run config, YAML or a file of it; a cell %%%%materialize holds it"),
        PARTITION,
        ENV,
        arg("--workers", type=positive, metavar="N", help="how many steps run at once"),
        EXECUTOR,
        arg("--checks-only", action="store_true", help="run only the checks of what is selected"),
    )
    def materialize(self, line: str, cell: str | None = None) -> None:
        """Bring assets up to date: those selected and, before them, their missing and stale ancestors.

        As ``%%materialize`` the cell is run config in YAML; ``%config_schema ASSET`` gives some to begin with. Run
        config stays for the session; ``--config {}`` drops all that was given.
        """
        args = read(self.materialize, line)
        if args.config and cell is not None:
            raise UsageError("the run config is in the cell or in --config, not in both")
        selection = words(" ".join(unquoted(one) for one in args.selection))
        config = unquoted(args.config) if args.config else cell
        options = {"env": args.env, "workers": args.workers, "executor": args.executor}
        if args.checks_only:
            self.request(lambda: self.session.check(selection, partition=typed(args.partition), **options))
            return
        known = {"force": args.force, "config": config, "what": selection or "all", "partition": typed(args.partition)}
        self.request(lambda: self.configured(selection, known, options))

    def configured(self, selection: str | None, known: Mapping[str, Any], options: Mapping[str, Any]) -> Report:
        """Materialize; empty run config drops what was given before, and that other config stays is said once."""
        given = read_run_config(known["config"]).data
        if known["config"] is not None and not given:
            self.session.drop_config(options["env"])
        if given and given.keys().isdisjoint(PARTS):
            raise DagsterInvalidConfigError(
                f"run config says of what it is: it begins with {', '.join(map('`{}`'.format, PARTS))}",
                hint=f"`{{ops: {{{selection or 'NAME'}: {{config: {{{next(iter(given))}: ...}}}}}}}}`",
            )
        report = self.session.materialize(selection, **known, **options)
        if given and CONFIG_STAYS not in self.presenter.noticed:
            self.presenter.noticed.add(CONFIG_STAYS)
            report.notices.append(CONFIG_STAYS)
        return report

    def request(self, verb: Callable[[], Any]) -> None:
        """Run a verb; what was typed wrongly is a usage error."""
        try:
            self.presenter.request(verb)
        except USAGE as error:
            if error.__cause__ is None and not is_users(error.__traceback__):
                raise usage(error) from None
            raise

    # -- resources ----------------------------------------------------------------------------------------------------

    @line(arg("environment", nargs="?", help="its name; `default` is the notebook's own resources"))
    def use(self, line: str) -> None:
        """Switch to an environment: resources that `session.environment(NAME, {...})` gave a name; or list them."""
        name = read(self.use, line).environment
        if name:
            self.named(self.session.use, name)
        environments = self.session.environments
        others = [one for one in environments.names if one != environments.current]
        told = f" · others: {', '.join(others)}" if others else ""
        self.say(f"environment {environments.current}{told}")

    @line(ENV)
    def resources(self, line: str) -> Any:
        """Return a DataFrame of all resources: each field's value, where it is from, and who uses the resource."""
        args = read(self.resources, line)
        return self.named(lambda: self.session.resources(env=args.env))

    @line(arg("asset", help="the asset"), ENV)
    def config_schema(self, line: str) -> Any:
        """Say what can be configured for an asset and the resources it uses, with YAML to paste."""
        args = read(self.config_schema, line)
        return self.named(lambda: self.session.config_schema(args.asset, env=args.env))

    # -- looking ------------------------------------------------------------------------------------------------------

    @line()
    def assets(self, line: str) -> Any:
        """Return a DataFrame of all assets: status, reason, group, size, duration, when."""
        read(self.assets, line)
        return self.session.assets()

    @line()
    def checks(self, line: str) -> Any:
        """Return a DataFrame of all checks with their last verdicts."""
        read(self.checks, line)
        return self.session.checks()

    @line()
    def runs(self, line: str) -> Any:
        """Return a DataFrame of the runs of this session, newest first."""
        read(self.runs, line)
        return self.session.runs()

    @line(arg("run", nargs="?", help="the id of a run, or how it begins"))
    def events(self, line: str) -> Any:
        """Return a DataFrame of the events of one run or of all."""
        run = read(self.events, line).run
        if run and not any(known.startswith(run) for known in self.session.history.runs):
            raise UsageError(f"there is no run `{run}` (%runs lists them)")
        return self.session.events(run)

    @line(arg("asset", help="the asset"), PARTITION)
    def why(self, line: str) -> Any:
        """Say what has changed since the value of an asset was made."""
        args = read(self.why, line)
        return self.named(self.session.why, args.asset, typed(args.partition))

    @line(arg("selection", nargs="*", help=f"{SELECTION}; all by default"))
    def lineage(self, line: str) -> Any:
        """Show the lineage: see it, configure it, click to run; a still picture where there's no kernel."""
        read(self.lineage, line)
        return self.named(lineage, self.session, words(line))

    @staticmethod
    def named(verb: Callable[..., Any], *args: Any) -> Any:
        """Call a verb with what was typed; a name that nothing has is a usage error."""
        try:
            return verb(*args)
        except (DagsterInvalidSubsetError, DagsterInvariantViolationError, DagsterUnknownPartitionError) as error:
            if error.__cause__ is None:
                raise usage(error) from None
            raise

    # -- changing -----------------------------------------------------------------------------------------------------

    @line(arg("asset", help="the asset"), PARTITION)
    def open(self, line: str) -> None:
        """Put an asset's inputs, config and resources into variables, to try its body in a scratch cell.

        A variable of yours is never overwritten: what would take its place gets the asset's name in front.
        """
        args = read(self.open, line)
        name, partition = args.asset, typed(args.partition)
        found: Mapping[str, Any] = self.named(self.session.open, name, partition)
        placed = [self.place(name, variable, value) for variable, value in found.items()]
        self.say(f"in your variables now: {', '.join(placed)}" if placed else f"`{name}` reads nothing")

    def place(self, asset: str, name: str, value: Any) -> str:
        """Put a value into a variable that is free or ours, and return how it is called."""
        namespace = self.session.namespace
        if name in namespace and (namespace[name] is value or self.session.names.is_ours(name, namespace[name])):
            return f"`{name}`"
        told = f"`{name}`"
        if name in namespace and (name not in self.opened or self.opened[name] is not namespace[name]):
            own = f"{AssetKey.from_user_string(asset).path[-1]}_{name}"
            told, name = f"`{own}` (`{name}` is yours)", own
        namespace[name] = self.opened[name] = value
        return told

    @line(arg("selection", nargs="+", help=SELECTION))
    def forget(self, line: str) -> None:
        """Drop the values of assets and what is known of them; they count as never materialized."""
        read(self.forget, line)
        keys = self.named(self.session.forget, words(line))
        self.say(f"forgotten: {', '.join(labels(keys))}" if keys else "nothing to forget")

    def say(self, text: str) -> None:
        """Show one line."""
        show(self.presenter.ip, block([escape(text)]), text)


def unquoted(text: str) -> str:
    """Return an argument without the quotes around it.

    >>> unquoted("'a b'"), unquoted("a")
    ('a b', 'a')
    """
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def relative(path: Path) -> str:
    """Return a path as seen from the working folder, where it's inside."""
    return os.path.relpath(path) if path.absolute().is_relative_to(Path.cwd()) else str(path)


def counted(number: int, what: str) -> str:
    """Return a number of things.

    >>> counted(1, "asset"), counted(2, "check")
    ('1 asset', '2 checks')
    """
    return f"{number} {what}{'' if number == 1 else 's'}"
