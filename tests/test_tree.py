"""The files of the project themselves: what lies at the top, and what no file may hold."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

TOP = {
    ".ci",
    ".gitignore",
    ".pre-commit-config.yaml",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "binder",
    "docs",
    "ipy_orch",
    "labextension",
    "notebooks",
    "pyproject.toml",
    "tests",
}

# Written so that no line of this file matches itself.
FORBIDDEN = {
    "a machine path": re.compile(rf"/(?:work|farm|root)/[\w.]|/tmp/ipykernel_\d|{re.escape(str(Path.home()))}/"),
    "a registry's host": re.compile(r"\bpypi\.org|\bpythonhosted\.org|\bregistry\.npmjs|\bnpmjs\.org"),
    "a download address in a lock file": re.compile(r'"resolved":\s'),
}


def tracked() -> list[Path]:
    """Return the files that git knows, those that still exist."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    """Return a file's text, or nothing where it is a picture or data."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_top_level() -> None:
    """The top of the tree holds what a newcomer expects and nothing more."""
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= TOP


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    """A file that names one machine, or where a package was fetched from, works on that machine only."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in tracked()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if FORBIDDEN[what].search(line)
    ]
    assert not found, f"{what} in:\n" + "\n".join(found)
