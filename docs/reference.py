"""Write the reference: a page for each concept, from the docstrings of the public names.

python docs/reference.py site
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pdoc

import ipy_orch

PAGES: Final = {
    "assets": ("Assets and definitions", "keys specs assets asset_ports definitions repository selection sources"),
    "checks": ("Checks", "checks check_factories freshness_checks"),
    "ops": ("Ops, graphs and jobs", "ops graphs graph_assets jobs asset_jobs hooks reexecution"),
    "partitions": ("Partitions", "partitions"),
    "automation": (
        "Schedules, sensors and conditions",
        "automation schedules sensors emails conditions freshness run_status multi_asset",
    ),
    "resources": ("Config and resources", "config config_files resources env providing"),
    "io": ("IO managers and types", "io iomanagers duckdb parquet upath types"),
    "components": ("Components", "components"),
    "running": (
        "Running, contexts and results",
        "materialize contexts build instance executors results hook_contexts io_contexts dagster_run load",
    ),
    "errors": ("Errors", "errors"),
    "more": ("Metadata, logging and the rest", ""),
}  #: page -> its title, and the rooms of the house whose names it holds


def page_of(name: str) -> str:
    """Return the page of a public name: that of the first room on its way which has one."""
    value = getattr(ipy_orch, name)
    module = getattr(value, "__module__", None) or type(value).__module__
    rooms = module.split(".")
    found = (page for room in rooms[:0:-1] for page, (_, listed) in PAGES.items() if room in listed.split())
    return next(found, "more")


def pages() -> dict[str, list[str]]:
    """Return the public names of each page."""
    found: dict[str, list[str]] = {page: [] for page in PAGES}
    for name in ipy_orch.__all__:
        if not name.startswith("__"):
            found[page_of(name)].append(name)
    return found


def modules() -> list[ModuleType]:
    """Return a module for each page: the front, then one per concept."""
    front = ModuleType("ipy_orch", ipy_orch.__doc__)
    front.__all__ = []  # type: ignore[attr-defined]
    listed: list[ModuleType] = []
    for page, names in pages().items():
        module = ModuleType(f"ipy_orch.{page}", f"# {PAGES[page][0]}\n\nAll of these are imported from `ipy_orch`.")
        module.__dict__.update({name: getattr(ipy_orch, name) for name in names}, __all__=names)
        listed.append(module)
        front.__doc__ = f"{front.__doc__}\n- [{PAGES[page][0]}](ipy_orch/{page}.html): {', '.join(names)}"
    return [front, *listed]


def write(folder: Path) -> list[Path]:
    """Write the pages, and return them."""
    pdoc.render.configure(docformat="google", show_source=False, search=False)
    warnings.filterwarnings("ignore", message="Error parsing type annotation")  # it is shown as it is written
    documented: dict[str, Any] = {module.__name__: pdoc.doc.Module(module) for module in modules()}
    written = []
    for name, module in documented.items():
        place = folder / f"{name.replace('.', '/')}.html"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(pdoc.render.html_module(module, documented), encoding="utf-8")
        written.append(place)
    (folder / "index.html").write_text(pdoc.render.html_index(documented), encoding="utf-8")
    return written


if __name__ == "__main__":
    print(*write(Path(sys.argv[1])), sep="\n")
