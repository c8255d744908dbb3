"""The kernel's end of the JupyterLab extension's comm, in a real kernel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from ipy_orch.notebook.lab_comm import TARGET
from tests.notebook.test_widget import TIMEOUT, Browser


class Page(Browser):
    """Stand for a page with the extension."""

    def opened(self) -> str:
        """Return the id of the comm that the kernel has opened."""
        message = self.wait(lambda one: one["msg_type"] == "comm_open" and one["content"]["target_name"] == TARGET)
        return str(message["content"]["comm_id"])

    def found(self) -> list[str]:
        """Return the ids of the comms that a page finds which comes later."""
        message = self.client.session.msg("comm_info_request", {"target_name": TARGET})
        self.client.shell_channel.send(message)
        while True:
            reply = self.client.get_shell_msg(timeout=TIMEOUT)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                return list(reply["content"]["comms"])

    def send(self, **command: Any) -> None:
        """Send a command."""
        self.post("comm_msg", comm_id=self.comm, data=command)

    def post(self, kind: str, **content: Any) -> None:
        """Send a message on the shell channel."""
        self.client.shell_channel.send(self.client.session.msg(kind, content))

    def told(self) -> list[dict[str, Any]]:
        """Return what the kernel has told this page."""
        mine = [one for one in self.heard if one["msg_type"] == "comm_msg"]
        return [one["content"]["data"] for one in mine if one["content"]["comm_id"] == self.comm]


@pytest.fixture
def page() -> Iterator[Page]:
    """Return a fresh kernel in which the extension was loaded."""
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        one = Page(client)
        one.run("%load_ext ipy_orch")
        one.comm = one.opened()
        yield one
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_page_is_told_of_cells_that_run(page: Page) -> None:
    """Nothing is sent before a page has spoken; from then on each asset's cell is told, by the front end's id."""
    page.run("#| asset: orders\n[1]", "c1")
    assert page.told() == []
    page.run("import sys; assert 'ipy_orch.ui.bridge' not in sys.modules")
    page.send(kind="refresh", request=1)
    whole = page.answer(lambda one: one["kind"] == "snapshot")
    assert whole["nodes"][0]["cell"] == {"label": "Cell In[2]", "id": "c1"}
    page.run("#| asset: total\nsum(orders)", "c2")
    page.until(orders="fresh", total="fresh")


def test_a_page_that_comes_later_finds_the_comm(page: Page) -> None:
    """It is the same comm, on which it is told all."""
    assert page.found() == [page.comm]
    page.run("#| asset: orders\n[1]")
    page.send(kind="refresh", request=1)
    page.until(orders="fresh")
    page.send(kind="refresh", request=2)
    assert page.answer(lambda one: one.get("request") == 2)["kind"] == "snapshot"


def test_a_front_end_that_does_not_know_the_comm_shuts_nobody_out(page: Page) -> None:
    """It closes the comm; a page with the extension finds another one."""
    page.post("comm_close", comm_id=page.comm, data={})
    (other,) = page.found()
    assert other != page.comm
    page.comm = other
    page.run("#| asset: orders\n[1]")
    page.send(kind="refresh", request=1)
    page.until(orders="fresh")


def test_unloading_closes_it(page: Page) -> None:
    """The page is told, and a command that still comes harms nothing."""
    page.send(kind="refresh", request=1)
    page.run("%unload_ext ipy_orch")
    page.wait(lambda one: one["msg_type"] == "comm_close" and one["content"]["comm_id"] == page.comm)
    assert page.found() == []
    page.send(kind="refresh", request=2)
    page.run("1 + 1")
