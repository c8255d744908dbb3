from __future__ import annotations

import linecache
import sys
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter

import ipy_orch
from ipy_orch.errors import DagsterInvariantViolationError
from ipy_orch.notebook.completion import complete
from tests.notebook.conftest import Notebook


def traces(ip: Any) -> dict[str, Any]:
    """Return what an extension could leave behind in a shell."""
    return {
        "magics": {kind: dict(names) for kind, names in ip.magics_manager.magics.items()},
        "registry": set(ip.magics_manager.registry),
        "events": {name: list(hooks) for name, hooks in ip.events.callbacks.items()},
        "transformers": list(ip.input_transformers_cleanup),
        "matchers": list(ip.Completer.custom_matchers),
        "exceptions": ip.custom_exceptions,
        "formatters": dict(ip.display_formatter.formatters["text/html"].type_printers),
        "configurables": list(ip.configurables),
        "attributes": set(vars(ip)),
        "display": set(vars(ip.display_pub)) - {"displayed"},
        "names": {name for name in ip.user_ns if not name.startswith("_")},
        "streams": (sys.stdout, sys.stderr),
    }


def test_unloading_leaves_nothing(bare: Notebook) -> None:
    """After unloading, the shell is as before: hooks, magics, variables of assets."""
    bare.good("%config")
    before = traces(bare.ip)
    bare.good("%load_ext ipy_orch")
    bare.good("%%asset a\n1")
    bare.run("%%asset b\n1 / 0")
    bare.good("%unload_ext ipy_orch")
    assert traces(bare.ip) == before
    assert bare.run("%%asset a\n1").error is not None


def test_unloading_brings_back_what_was_there(bare: Notebook) -> None:
    """A magic of the user's with one of our names is there again after unloading."""
    bare.ip.register_magic_function(lambda line: 42, magic_name="runs")
    bare.good("%load_ext ipy_orch")
    bare.good("%unload_ext ipy_orch")
    assert bare.good("%runs").out == 42


def test_loading_twice_is_harmless(notebook: Notebook) -> None:
    """Loading again keeps the session and puts nothing in twice."""
    notebook.good("%%asset a\n1")
    before, session = traces(notebook.ip), notebook.session
    ipy_orch.load_ipython_extension(notebook.ip)
    assert traces(notebook.ip) == before
    assert notebook.session is session


def test_reloading(notebook: Notebook) -> None:
    """%reload_ext begins a new session."""
    session = notebook.session
    notebook.good("%%asset a\n1")
    notebook.good("%reload_ext ipy_orch")
    assert notebook.session is not session
    assert notebook.good("%%asset a\n1").shown[0] == "1"


def test_no_session_without_the_extension(bare: Notebook) -> None:
    """Without the extension `session()` says what to do."""
    with pytest.raises(DagsterInvariantViolationError, match="%load_ext ipy_orch"):
        ipy_orch.session()


def test_the_lines_of_a_cell_are_its_own(notebook: Notebook) -> None:
    """Debuggers find the text of the cell under the name of the function's file."""
    notebook.good("%%asset a\n1 + 1")
    scanned = notebook.session.scan()
    code = scanned.definitions[0].op.signature.function.__code__
    assert linecache.getline(code.co_filename, 2) == "1 + 1\n"
    assert code.co_firstlineno == 2


def completions(notebook: Notebook, text: str) -> list[str]:
    """Return what can follow at the end of a cell's text."""
    lines = text.split("\n")
    return complete(notebook.session, text, len(lines) - 1, lines[-1]) or []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%%asset x --gr", ["--group"]),
        ("%%asset x --group in", ["ingest"]),
        ("%%asset x --deps or", ["orders"]),
        ("%%asset x --no", ["--no-run"]),
        ("%%asset x --group a --gr", []),
        ("%%asset_check ", ["raw", "orders"]),
        ("%%asset_check raw --severity ", ["ERROR", "WARN"]),
        ("%materialize ra", ["raw"]),
        ("%materialize +o", ["+orders"]),
        ("%materialize group:i", ["group:ingest"]),
        ("%materialize raw --f", ["--force"]),
        ("%why o", ["orders"]),
        ("%open o", ["orders"]),
        ("%forget o", ["orders"]),
        ("%lineage o", ["orders"]),
        ("%export x.py --for ", ["dagster", "ipy_orch"]),
        ("#| asset: x\n#| gr", ["group:"]),
        ("#| asset: x\n#| group: i", ["ingest"]),
        ("#| che", ["check:"]),
        ("#| check: o", ["orders"]),
        ("#| check: orders\n#| sev", ["severity:"]),
        ("x = 1\nwhy o", []),
        ("orders", []),
    ],
)
def test_completion(notebook: Notebook, text: str, expected: list[str]) -> None:
    """Names, groups and options are completed where they can stand."""
    notebook.good("%%asset raw --group ingest --no-run\n1", "a")
    notebook.good("%%asset orders --no-run\nraw", "b")
    assert completions(notebook, text) == expected


@pytest.mark.parametrize(
    ("text", "typed", "expected"),
    [("%%asset x --gr", "--gr", "--group"), ("%why ord", "ord", "orders"), ("#| asset: x\n#| gr", "gr", "group:")],
)
def test_completion_in_ipython(notebook: Notebook, text: str, typed: str, expected: str) -> None:
    """The front end gets the completion, and where it begins."""
    notebook.good("%%asset orders --no-run\n1")
    with notebook.ip.builtin_trap, provisionalcompleter():
        found = [one for one in notebook.ip.Completer.completions(text, len(text)) if one.type == "param"]
    assert [text[: one.start] + one.text for one in found] == [text.removesuffix(typed) + expected]


def test_completion_inside_a_body(notebook: Notebook) -> None:
    """Inside the body of an asset the completion is Python's."""
    notebook.good("long_name = 1")
    text = "%%asset x\nlong_n"
    with notebook.ip.builtin_trap, provisionalcompleter():
        assert "long_name" in [one.text for one in notebook.ip.Completer.completions(text, len(text))]
    assert completions(notebook, text) == []
