"""The cells of ops, and the lines that define jobs, as the Python that they stand for: that is what a module holds.

%%op clean(raw) --retries 2        from ipy_orch import RetryPolicy, op
raw.dropna()
                                   @op(retry_policy=RetryPolicy(max_retries=2))
                                   def clean(raw):
                                       return raw.dropna()

%job nightly group:sales           from ipy_orch import define_asset_job
                                   nightly = define_asset_job("nightly", selection="group:sales")
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipy_orch.authoring.cells.cells import CellText, value_rule
from ipy_orch.authoring.cells.options import place_tags
from ipy_orch.authoring.cells.statements import awaits
from ipy_orch.export.bodies import ended, ending, moved
from ipy_orch.export.functions import data, decorator, retry_policy, text
from ipy_orch.export.layout import Doc, call, laid_out, literal, mapping, quoted

__all__ = ["job_text", "op_text"]


def op_text(source: CellText, *, context: bool) -> str:
    """Return the cell of an op as a decorated function, with the import of what it needs.

    Args:
        context: whether the body reads a context that isn't among the parameters.
    """
    options = source.options
    out, deps = options.get("out"), options.get("deps")
    words: dict[str, Doc | None] = {
        "ins": mapping({name: call("In", ["Nothing"]) for name in deps}) if deps else None,
        "out": mapping({name: call("Out") for name in out}) if out else None,
        "description": text(options, "description"),
        "tags": data({"tags": {**options.get("tags", {}), **place_tags(options)}}, "tags"),
        "retry_policy": retry_policy(options),
        "code_version": text(options, "code_version"),
        "pool": text(options, "pool"),
    }
    above, _ = decorator("op", words)
    names = ["op", *(["In", "Nothing"] if deps else []), *(["Out"] if out else [])]
    names += ["RetryPolicy"] if words["retry_policy"] else []
    signature = source.signature
    if context:
        signature = f"(context, {signature[1:].lstrip()}".replace("(context, )", "(context)")
    kind = "async def" if awaits(source.tree) else "def"
    head = f"from ipy_orch import {', '.join(sorted(names))}"
    return f"{head}\n\n{above}\n{kind} {source.name}{signature}:\n{body_of(source)}\n"


def body_of(source: CellText) -> str:
    """Return the body of an op's function: with its value returned, if it has one."""
    statements, value = value_rule(source)
    tree = source.tree.body
    if not tree:
        return "    pass"
    if not value:
        return moved(source.body.strip("\n"), statements)
    if len(statements) > len(tree):
        return moved(ended(source, len(tree), f"return {source.name}"), statements)
    return moved(ended(source, len(tree) - 1, f"return {ending(source)}"), statements)


def job_text(name: str, words: Mapping[str, Any]) -> str:
    """Return the definition of an asset job as a statement, with the import of what it needs.

    >>> print(job_text("nightly", {"selection": "group:sales", "config": None}))
    from ipy_orch import define_asset_job
    nightly = define_asset_job("nightly", selection="group:sales")
    """
    said = {word: literal(value, f"`{word}`") for word, value in words.items() if value is not None}
    made = laid_out(f"{name} = ", call("define_asset_job", [quoted(name)], **said))
    return f"from ipy_orch import define_asset_job\n{made}"
