"""What repo2docker reads: each file is in its form, and what it names is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
KNOWN = {"apt.txt", "postBuild", "requirements.txt", "runtime.txt", "start"}  # those of repo2docker's names that fit


def lines(name: str) -> list[str]:
    """Return the lines of a file that say something."""
    text = (ROOT / "binder" / name).read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_the_files_have_names_that_are_read() -> None:
    """A file of another name would be left out without a word."""
    assert {path.name for path in (ROOT / "binder").iterdir()} <= KNOWN


def test_requirements_name_extras_that_exist() -> None:
    """The project itself, from its root, where repo2docker runs pip; with the kernel, JupyterLab and the data."""
    (said,) = lines("requirements.txt")
    extras = re.fullmatch(r"-e \.\[([\w,]+)\]", said)
    assert extras
    named = set(extras.group(1).split(","))
    assert named <= PROJECT["optional-dependencies"].keys()
    assert {"demo", "lab"} <= named


def test_the_python_is_one_that_is_supported() -> None:
    """And one of those that the classifiers name."""
    (said,) = lines("runtime.txt")
    version = said.removeprefix("python-")
    assert version in SpecifierSet(PROJECT["requires-python"])
    assert f"Programming Language :: Python :: {version}" in PROJECT["classifiers"]


def test_packages_are_names() -> None:
    """What apt gets has no options and no shell in it."""
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", name) for name in lines("apt.txt"))
