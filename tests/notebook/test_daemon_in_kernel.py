"""The daemon in a real kernel: cells aren't held up, output stays where it belongs, and the kernel ends at once."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from jupyter_client.manager import start_new_kernel

from tests.notebook.test_kernel import Kernel


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """Run a kernel that the test may end."""
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


SENSOR = """%%sensor beat --target orders --every 1
print("asked")
seen = int(context.cursor or 0) + 1
context.update_cursor(str(seen))
[RunRequest(run_key=str(seen))]"""


def test_it_ticks_while_cells_run_and_ends_with_the_kernel(kernel: Kernel) -> None:
    """What a sensor prints, and what its runs print, appears in no other cell."""
    kernel.good("%load_ext ipy_orch", "a")
    kernel.good('%%asset orders\nprint("made")\n1', "b")
    kernel.good(SENSOR, "c")
    kernel.good("%automations on beat", "d")
    assert "running · on: beat" in "".join(kernel.good("%daemon start", "e").shown)
    ran = kernel.good("import time\ntime.sleep(2.5)\nprint('slept')", "f")
    assert ran.printed == "slept\n"
    ran = kernel.good("import ipy_orch\nprint(len(ipy_orch.session().ticks('beat')) >= 2)", "g")
    assert ran.printed == "True\n"
    ran = kernel.good("print(ipy_orch.session().ticks('beat').iloc[-1]['runs'])", "h")
    assert ran.printed == "success\n"
    began = time.monotonic()
    kernel.manager.shutdown_kernel()
    assert time.monotonic() - began < 5
