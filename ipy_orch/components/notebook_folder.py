"""A folder of notebooks: each is an asset, run from top to bottom in a kernel of its own."""

from __future__ import annotations

import asyncio
import pickle
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any, Final

from ipy_orch.authoring.assets import define_asset
from ipy_orch.components.files import FILES, FileComponent, files_in, folder_of, library, name_of, shown_path, text
from ipy_orch.components.parameters import Parameters, read_parameters
from ipy_orch.errors import DagsterInvalidDefinitionError, closest
from ipy_orch.model.asset_ports import AssetIn
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.definitions import Definitions
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.metadata.value import MetadataValue
from ipy_orch.model.ops import Signature
from ipy_orch.model.policies import Failure

if TYPE_CHECKING:
    from ipy_orch.authoring.components.load_contexts import ComponentLoadContext

__all__ = ["NotebookFolderComponent"]

WHO: Final = "NotebookFolderComponent"
CONTEXT: Final = "context"
TICK: Final = 0.1  # seconds between looks at whether somebody interrupts
GIVEN: Final = "injected-parameters"  # papermill's tag
ASKED: Final = "injected-result"


class NotebookFolderComponent(FileComponent):
    """Make an asset of each notebook in a folder; it runs in a kernel of its own, and what it looked like is kept.

    Its cell tagged ``parameters`` says what it takes: ``orders = None`` is the value of the asset ``orders``,
    ``limit = 10`` a setting. Its value is the variable named like the notebook, where it has one.

    Args:
        folder: with the notebooks, from the folder of the YAML or notebook.
        pattern: of the notebooks in it.
        outputs: the folder for the notebooks as they ran.
        parameters: settings of all notebooks that have one of this name.
        kernel_name: the kernel spec; by default the one that the notebook names.
        timeout: how many seconds a cell may take.
    """

    folder: Annotated[str, text("The folder with the notebooks.", ["reports"])]
    pattern: Annotated[str, text("Which files of it.")] = "*.ipynb"
    outputs: Annotated[str, text("The folder in it for the notebooks as they ran.")] = "outputs"
    parameters: Annotated[Mapping[str, Any] | None, text("Settings, by name.", [{"limit": 10}])] = None
    kernel_name: Annotated[str | None, text("The kernel spec, where it isn't the notebook's own.")] = None
    timeout: Annotated[int | None, text("How many seconds a cell may take.")] = None

    def build_defs(self, context: ComponentLoadContext) -> Definitions:
        """Return an asset for each notebook.

        Raises:
            DagsterInvalidDefinitionError: for a folder, a file or a setting that isn't right, with its place.
        """
        aside = folder_of(context) / self.folder / self.outputs
        files = [one for one in files_in(context, self.folder, self.pattern) if not one.is_relative_to(aside)]
        own = {name_of(one): self.key_of(one) for one in files}
        taken = {one: read_parameters(cells_of(one), shown_path(one)) for one in files}
        self.refuse_unknown({name for one in taken.values() for name in one.settings})
        return Definitions([self.asset(one, taken[one], own, aside) for one in files])

    def refuse_unknown(self, known: set[str]) -> None:
        """Refuse a setting that no notebook has.

        Raises:
            DagsterInvalidDefinitionError: with the closest.
        """
        for name in self.parameters or {}:
            if name not in known:
                told = f"no notebook of `{self.folder}` has the setting `{name}`"
                hint = closest(name, known) or "the settings are in the cell tagged `parameters`"
                raise DagsterInvalidDefinitionError(told, hint=hint)

    def asset(self, file: Path, taken: Parameters, own: Mapping[str, AssetKey], outputs: Path) -> AssetsDefinition:
        """Return the asset of a notebook."""
        place = shown_path(file)
        settings = {name: value for name, value in (self.parameters or {}).items() if name in taken.settings}
        result = shown_path(outputs / file.name)
        function = running(Run(place, result, name_of(file), self.kernel_name, self.timeout), settings)
        ins = {name: AssetIn(own.get(name, AssetKey(name))) for name in taken.inputs}
        return define_asset(
            function,
            key=self.key_of(file),
            ins=ins,
            description=f"`{place}`",
            metadata={FILES: [place]},
            signature=Signature(function, CONTEXT, inputs=taken.inputs, keywords=True),
            origin=place,
            **self.said(kinds=["jupyter", "python"]),
        )


@dataclass(frozen=True)
class Run:
    """Say how a notebook is run.

    Args:
        place: of the notebook.
        result: where it lies as it ran.
        name: of its value's variable.
    """

    place: str
    result: str
    name: str
    kernel_name: str | None
    timeout: int | None


def cells_of(file: Path) -> list[Any]:
    """Return the cells of a notebook.

    Raises:
        DagsterInvalidDefinitionError: when it is none.
    """
    nbformat = library("nbformat", WHO, "run")
    try:
        return list(nbformat.read(file, as_version=4).cells)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, UnicodeDecodeError) as error:
        told = f"this is no notebook: {str(error).splitlines()[0][:100]}"
        raise DagsterInvalidDefinitionError(told, where=shown_path(file)) from None


def running(run: Run, settings: Mapping[str, Any]) -> Callable[..., Any]:
    """Return the function that runs a notebook; it reads the file anew."""

    def run_notebook(context: Any, **inputs: Any) -> Any:
        value = ran(run, settings, inputs)
        context.add_output_metadata({"notebook": MetadataValue.notebook(run.result)})
        return value

    return run_notebook


def ran(run: Run, settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> Any:
    """Run a notebook with what it takes; keep it as it ran, and return its value.

    Raises:
        Failure: when a cell fails, naming it.
    """
    nbformat = library("nbformat", WHO, "run")
    notebook = nbformat.read(run.place, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "value")
        insert(notebook, given(folder, settings, inputs), asking(run.name, answer))
        try:
            execute(notebook, run, Path(folder, "log"))
        finally:
            keep(notebook, Path(run.result), nbformat)
        return pickle.loads(answer.read_bytes()) if answer.is_file() else None


def execute(notebook: Any, run: Run, log: Path) -> None:
    """Run the cells of a notebook in a kernel of its own.

    Args:
        log: what the kernel itself has to say, apart from its cells.

    Raises:
        Failure: when a cell fails, naming it, or the kernel doesn't start.
    """
    nbclient, kernelspec = library("nbclient", WHO, "run"), library("jupyter_client.kernelspec", WHO, "run")
    named = {"kernel_name": run.kernel_name} if run.kernel_name else {}
    home = {"metadata": {"path": str(Path(run.place).parent)}}
    client = nbclient.NotebookClient(
        notebook, timeout=run.timeout, resources=home, shutdown_kernel="immediate", **named
    )
    try:
        with log.open("wb") as file:
            to_end(lambda: client.async_execute(stderr=file))
    except nbclient.exceptions.CellExecutionError as error:
        own = [one for one in notebook.cells if not is_ours(one)]
        number = next((n for n, one in enumerate(own, 1) if failed(one)), 0)
        told = f"`{run.place}`, cell {number}: {error.ename}: {error.evalue}"
        raise Failure(told, metadata={"notebook": MetadataValue.notebook(run.result)}) from None
    except nbclient.exceptions.CellTimeoutError:
        raise Failure(f"`{run.place}`: a cell took more than {run.timeout} s") from None
    except kernelspec.NoSuchKernel as error:
        known = kernelspec.KernelSpecManager().find_kernel_specs()
        hint = closest(error.name, known) or f"there are {', '.join(map('`{}`'.format, sorted(known)))}"
        raise Failure(f"`{run.place}`: there is no kernel `{error.name}` ({hint})") from None
    except RuntimeError as error:
        last = log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
        raise Failure(f"`{run.place}`: {error} {last}".rstrip()) from error


def to_end(make: Callable[[], Awaitable[Any]]) -> None:
    """Run a coroutine in a thread with a loop of its own: the kernel's loop is busy, and signals are the kernel's.

    An interrupt of this thread cancels it, so that no kernel is left behind.

    Raises:
        BaseException: what it raises.
    """
    failed: list[BaseException] = []
    running: Queue[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = Queue()

    async def whole() -> None:
        running.put((asyncio.get_running_loop(), asyncio.current_task()))
        await make()

    def run() -> None:
        try:
            asyncio.run(whole())
        except BaseException as error:  # noqa: BLE001 - raised again below, in the thread that asked
            failed.append(error)

    thread = Thread(target=run, name="notebook")
    thread.start()
    loop, task = running.get()
    try:
        while thread.is_alive():
            thread.join(TICK)
    except BaseException:
        if task is not None and not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)
        thread.join()
        raise
    if failed:
        raise failed[0]


def insert(notebook: Any, above: str, below: str) -> None:
    """Put what it takes behind the parameters, and the asking for its value at the end."""
    new = library("nbformat", WHO, "run").v4.new_code_cell
    place = read_parameters(notebook.cells, "the notebook").cell
    notebook.cells.append(new(below, metadata={"tags": [ASKED]}))
    if above:
        notebook.cells.insert(0 if place is None else place + 1, new(above, metadata={"tags": [GIVEN]}))


def given(folder: str, settings: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    """Return the cell that gives a notebook what it takes: settings as text, values from files."""
    lines = [f"{name} = {value!r}" for name, value in settings.items()]
    for name, value in inputs.items():
        file = Path(folder, f"{name}.pickle")
        file.write_bytes(pickle.dumps(value))
        lines.append(f"with open({str(file)!r}, 'rb') as _file:\n    {name} = __import__('pickle').load(_file)")
    return "\n".join(lines)


def asking(name: str, answer: Path) -> str:
    """Return the cell that gives the value back, where there's a variable of this name."""
    return (
        f"if {name!r} in globals():\n"
        f"    with open({str(answer)!r}, 'wb') as _file:\n"
        f"        __import__('pickle').dump({name}, _file)"
    )


def is_ours(cell: Any) -> bool:
    """Tell whether a cell was put in."""
    return bool({GIVEN, ASKED} & set(cell.metadata.get("tags", ())))


def failed(cell: Any) -> bool:
    """Tell whether a cell has failed."""
    return cell.cell_type == "code" and any(one.output_type == "error" for one in cell.outputs)


def keep(notebook: Any, place: Path, nbformat: Any) -> None:
    """Write a notebook as it ran; of what was put in, only the settings."""
    notebook.cells = [one for one in notebook.cells if ASKED not in one.metadata.get("tags", ())]
    for one in notebook.cells:
        if is_ours(one):  # where a value came from is nobody's business, what a setting is may be
            one.source = "\n".join(line for line in one.source.split("\n") if not line.startswith(("with ", "    ")))
    place.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, place)
