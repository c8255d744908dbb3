"""Our lines as HTML: status lines, reports, verdicts of checks, explanations. All text of the user's is escaped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from IPython.core.interactiveshell import InteractiveShell

from ipy_orch.events.types import Checked
from ipy_orch.model.env import redact
from ipy_orch.session.config.schema import ConfigSchema
from ipy_orch.session.report import Line, Report
from ipy_orch.session.why import Why
from ipy_orch.session.words import human_seconds, metadata_shown

__all__ = ["block", "line_html", "note_html", "register", "report_html", "verdict_html", "verdict_text", "why_html"]

GREY: Final = "color:var(--jp-ui-font-color2,#777)"
BLOCK: Final = f"{GREY};font-size:90%;line-height:1.5;white-space:pre-wrap"
SIGNS: Final = {"failed": "✗ ", "skipped": "– ", "canceled": "– "}
COLOURS: Final = {
    "red": "var(--jp-error-color1,#c62828)",
    "amber": "var(--jp-warn-color0,#b26a00)",
    "green": "var(--jp-success-color1,#2e7d32)",
}
LONGEST: Final = 300


def block(lines: Iterable[str]) -> str:
    """Return lines of HTML as one small grey block, without secrets."""
    return f'<div style="{BLOCK}">{redact("<br>".join(lines))}</div>'


def coloured(colour: str, text: str) -> str:
    """Return escaped text in a colour."""
    return f'<span style="color:{COLOURS[colour]}">{escape(text)}</span>'


def line_html(line: Line) -> str:
    """Return the line of one asset."""
    sign = SIGNS.get(line.status, "")
    colour = {"failed": "red"}.get(line.status)
    text = f" · {line.text}" if line.text else ""
    told = " · ".join(part_html(part) for part in text.split(" · "))
    name = f"<b>{escape(line.name)}</b>"
    return f"{coloured(colour, sign) if colour else escape(sign)}{name}{told}"


def part_html(part: str) -> str:
    """Return one part of a line; of the checks, those that failed stand out."""
    if not part.startswith("checks ") or not any(sign in part for sign in "✗⚠"):
        return escape(part)
    return coloured("red" if "✗" in part else "amber", part)


def note_html(note: str) -> str:
    """Return a notice."""
    return f"{coloured('amber', '⚠ ')}{prose(note)}"


def prose(text: str) -> str:
    """Return a sentence of ours, its names in back-ticks as code.

    >>> prose("`a<b` is stale")
    '<code>a&lt;b</code> is stale'
    """
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def report_html(report: Report) -> str:
    """Return a report as one block."""
    return block([*map(line_html, report.lines), *map(note_html, report.notices)])


# -- checks -----------------------------------------------------------------------------------------------------------


def sign_of(event: Checked) -> tuple[str, str, str]:
    """Return the sign, the word and the colour of a verdict."""
    if event.evaluation.passed:
        return "✓", "passed", "green"
    if event.evaluation.severity.value == "WARN":
        return "⚠", "warned", "amber"
    return "✗", "failed", "red"


def verdict_text(event: Checked, *, served: bool = False) -> str:
    """Return a verdict as text: one line, and one for each entry of its metadata."""
    sign, word, _ = sign_of(event)
    one = event.evaluation
    told = [word, *([one.description] if one.description else []), *verdict_end(event, served)]
    head = f"{sign} {one.asset_key.label}:{one.check_name} " + " · ".join(told)
    return "\n".join([head, *(f"  {name}: {value}" for name, value in metadata_texts(one.metadata))])


def verdict_end(event: Checked, served: bool) -> list[str]:
    """Return the duration, and whether the verdict is an earlier one."""
    return [human_seconds(event.seconds), *(["from this session"] if served else [])]


def verdict_html(event: Checked, *, served: bool = False) -> str:
    """Return a verdict as HTML: one line, and a small table of its metadata."""
    sign, word, colour = sign_of(event)
    one = event.evaluation
    told = [word, *([one.description] if one.description else []), *verdict_end(event, served)]
    name = f"<b>{escape(f'{one.asset_key.label}:{one.check_name}')}</b>"
    return f"{coloured(colour, sign)} {name} {escape(' · '.join(told))}{metadata_html(one.metadata)}"


def metadata_texts(metadata: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the entries of metadata as short texts."""
    found = []
    for name, value in metadata.items():
        text = str(metadata_shown(value))
        found.append((name, text if len(text) <= LONGEST else f"{text[:LONGEST]}…"))
    return found


def metadata_html(metadata: Mapping[str, Any]) -> str:
    """Return a small table, or nothing."""
    rows = metadata_texts(metadata)
    if not rows:
        return ""
    cells = "".join(
        f'<tr style="background:none"><td style="text-align:left;padding:0 1em 0 1.4em">{escape(name)}</td>'
        f'<td style="text-align:left;padding:0">{escape(value)}</td></tr>'
        for name, value in rows
    )
    return f'<table style="margin:0;border:none;{GREY}">{cells}</table>'


# -- why --------------------------------------------------------------------------------------------------------------


def why_html(why: Why) -> str:
    """Return an explanation; the lines of differences are coloured."""
    lines = [f"<b>{escape(why.key.label)}</b> is {escape(str(why.status))}"]
    for change in why.changes:
        lines.append(f"  {escape(f'{change.kind} {change.name}'.rstrip())}")
        lines.extend(f"    <code>{difference_html(line)}</code>" for line in change.lines)
    lines.extend(f"  because {escape(one)}" for one in why.upstream)
    lines.extend(f"  {note_html(str(one))}" for one in (*why.behind, *why.notes))
    if why.hint:
        lines.append(f"  hint: {prose(why.hint)}")
    return block(lines)


def difference_html(line: str) -> str:
    """Return one line of a difference."""
    colour = {"-": "red", "+": "green"}.get(line[:1])
    return coloured(colour, line) if colour else escape(line)


# -- config -----------------------------------------------------------------------------------------------------------


def schema_html(schema: ConfigSchema) -> str:
    """Return what can be configured: a table of the fields, and YAML to copy."""
    name = f"<b>{escape(schema.key.label)}</b>"
    if not schema.fields:
        return block([f"{name} has nothing to configure"])
    titles = ("field", "type", "value", "from", "default", "description")
    rows = [(one.path, one.kind, one.value, one.source, one.otherwise, one.description) for one in schema.fields]
    head, body = row_html(titles, "th"), "".join(row_html(row, "td") for row in rows)
    table = f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"
    return f"{block([f'{name} can be configured:'])}{table}<pre>{escape(schema.example)}</pre>"


def row_html(cells: Iterable[str], tag: str) -> str:
    """Return a row of a table."""
    style = "text-align:left;padding:0 1em 0 0;vertical-align:top"
    return f"<tr>{''.join(f'<{tag} style={style!r}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


# -- in IPython -------------------------------------------------------------------------------------------------------

FORMS: Final[Sequence[tuple[type, Callable[[Any], str]]]] = (
    (Report, report_html),
    (Why, why_html),
    (ConfigSchema, schema_html),
)


def register(ip: InteractiveShell) -> Callable[[], None]:
    """Have reports and explanations shown as HTML; return what undoes it."""
    formatter: Any = ip.display_formatter
    html = formatter.formatters["text/html"]
    for kind, form in FORMS:
        html.for_type(kind, form)

    def undo() -> None:
        for kind, _ in FORMS:
            html.pop(kind, None)

    return undo
