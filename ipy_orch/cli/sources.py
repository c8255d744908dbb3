"""What a command is about: a notebook, a file, a module, or what the project above the working folder names."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import click

from ipy_orch.cli.errors import DEBUG, JSON, Refused, note_source
from ipy_orch.errors import DagsterInvariantViolationError

if TYPE_CHECKING:
    from ipy_orch.cli.progress import Progress
    from ipy_orch.session.project import Location
    from ipy_orch.ui.answers import Answer

__all__ = ["Ask", "Source", "debugged", "find_source", "json_option", "opened", "sourced"]

F = TypeVar("F", bound=Callable[..., Any])

ENDINGS: Final = (".ipynb", ".py")
EXTRA: Final = "pip install 'ipy-orch[run]'"


class Ask(Protocol):
    """Ask a session, wherever it is."""

    def __call__(self, verb: str, /, **options: Any) -> Answer:
        """Return the answer of a verb."""


@dataclass(frozen=True)
class Source:
    """Say where definitions are, and where state is kept.

    Args:
        kernel: to run a notebook in, instead of its own.
    """

    location: Location
    store: Path | None
    kernel: str | None = None

    @property
    def is_notebook(self) -> bool:
        """Tell whether a kernel is needed."""
        return self.location.kind == "notebook"


# -- options ----------------------------------------------------------------------------------------------------------


def noted(key: str) -> Callable[[click.Context, click.Parameter, bool], bool]:
    """Return a callback that notes a flag for the end of the command."""

    def note(context: click.Context, _: click.Parameter, value: bool) -> bool:
        if value:
            context.find_root().meta[key] = True
        return value

    return note


def debugged(command: F) -> F:
    """Give a command ``--debug``."""
    said = "Show where in ipy_orch an error is from."
    return click.option("--debug", is_flag=True, expose_value=False, is_eager=True, callback=noted(DEBUG), help=said)(
        command
    )


def json_option(command: F) -> F:
    """Give a command ``--json``, which its function gets as ``as_json``."""
    said = "Print JSON, errors too."
    return click.option("--json", "as_json", is_flag=True, is_eager=True, callback=noted(JSON), help=said)(command)


def sourced(then: str = "[SELECTION]...") -> Callable[[F], F]:
    """Give a command the words for a source and what follows it, and the options of all that have a source."""
    options = [
        click.argument("words", nargs=-1, metavar=f"[NOTEBOOK|FILE.py] {then}"),
        click.option(
            "-m", "--module", metavar="MODULE", help="The module with the definitions, e.g. shop.definitions."
        ),
        click.option(
            "--store", type=click.Path(path_type=Path), metavar="DIR", help="Keep state there.  [default: .ipy_orch]"
        ),
        click.option("--kernel", metavar="NAME", help="Run a notebook in this kernel instead of its own."),
        json_option,
        debugged,
    ]

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


# -- finding it -------------------------------------------------------------------------------------------------------


def find_source(
    words: Sequence[str], module: str | None, store: Path | None, kernel: str | None = None
) -> tuple[Source, list[str]]:
    """Return the source that a command names, or the project's; and the words that are left for the selection.

    Raises:
        click.UsageError: when two are named.
        DagsterInvariantViolationError: when there's none, or it can't be used.
    """
    from ipy_orch.session.project import STORE, Location, find_project, location_of

    first, rest = (words[0], [*words[1:]]) if words and words[0].endswith(ENDINGS) else (None, [*words])
    if first is not None and module is not None:
        raise click.UsageError(f"`{first}` and `-m {module}` are two places with definitions: name one of them.")
    here = Path.cwd()
    if first is not None or module is not None:
        note_source(shlex.quote(first) if first is not None else f"-m {module}")
    if first is not None:
        location = location_of(Path(first).expanduser())
        project = find_project(location.folder)
    elif module is not None:
        project = find_project(here)
        location = Location("module", module, project.folder if project is not None else here)
    elif (project := find_project(here)) is not None:
        location = project.only()
    else:
        raise nowhere(rest)
    at = here if location.kind == "module" else location.folder
    return Source(location, store or (project.store if project is not None else at / STORE), kernel), rest


def nowhere(words: Sequence[str]) -> DagsterInvariantViolationError:
    """Return the error where nothing says what a command is about."""
    if words and Path(words[0]).exists():
        return DagsterInvariantViolationError(
            f"`{words[0]}` is neither a notebook (.ipynb) nor a Python file (.py)"
            if Path(words[0]).is_file()
            else f"`{words[0]}` is a folder",
            hint="name the notebook, the file or the module (`-m`) with the definitions",
        )
    return DagsterInvariantViolationError(
        "nothing here says where the definitions are",
        hint="name a notebook, a file or a module (`-m`), or write `[tool.ipy_orch]` with `notebook = ...`, "
        "`file = ...` or `module = ...` into pyproject.toml",
    )


# -- opening it -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def opened(source: Source, progress: Progress, *, workers: int | None = None) -> Iterator[Ask]:
    """Load the definitions of a source, and have its session answer questions as long as the block runs.

    A notebook's plain cells run in a kernel of its own, in which its assets and checks are registered only.

    Raises:
        DagsterError: when they can't be loaded.
    """
    with in_kernel(source, progress, workers) if source.is_notebook else in_process(source, progress) as ask:
        yield ask


@contextlib.contextmanager
def in_process(source: Source, progress: Progress) -> Iterator[Ask]:
    """Load a module or a file into a session of this process."""
    from ipy_orch.session.modules import session_of
    from ipy_orch.ui import answers

    with contextlib.redirect_stdout(sys.stderr):  # what is imported prints where it doesn't mix with answers
        session = session_of(source.location, at_home=True)
    store = str(source.store) if source.store is not None else None
    try:
        yield lambda verb, /, **options: answers.ask(session, verb, {"store": store, **options}, progress.hear)
    finally:
        session.persistence.close()


@contextlib.contextmanager
def in_kernel(source: Source, progress: Progress, workers: int | None) -> Iterator[Ask]:
    """Load a notebook into a session of a kernel."""
    kernels = need_kernels()
    path = Path(source.location.target)
    notebook = kernels.read_notebook(path)
    begin = {"store": None, "workers": workers, "only_register": True}
    kernel = kernels.Kernel(path, notebook, kernel=source.kernel, hear=progress.hear, begin=begin)
    progress.at(f"loading {path.name}")
    store = str(source.store.resolve()) if source.store is not None else None
    with kernel.running():
        try:
            kernel.run_cells(lambda _: None, lambda _: None)
        except kernels.CellFailed as failed:
            place = f"{path.name}, code cell {failed.number}"
            first = next((line for line in failed.source.splitlines() if line.strip()), "")
            raise DagsterInvariantViolationError(
                f"the notebook can't be loaded: {failed.error}",
                where=f"{place}: {first[:60]}",
                hint=f"`ipy-orch run {source.location.label}` shows the traceback",
            ) from None
        progress.at("")
        yield lambda verb, /, **options: kernel.ask(verb, **{"store": store, **options})


def need_kernels() -> Any:
    """Return the room of kernels.

    Raises:
        Refused: where the libraries are missing.
    """
    try:
        from ipy_orch.cli import kernels
    except ImportError as error:
        if str(error.name).startswith("ipy_orch"):
            raise
        raise Refused(f"`{error.name}` is missing, which runs notebooks", hint=EXTRA) from None
    return kernels
