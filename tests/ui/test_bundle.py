"""The built view that the wheel holds is that of the sources."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "labextension"
STATIC = ROOT / "ipy_orch" / "ui" / "static"
MOST = 600 * 1024


def sources_hash() -> str:
    """Return the hash that build.mjs records: of all that the bundle is made from."""
    walked = [path for path in (SOURCES / "src").rglob("*") if path.suffix in (".ts", ".tsx", ".css")]
    paths = (path.relative_to(SOURCES).as_posix() for path in walked)
    names = ["package-lock.json", "build.mjs", *(path for path in paths if not path.startswith("src/lab/"))]
    found = hashlib.sha256()
    for name in sorted(names):
        text = (SOURCES / name).read_text(encoding="utf-8")
        found.update(f"{name}\0{text}\0".encode())
    return found.hexdigest()


@pytest.mark.skipif(not (SOURCES / "src").is_dir(), reason="an sdist has no sources of the view")
def test_bundle_is_built_from_these_sources() -> None:
    """A change of the view that wasn't built is noticed."""
    recorded = json.loads((STATIC / "sources.json").read_text(encoding="utf-8"))["sha256"]
    assert recorded == sources_hash(), "hint: cd labextension && npm ci --ignore-scripts && npm run build"


def test_bundle_is_small_and_names_no_machine() -> None:
    """It's sent anew for each widget, and must say nothing of where it was built."""
    text = (STATIC / "lineage.js").read_text(encoding="utf-8")
    assert len(text.encode()) <= MOST
    assert str(ROOT) not in text
    assert "sourceMappingURL" not in text


def test_bundle_fetches_nothing() -> None:
    """No address is called and no code is made from text; styles name no address either."""
    script, style = ((STATIC / name).read_text(encoding="utf-8") for name in ("lineage.js", "lineage.css"))
    for call in ("fetch(", "XMLHttpRequest", "WebSocket(", "importScripts", "eval(", "new Function", "sendBeacon"):
        assert call not in script.replace("refetch(", "").replace(".fetch()", ""), call
    assert "url(" not in style
    assert "@import" not in style


def test_licenses_of_what_is_bundled_are_there() -> None:
    """What the bundle holds of others is named, with their terms."""
    text = (STATIC / "LICENSES.txt").read_text(encoding="utf-8")
    for package in ("preact", "regular-table", "@lezer/python"):
        assert f"\n{package} " in text
    assert "Apache License" in text
    assert "MIT" in text
