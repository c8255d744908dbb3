"""The JupyterLab extension that the wheel holds is that of the sources, and whole."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ipy_orch.ui.generate_protocol import PLACE

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "labextension"
BUILT = SOURCES / "share" / "jupyter" / "labextensions" / "ipy-orch"
MOST = 700 * 1024


def sources_hash() -> str:
    """Return the hash that build-lab.mjs records: of all that the extension is made from."""
    walked = [
        path
        for folder in ("schema", "src")
        for path in (SOURCES / folder).rglob("*")
        if path.suffix in (".ts", ".tsx", ".css", ".json")
    ]
    names = [
        "package-lock.json",
        "package.json",
        "build-lab.mjs",
        "federation.cjs",
        *(path.relative_to(SOURCES).as_posix() for path in walked),
    ]
    found = hashlib.sha256()
    for name in sorted(names):
        text = (SOURCES / name).read_text(encoding="utf-8")
        found.update(f"{name}\0{text}\0".encode())
    return found.hexdigest()


@pytest.mark.skipif(not PLACE.is_file(), reason="an sdist has no sources of the view")
def test_it_is_built_from_these_sources() -> None:
    """A change of the extension that wasn't built is noticed."""
    recorded = json.loads((BUILT / "sources.json").read_text(encoding="utf-8"))["sha256"]
    assert recorded == sources_hash(), "hint: cd labextension && npm ci --ignore-scripts && npm run build"


def test_it_is_small_and_names_no_machine() -> None:
    """It is loaded with each page, and must say nothing of where it was built; nothing but JupyterLab's is fetched."""
    texts = [path.read_text(encoding="utf-8") for path in (BUILT / "static").iterdir()]
    assert sum(len(text.encode()) for text in texts) <= MOST
    for text in texts:
        assert str(ROOT) not in text
        assert not re.search(r"https?://(?!www\.w3\.org/)", text)


def test_jupyter_finds_it() -> None:
    """`jupyter labextension list` says that it is there, enabled and OK, and that pip has installed it."""
    command = [sys.executable, "-m", "jupyter", "labextension", "list"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8")
    said = re.sub(r"\x1b\[\d*m", "", done.stdout + done.stderr)
    assert re.search(r"ipy-orch v\S+ enabled\s+OK \(python, ipy-orch\)", said), said


def test_versions_agree() -> None:
    """Python package, npm package and what is built have one version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    package = json.loads((BUILT / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == project["version"]
    assert (BUILT / package["jupyterlab"]["_build"]["load"]).is_file()


def test_the_schema_names_commands_that_are_there() -> None:
    """Keys, menus and the toolbar of the schema lead to commands of the bundle."""
    schema = (BUILT / "schemas" / "ipy-orch" / "plugin.json").read_text(encoding="utf-8")
    bundle = "".join(path.read_text(encoding="utf-8") for path in (BUILT / "static").iterdir())
    named = set(re.findall(r'"command": "ipy-orch:([\w-]+)"', schema))
    assert named
    assert all(f'id:"{name}"' in bundle for name in named)
