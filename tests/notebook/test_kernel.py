"""The extension in a real kernel: interrupts, Run All, the kernel's own event loop."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

TIMEOUT = 60


@dataclass
class Ran:
    """What a cell sent: prints, displays, and its error."""

    reply: dict[str, Any]
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def displays(self) -> dict[str, str]:
        """Return the displays as text by id, each in its last state; without an id, by number."""
        found: dict[str, str] = {}
        for number, message in enumerate(self.messages):
            if message["msg_type"] in ("display_data", "update_display_data", "execute_result"):
                content = message["content"]
                name = content.get("transient", {}).get("display_id") or str(number)
                found[name] = content["data"].get("text/plain", "")
        return found

    @property
    def shown(self) -> list[str]:
        """Return the displays as text."""
        return list(self.displays.values())

    @property
    def printed(self) -> str:
        """Return what was printed."""
        return "".join(m["content"]["text"] for m in self.messages if m["msg_type"] == "stream")

    @property
    def error(self) -> str:
        """Return the traceback as text."""
        return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(self.reply["content"].get("traceback", [])))


@dataclass
class Kernel:
    """A kernel with a client."""

    manager: KernelManager
    client: BlockingKernelClient

    def start(self, code: str, cell_id: str | None = None, deleted: Sequence[str] = ()) -> str:
        """Send a cell as JupyterLab does, and return the id of the request."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        message = self.client.session.msg("execute_request", content)
        message["metadata"] = {"cellId": cell_id, "deletedCells": list(deleted)} if cell_id else {}
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def finish(self, request: str, *, until: str | None = None) -> Ran:
        """Collect what a request sends until it's idle again, or until a text was printed."""
        messages = []
        while True:
            message = self.client.get_iopub_msg(timeout=TIMEOUT)
            if message["parent_header"].get("msg_id") != request:
                continue
            messages.append(message)
            content = message["content"]
            if until is not None and until in content.get("text", ""):
                return Ran({"content": {}}, messages)
            if message["msg_type"] == "status" and content["execution_state"] == "idle":
                break
        while True:
            reply = self.client.get_shell_msg(timeout=TIMEOUT)
            if reply["parent_header"].get("msg_id") == request:
                return Ran(reply, messages)

    def run(self, code: str, cell_id: str | None = None, deleted: Sequence[str] = ()) -> Ran:
        """Run a cell to its end."""
        return self.finish(self.start(code, cell_id, deleted))

    def good(self, code: str, cell_id: str | None = None, deleted: Sequence[str] = ()) -> Ran:
        """Run a cell that must not fail."""
        ran = self.run(code, cell_id, deleted)
        assert ran.reply["content"]["status"] == "ok", ran.error or ran.printed
        return ran


@pytest.fixture(scope="module")
def running() -> Iterator[Kernel]:
    """Run one kernel for this file."""
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(running: Kernel) -> Kernel:
    """Return the kernel with an empty namespace and the extension freshly loaded."""
    running.good("%reset -f\nget_ipython().extension_manager.unload_extension('ipy_orch')")
    running.good("%load_ext ipy_orch")
    return running


CELLS = {
    "raw": "%%asset raw\nprint('made raw')\nimport pandas\npandas.DataFrame({'n': [1, 2, 3]})",
    "total": "#| asset: total\nprint('made total')\nraw.n.sum()",
    "check": "%%asset_check raw rows\nlen(raw) == 3",
    "plain": "from ipy_orch import asset\n@asset\ndef double(total):\n    print('made double')\n    return total * 2",
}


@pytest.mark.parametrize("ids", [True, False])
def test_run_all_twice(kernel: Kernel, ids: bool) -> None:
    """Run All computes each asset once; again, it computes nothing and shows everything."""
    first = {name: kernel.good(code, name if ids else None) for name, code in CELLS.items()}
    second = {name: kernel.good(code, name if ids else None) for name, code in CELLS.items()}
    for name in CELLS:
        assert first[name].printed == second[name].printed
        assert len(first[name].shown) == len(second[name].shown)
        assert "from this session" in second[name].shown[-1]
    runs = kernel.good("import ipy_orch\nlen(ipy_orch.session().history.runs)").shown
    assert runs == ["4"]


SLOW = "import time\nprint('begun', flush=True)\nfor _ in range(600):\n    time.sleep(0.1)\n1"


@pytest.mark.parametrize(
    ("magic", "workers"), [("%%asset slow", 1), ("#| asset: slow", 1), ("%%asset slow", 2), ("#| asset: slow", 2)]
)
def test_interrupt(kernel: Kernel, magic: str, workers: int) -> None:
    """Ctrl-C cancels with one line, stores nothing, leaves no thread, and the next cell works."""
    kernel.good(f"%config Orch.workers = {workers}")
    request = kernel.start(f"{magic}\n{SLOW}", "one")
    kernel.finish(request, until="begun")
    kernel.manager.interrupt_kernel()
    ran = kernel.finish(request)
    assert ran.reply["content"]["status"] == "error"
    assert ran.error == "canceled while `slow` ran: nothing was stored of it"
    assert "Traceback" not in ran.printed
    threads = "import threading\n[t.name for t in threading.enumerate() if 'ipy_orch' in t.name]"
    for _ in range(20):
        left = kernel.good(threads).shown[-1]
        if left == "[]":
            break
        time.sleep(0.1)
    assert left == "[]"
    kernel.good("%config Orch.workers = 1")
    assert kernel.good("'slow' in globals()").shown == ["False"]
    assert kernel.good(f"{magic}\n2", "one").shown[0] == "2"


def test_interrupt_of_a_magic(kernel: Kernel) -> None:
    """Ctrl-C during %materialize: what is done stays, what runs isn't stored."""
    kernel.good("%%asset a --no-run\n1", "a")
    kernel.good("%%asset b --no-run\nimport time\na\nfor _ in range(600): time.sleep(0.1)\n1", "b")
    request = kernel.start("%materialize b")
    time.sleep(1.5)
    kernel.manager.interrupt_kernel()
    ran = kernel.finish(request)
    assert ran.error == "canceled while `b` ran: nothing was stored of it"
    assert kernel.good("a").shown == ["1"]


def test_interrupt_of_many_workers(kernel: Kernel) -> None:
    """Ctrl-C stops pure loops on several workers at once, and the next cell works."""
    names = "pqrs"
    for name in names:
        kernel.good(f"%%asset {name} --no-run --group loops\nn = 0\nwhile True:\n    n += 1\nn", name)
    request = kernel.start("%materialize group:loops --workers 4")
    time.sleep(1)
    kernel.manager.interrupt_kernel()
    assert kernel.finish(request).error == "canceled while `p`, `q`, `r`, `s` ran: nothing was stored of it"
    assert kernel.good("import threading\n[t.name for t in threading.enumerate() if 'ipy_orch' in t.name]").shown == [
        "[]"
    ]
    for name in names:
        kernel.good("1", name)


@pytest.mark.parametrize("magic", ["%%asset slow", "#| asset: slow"])
def test_async_cells(kernel: Kernel, magic: str) -> None:
    """A cell that awaits runs beside the kernel's running loop, and can be interrupted."""
    kernel.good("import asyncio")
    assert kernel.good(f"{magic}\nawait asyncio.sleep(0.01)\n1", "one").shown[0] == "1"
    request = kernel.start(f"{magic}\nprint('begun', flush=True)\nawait asyncio.sleep(60)\n1", "one")
    kernel.finish(request, until="begun")
    kernel.manager.interrupt_kernel()
    assert "canceled while `slow` ran" in kernel.finish(request).error
    assert kernel.good("1 + 1").shown == ["2"]


def test_progress(kernel: Kernel) -> None:
    """A run that takes a while shows one line, which becomes the lines of the assets."""
    for name in "ab":
        kernel.good(f"%%asset {name} --no-run\nimport time\ntime.sleep(0.8)\n1", name)
    ran = kernel.good("%materialize")
    updates = [m for m in ran.messages if m["msg_type"] in ("display_data", "update_display_data")]
    assert updates[0]["content"]["data"]["text/plain"].startswith("0/2 · ")
    assert "running" in updates[0]["content"]["data"]["text/plain"]
    assert len(ran.shown) == 1
    assert len(updates) < 12
    assert [line[:1] for line in ran.shown[0].splitlines()] == ["a", "b"]


def test_errors_reach_the_front_end(kernel: Kernel) -> None:
    """A failed asset is an error of the cell, also for a plain cell's decorated assets."""
    ran = kernel.run("%%asset bad\nx = 1\nx / 0", "one")
    assert ran.reply["content"]["status"] == "error"
    assert ran.reply["content"]["ename"] == "ZeroDivisionError"
    assert "line 3" in ran.error
    assert "----> 3 x / 0" in ran.error
    assert "ipy_orch" not in ran.error
    sent = [m for m in ran.messages if m["msg_type"] == "error"]
    assert len(sent) == 1
    ran = kernel.run("from ipy_orch import asset\n@asset\ndef worse():\n    return [][1]", "two")
    assert ran.reply["content"]["status"] == "error"
    assert ran.reply["content"]["ename"] == "IndexError"
    ran = kernel.run("%materialize nope")
    assert ran.reply["content"]["status"] == "error"
    assert "nope" in ran.printed


def test_deleted_cells(kernel: Kernel) -> None:
    """A cell that was deleted leaves no ghost."""
    kernel.good("%%asset a\n1", "one")
    kernel.good("1", "two", deleted=["one", "two"])
    assert kernel.run("%materialize a").reply["content"]["status"] == "error"


def test_prints_of_workers_stay_in_their_cell(kernel: Kernel) -> None:
    """With workers, what an asset prints appears live in its own cell."""
    kernel.good("%config Orch.workers = 2")
    ran = kernel.good("%%asset a\nprint('from a worker')\n1", "one")
    kernel.good("%config Orch.workers = 1")
    assert ran.printed == "from a worker\n"


def test_figures(kernel: Kernel) -> None:
    """The figure of an asset is shown in its cell, before the status line, and again when it's served."""
    cell = "%%asset plot\nimport matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2])\nNone"
    for _ in range(2):
        ran = kernel.good(cell, "one")
        kinds = [sorted(m["content"]["data"]) for m in ran.messages if m["msg_type"] == "display_data"]
        assert sum("image/png" in kind for kind in kinds) == 1


@pytest.mark.parametrize("ids", [True, False])
def test_ops_and_jobs(kernel: Kernel, ids: bool) -> None:
    """Ops of both spellings and a job, run twice with and without cell ids; an edited op leaves its job behind."""
    cells = {
        "imports": "from ipy_orch import job",
        "one": "%%op one() -> int\n1",
        "add": "#| op: add(x, more: int = 1)\nprint('adding')\nx + more",
        "two": "@job\ndef two():\n    add(one())",
        "launch": "%launch two",
    }
    for _ in range(2):
        ran = {name: kernel.good(text, name if ids else None) for name, text in cells.items()}
    assert ran["launch"].printed == "adding\n"
    assert [line.partition(" ")[0] for line in ran["launch"].shown[-1].splitlines()] == ["one", "add"]
    kernel.good(cells["add"].replace("= 1", "= 5"), "add" if ids else None)
    assert "is behind: it defines `two` from `add`" in kernel.good("%launch two").shown[-1]
    kernel.good(cells["two"], "two" if ids else None)
    assert "behind" not in kernel.good("%launch two").shown[-1]
    assert kernel.good("import ipy_orch\nipy_orch.session().launch('two').output_for_node('add')").shown == ["6"]


def test_interrupt_of_a_launch(kernel: Kernel) -> None:
    """Ctrl-C during %launch: what is done is kept for --from-failure, what ran isn't."""
    kernel.good("from ipy_orch import job\nslow = True")
    kernel.good("%%op first()\n1", "first")
    kernel.good("%%op waits(x)\nimport time\nfor _ in range(600 if slow else 0): time.sleep(0.1)\nx + 1", "waits")
    kernel.good("@job\ndef waiting():\n    waits(first())", "waiting")
    request = kernel.start("%launch waiting")
    time.sleep(1.5)
    kernel.manager.interrupt_kernel()
    assert kernel.finish(request).error == "canceled while `waits` ran: nothing was stored of it"
    kernel.good("slow = False")
    shown = kernel.good("%launch waiting --from-failure").shown[-1].splitlines()
    assert shown[0] == "first · from the last run"
    assert shown[1].startswith("waits · ")
