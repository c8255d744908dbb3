"""The verdicts of checks as a JUnit document, which CI systems show. Its form is that of Jenkins' xunit schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import click

__all__ = ["write_junit"]


def write_junit(path: Path, name: str, checks: Iterable[Mapping[str, Any]], failure: Mapping[str, str] | None) -> None:
    """Write a test case per check, and one for the cell that failed, if one did.

    Args:
        name: of the suite: the notebook's.
        checks: rows of the table of checks.
        failure: of the cell: its ``name``, ``error`` and ``traceback``.
    """
    suite = ET.Element("testsuite", name=printable(name))
    for row in checks:
        case = ET.SubElement(suite, "testcase", classname=printable(row["asset"]), name=printable(row["check"]))
        case.set("time", f"{row.get('seconds') or 0:.3f}")
        judge(case, row)
    if failure is not None:
        case = ET.SubElement(suite, "testcase", classname=printable(name), name=printable(failure["name"]), time="0")
        ET.SubElement(case, "error", message=printable(failure["error"])).text = printable(failure["traceback"])
    for word, tag in {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}.items():
        suite.set(word, str(sum(1 for _ in suite.iter(tag))))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    path.write_bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def judge(case: ET.Element, row: Mapping[str, Any]) -> None:
    """Say in a test case what the verdict is; a warning passes, and says so in its output."""
    found = ", ".join(f"{name}={value}" for name, value in (row.get("metadata") or {}).items())
    told = printable(" · ".join(filter(None, [row.get("description"), row.get("reason"), found])))
    match row["status"]:
        case "failed":
            ET.SubElement(case, "failure", message=told or "the check failed")
        case "raised":
            ET.SubElement(case, "error", message=told or "the check raised")
        case "not run":
            ET.SubElement(case, "skipped", message="not run")
        case "warned":
            ET.SubElement(case, "system-out").text = f"warned · {told}" if told else "warned"
        case _ if told:
            ET.SubElement(case, "system-out").text = told
        case _:
            pass


def printable(text: object) -> str:
    """Return a text without colours, and without what XML can't hold."""
    return "".join(char for char in click.unstyle(str(text)) if char.isprintable() or char in "\n\t")
