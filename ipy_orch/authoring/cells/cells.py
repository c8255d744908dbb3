"""The text of a cell becomes the body of a function.

    %%asset orders --group ingest            #| asset: orders
    raw[raw.status == "paid"]                #| group: ingest
                                             raw[raw.status == "paid"]

Both are read here into a :class:`CellText`; its body's free names say what it needs, and :func:`build` compiles it into
a function whose line numbers are the cell's.
"""

from __future__ import annotations

import ast
import builtins
import json
import keyword
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import BuiltinFunctionType, FunctionType
from typing import Any, Final

import yaml

from ipy_orch.authoring.cells.free_names import FreeNames, free_names
from ipy_orch.authoring.cells.heads import split_head
from ipy_orch.authoring.cells.options import ASSET_OPTIONS, CHECK_OPTIONS, OP_OPTIONS, parse_line, parse_yaml
from ipy_orch.authoring.cells.quoted import names_in_strings
from ipy_orch.authoring.cells.statements import awaits, refuse_magics, refuse_statements
from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.keys import AssetKey

__all__ = ["CellText", "Head", "build", "compiled", "function_tree", "head_of", "is_definition_cell", "read_cell"]

TAKEN: Final = {
    **{name: "Python's" for name, value in vars(builtins).items() if isinstance(value, type | BuiltinFunctionType)},
    "context": "the context",
    "config": "the config",
}
MAGICS: Final = {"asset": ASSET_OPTIONS, "asset_check": CHECK_OPTIONS}
DIRECTIVES: Final = {"asset": ASSET_OPTIONS, "check": CHECK_OPTIONS, "op": OP_OPTIONS}
NAMES: Final = {
    "asset": "an asset",
    "check": "a check",
    "op": "an op",
    "schedule": "a schedule",
    "sensor": "a sensor",
}
WITHOUT_VALUE: Final = frozenset({"op", "schedule", "sensor"})  #: may end without one

_MAGIC = re.compile(r"^%%(asset|asset_check|op)\b[ \t]*(.*)$")
_DIRECTIVE = re.compile(r"^#\|[ \t]?(.*)$")
_NAMING = re.compile(r"^#\|\s*(asset|check|op)\s*:")
_OP = re.compile(r"^op[ \t]*:[ \t]*(?=[^\s'\"])(.*?)[ \t]*$")  # a signature has colons, which YAML would read
_TIGHT = re.compile(r"^([A-Za-z_][\w-]*)[ \t]*:(?=[^\s:])")


@dataclass(frozen=True)
class CellText:
    """Be the cell of an asset, a check or an op as it was written.

    Args:
        kind: ``asset``, ``check`` or ``op``; ``schedule`` or ``sensor`` for what ``automation_cells`` reads.
        target: the asset's key, or the key of the asset checked; of an op, its name.
        options: as the tables in ``options`` name them.
        body: the cell's text with the header blanked out, so that line numbers stay the cell's.
        where: the cell, for messages.
        signature: of an op: its parameters in brackets, and perhaps what it returns.
    """

    kind: str
    target: AssetKey
    options: Mapping[str, Any]
    body: str
    where: str = ""
    text: str = ""
    signature: str = ""

    @property
    def name(self) -> str:
        """Return the name of the function: the asset's last part, the check's, or the op's."""
        if self.kind != "check":
            return self.target.path[-1]
        return str(self.options.get("name") or f"{self.target.path[-1]}_check")

    @cached_property
    def tree(self) -> ast.Module:
        """Return the body's syntax tree, checked for what a function's body can't hold.

        Raises:
            SyntaxError: as Python does.
            DagsterInvalidDefinitionError: for magics, shell lines, ``return`` and the like, with the line.
        """
        refuse_magics(self.body, self.where, NAMES[self.kind])
        tree = ast.parse(self.body, filename=self.where or "<cell>")
        refuse_statements(tree, self.where, NAMES[self.kind])
        return tree

    @cached_property
    def names(self) -> FreeNames:
        """Return the names that the body reads from outside and those that it binds."""
        return free_names(self.tree)

    @cached_property
    def quoted(self) -> frozenset[str]:
        """Return the names in strings of the body that libraries look up in it, such as tables of SQL."""
        return names_in_strings(self.tree.body) - self.names.bound - self.names.free.keys()

    @property
    def surprise(self) -> str:
        """Return what a person may not expect of the value, or "": the last line counts, not the variable."""
        last = self.tree.body[-1] if self.tree.body else None
        if not isinstance(last, ast.Expr) or self.name not in self.names.bound:
            return ""
        told = ast.unparse(last.value)
        if told == self.name:
            return ""
        return f"the value of `{self.name}` is the last line, `{told}`, and not the variable `{self.name}`"


@dataclass(frozen=True)
class Head:
    """Be the lines on top of a cell that make it a definition; comments and blank lines may stand above.

    Args:
        kind: ``asset``, ``check`` or ``op`` for ``#|`` lines; ``asset``, ``asset_check`` or ``op`` for a magic.
        start: its first line, counted from 0.
        end: the line after its last one.
        magic: what follows the name of the magic, None for ``#|`` lines.
    """

    kind: str
    start: int
    end: int
    magic: str | None = None


def head_of(lines: Sequence[str]) -> Head | None:
    r"""Return the head of an asset, check or op cell, or None for any other.

    >>> head_of(["# paid orders", "%%asset orders --group x", "1"])
    Head(kind='asset', start=1, end=2, magic='orders --group x')
    >>> head_of(["#| group: x", "#| asset: orders", "1"])
    Head(kind='asset', start=0, end=2, magic=None)
    >>> head_of(["x = 1"])
    """
    start = 0
    while start < len(lines) and is_above(lines[start]):
        start += 1
    if start == len(lines):
        return None
    if magic := _MAGIC.match(lines[start].rstrip("\n")):
        return Head(magic[1], start, start + 1, magic[2])
    end = start
    while end < len(lines) and _DIRECTIVE.match(lines[end].rstrip("\n")):
        end += 1
    naming = next(filter(None, map(_NAMING.match, lines[start:end])), None)
    return Head(naming[1], start, end) if naming else None


def is_above(line: str) -> bool:
    """Tell whether a line may stand above the head of a cell: a blank one, or a comment."""
    return not line.strip() or (line.startswith("#") and not line.startswith("#|"))


def is_definition_cell(text: str) -> bool:
    r"""Tell whether a cell begins as that of an asset, a check or an op.

    >>> is_definition_cell("#| asset: orders\n1"), is_definition_cell("x = 1")
    (True, False)
    """
    return head_of(text.split("\n")) is not None


def read_cell(text: str, *, where: str = "") -> CellText | None:
    """Return an asset, check or op cell, or None for any other.

    Raises:
        DagsterInvalidDefinitionError: when its header is wrong.
    """
    lines = text.split("\n")  # as Python counts lines; `splitlines` would also split inside strings
    head = head_of(lines)
    if head is None:
        return None
    body = "\n".join([""] * head.end + lines[head.end :])
    if head.magic is not None:
        return from_magic(head.kind, head.magic, body, where=where, text=text)
    plain = [_DIRECTIVE.sub(r"\1", line) for line in lines[head.start : head.end]]
    given = [_TIGHT.sub(r"\1: ", _OP.sub(lambda found: f"op: {json.dumps(found[1])}", line)) for line in plain]
    return from_directive("\n".join([""] * head.start + given), body, where=where, text=text)


def from_magic(magic: str, line: str, body: str, *, where: str, text: str = "") -> CellText:
    """Return the cell of a ``%%asset``, ``%%asset_check`` or ``%%op`` line.

    Raises:
        DagsterInvalidDefinitionError: when the name is missing or an option is wrong.
    """
    if magic == "op":
        return from_op(line, body, where=where, text=text)
    words, options = parse_line(line, MAGICS[magic], where=where)
    kind = "asset" if magic == "asset" else "check"
    if not words or not words[0]:
        what = "NAME" if kind == "asset" else "ASSET [NAME]"
        raise DagsterInvalidDefinitionError(f"`%%{magic}` needs a name", where=where, hint=f"%%{magic} {what}")
    if kind == "check" and len(words) == 2:
        options.setdefault("name", words.pop())
    if len(words) > 1:
        raise DagsterInvalidDefinitionError(
            f"`%%{magic}` takes one name, not {len(words)}: {' '.join(words)}",
            where=where,
            hint="an option takes several with commas: `--kinds a,b`" if options else "",
        )
    return cell(kind, words[0], options, body, where, text)


def from_op(line: str, body: str, *, where: str, text: str) -> CellText:
    """Return the cell of a ``%%op`` line.

    Raises:
        DagsterInvalidDefinitionError: when the name is missing, or a parameter or option is wrong.
    """
    name, signature, rest = split_head(line, where)
    words, options = parse_line(rest, OP_OPTIONS, where=where)
    if words:
        told = f"`%%op` takes a name with parameters, then options: what is `{' '.join(words)}`?"
        raise DagsterInvalidDefinitionError(told, where=where, hint=f"%%op {name}{signature} --description '...'")
    return replace(cell("op", name, options, body, where, text), signature=signature)


def from_directive(header: str, body: str, *, where: str, text: str = "") -> CellText:
    """Return the cell of ``#|`` lines.

    Raises:
        DagsterInvalidDefinitionError: when the lines aren't YAML, or an option is wrong.
    """
    try:
        given = yaml.safe_load(header)
        refuse_repeated(header, where)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f", line {mark.line + 1}" if mark else ""
        raise DagsterInvalidDefinitionError(
            "the `#|` lines aren't YAML", where=f"{where}{at}", hint="#| group: ingest"
        ) from None
    kinds = given.keys() if isinstance(given, dict) else ()
    kind = next((one for one in DIRECTIVES if one in kinds), "asset")
    name = given.pop(kind, None) if isinstance(given, dict) else None
    if not isinstance(name, str) or not name:
        raise DagsterInvalidDefinitionError(f"`#| {kind}:` needs a name", where=where, hint=f"#| {kind}: orders")
    signature = ""
    if kind == "op":
        name, signature, rest = split_head(name, where)
        if rest:
            told = f"`#| op:` takes no options on its line: `{rest}`"
            raise DagsterInvalidDefinitionError(told, where=where, hint="#| retries: 2, on a line of its own")
    options = parse_yaml(given, DIRECTIVES[kind], where=where)
    return replace(cell(kind, name, options, body, where, text), signature=signature)


def refuse_repeated(header: str, where: str) -> None:
    """Refuse a header that says one thing twice, which YAML lets pass.

    Raises:
        DagsterInvalidDefinitionError: with the line of the second.
    """
    seen: set[str] = set()
    root = yaml.compose(header, Loader=yaml.SafeLoader)
    for key, _ in root.value if root is not None else ():
        if key.value in seen:
            place = f"{where}, line {key.start_mark.line + 1}"
            raise DagsterInvalidDefinitionError(f"`{key.value}` is said twice in the `#|` lines", where=place)
        seen.add(key.value)


def cell(kind: str, name: str, options: dict[str, Any], body: str, where: str, text: str) -> CellText:
    """Return the cell when its name can be one."""
    if kind == "check" and ":" in name:
        name, _, options["name"] = name.partition(":")
    key = AssetKey.from_user_string(name)
    for part in [*key.path, *([options["name"]] if options.get("name") else [])]:
        if not part.isidentifier() or not part.isascii() or keyword.iskeyword(part):
            raise DagsterInvalidDefinitionError(
                f"`{part}` can't be the name of {NAMES[kind]}",
                where=where,
                hint=f"call it `{valid_part(part)}`",
            )
    if kind == "op" and len(key.path) > 1:
        hint = f"call it `{'_'.join(key.path)}`"
        raise DagsterInvalidDefinitionError(f"an op has no prefix: `{name}`", where=where, hint=hint)
    if kind != "check" and key.path[-1] in TAKEN:
        name = key.path[-1]
        raise DagsterInvalidDefinitionError(
            f"`{name}` can't be the name of {NAMES[kind]}: in the cells of others it means {TAKEN[name]}",
            where=where,
            hint=f"call it `{name}_`",
        )
    return CellText(kind, key, options, body, where, text)


def valid_part(part: str) -> str:
    """Return a name like ``part`` that can be one.

    >>> valid_part("my-orders"), valid_part("2024"), valid_part("class"), valid_part("été")
    ('my_orders', '_2024', 'class_', 'ete')
    """
    plain = unicodedata.normalize("NFKD", part).encode("ascii", "ignore").decode()
    name = re.sub(r"\W", "_", plain) or "orders"
    return f"_{name}" if name[0].isdigit() else f"{name}_" if keyword.iskeyword(name) else name


# -- body -> function -------------------------------------------------------------------------------------------------


def value_rule(source: CellText) -> tuple[list[ast.stmt], str]:
    """Return the body with its value returned, and what that is in words.

    The value is the trailing expression, else the variable named like the asset; an op may be without one.

    Raises:
        DagsterInvalidDefinitionError: when there is neither.
    """
    body = list(source.tree.body)
    last = body[-1] if body else None
    if isinstance(last, ast.Expr):
        told = ast.unparse(last.value)
        return [*body[:-1], ast.copy_location(ast.Return(last.value), last)], told
    if source.name in source.names.bound:
        name = ast.Name(source.name, ast.Load())
        return [*body, place(ast.Return(name), last)], source.name
    if source.kind in WITHOUT_VALUE:
        return body or [place(ast.Pass(), None)], ""
    what = "asset" if source.kind == "asset" else "check"
    hint = f"end the cell with the value, or with `{source.name} = ...`"
    if isinstance(last, ast.Assert) and source.kind == "check":
        hint = f"end the cell with the condition itself, which a check says its verdict by: `{ast.unparse(last.test)}`"
    raise DagsterInvalidDefinitionError(f"{what} `{source.name}` has no value", where=source.where, hint=hint)


def place(node: ast.stmt, after: ast.stmt | None) -> ast.stmt:
    """Return a node that stands where another ends."""
    line = (after.end_lineno or after.lineno) if after is not None else 1
    for child in ast.walk(node):
        if isinstance(child, ast.expr | ast.stmt):
            child.lineno = child.end_lineno = line
            child.col_offset = child.end_col_offset = 0
    return node


def function_tree(source: CellText, parameters: Sequence[str]) -> ast.FunctionDef | ast.AsyncFunctionDef:
    """Return the function that the cell is the body of."""
    body, _ = value_rule(source)
    kind = ast.AsyncFunctionDef if awaits(source.tree) else ast.FunctionDef
    first = body[0]
    names = ast.arguments(
        posonlyargs=[], args=[ast.arg(name) for name in parameters], kwonlyargs=[], kw_defaults=[], defaults=[]
    )
    node = kind(name=source.name, args=names, body=body, decorator_list=[], returns=None, type_comment=None)
    if hasattr(node, "type_params"):
        node.type_params = []
    ast.copy_location(node, first)
    for argument in names.args:
        ast.copy_location(argument, first)
    return node


def build(
    source: CellText, parameters: Sequence[str], namespace: dict[str, Any], filename: str
) -> tuple[FunctionType, ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return the function whose body is the cell, and its tree.

    Args:
        parameters: the free names that are arguments: the context, the config, resources and inputs.
        namespace: the globals of the function.
        filename: the cell's, so that tracebacks and breakpoints are the cell's.
    """
    node = function_tree(source, parameters)
    return compiled(node, namespace, filename), node


def compiled(node: ast.FunctionDef | ast.AsyncFunctionDef, namespace: dict[str, Any], filename: str) -> FunctionType:
    """Return the function of a tree; its annotations and defaults are read in the namespace."""
    made: dict[str, Any] = {}
    exec(compile(ast.Module([node], []), filename, "exec", dont_inherit=True), namespace, made)
    function: FunctionType = made[node.name]
    function.__module__ = namespace.get("__name__", "__main__")
    return function
