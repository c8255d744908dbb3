"""What the README and the pages say is there: files, magics, commands, extras, make targets."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest
from IPython.core.interactiveshell import InteractiveShell

from ipy_orch.cli import main
from ipy_orch.notebook.extension import load_ipython_extension, unload_ipython_extension

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "labextension" / "README.md", *ROOT.glob("docs/*.md")]
PICTURE_BYTES = 300_000


def text_of(page: Path) -> str:
    """Return a page's text."""
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Each link to a file of the project has the file, and its heading."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text_of(page)):
        name, _, heading = target.partition("#")
        place = page.parent / name if name else page
        assert place.exists(), target
        if heading:
            titles = [line.lstrip("# ").lower() for line in text_of(place).splitlines() if line.startswith("#")]
            assert heading in [re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in titles], target


def test_magics_exist() -> None:
    """Each magic that a page names is one that the extension brings, or IPython's."""
    ip = InteractiveShell()
    load_ipython_extension(ip)
    known = {name for table in ip.magics_manager.magics.values() for name in table}
    unload_ipython_extension(ip)
    for page in PAGES[:1] + PAGES[3:]:
        named = set(re.findall(r"(?:`|^ {4}|^)%{1,2}([a-z_]+)", text_of(page), re.MULTILINE))
        assert named <= known | {"pip"}, (page.name, named - known)


def test_commands_exist() -> None:
    """Each command of the shell, and each of make's targets, too."""
    commands = main.list_commands(click.Context(main))
    made = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    for page in PAGES:
        assert set(re.findall(r"^ {4}ipy-orch ([a-z]+)", text_of(page), re.MULTILINE)) <= set(commands)
        assert set(re.findall(r"(?:^ {4}|`)make ([a-z-]+)", text_of(page), re.MULTILINE)) <= made


def test_extras_exist() -> None:
    """What pip is told to install is in pyproject.toml."""
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    for page in PAGES:
        for named in re.findall(r"(?:ipy-orch|\")\.?\[([\w,]+)\]", text_of(page)):
            assert set(named.split(",")) <= project["optional-dependencies"].keys()


def test_the_picture_is_small() -> None:
    """It is loaded by everyone who reads."""
    assert (ROOT / "docs" / "lineage.png").stat().st_size <= PICTURE_BYTES


def test_every_notebook_is_in_the_guide() -> None:
    """The index names each of them, in order of reading."""
    named = re.findall(r"\(\.\./notebooks/(\w+\.ipynb)\)", text_of(ROOT / "docs" / "README.md"))
    assert sorted(named) == sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert named[0] == "quickstart.ipynb"
