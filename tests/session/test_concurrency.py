"""Requests from several threads: one computation per key, and an edit during a run is never lost."""

from __future__ import annotations

import threading

from tests.session.notebook import Notebook


def made(notebook: Notebook) -> int:
    """Return how often `a` was made."""
    return sum(event.kind == "materialized" for event in notebook.session.log)


def test_concurrent_requests_compute_once() -> None:
    """The second waits for the first, and is served what that made."""
    notebook = Notebook(run=False)
    notebook.cell("a", "%%asset a\nimport time\ntime.sleep(0.3)\n[1]")
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(notebook.value("a"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [[1]] * 4
    assert made(notebook) == 1


def test_a_cell_that_runs_again_during_a_run() -> None:
    """What was computed counts for the code that computed it: the new code runs at the next request."""
    notebook = Notebook(run=False)
    begun, go = threading.Event(), threading.Event()
    notebook.namespace.update(begun=lambda: begun.set(), go=lambda: go.wait(10))
    notebook.cell("a", "%%asset a\nbegun()\ngo()\n'old'")
    running = threading.Thread(target=lambda: notebook.session.materialize("a"))
    running.start()
    assert begun.wait(10)
    notebook.cell("a", "%%asset a\n'new'")
    go.set()
    running.join(10)
    assert made(notebook) == 1
    assert notebook.value("a") == "new"
    assert made(notebook) == 2
