"""Verdicts as a JUnit document."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from ipy_orch.cli.junit import write_junit

CHECKS = [
    {"asset": "a", "check": "good", "status": "passed", "seconds": 0.25, "metadata": {"n": 3}},
    {"asset": "a", "check": "bad", "status": "failed", "description": "too <few> \x1b[31mrows"},
    {"asset": "a/b", "check": "odd", "status": "warned", "metadata": {}},
    {"asset": "a", "check": "broken", "status": "raised", "reason": "ValueError: x"},
    {"asset": "a", "check": "idle", "status": "not run"},
]


def test_each_verdict(tmp_path: Path) -> None:
    """Failed is a failure, raised an error, not run skipped; a warning passes and says so."""
    write_junit(
        tmp_path / "c.xml", "nb.ipynb", CHECKS, {"name": "code cell 2", "error": "E: x", "traceback": "\x1b[0mtb"}
    )
    suite = ET.parse(tmp_path / "c.xml").getroot()[0]
    counts = {word: suite.get(word) for word in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "6", "failures": "1", "errors": "2", "skipped": "1"}
    found = {(case.get("classname"), case.get("name")): [child.tag for child in case] for case in suite}
    assert found == {
        ("a", "good"): ["system-out"],
        ("a", "bad"): ["failure"],
        ("a/b", "odd"): ["system-out"],
        ("a", "broken"): ["error"],
        ("a", "idle"): ["skipped"],
        ("nb.ipynb", "code cell 2"): ["error"],
    }
    text = (tmp_path / "c.xml").read_text()
    assert 'time="0.250"' in text
    assert "too &lt;few&gt; rows" in text
    assert "\x1b" not in text
