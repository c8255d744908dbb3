"""The same folder of components, loaded here and by Dagster."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster
import pytest

import ipy_orch

FILES = {
    "__init__.py": "",
    "types.py": """
from dataclasses import dataclass, field
from typing import Annotated
from FRAMEWORK import (AssetSpec, Component, Definitions, Model, Resolvable, ResolvedAssetSpec, Resolver, template_var)

@dataclass
class Part(Resolvable):
    size: Annotated[int, Resolver(lambda context, text: int(text.rstrip('k')) * 10, model_field_type=str)]
    name: str = "part"

class Report(Component, Model, Resolvable):
    name: str
    parts: list[Part] = []
    specs: list[ResolvedAssetSpec] | None = None

    @staticmethod
    @template_var
    def word():
        return "sales"

    def build_defs(self, context):
        made = [AssetSpec(f"{self.name}_{one.name}", metadata={"size": one.size}) for one in self.parts]
        return Definitions(assets=[*made, *(self.specs or [])])
""",
    "one/defs.yaml": """
type: MODULE.types.Report
attributes:
  name: "{{ word }}"
  parts:
    - {size: "3k", name: a}
    - {size: "{{ env('NO_SUCH_SIZE', '4k') }}", name: "{{ word }}_b"}
---
type: MODULE.types.Report
attributes:
  name: other
  specs:
    - key: shop/orders
      deps: [raw, shop/customers]
      tags: {tier: 1}
      kinds: [duckdb]
      group_name: "{{ word }}"
post_processing:
  assets:
    - target: "group:sales"
      attributes: {tags: {more: "of_{{ asset.group_name }}"}, owners: ["team:shop"]}
""",
    "two/definitions.py": """
from FRAMEWORK import AssetSpec, ComponentLoadContext, Definitions, definitions

@definitions
def defs(context: ComponentLoadContext):
    return Definitions(assets=[AssetSpec("below", deps=[AssetSpec("sales_a")])])
""",
    "three/assets.py": """
from FRAMEWORK import asset, component_instance
from MODULE.types import Part, Report

@asset
def loose(): ...

@component_instance
def made(context) -> Report:
    return Report(name="python", parts=[Part(size=1)])
""",
}


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder with the project, once for each framework."""
    for framework in ("ipy_orch", "dagster"):
        module = f"peer_of_{framework}"
        for name, text in FILES.items():
            path = tmp_path / module / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("FRAMEWORK", framework).replace("MODULE", module), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield tmp_path
    for name in [one for one in sys.modules if one.startswith("peer_of_")]:
        del sys.modules[name]


def facts(framework: Any, folder: Path) -> dict[str, Any]:
    """Return what a framework makes of its folder."""
    defs = framework.load_defs(importlib.import_module(f"peer_of_{framework.__name__}"), project_root=folder)
    return {
        spec.key.to_user_string(): (
            sorted(dep.asset_key.to_user_string() for dep in spec.deps),
            spec.group_name or "default",
            dict(spec.tags),
            [*spec.owners],
            {name: value for name, value in spec.metadata.items() if name == "size"},
        )
        for spec in defs.resolve_all_asset_specs()
    }


@pytest.mark.filterwarnings("ignore:.*load_defs:DeprecationWarning")
def test_a_folder_means_the_same(folders: Path) -> None:
    """Keys, dependencies, groups, tags, owners, and what attributes became."""
    ours = facts(ipy_orch, folders)
    assert ours.keys() >= {"sales_a", "sales_sales_b", "shop/orders", "below", "loose", "python_part"}
    assert ours == facts(dagster, folders)
