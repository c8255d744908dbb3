"""The kernel of a code location: started in its environment, told what to run, heard, interrupted, ended.

One call at a time. A thread talks to the kernel; who asks waits for its messages, so that an interrupt finds it.
"""

from __future__ import annotations

import importlib.metadata
import queue
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ipy_orch.errors import DagsterInvariantViolationError, DagsterUserCodeUnreachableError, closest
from ipy_orch.storage.extras import needed

__all__ = ["VERSION", "Ended", "Environment", "Process", "Refused"]

Hear = Callable[[str, Mapping[str, Any]], None]

OURS: Final = Path(__file__).parents[2]
VERSION: Final[str] = sys.modules["ipy_orch"].__version__  # nothing imports the top of the house
LEAST_PYTHON: Final = (3, 11)
HEARTBEAT: Final = 0.1  # seconds between two looks at whether the kernel lives, or the run was cancelled
START: Final = 60.0  # seconds that a kernel has to answer for the first time
PATIENCE: Final = 5.0  # seconds that interrupted code has to end before its kernel is ended

BEGIN: Final = """
import importlib.util as _util, sys as _sys
if _sys.version_info < {least!r}:
    raise RuntimeError("it is Python " + _sys.version.split()[0])
try:
    if _util.find_spec("ipy_orch") is None:
        _spec = _util.spec_from_file_location("ipy_orch", {init!r}, submodule_search_locations=[{folder!r}])
        _module = _sys.modules["ipy_orch"] = _util.module_from_spec(_spec)
        _spec.loader.exec_module(_module)
    import ipy_orch.session.locations.serving
    import ipy_orch as _module
    _told = _module.__version__
except ModuleNotFoundError as _error:
    import importlib.metadata as _metadata
    _names = {{_one.metadata["Name"].lower().replace("_", "-") for _one in _metadata.distributions()}}
    _lacking = [_one for _one in {requirements!r} if _one[0] not in _names]
    raise RuntimeError("it lacks " + " ".join(_one[1] for _one in _lacking or [(_error.name, _error.name)])) from None
if _told != {version!r}:
    raise RuntimeError("it has ipy_orch " + _told)
"""


class Ended(DagsterUserCodeUnreachableError):
    """Tell that the kernel of a location isn't there any more."""


class Refused(Exception):
    """Tell that code of ours, or a cell, raised in the kernel.

    Args:
        kind: the name of the exception's type.
        frames: of it, as the kernel shows them.
    """

    def __init__(self, kind: str, message: str, frames: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.kind, self.message, self.frames = kind, message, frames


class Environment:
    """Be where a location runs: a kernel spec or a Python; by default this one.

    Raises:
        DagsterInvariantViolationError: when there is no such kernel or Python.
    """

    def __init__(self, kernel: str = "", python: str = "") -> None:
        if kernel and python:
            raise DagsterInvariantViolationError("give `--kernel` or `--python`, not both")
        self.kernel, self.python = kernel, python
        self.argv, self.env = self.of_kernel(kernel) if kernel else self.of_python(python or sys.executable)

    @property
    def label(self) -> str:
        """Return how a person gave it, "" for this one."""
        return self.kernel or self.python

    def of_python(self, python: str) -> tuple[list[str], dict[str, str]]:
        """Return the command of a Python."""
        found = shutil.which(Path(python).expanduser())
        if found is None:
            isit = "is a folder" if Path(python).expanduser().is_dir() else "isn't there, or can't be run"
            hint = (
                f"a virtual environment's Python is in its `{'Scripts' if sys.platform == 'win32' else 'bin'}` folder"
            )
            raise DagsterInvariantViolationError(f"the Python `{python}` {isit}", hint=hint)
        return [str(Path(found).absolute()), "-m", "ipykernel_launcher", "-f", "{connection_file}"], {}

    def of_kernel(self, name: str) -> tuple[list[str], dict[str, str]]:
        """Return the command of a kernel spec."""
        specs = needed("jupyter_client.kernelspec", "a code location", "run")
        manager = specs.KernelSpecManager()
        try:
            spec = manager.get_kernel_spec(name)
        except (specs.NoSuchKernel, ValueError):
            known = sorted(manager.find_kernel_specs())
            hint = closest(name, known) or f"`jupyter kernelspec list` shows them: {', '.join(known)}"
            raise DagsterInvariantViolationError(f"there is no kernel `{name}`", hint=hint) from None
        if spec.language.lower() != "python":
            raise DagsterInvariantViolationError(f"the kernel `{name}` is for {spec.language}, not for Python")
        return list(spec.argv), dict(spec.env)


class Process:
    """Be the kernel of a location.

    Args:
        name: of the location, for messages.
        folder: in which it runs.
    """

    def __init__(self, name: str, environment: Environment, folder: Path) -> None:
        self.name, self.environment, self.folder = name, environment, folder
        self.lock, self.ending = threading.Lock(), threading.Lock()
        self.scratch = Path(tempfile.mkdtemp(prefix="ipy_orch-"))
        self.manager: Any = None
        self.client: Any = None

    # -- its life ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the kernel, and have ipy_orch there.

        Raises:
            DagsterInvariantViolationError: when the environment lacks something, with what to type.
        """
        try:
            self.open()
            self.run(BEGIN.format(**begin()), lambda *_: None)
        except Refused as refused:
            self.end()
            raise self.unfit(refused) from None
        except Ended as ended:
            self.end()
            raise self.unfit(ended) from None
        except BaseException:
            self.end()
            raise

    def open(self) -> None:
        """Start the process and its channels.

        Raises:
            Ended: when it doesn't come up.
        """
        client = needed("jupyter_client", "a code location", "run")
        specs = needed("jupyter_client.kernelspec", "a code location", "run")
        self.manager = client.KernelManager()
        self.manager._kernel_spec = specs.KernelSpec(  # noqa: SLF001 - the place for a spec that isn't installed
            argv=[*self.environment.argv, "--IPKernelApp.log_level=ERROR"], env=self.environment.env, language="python"
        )
        self.waited(self.wait_until_ready, lambda *_: None)

    def wait_until_ready(self, _messages: Any) -> None:
        """Start the kernel, and wait for its first answer."""
        with (self.scratch / "errors").open("wb") as errors:
            self.manager.start_kernel(cwd=str(self.folder), stdout=errors, stderr=errors)
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        try:
            self.client.wait_for_ready(timeout=START)
        except RuntimeError:
            raise self.ended() from None

    def end(self) -> None:
        """End the kernel at once, and remove its files; once, whoever asks first."""
        if not self.ending.acquire(blocking=False):
            return
        with suppress(Exception):
            self.client.stop_channels()
        with suppress(Exception):
            apart(self.shut_down, self.name).join()
        if self.is_alive:  # where Python ends, there are no new threads
            self.popen.kill()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def shut_down(self) -> None:
        """Have jupyter_client end the kernel, which may have ended already."""
        with suppress(Exception):
            self.manager.shutdown_kernel(now=True)

    @property
    def is_alive(self) -> bool:
        """Tell whether the process runs."""
        process = self.popen
        return process is not None and process.poll() is None

    @property
    def popen(self) -> Any:
        """Return the process, None where there is none yet, or no more."""
        return getattr(getattr(self.manager, "provisioner", None), "process", None)

    # -- calls ---------------------------------------------------------------------------------------------------------

    def run(self, code: str, hear: Hear, *, cell_id: str | None = None) -> None:
        """Run code, and hand on its messages as they come.

        Args:
            cell_id: of a notebook's cell; code of ours has none, and leaves no trace.

        Raises:
            Refused: when the code raises.
            Ended: when the kernel dies.
            BaseException: what interrupts the caller; the kernel is interrupted then, too.
        """
        while not self.lock.acquire(timeout=HEARTBEAT):
            pass
        try:
            self.waited(lambda messages: self.talk(code, messages, cell_id), hear)
        finally:
            self.lock.release()

    def waited(self, call: Callable[[queue.SimpleQueue[Any]], None], hear: Hear) -> None:
        """Have a thread make a call, and wait for its messages and its end."""
        messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
        errors: list[BaseException] = []

        def make() -> None:
            try:
                call(messages)
            except BaseException as error:
                errors.append(error)
            finally:
                messages.put(None)

        thread = apart(make, self.name)
        try:
            self.drain(messages, hear)
        except BaseException:
            self.interrupt(thread)
            raise
        thread.join()
        if errors:
            raise errors[0]

    def drain(self, messages: queue.SimpleQueue[Any], hear: Hear) -> None:
        """Hand on messages until there are no more."""
        while True:
            try:
                message = messages.get(timeout=HEARTBEAT)
            except queue.Empty:
                continue
            if message is None:
                return
            hear(*message)

    def interrupt(self, thread: threading.Thread) -> None:
        """Interrupt what the kernel does; one that doesn't heed it is ended."""
        with suppress(Exception):
            apart(self.manager.interrupt_kernel, self.name).join(PATIENCE)
        thread.join(PATIENCE)
        if thread.is_alive():
            with suppress(Exception):
                self.popen.kill()
            thread.join(PATIENCE)

    def talk(self, code: str, messages: queue.SimpleQueue[Any], cell_id: str | None) -> None:
        """Run code, and put its messages into a queue."""
        if not self.is_alive:
            raise self.ended()
        client = self.client
        is_cell = cell_id is not None
        client.session.metadata = {"cellId": cell_id} if cell_id else {}
        sent = client.execute(code, silent=not is_cell, store_history=is_cell, allow_stdin=False, stop_on_error=False)
        while True:
            message = self.received(client.get_iopub_msg)
            if message["parent_header"].get("msg_id") != sent:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                break
            messages.put((message["msg_type"], message["content"]))
        reply = self.received(client.get_shell_msg)
        while reply["parent_header"].get("msg_id") != sent:
            reply = self.received(client.get_shell_msg)
        content = reply["content"]
        if content["status"] == "error":
            raise Refused(content.get("ename", ""), content.get("evalue", ""), content.get("traceback", ()))

    def received(self, get: Callable[..., Any]) -> Any:
        """Return the next message.

        Raises:
            Ended: when the kernel dies before there is one.
        """
        while True:
            alive = self.is_alive
            try:
                return get(timeout=HEARTBEAT)
            except queue.Empty:
                if not alive:
                    raise self.ended() from None

    # -- what went wrong -----------------------------------------------------------------------------------------------

    def ended(self) -> Ended:
        """Return the error for a kernel that is no more, with its last words."""
        process = self.popen
        code = process.poll() if process is not None else None
        how = "" if code is None else f" (signal {-code})" if code < 0 else f" (exit code {code})"
        words = self.last_words()
        return Ended(
            f"its process ended{how}{f': {words}' if words else ''}",
            where=f"code location `{self.name}`",
            hint=f"`%code_location reload {self.name}` starts it again",
        )

    def last_words(self) -> str:
        """Return the last line that the kernel wrote when it died."""
        try:
            text = (self.scratch / "errors").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1][:300] if lines else ""

    def unfit(self, error: Exception) -> DagsterInvariantViolationError:
        """Return the error for an environment that can't be used, with what to type."""
        where, python = f"code location `{self.name}`", self.environment.argv[0]
        what = f"the environment `{self.environment.label}`" if self.environment.label else "this environment"
        words = str(getattr(error, "message", error))
        pip = f"`{python} -m pip install {{}}`"
        if isinstance(error, Ended) and (lacking := re.search(r"No module named '?(\w+)", words)):
            package = "ipykernel" if lacking[1].startswith("ipykernel") else lacking[1]
            told = f"{what} has no `{package}`, which a code location needs"
            return DagsterInvariantViolationError(told, where=where, hint=pip.format(package))
        if words.startswith("it lacks "):
            packages = words.removeprefix("it lacks ").split()
            told = f"{what} lacks packages that ipy_orch needs: {', '.join(packages)}"
            return DagsterInvariantViolationError(told, where=where, hint=pip.format(" ".join(map(quoted, packages))))
        if words.startswith("it has ipy_orch "):
            told = f"{what} has {words.removeprefix('it has ')}, and here is {VERSION}"
            return DagsterInvariantViolationError(told, where=where, hint=pip.format(quoted(f"ipy-orch=={VERSION}")))
        if words.startswith("it is Python "):
            least = ".".join(map(str, LEAST_PYTHON))
            told = f"{what} is {words.removeprefix('it is ')}, and a code location needs {least} or later"
            return DagsterInvariantViolationError(told, where=where)
        return DagsterInvariantViolationError(f"{what} can't be used: {words.splitlines()[0]}", where=where)


def apart(call: Callable[[], object], name: str) -> threading.Thread:
    """Make a call on a thread: jupyter_client needs an event loop, which a kernel's own thread uses already."""
    loops = needed("jupyter_core.utils", "a code location", "run")

    def make() -> None:
        try:
            call()
        finally:
            loops.ensure_event_loop().close()

    thread = threading.Thread(target=make, name=f"ipy_orch location {name}", daemon=True)
    thread.start()
    return thread


def begin() -> dict[str, Any]:
    """Return what the first code in a kernel is told."""
    return {
        "least": LEAST_PYTHON,
        "init": str(OURS / "__init__.py"),
        "folder": str(OURS),
        "requirements": requirements(),
        "version": VERSION,
    }


def requirements() -> list[tuple[str, str]]:
    """Return name and requirement of each package that ipy_orch needs."""
    try:
        said = importlib.metadata.requires("ipy-orch") or []
    except importlib.metadata.PackageNotFoundError:
        said = ["pydantic>=2.11"]
    own = [one.replace(" ", "") for one in said if "extra" not in one]
    return [(re.split(r"[<>=!~;\[]", one)[0].lower().replace("_", "-"), one.partition(";")[0]) for one in own]


def quoted(requirement: str) -> str:
    """Return a requirement as a shell takes it.

    >>> quoted("pydantic>=2.11")
    "'pydantic>=2.11'"
    """
    return f"'{requirement}'" if re.search(r"[<>=!~]", requirement) else requirement
