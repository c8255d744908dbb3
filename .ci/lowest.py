"""Print the lowest version of each dependency that pyproject.toml admits, those of extras too, as pip's constraints.

What only tests need is left out: an old linter or peer tells nobody anything.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = [listed for extra, listed in project["optional-dependencies"].items() if extra != "test"]
for dependency in sorted({one for listed in (project["dependencies"], *extras) for one in listed}):
    if not dependency.startswith(project["name"]):
        print(dependency.replace(">=", "==", 1))
