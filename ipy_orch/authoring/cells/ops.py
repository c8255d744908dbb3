"""The text of an op's cell becomes the body of a function with the signature that its first line says.

    %%op clean(raw, limit: int = 10)         @op
    raw[:limit]                              def clean(raw, limit: int = 10):
                                                 return raw[:limit]

The two are one op, with one code version. ``context`` becomes the first parameter where the body reads it.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import FunctionType
from typing import Any, Final

from ipy_orch.authoring.cells.cells import CellText, compiled, function_tree, head_of
from ipy_orch.authoring.cells.heads import signature_of
from ipy_orch.authoring.cells.options import place_tags
from ipy_orch.authoring.ops import define_op
from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.ops import In, OpDefinition, Out
from ipy_orch.model.policies import RetryPolicy
from ipy_orch.model.types.annotations import Nothing

__all__ = ["define", "function_of", "parameters", "takes_context"]

CONTEXT: Final = "context"


def parameters(source: CellText) -> list[str]:
    """Return the names of the parameters that the cell says."""
    given = signature_of(source.signature).args
    starred = [one for one in (given.vararg, given.kwarg) if one is not None]
    return [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs, *starred)]


def takes_context(source: CellText, namespace: Mapping[str, Any]) -> bool:
    """Tell whether ``context`` is to be added to the parameters: the body reads it, and it's no variable."""
    return CONTEXT in source.names.free and CONTEXT not in parameters(source) and CONTEXT not in namespace


def function_of(
    source: CellText, namespace: dict[str, Any], filename: str
) -> tuple[FunctionType, ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return the function of an op's cell, and its tree.

    Raises:
        Exception: what the annotations and defaults raise.
    """
    node = function_tree(source, [])
    head = head_of(source.text.split("\n"))
    said = ast.increment_lineno(signature_of(source.signature), head.start if head is not None else 0)
    node.args, node.returns = said.args, said.returns
    if takes_context(source, namespace):
        node.args.args.insert(0, ast.copy_location(ast.arg(CONTEXT), said))
    return compiled(node, namespace, filename), node


def define(source: CellText, function: FunctionType) -> OpDefinition:
    """Return the op of a cell.

    Raises:
        DagsterInvalidDefinitionError: when options and parameters contradict each other.
    """
    options = source.options
    for name in options.get("deps", ()):
        if name in parameters(source):
            told = f"op `{source.name}` can't wait for `{name}` without reading it: it is a parameter"
            raise DagsterInvalidDefinitionError(told, where=source.where, hint=f"leave out `--deps {name}`")
    return define_op(
        function,
        description=options.get("description"),
        ins={name: In(Nothing) for name in options.get("deps", ())},
        out={name: Out() for name in options["out"]} if options.get("out") else None,
        tags={**options.get("tags", {}), **place_tags(options)},
        retry_policy=retries(options),
        code_version=options.get("code_version"),
        pool=options.get("pool"),
    )


def retries(options: Mapping[str, Any]) -> RetryPolicy | None:
    """Return the retry policy that the options say."""
    if "retries" not in options:
        return None
    return RetryPolicy(max_retries=int(options["retries"]), delay=options.get("retry_delay"))
