"""The tests of the view itself: those of vitest, where Node and the view's packages are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

VIEW = Path(__file__).parents[2] / "labextension"
OLDEST = (20, 19)


def why_not() -> str:
    """Say why vitest can't run here, "" where it can."""
    node = shutil.which("node")
    if not (VIEW / "test").is_dir():
        return "an sdist has no sources of the view"
    if node is None:
        return "there is no Node: the view's own tests aren't run"
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    if tuple(map(int, re.findall(r"\d+", told)[:2])) < OLDEST:
        return f"the view's own tests need Node 20.19, this is {told.strip()}"
    if not (VIEW / "node_modules" / "vitest").is_dir():
        return "the view's packages aren't installed; hint: cd labextension && npm ci --ignore-scripts"
    return ""


def test_vitest() -> None:
    """Layout, state and view against a fake host, and its types; skipped with a word where there's no Node."""
    if missing := why_not():
        if os.environ.get("CI") and "npm ci" in missing:
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    vitest = [str(VIEW / "node_modules" / "vitest" / "vitest.mjs"), "run", "--reporter=dot"]
    environment = {**os.environ, "NO_COLOR": "1"}
    ran = subprocess.run(
        ["node", *vitest], cwd=VIEW, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, f"{ran.stdout[-6_000:]}\n{ran.stderr[-2_000:]}"
