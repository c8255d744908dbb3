"""A store in real kernels: restarted, killed, two at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from tests.notebook.test_kernel import CELLS, Kernel, Ran

MODEL = {
    "class": "class Model:\n    def __init__(self, total):\n        self.total = total",
    "model": "%%asset model\nModel(total)",
    "plot": "%%asset shown\nfrom IPython.display import HTML, display\ndisplay(HTML('<b>rich</b>'))\ntotal + 1",
}


@pytest.fixture
def kernels() -> Iterator[tuple[Kernel, Kernel]]:
    """Run two kernels."""
    started = [Kernel(*start_new_kernel(kernel_name="python3")) for _ in range(2)]
    try:
        yield started[0], started[1]
    finally:
        for one in started:
            one.client.stop_channels()
            one.manager.shutdown_kernel(now=True)


def run_all(kernel: Kernel, folder: Path) -> dict[str, Ran]:
    """Run all cells of the notebook."""
    kernel.good(f"%load_ext ipy_orch\n%config Orch.store = '{folder}'")
    return {name: kernel.good(code, name) for name, code in {**CELLS, **MODEL}.items()}


def assert_served(first: dict[str, Ran], second: dict[str, Ran]) -> None:
    """Have every cell show again what it showed, and say that nothing was computed."""
    for name, ran in first.items():
        assert ran.printed == second[name].printed
        assert len(ran.shown) == len(second[name].shown)
        if ran.shown:
            assert "from this session" in second[name].shown[-1]
            if name != "model":  # whose repr is an address
                assert ran.shown[:-1] == second[name].shown[:-1]


def test_restarted_killed_and_two_at_once(kernels: tuple[Kernel, Kernel], tmp_path: Path) -> None:
    """Run All computes nothing again and shows everything: values, output, displays, verdicts."""
    one, other = kernels
    folder = tmp_path / "store"
    first = run_all(one, folder)
    assert_served(first, run_all(other, folder))
    one.manager.restart_kernel(now=True)
    one.client.wait_for_ready(timeout=60)
    assert_served(first, run_all(one, folder))
    assert one.good("int(model.total)").shown == ["6"]
    one.good("%forget total")
    other.manager.restart_kernel(now=False)
    other.client.wait_for_ready(timeout=60)
    again = run_all(other, folder)
    assert "from this session" in again["raw"].shown[-1]
    assert "never materialized" not in again["total"].shown[-1]
    assert "from this session" not in again["total"].shown[-1]


def test_a_folder_that_cannot_be_used(kernels: tuple[Kernel, Kernel], tmp_path: Path) -> None:
    """Is told where it is set, and the notebook runs."""
    (tmp_path / "file").write_text("")
    ran = kernels[0].good(f"%load_ext ipy_orch\n%config Orch.store = '{tmp_path}/file'")
    assert "The session goes on in memory" in ran.printed
    (tmp_path / "file").unlink()
    kernels[0].good(f"%config Orch.store = '{tmp_path}/file'")
    assert (tmp_path / "file" / ".gitignore").is_file()
    assert kernels[0].good("%%asset a\n1").shown[0] == "1"
    kernels[0].good(f"%config Orch.store = '{tmp_path}/store'")
    kernels[0].good("%config Orch.store = ''")
    assert (tmp_path / "store").is_dir()


def test_a_disk_that_was_full(kernels: tuple[Kernel, Kernel], tmp_path: Path) -> None:
    """The store is taken up again as it is named again, although that is no change of the setting."""
    one = kernels[0]
    one.good(f"%load_ext ipy_orch\n%config Orch.store = '{tmp_path}/full'")
    limit = "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nMOST = resource.RLIM_INFINITY\n"
    one.good(f"{limit}resource.setrlimit(resource.RLIMIT_FSIZE, (100, MOST))")
    told = one.good("%%asset a\n1").shown[-1]
    assert f"`%config Orch.store = '{tmp_path}/full'` takes it up again" in told
    one.good("resource.setrlimit(resource.RLIMIT_FSIZE, (MOST, MOST))")
    one.good(f"%config Orch.store = '{tmp_path}/full'")
    one.good("%%asset b\na + 1")
    one.manager.restart_kernel(now=True)
    one.client.wait_for_ready(timeout=60)
    one.good(f"%load_ext ipy_orch\n%config Orch.store = '{tmp_path}/full'")
    for name, body in (("a", "1"), ("b", "a + 1")):
        assert "from this session" in one.good(f"%%asset {name}\n{body}").shown[-1]
