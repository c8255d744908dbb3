"""Functions and classes of a notebook, made of their text: their signatures are real, their bodies are read.

So ``@asset`` finds the parameters that it would find, and the body of a ``@graph``, which runs when it is defined, is
read like the cell around it.
"""

from __future__ import annotations

import ast
import copy
import types
from typing import Any, Final

from ipy_orch.authoring.cells.statements import own_nodes
from ipy_orch.export.reading.calls import call
from ipy_orch.export.reading.expressions import evaluate
from ipy_orch.export.reading.frames import Frame
from ipy_orch.export.reading.trusted import READ
from ipy_orch.export.reading.unknown import Unknown

__all__ = ["annotation", "class_of", "function_of", "function_of_lambda"]

BODY: Final = "read_body"
Def = ast.FunctionDef | ast.AsyncFunctionDef


def function_of(node: Def, frame: Frame) -> Any:
    """Return a function as its decorators make it."""
    made: Any = signed(node, node.body, frame)
    made.__doc__ = ast.get_docstring(node)
    return decorated(made, node, frame)


def function_of_lambda(node: ast.Lambda, frame: Frame) -> Any:
    """Return a lambda."""
    body: list[ast.stmt] = [ast.copy_location(ast.Return(node.body), node.body)]
    empty = ast.FunctionDef(name="lambda_", args=node.args, body=body, decorator_list=[], returns=None)
    made = signed(ast.copy_location(empty, node), body, frame)
    made.__name__ = made.__qualname__ = "<lambda>"
    return made


def decorated(made: Any, node: Def | ast.ClassDef, frame: Frame) -> Any:
    """Return what decorators make of a function or class."""
    for one in reversed(node.decorator_list):
        wrapper = evaluate(one, frame)
        said = ast.copy_location(ast.Call(one, [ast.Name(node.name, ast.Load())], []), one)
        made = call(wrapper, [made], {}, said)
    return made


def signed(node: Def, body: list[ast.stmt], frame: Frame) -> Any:
    """Return a function with the signature of the text; calling it reads the body."""
    stub = copy.copy(node)
    stub.args = bare(node.args)
    stub.decorator_list, stub.returns = [], None
    if "type_params" in stub._fields:
        setattr(stub, "type_params", [])  # noqa: B010 - Python 3.12 brought it
    lines = [f"return {BODY}(locals())", *(["yield"] if is_generator(node) else [])]
    stub.body = [
        ast.fix_missing_locations(ast.increment_lineno(one, node.lineno - 1))
        for one in ast.parse("\n".join(lines)).body
    ]
    for one in stub.body:
        one.lineno = one.end_lineno = node.body[0].lineno
    reading: dict[str, Any] = {BODY: lambda given: read(body, given, frame), "__name__": frame.module}
    tree = ast.fix_missing_locations(ast.Module([stub], []))
    exec(compile(tree, frame.filename, "exec", dont_inherit=True), reading)
    made = reading[node.name]
    made.__defaults__ = tuple(evaluate(one, frame) for one in node.args.defaults) or None
    named = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    made.__kwdefaults__ = {arg.arg: evaluate(one, frame) for arg, one in named if one is not None} or None
    made.__annotations__ = said_types(node, frame)
    made.__module__ = frame.module
    vars(made)[READ] = True
    return made


def read(body: list[ast.stmt], given: dict[str, Any], frame: Frame) -> Any:
    """Return what a body returns."""
    from ipy_orch.export.reading.blocks import Returned, run

    try:
        run(body, frame.inside({name: value for name, value in given.items() if name != BODY}))
    except Returned as done:
        return done.value
    return None


def bare(args: ast.arguments) -> ast.arguments:
    """Return parameters without their annotations, and with ``None`` for each default."""
    made = copy.deepcopy(args)
    for one in (*made.posonlyargs, *made.args, *made.kwonlyargs, *filter(None, (made.vararg, made.kwarg))):
        one.annotation = None
    made.defaults = [ast.Constant(None) for _ in made.defaults]
    made.kw_defaults = [ast.Constant(None) if one is not None else None for one in made.kw_defaults]
    return made


def is_generator(node: Def) -> bool:
    """Tell whether a function yields."""
    return any(isinstance(one, ast.Yield | ast.YieldFrom) for one in own_nodes(node.body))


def said_types(node: Def, frame: Frame) -> dict[str, Any]:
    """Return the annotations of a function."""
    args = node.args
    every = (*args.posonlyargs, *args.args, *args.kwonlyargs, *filter(None, (args.vararg, args.kwarg)))
    found = {one.arg: annotation(one.annotation, frame) for one in every if one.annotation is not None}
    return found | ({"return": annotation(node.returns, frame)} if node.returns is not None else {})


def annotation(node: ast.expr, frame: Frame) -> Any:
    """Return what an annotation says, ``Any`` where that is unknown; one in quotes is read, too."""
    try:
        value = evaluate(node, frame)
        if isinstance(value, str):
            value = evaluate(ast.parse(value, mode="eval").body, frame)
    except Exception:  # noqa: BLE001 - whatever an annotation may raise
        return Any
    return Any if isinstance(value, Unknown) else value


# -- classes -----------------------------------------------------------------------------------------------------------


def class_of(node: ast.ClassDef, frame: Frame) -> Any:
    """Return a class as its decorators make it, something unknown where a class that it extends is."""
    from ipy_orch.export.reading.blocks import run

    bases = tuple(evaluate(one, frame) for one in node.bases)
    words = {one.arg: evaluate(one.value, frame) for one in node.keywords if one.arg}
    if any(isinstance(one, Unknown) for one in (*bases, *words.values())):
        return Unknown(node.name)
    bases = types.resolve_bases(bases)
    meta, names, kwds = types.prepare_class(node.name, bases, words)
    names |= {"__module__": frame.module, "__qualname__": node.name, "__annotations__": {}}
    run(node.body, frame.inside(names, is_class=True))
    names["__doc__"] = ast.get_docstring(node)
    for name in [name for name, value in names.items() if isinstance(value, Unknown)]:
        if name in names["__annotations__"]:
            names[name] = None
        else:
            del names[name]
    made = meta(node.name, bases, names, **kwds)
    setattr(made, READ, True)
    return decorated(made, node, frame)
