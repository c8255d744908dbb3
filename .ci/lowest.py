"""Print the lowest version of each core dependency that pyproject.toml admits, as pip's constraints."""

from __future__ import annotations

import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
for dependency in project["dependencies"]:
    print(dependency.replace(">=", "==", 1))
