"""The source a function was compiled from, as a syntax tree without comments, layout and docstrings.

What is hashed must describe the code that runs, so a text is believed only if it compiles to the very code object in
question: a file edited since its import, or a cell run again, doesn't pass for the old function. The compiler of cells,
which knows the tree, hands it over with :func:`attach_tree`. Everything is remembered per code object.
"""

from __future__ import annotations
import __future__

import ast
import dis
import linecache
import tokenize
import types
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from ipy_orch.authoring.cells.quoted import LOOKING_UP, names_in_strings
from ipy_orch.planning.code.trees import Imported, imported, normalise, notices, signature, unseen

__all__ = ["FUTURE", "CodeInfo", "Source", "attach_tree", "names_handled", "on_disk", "parse", "read_code", "texts"]

V = TypeVar("V")
Chain = tuple[str, ...]
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

# Without nested_scopes, whose flag says of a code object that it is nested.
FUTURE: Final = sum(
    getattr(__future__, name).compiler_flag for name in __future__.all_feature_names if name != "nested_scopes"
)
_NO_STEP: Final = frozenset({"CACHE", "EXTENDED_ARG", "NOP", "PRECALL", "PUSH_NULL"})
_GLOBALS: Final = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_MODULE_OWN: Final = frozenset(
    {"__annotations__", "__builtins__", "__doc__", "__file__", "__loader__", "__name__", "__package__", "__spec__"}
)


@dataclass(frozen=True, slots=True)
class CodeInfo:
    """Say what a code object depends on.

    Args:
        name: its qualified name, without ``<locals>``.
        digest: of parameters and body.
        body: digest of the body alone.
        text: its normalised source.
        body_text: the same of the body alone.
        reads: each global name that is read in it or in functions within it, with the attributes taken of it;
            an empty chain means that the object itself is used.
        quoted: names that aren't its own, in strings that libraries look up in it, such as tables of SQL.
        imports: what is imported when it runs.
        notices: files and environment variables that it reads by a literal name.
        unseen: by what it reaches objects that it doesn't name.
        missing: why there is no source, or "".
    """

    name: str
    digest: str = ""
    body: str = ""
    text: str = ""
    body_text: str = ""
    reads: tuple[tuple[str, tuple[Chain, ...]], ...] = ()
    quoted: tuple[str, ...] = ()
    imports: tuple[Imported, ...] = ()
    notices: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    missing: str = ""


class _ByIdentity(Generic[V]):
    """Remember something for each object, not for its equals, as long as the object lives."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[weakref.ref[Any], V]] = {}

    def get(self, key: object) -> V | None:
        held = self._held.get(id(key))
        return held[1] if held is not None and held[0]() is key else None

    def put(self, key: object, value: V) -> V:
        number = id(key)
        self._held[number] = (weakref.ref(key, lambda _: self._held.pop(number, None)), value)
        return value


# Code objects are equal if they do the same from the same place: `1 + 2` and `2 + 1` would share an entry.
_INFO: Final = _ByIdentity[CodeInfo]()
_TREES: Final = _ByIdentity[Function]()


def attach_tree(function: types.FunctionType | types.CodeType, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Say from which tree a function was compiled; asked before its file or cell is.

    Functions within it are attached too. The tree is copied.
    """
    code = function if isinstance(function, types.CodeType) else function.__code__
    node = copied(node)
    source = Source(ast.Module([node], []), [])
    _TREES.put(code, node)
    for inner in _inner_codes(code):
        found = source.find(inner, verify=False)
        if found is not None:
            _TREES.put(inner, found)


def copied(node: Any) -> Any:
    """Return a copy of a tree, a list of trees or a constant, with nothing but fields and places.

    Not ``copy.deepcopy``: Python shares nodes such as ``Load()`` between all trees, and the library by which IPython
    shows tracebacks hangs the tree of the last shown module on them, which would be copied too.
    """
    if isinstance(node, list):
        return [copied(one) for one in node]
    if not isinstance(node, ast.AST):
        return node
    return ast.copy_location(type(node)(**{name: copied(value) for name, value in ast.iter_fields(node)}), node)


def read_code(code: types.CodeType, module: Mapping[str, Any] | None = None) -> CodeInfo:
    """Return what a code object depends on; reads its source once.

    Args:
        code: of a function.
        module: the function's globals, through which the source of a zipped module is found.
    """
    info = _INFO.get(code)
    if info is not None:
        return info
    name = code.co_qualname.replace("<locals>.", "")
    node, why = _find(code, module or {})
    if node is None:
        return CodeInfo(name, reads=_reads(code), missing=why)
    try:
        return _INFO.put(code, _describe(name, code, node))
    except RecursionError:
        return CodeInfo(name, reads=_reads(code), missing=f"`{name}` is nested too deeply to be read")


def _describe(name: str, code: types.CodeType, node: Function) -> CodeInfo:
    body = [ast.Return(node.body)] if isinstance(node, ast.Lambda) else node.body
    dump = "\n".join(ast.dump(statement) for statement in body)
    reads = _reads(code)
    return CodeInfo(
        getattr(node, "assigned", name),
        digest=_digest(f"{signature(node)}\n{dump}"),
        body=_digest(dump),
        text=ast.unparse(node),
        body_text="\n".join(ast.unparse(ast.fix_missing_locations(statement)) for statement in body),
        reads=reads,
        quoted=_quoted(code, body),
        imports=tuple(imported(body)),
        notices=tuple(notices(body)),
        unseen=tuple(sorted(set(unseen(body, {name for name, _ in reads})))),
    )


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


# Finding the source


class Source:
    """Index a text that was parsed and compiled, and normalise its tree.

    Args:
        tree: of the text; changed in place.
        codes: every code object it compiles to.
    """

    def __init__(self, tree: ast.Module, codes: Iterable[types.CodeType]) -> None:
        self.tree = tree
        self._codes: dict[tuple[str, int], list[types.CodeType]] = {}
        self._nodes: dict[tuple[str, int], list[Function]] = {}
        for code in codes:
            self._codes.setdefault((code.co_name, code.co_firstlineno), []).append(code)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = min(node.lineno, *(decorator.lineno for decorator in node.decorator_list), node.lineno)
                self._nodes.setdefault((node.name, first), []).append(node)
            elif isinstance(node, ast.Lambda):
                self._nodes.setdefault(("<lambda>", node.lineno), []).append(node)
        normalise(tree)

    def find(self, code: types.CodeType, *, verify: bool = True) -> Function | None:
        """Return the function a code object was compiled from, or None if it wasn't from this text."""
        key = code.co_name, code.co_firstlineno
        if verify and not _is_rewritten(code) and code not in self._codes.get(key, ()):
            return self._elsewhere(code)
        nodes = self._nodes.get(key, [])
        if len(nodes) > 1:
            spans = set(code.co_positions())
            nodes = [node for node in nodes if isinstance(node, ast.Lambda) and _span(node.body) in spans]
        return nodes[0] if len(nodes) == 1 else None

    def _elsewhere(self, code: types.CodeType) -> Function | None:
        """Return a function that does the same on other lines: autoreload compiles each function by itself."""
        wanted = _deed(code)
        for (name, line), codes in self._codes.items():
            nodes = self._nodes.get((name, line), [])
            if name == code.co_name and len(nodes) == 1 and any(_deed(one) == wanted for one in codes):
                return nodes[0]
        return None


def _deed(code: types.CodeType) -> tuple[Any, ...]:
    """Return what a code object does, wherever it stands."""
    constants = [_deed(one) if isinstance(one, types.CodeType) else (type(one), repr(one)) for one in code.co_consts]
    names = (code.co_name, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    return (code.co_code, code.co_exceptiontable, names, counts, tuple(constants))


def _span(node: ast.expr) -> tuple[int | None, ...]:
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset


def _is_rewritten(code: types.CodeType) -> bool:
    """Tell whether pytest rewrote the asserts of this function: then it can't equal what its text compiles to."""
    own = any(name.startswith("@py") for name in (*code.co_varnames, *code.co_names))
    return own or any(_is_rewritten(inner) for inner in code.co_consts if isinstance(inner, types.CodeType))


def _inner_codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from _inner_codes(constant)


@lru_cache(maxsize=256)
def parse(text: str, flags: int = 0) -> Source | None:
    """Parse and compile a text, or return None if it isn't Python.

    Args:
        text: of a module or cell.
        flags: the future features under which it was compiled.
    """
    flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            codes = [inner for unit in _units(tree) for inner in _inner_codes(_compiled(unit, flags))]
    except (SyntaxError, ValueError, RecursionError):
        return None
    return Source(tree, codes)


def _units(tree: ast.Module) -> list[ast.Module]:
    """Return what may have been compiled in one piece: the whole text, and each statement, as IPython does with a cell.

    It makes a difference where the text imports a module: CPython compiles ``module.function()`` otherwise then.
    """
    if not any(isinstance(node, ast.Import | ast.ImportFrom) for node in tree.body):
        return [tree]
    return [tree, *(ast.Module([node], []) for node in tree.body)]


def _compiled(unit: ast.Module, flags: int) -> types.CodeType:
    code: types.CodeType = compile(unit, "<source>", "exec", flags=flags, dont_inherit=True)
    return code


def _find(code: types.CodeType, module: Mapping[str, Any]) -> tuple[Function | None, str]:
    """Return the tree of a code object, else why there is none."""
    attached = _TREES.get(code)
    if attached is not None:
        return attached, ""
    name, seen = code.co_qualname.replace("<locals>.", ""), False
    for text in texts(code.co_filename, module):
        source = parse(text, code.co_flags & FUTURE)
        node = source.find(code) if source else None
        if node is not None:
            return node, ""
        seen = True
    if seen and not code.co_filename.startswith("<"):
        return None, f"the source of `{name}` has changed since it was loaded; load it again"
    return None, f"the source of `{name}` isn't available"


def texts(filename: str, module: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts that a file or cell has or had: what Python remembers of it, then what is on disk now."""
    entry = linecache.cache.get(filename)
    if entry is not None and len(entry) == 4:
        yield "".join(entry[2])
    path = Path(filename)
    if not filename.startswith("<") and path.is_file():
        stat = path.stat()
        text = on_disk(filename, stat.st_mtime_ns, stat.st_size)
        if text is not None:
            yield text
    elif entry is None or len(entry) == 1:
        yield from _by_loader(module)


@lru_cache(maxsize=256)
def on_disk(filename: str, _changed: int, _size: int) -> str | None:
    """Return what a file of this time and size says, None where it isn't Python's."""
    try:
        with tokenize.open(filename) as file:
            return file.read()
    except (OSError, SyntaxError, UnicodeDecodeError):  # compiled, or not ours to read
        return None


def _by_loader(module: Mapping[str, Any]) -> Iterator[str]:
    loader, name = module.get("__loader__"), module.get("__name__")
    get_source: Callable[[Any], str | None] | None = getattr(loader, "get_source", None)
    if get_source is None or name in {None, "__main__"}:
        return
    try:
        text = get_source(name)
    except (ImportError, OSError):
        text = None
    if text:
        yield text


# The global names that code reads


def _quoted(code: types.CodeType, body: Iterable[ast.AST]) -> tuple[str, ...]:
    """Return the names in strings that libraries look up in a code object or within it, without its own variables."""
    every = (code, *_inner_codes(code))
    if all(LOOKING_UP.isdisjoint(one.co_names) for one in every):
        return ()
    own = {name for one in every for name in (*one.co_varnames, *one.co_cellvars, *one.co_freevars)}
    return tuple(sorted(names_in_strings(body) - own))


def _reads(code: types.CodeType) -> tuple[tuple[str, tuple[Chain, ...]], ...]:
    """Return the global names read in a code object or within it, sorted, with the attributes taken of each."""
    found: dict[str, set[Chain]] = {}
    for each in (code, *_inner_codes(code)):
        for name, chain in _loads(each):
            if name not in _MODULE_OWN:
                found.setdefault(name, set()).add(chain)
    return tuple((name, tuple(sorted(found[name]))) for name in sorted(found))


def names_handled(code: types.CodeType) -> frozenset[str]:
    """Return the global names that code reads for more than to call them at once: what they hold may get elsewhere."""
    steps = [step for each in (code, *_inner_codes(code)) for step in dis.get_instructions(each)]
    loads = [step for step in steps if step.opname in _GLOBALS]
    return frozenset(step.argval for step in loads if step.opname != "LOAD_GLOBAL" or not (step.arg or 0) & 1)


def _loads(code: types.CodeType) -> Iterator[tuple[str, Chain]]:
    """Yield each global that is loaded, and the attributes taken of it at once."""
    name, chain, stored = "", [], set()
    for step in dis.get_instructions(code):
        if step.opname in _NO_STEP:
            continue
        if name and step.opname in {"LOAD_ATTR", "LOAD_METHOD"}:
            chain.append(step.argval)
            continue
        if name:
            yield name, tuple(chain)
        name, chain = "", list[str]()
        if step.opname in _GLOBALS and step.argval not in stored:
            name = step.argval
        elif step.opname == "STORE_NAME":  # a class body looks at its own names first
            stored.add(step.argval)
    if name:
        yield name, tuple(chain)
