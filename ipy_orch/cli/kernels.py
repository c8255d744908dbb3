"""A notebook in a real kernel of its own: its cells run one by one, and then the kernel's session is asked.

Imported by the commands that need it: nbclient and nbformat come with an extra.
"""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

import nbformat
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_core.utils import run_sync
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from ipy_orch.errors import DagsterError, DagsterInvariantViolationError, closest
from ipy_orch.ui.answers import ANSWER, Answer
from ipy_orch.ui.headlines import HEADLINE, Headline

__all__ = ["CellFailed", "Kernel", "kernel_of", "read_notebook"]

BEGIN: Final = """
try:
    import ipy_orch.notebook.headless as _headless
except ImportError:
    pass
else:
    _headless.begin(**{arguments})
    del _headless
"""
ASK: Final = '__import__("ipy_orch.notebook.headless", fromlist=["answer"]).answer({verb!r}, {options!r})'
DEFAULT: Final = "python3"
NO_CELLS: Final = (AttributeError, KeyError, TypeError)  # what nbformat raises for any other JSON
PATIENCE: Final = 10  # seconds


class CellFailed(Exception):
    """Tell that a cell failed, with what the notebook shows of it.

    Args:
        number: of the code cell, from 1.
        shown: the traceback, in the colours of the notebook.
        error: its last line.
    """

    def __init__(self, number: int, source: str, shown: str, error: str) -> None:
        super().__init__(error)
        self.number, self.source, self.shown, self.error = number, source, shown, error


def read_notebook(path: Path) -> Any:
    """Return a notebook in the current format.

    Raises:
        DagsterInvariantViolationError: when it isn't one, or its language isn't Python.
    """
    try:
        text = path.read_text(encoding="utf-8")
        notebook = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(notebook)
    except (nbformat.ValidationError, nbformat.reader.NotJSONError, UnicodeDecodeError, *NO_CELLS) as error:
        raise DagsterInvariantViolationError(
            f"`{path.name}` isn't a notebook: {wrong_with(error)}", hint="open it in Jupyter, and save it again"
        ) from None
    except OSError as error:
        raise DagsterInvariantViolationError(f"`{path.name}` can't be read: {error.strerror}") from None
    spec = notebook.metadata.get("kernelspec", {})
    language = notebook.metadata.get("language_info", {}).get("name") or spec.get("language") or "python"
    if str(language).lower() not in ("python", "ipython"):
        raise DagsterInvariantViolationError(f"`{path.name}` is a notebook in {language}, not in Python")
    return notebook


def wrong_with(error: Exception) -> str:
    """Return in words why a file can't be a notebook."""
    if isinstance(error, UnicodeDecodeError):
        return "it isn't text"
    if isinstance(error, NO_CELLS):
        return "it is JSON of another kind"
    return "it isn't JSON" if not isinstance(error, nbformat.ValidationError) else str(error).splitlines()[0][:100]


def kernel_of(notebook: Any, said: str | None) -> str:
    """Return the name of the kernel that a notebook is run in: the one said, else the one it was saved with.

    Raises:
        DagsterInvariantViolationError: when it isn't installed.
    """
    name = said or str(notebook.metadata.get("kernelspec", {}).get("name") or DEFAULT)
    try:
        KernelSpecManager().get_kernel_spec(name)
    except NoSuchKernel:
        known = sorted(KernelSpecManager().find_kernel_specs())
        near = closest(name, known) if said else ""
        hint = near or f"`--kernel NAME` takes another one, of {', '.join(known)}" if known else "pip install ipykernel"
        raise DagsterInvariantViolationError(f"there is no kernel `{name}`", hint=hint) from None
    return name


class Client(NotebookClient):
    """Run cells, and hear what the kernel tells besides their output."""

    hear: Callable[[Headline], object] = staticmethod(lambda _: None)
    answer: Answer | None = None

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """Take out what is for us, and leave the rest to the cell's outputs."""
        data = msg["content"].get("data") if msg["msg_type"] == "display_data" else None
        if isinstance(data, Mapping) and HEADLINE in data:
            self.hear(data[HEADLINE])
            return None
        if isinstance(data, Mapping) and ANSWER in data:
            self.answer = data[ANSWER]
            return None
        return super().process_message(msg, cell, cell_index)


class Kernel:
    """Be the kernel of a notebook, as long as a block runs; where the block is left by an error, it is killed.

    Args:
        timeout: seconds that one cell may take, or None.
        hear: is called with a headline of each event of the session.
        begin: the arguments of :func:`ipy_orch.notebook.headless.begin`.
    """

    def __init__(
        self,
        path: Path,
        notebook: Any,
        *,
        kernel: str | None = None,
        timeout: float | None = None,
        hear: Callable[[Headline], object] = lambda _: None,
        begin: Mapping[str, Any],
    ) -> None:
        self.notebook, self.begin, self.timeout = notebook, begin, timeout
        self.patience: float | None = None
        self.client: Any = Client(
            notebook,
            timeout=None,
            kernel_name=kernel_of(notebook, kernel),
            # it warns of TCP, which is how every kernel is talked to
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
            resources={"metadata": {"path": str(path.resolve().parent)}},
        )
        self.client.hear = hear
        self.client.comm_open_handlers["ipy_orch"] = lambda _: None  # the panel of JupyterLab, which isn't here

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start the kernel, and end it; at once, where it was interrupted."""
        with terminable(), self.client.setup_kernel():
            try:
                self.execute(BEGIN.format(arguments=json_literal(self.begin)), len(self.notebook.cells))
                yield
            except BaseException:
                self.client.shutdown_kernel = "immediate"
                raise

    def run_cells(self, on_start: Callable[[Any], object], on_end: Callable[[Any], object]) -> None:
        """Run the cells from top to bottom.

        Raises:
            CellFailed: at the first that fails; those below don't run.
        """
        code = 0
        for index, cell in enumerate(self.notebook.cells):
            if cell.cell_type != "code":
                continue
            code += 1
            on_start(cell)
            self.run_cell(cell, index, code)
            on_end(cell)

    def run_cell(self, cell: Any, index: int, number: int) -> None:
        """Run one cell, known to the kernel by its id.

        Raises:
            CellFailed: when it raises, takes too long or ends the kernel.
        """
        assert self.client.kc is not None
        self.client.kc.session.metadata = {"cellId": cell.id} if "id" in cell else {}
        self.client.timeout = self.timeout
        try:
            self.client.execute_cell(cell, index)
        except CellExecutionError as error:
            tracebacks = ["\n".join(one.traceback) for one in cell.outputs if one.output_type == "error"]
            told = f"{error.ename}: {error.evalue}".splitlines()[0]
            raise CellFailed(number, cell.source, tracebacks[-1] if tracebacks else str(error), told) from None
        except CellTimeoutError:
            self.interrupt()
            told = f"it took more than {self.timeout:g} s (`--timeout` allows more)"
            raise CellFailed(number, cell.source, told, told) from None
        except DeadKernelError:
            told = "the kernel died while it ran"
            raise CellFailed(number, cell.source, told, told) from None
        finally:
            self.client.timeout = None
            if self.client.kc is not None:
                self.client.kc.session.metadata = {}

    def interrupt(self) -> None:
        """Interrupt what the kernel does; what doesn't heed it ends with the kernel, soon."""
        if self.client.km is not None:
            run_sync(self.client.km.interrupt_kernel)()
        self.patience = PATIENCE
        self.client.shutdown_kernel = "immediate"

    def ask(self, verb: str, **options: Any) -> Answer:
        """Return the answer of the kernel's session.

        Raises:
            DagsterError: when it can't be given.
        """
        self.client.answer = None
        cell = self.execute(ASK.format(verb=verb, options=options), len(self.notebook.cells))
        answer = self.client.answer
        if answer is None:
            errors = [one for one in cell.outputs if one.output_type == "error"]
            told = f"{errors[-1].ename}: {errors[-1].evalue}" if errors else "the kernel doesn't answer"
            raise DagsterError(
                f"the kernel can't say: {told}", hint="is ipy_orch installed in the kernel's environment?"
            )
        if (problem := answer.get("problem")) is not None:
            raise DagsterInvariantViolationError(**problem)
        return dict(answer["answer"])

    def execute(self, source: str, index: int) -> Any:
        """Run code of ours after the cells of the notebook, and return its cell."""
        cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["raises-exception"]})  # type: ignore[no-untyped-call]
        self.notebook.cells.append(cell)
        self.client.timeout = self.patience
        try:
            self.client.execute_cell(cell, index, store_history=False)
        except (CellTimeoutError, DeadKernelError) as error:
            raise DagsterError(str(error).splitlines()[0]) from None
        finally:
            self.client.timeout = None
            self.notebook.cells.pop()
        return cell


def json_literal(data: Mapping[str, Any]) -> str:
    """Return data as JSON has it, as a Python literal."""
    return repr(json.loads(json.dumps(data)))


@contextmanager
def terminable() -> Iterator[None]:
    """Have a polite request to end count as Ctrl-C, so that no kernel is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt(number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
