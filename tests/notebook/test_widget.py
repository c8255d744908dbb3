"""The lineage widget in a real kernel: its comm is driven as JupyterLab drives it, over a subshell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from ipy_orch.ui.kernels import stay_on_subshell

TIMEOUT = 15
VIEW = "application/vnd.jupyter.widget-view+json"
PLACEHOLDER = "export default { render({ el }) { el.textContent = 'lineage' } }"
BEGIN = """
import ipy_orch
import pathlib
import ipy_orch.ui.widget as widget
widget.STATIC = pathlib.Path({folder!r})
%load_ext ipy_orch
"""


@dataclass
class Browser:
    """Stand for JupyterLab: run cells, keep what comes on IOPub, and talk to a widget's comm over a subshell."""

    client: BlockingKernelClient
    subshell: str | None = None
    heard: list[dict[str, Any]] = field(default_factory=list)
    comm: str = ""

    def send_cell(self, code: str, cell_id: str | None = None) -> str:
        """Send a cell."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        message = self.client.session.msg("execute_request", content)
        message["metadata"] = {"cellId": cell_id} if cell_id else {}
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def run(self, code: str, cell_id: str | None = None) -> str:
        """Run a cell to its end, which must be a good one."""
        request = self.send_cell(code, cell_id)
        self.wait(lambda one: is_idle(one, request))
        errors = [one for one in self.of(request) if one["msg_type"] == "error"]
        assert not errors, errors[0]["content"]
        return request

    def of(self, request: str) -> list[dict[str, Any]]:
        """Return what a request has sent."""
        return [one for one in self.heard if one["parent_header"].get("msg_id") == request]

    def wait(self, found: Callable[[dict[str, Any]], Any], start: int = 0) -> dict[str, Any]:
        """Return the first message on IOPub of which something is true."""
        deadline = time.monotonic() + TIMEOUT
        looked = start
        while time.monotonic() < deadline:
            while looked < len(self.heard):
                looked += 1
                if found(self.heard[looked - 1]):
                    return self.heard[looked - 1]
            self.hear([one["content"] for one in self.heard[-5:]])
        raise AssertionError("no such message")

    def hear(self, so_far: Any) -> None:
        """Wait for the next message; where none comes, say what came before."""
        try:
            self.heard.append(self.client.get_iopub_msg(timeout=TIMEOUT))
        except Empty:
            raise AssertionError(f"nothing more comes after {so_far}") from None

    def open_subshell(self) -> None:
        """Open the subshell on which widgets talk, where the kernel has such."""
        message = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(message)
        reply = self.client.get_control_msg(timeout=TIMEOUT)
        self.subshell = reply["content"].get("subshell_id")

    def display(self, code: str = "%lineage") -> dict[str, Any]:
        """Show a widget, and have its comm; return the display."""
        request = self.run(code)
        shown = [one for one in self.of(request) if one["msg_type"] in ("display_data", "execute_result")]
        data: dict[str, Any] = {}
        for one in reversed(shown):  # the picture is an output of its own, below the widget
            data.update(one["content"]["data"])
        self.comm = data[VIEW]["model_id"] if VIEW in data else ""
        return data

    def send(self, **command: Any) -> None:
        """Send a command of the view."""
        data = {"method": "custom", "content": command}
        message = self.client.session.msg("comm_msg", {"comm_id": self.comm, "data": data})
        if self.subshell:
            message["header"]["subshell_id"] = self.subshell
        self.client.shell_channel.send(message)

    def told(self) -> list[dict[str, Any]]:
        """Return what the widget has sent."""
        mine = [one for one in self.heard if one["msg_type"] == "comm_msg"]
        mine = [one for one in mine if one["content"]["comm_id"] == self.comm]
        return [one["content"]["data"]["content"] for one in mine if one["content"]["data"]["method"] == "custom"]

    def answer(self, found: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Wait until the widget sends something of which something is true."""
        while True:
            for one in self.told():
                if found(one):
                    return one
            self.hear(self.told())

    def words(self) -> dict[str, str]:
        """Return id -> status, as a view would have it now."""
        nodes = [node for one in self.told() if one["kind"] in ("snapshot", "patch") for node in one.get("nodes", ())]
        return {node["id"]: node["status"].get("word", "") for node in nodes}

    def until(self, **words: str) -> None:
        """Wait until assets stand so."""
        self.answer(lambda _: {id_: self.words().get(id_) for id_ in words} == words)


def is_idle(message: dict[str, Any], request: str) -> bool:
    """Tell whether a message says that a request is done."""
    done = message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
    return done and message["parent_header"].get("msg_id") == request


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """Return a fresh kernel with the extension, and a view of three lines in the place of the real one."""
    (tmp_path / "lineage.js").write_text(PLACEHOLDER)
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        one = Browser(client)
        one.open_subshell()
        one.run(BEGIN.format(folder=str(tmp_path)))
        yield one
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_open_materialize_edit(browser: Browser) -> None:
    """The graph comes, a click runs, prints stand below the asset's own cell, and an edit spreads by itself."""
    orders = browser.run("#| asset: orders\n#| run: false\nprint('made orders')\n[1, 2]", "c1")
    browser.run("#| asset: total\n#| run: false\nsum(orders)", "c2")
    data = browser.display()
    assert data["image/svg+xml"].startswith("<svg")
    browser.send(kind="refresh", request=1)
    whole = browser.answer(lambda one: one["kind"] == "snapshot")
    assert [node["id"] for node in whole["nodes"]] == ["orders", "total"]
    assert whole["nodes"][0]["cell"] == {"label": "Cell In[2]", "id": "c1"}
    browser.send(kind="materialize", ids=["total"], request=2)
    assert browser.answer(lambda one: one.get("request") == 2)["text"] == "2 assets materialized"
    browser.until(orders="fresh", total="fresh")
    made = browser.wait(lambda one: "made orders" in one["content"].get("text", ""))
    assert made["parent_header"]["msg_id"] == orders
    shown = browser.wait(lambda one: one["content"].get("data", {}).get("text/plain") == "[1, 2]")
    assert shown["parent_header"]["msg_id"] == orders
    browser.wait(lambda one: "orders · " in one["content"].get("data", {}).get("text/plain", ""))
    browser.run("#| asset: orders\n#| run: false\n[1, 2, 3]", "c1")
    browser.until(orders="stale", total="stale")
    browser.send(kind="materialize", stale=True, request=3)
    browser.answer(lambda one: one.get("request") == 3)
    browser.run("assert total == 6, total")


def test_cancel_of_a_run_of_the_widget_while_a_cell_runs(browser: Browser) -> None:
    """Both the click to run and the click to cancel are heard while the main thread is busy."""
    if browser.subshell is None:
        pytest.skip("this ipykernel has no subshells")
    browser.run("#| asset: slow\n#| run: false\nimport time\nfor _ in range(3000): time.sleep(0.01)\n1")
    browser.display()
    browser.send(kind="refresh", request=1)
    browser.until(slow="missing")
    busy = browser.send_cell("import time; print('busy', flush=True); time.sleep(8)")
    browser.wait(lambda one: "busy" in one["content"].get("text", ""))
    began = time.monotonic()
    browser.send(kind="materialize", ids=["slow"], request=2)
    browser.until(slow="running")
    browser.send(kind="cancel", request=3)
    assert browser.answer(lambda one: one.get("request") == 2)["text"] == "canceled: slow"
    assert time.monotonic() - began < 5
    assert not any(is_idle(one, busy) for one in browser.heard)
    browser.until(slow="missing")


def test_cancel_of_a_cell_that_runs(browser: Browser) -> None:
    """It is as Ctrl-C in the cell, although its step waits in C; the session is usable at once."""
    if browser.subshell is None:
        pytest.skip("this ipykernel has no subshells")
    browser.display()
    browser.send(kind="refresh", request=1)
    browser.answer(lambda one: one["kind"] == "snapshot")
    cell = browser.send_cell("#| asset: slow\nimport time\nprint('begun', flush=True)\ntime.sleep(50)\n1")
    browser.wait(lambda one: "begun" in one["content"].get("text", ""))
    browser.until(slow="running")
    began = time.monotonic()
    browser.send(kind="cancel", request=2)
    browser.wait(lambda one: is_idle(one, cell))
    assert time.monotonic() - began < 5
    error = next(one for one in browser.of(cell) if one["msg_type"] == "error")
    assert "canceled while `slow` ran" in "".join(error["content"]["traceback"])
    browser.until(slow="missing")
    browser.run("#| asset: quick\n1")


def test_forged_messages_run_nothing(browser: Browser) -> None:
    """A name that isn't in the graph, and a command that doesn't exist."""
    browser.run("hits = []")
    browser.run("#| asset: orders\n#| run: false\nhits.append(1)\n1")
    browser.display()
    browser.send(kind="materialize", ids=["hits"], request=1)
    browser.send(kind="exec", code="hits.append(2)", request=2)
    assert "there is no asset `hits`" in browser.answer(lambda one: one.get("request") == 1)["why"]
    assert browser.answer(lambda one: one.get("request") == 2)["kind"] == "refused"
    browser.run("assert hits == []\nassert any('refused' in text for text in ipy_orch.session().events().text)")


def test_shown_twice_it_is_one_widget_and_closed_it_is_gone(browser: Browser) -> None:
    """One comm for two displays; when the front end closes it nothing listens to the session any more."""
    browser.run("#| asset: orders\n1")
    browser.run("import ipy_orch; s = ipy_orch.session(); listeners = len(s.log.listeners)")
    browser.display()
    first = browser.comm
    browser.display("ipy_orch.Lineage()")
    assert browser.comm == first
    opened = [one for one in browser.heard if one["msg_type"] == "comm_open"]
    assert [one["content"]["comm_id"] for one in opened if "_esm" in one["content"]["data"].get("state", {})] == [first]
    browser.display("%lineage orders")
    assert browser.comm != first
    for comm in (first, browser.comm):
        message = browser.client.session.msg("comm_close", {"comm_id": comm, "data": {}})
        browser.client.shell_channel.send(message)
    browser.run("assert len(s.log.listeners) == listeners, s.log.listeners")
    browser.run("from ipy_orch.ui.bridge import BRIDGES\nassert not BRIDGES")
    browser.run("from ipywidgets.widgets.widget import _instances\nassert not _instances, _instances")


def test_reprs_of_definitions_and_selections(browser: Browser) -> None:
    """They show the lineage, and unloading the extension closes it."""
    browser.run("from ipy_orch import *\n@asset(group_name='shop')\ndef orders(): return 1")
    assert VIEW in browser.display("ipy_orch.session().definitions()")
    request = browser.run("AssetSelection.groups('shop')")
    shown = [one["content"]["data"] for one in browser.of(request) if one["msg_type"] == "display_data"]
    assert VIEW in shown[0]
    assert shown[0]["text/plain"].startswith("Groups(")
    assert [*shown[1]] == ["image/svg+xml", "text/plain"]  # an output of its own, for where there's no kernel
    data = browser.display("@asset\ndef other(): return 1\nDefinitions([other])")
    assert VIEW in data
    data = browser.display("d = Definitions([asset(name='elsewhere')(lambda: 1)])\nd")
    browser.run("%unload_ext ipy_orch")
    assert VIEW not in browser.display("AssetSelection.groups('shop')")
    assert data["text/plain"].startswith("Definitions(") or "Definitions" in data["text/plain"]


def test_messages_stay_on_their_subshell() -> None:
    """Of an ipykernel that routes them by itself, and of one that doesn't."""

    class Comm:
        def _reply_subshell_for(self, data: Any, default: Any) -> str:
            return "the main shell"

    comm = Comm()
    stay_on_subshell(comm)
    assert comm._reply_subshell_for({}, "the front end's") == "the front end's"
    stay_on_subshell(other := object())
    stay_on_subshell(None)
    assert not hasattr(other, "_reply_subshell_for")
