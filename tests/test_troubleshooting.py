"""The page of messages says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "troubleshooting.md"
FROM_PYTHON = ("assignment destination is read-only", "Cell magic `%%asset` not found")
QUESTIONS = ("Nothing is stale, and the file has changed", "Nothing happens", "`%conditions` has ✗")


def test_the_messages_are_those_of_the_code() -> None:
    """Each headline is found, part by part between its names, in one line or neighbouring lines of the source."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "ipy_orch").rglob("*.py")))
    plain = re.sub(r"\"\s*\n\s*f?\"", "", code)
    headlines = [one.rstrip(".") for one in re.findall(r"^\*\*(.+?)\*\*", PAGE.read_text("utf-8"), re.MULTILINE)]
    assert len(headlines) >= 25
    for headline in headlines:
        if headline in QUESTIONS or headline in FROM_PYTHON:
            continue
        for part in re.split(r"`?…\|?`?", headline):
            words = part.strip(" `:")
            assert len(words) < 4 or words in plain, (headline, words)


def test_its_links_lead_somewhere() -> None:
    """To files of the project."""
    for target in re.findall(r"\]\(([^)#]+)", PAGE.read_text("utf-8")):
        assert (PAGE.parent / target).exists(), target
