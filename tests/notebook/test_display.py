from __future__ import annotations

import warnings

import pytest

from tests.notebook.conftest import Notebook


def test_prints_are_live_in_the_own_cell_only(notebook: Notebook) -> None:
    """An asset prints in its own cell; an ancestor that runs along doesn't."""
    notebook.good("%%asset raw --no-run\nprint('raw')\n1", "a")
    ran = notebook.good("%%asset b\nprint('b')\nraw", "b")
    assert ran.stdout == "b\n"
    assert notebook.good("%%asset raw\nprint('raw')\n1", "a").stdout == "raw\n"


def test_displays_are_kept_with_the_step(notebook: Notebook) -> None:
    """Rich displays of an ancestor don't appear in a stranger's cell; they are kept for its own."""
    notebook.good("from IPython.display import HTML, display")
    notebook.good("%%asset raw --no-run\ndisplay(HTML('<i>x</i>'))\n1", "a")
    assert len(notebook.good("%%asset b\nraw", "b").shown) == 3
    ran = notebook.good("%%asset raw\ndisplay(HTML('<i>x</i>'))\n1", "a")
    assert ran.displays[0]["text/html"] == "<i>x</i>"
    assert "from this session" in ran.shown[-1]


def test_displays_on_workers(notebook: Notebook) -> None:
    """Displays made on a worker thread go to their step, too."""
    notebook.good("from IPython.display import HTML, display")
    for name in "ab":
        notebook.good(f"%%asset {name} --no-run\ndisplay(HTML('{name}'))\n1", name)
    assert len(notebook.good("%materialize --workers 2").shown) == 1
    assert notebook.good("%%asset b\ndisplay(HTML('b'))\n1", "b").displays[0]["text/html"] == "b"


def test_an_update_takes_the_place(notebook: Notebook) -> None:
    """Of a display that was updated, the last state is kept."""
    notebook.good("from IPython.display import HTML, display")
    cell = "%%asset a\nhandle = display(HTML('1'), display_id='x')\nhandle.update(HTML('2'))\n1"
    first, second = notebook.good(cell, "a"), notebook.good(cell, "a")
    assert first.displays[0]["text/html"] == second.displays[0]["text/html"] == "2"


def test_clear_output_forgets(notebook: Notebook) -> None:
    """What an asset cleared isn't shown again."""
    cell = "%%asset a\nfrom IPython.display import clear_output\nprint('1')\nclear_output()\nprint('2')\n1"
    notebook.good(cell, "a")
    assert notebook.good(cell, "a").stdout == "2\n"


def test_inside_capture_output(notebook: Notebook) -> None:
    """Displays are kept also where somebody captures the cell's output."""
    notebook.good("from IPython.display import HTML, display")
    notebook.good("%%asset a --no-run\ndisplay(HTML('x'))\n1", "a")
    notebook.good(
        "import ipy_orch\nfrom IPython.utils.capture import capture_output\n"
        "with capture_output() as got:\n    ipy_orch.session().materialize('a')"
    )
    assert notebook.good("%%asset a\ndisplay(HTML('x'))\n1", "a").displays[0]["text/html"] == "x"


def test_warnings_are_shown_again(notebook: Notebook) -> None:
    """A warning that an asset gave is shown again when its value is served."""
    notebook.good("import warnings")
    cell = "%%asset a\nwarnings.warn('careful')\n1"
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        notebook.good(cell, "a")
    assert "UserWarning: careful" in notebook.good(cell, "a").stderr


def test_figures_belong_to_their_step(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """A figure that a step leaves open is shown with it, once, and closed."""
    matplotlib = pytest.importorskip("matplotlib")
    pytest.importorskip("matplotlib_inline")
    notebook.good("%matplotlib inline\nimport matplotlib.pyplot as plt")
    try:
        notebook.good("%%asset raw --no-run\nplt.plot([1, 2])\n1", "a")
        assert not any("image/png" in data for data in notebook.good("%%asset b\nraw", "b").displays)
        ran = notebook.good("%%asset raw\nplt.plot([1, 2])\n1", "a")
        assert ["image/png" in data for data in ran.displays] == [True, False, False]
        figure = notebook.good("%%asset c\nfigure, axes = plt.subplots()\naxes.plot([1])\nfigure", "c")
        assert sum("image/png" in data for data in figure.displays) == 1
        assert notebook.good("plt.get_fignums()").out == []
    finally:
        matplotlib.use("agg")


def test_a_value_of_an_own_io_manager(notebook: Notebook) -> None:
    """The value that's shown is what its IO manager gives back."""
    notebook.good(
        "from ipy_orch import ConfigurableIOManager\n"
        "class Store(ConfigurableIOManager):\n"
        "    def handle_output(self, context, obj): pass\n"
        "    def load_input(self, context): return 'loaded'\n"
        "store = Store()"
    )
    assert notebook.good("%%asset a --io-manager store\n1").shown[0] == "'loaded'"
