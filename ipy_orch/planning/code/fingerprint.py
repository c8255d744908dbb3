"""The code version of a function, part by part: its body, and transitively all it reads.

    function -> anatomy (its own code, and the objects it depends on) -> nodes -> parts

Each function, class and module that is followed is a node. It has parts of its own (its code, its defaults, the values
it reads) and leads to other nodes; the recipe of a function is the parts of all nodes that it reaches. Where the name
of a part doesn't say which function is meant (an alias, a closure), one more part does: a link.

Reads only: nothing is run. What can't be followed becomes a part of kind ``unknown`` that is never twice the same.
"""

from __future__ import annotations

import functools
import types
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final
from uuid import uuid4

from ipy_orch.events.types import Part
from ipy_orch.planning.code import anatomy as anatomies
from ipy_orch.planning.code.anatomy import ANY, UNDEFINED, Anatomy, Child, ConfigClass, ModuleName, Opaque
from ipy_orch.planning.code.classes import config_classes
from ipy_orch.planning.code.following import Following, OnObject
from ipy_orch.planning.code.modules import is_installed_function, is_local_module
from ipy_orch.planning.code.source import CodeInfo, attach_tree, names_handled, read_code
from ipy_orch.planning.code.trees import OF_DEFINITION
from ipy_orch.planning.hashing.atoms import ATOMS
from ipy_orch.planning.hashing.hashing import Unhashable, digest, short
from ipy_orch.planning.hashing.rendering import looks_secret

__all__ = [
    "Fingerprinter",
    "OnObject",
    "attach_tree",
    "fingerprint",
    "is_local_module",
    "names_read",
    "read_of_definition",
    "undeclared_reads",
]

_MASK: Final = "**********"
_NAMED: Final = (type, types.FunctionType, types.ModuleType)


def fingerprint(
    function: Callable[..., Any],
    *,
    skip: Iterable[str] = (),
    on_object: OnObject | None = None,
    pins: Mapping[str, str] | None = None,
) -> tuple[Part, ...]:
    """Return the code parts of a function, sorted; the part of its own body has the name "".

    Args:
        function: of an asset, check or op; nothing of it is run.
        skip: names that aren't globals of it: its inputs, resources, context and config.
        on_object: is asked about each named object first, and may answer with the part it becomes.
        pins: the version of each installed package that counts.
    """
    return Fingerprinter(on_object=on_object, pins=pins).parts(function, skip=skip)


def names_read(function: Callable[..., Any], *, transitive: bool = False) -> frozenset[str]:
    """Return the global names that a function reads.

    Args:
        function: of an asset, check or op.
        transitive: whether to add those that the functions it reaches read in the same namespace.
    """
    root = _plain(function)
    if root is None:
        return frozenset()
    names = {name for name, _ in read_code(root.__code__, root.__globals__).reads}
    return Fingerprinter().names_read(function) if transitive else frozenset(names)


def read_of_definition(function: Callable[..., Any]) -> frozenset[str]:
    """Return the attributes by which a function asks its context for the definition that runs."""
    root = _plain(function)
    asked = read_code(root.__code__, root.__globals__).unseen if root is not None else ()
    return OF_DEFINITION.intersection(asked)


def undeclared_reads(function: Callable[..., Any]) -> list[str]:
    """Return the files and environment variables that a function, or one it reaches, reads by a literal name."""
    return Fingerprinter().undeclared_reads(function)


@dataclass(slots=True, eq=False)
class Node:
    """Hold what one function, class or module adds to a recipe.

    Args:
        name: for people; "" for the function that is fingerprinted.
        value: the function, class or module.
        info: what its code says, for functions.
        parts: its own.
        edges: where it leads to.
    """

    name: str
    value: object
    info: CodeInfo | None = None
    parts: list[Part] = field(default_factory=list)
    edges: list[_Edge] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Edge:
    """Lead from a node to another one.

    Args:
        target: the other node.
        expected: the name of the target that goes without saying; ``ANY`` if each does.
        kind: of the part that says where it leads.
        name: of that part.
        via: the wrapper around the target, e.g. ``lru_cache``.
    """

    target: Node
    expected: str = ANY
    kind: str = "code"
    name: str = ""
    via: str = ""


class Fingerprinter:
    """Fingerprint many functions in one pass of planning; what they share is looked at once.

    Use one only as long as nothing changes: no cell and no step may run in between.

    Args:
        on_object: is asked about each named object first, and may answer with the part it becomes.
        pins: the version of each installed package that counts.
        at_home: whether the module of a function stands for a notebook: what is its own goes without its name.
    """

    def __init__(
        self, *, on_object: OnObject | None = None, pins: Mapping[str, str] | None = None, at_home: bool = False
    ) -> None:
        self._at_home = at_home
        self._following = Following(on_object, pins or {})
        self._nodes: dict[int | str, Node] = {}
        self._pending: list[tuple[Node, list[Child]]] = []

    def parts(self, function: Callable[..., Any], *, skip: Iterable[str] = ()) -> tuple[Part, ...]:
        """Return the code parts of a function, sorted; see :func:`fingerprint`."""
        if (alone := _alone(function)) is not None:
            return (alone,)
        return self._recipe(self._root(function, frozenset(skip)))

    def _recipe(self, root: Node) -> tuple[Part, ...]:
        """Return the parts of all nodes that one reaches."""
        if not root.edges:
            return _assembled(self._named([root], root.parts))
        nodes = _reach(root)
        counts = Counter(node.name for node in nodes)
        parts = [part for node in nodes for part in node.parts]
        parts += [link for node in nodes for edge in node.edges for link in self._link(edge, counts)]
        return _assembled(self._named(nodes, parts))

    def _named(self, nodes: Sequence[Node], parts: Sequence[Part]) -> Sequence[Part]:
        """Return the parts of a function as a notebook with its code would name them, unless a value may tell whose."""
        own: Mapping[str, Any] = getattr(nodes[0].value, "__globals__", {})
        start = anatomies.prefix(own.get("__name__"))
        if not self._at_home or not start or any(_hands_out(node, own["__name__"]) for node in nodes):
            return parts
        short = [replace(part, name=part.name.removeprefix(start)) for part in parts]
        digests = {(part.kind, part.name): part.digest for part in short}
        return short if all(digests[part.kind, part.name] == part.digest for part in short) else parts

    def config_parts(self, annotation: Any) -> tuple[Part, ...]:
        """Return the code parts of the classes that annotate a config; the defaults of their fields aren't in them."""
        root = Node("", annotation)
        for child in config_classes(annotation, "config"):
            self._add(root, child)
        self._finish()
        return self._recipe(root)

    def reached(self, function: Callable[..., Any], *, skip: Iterable[str] = ()) -> list[Node]:
        """Return the nodes that a function reaches, its own first."""
        return _reach(self._root(function, frozenset(skip)))

    def names_read(self, function: Callable[..., Any], *, skip: Iterable[str] = ()) -> frozenset[str]:
        """Return the global names that a function reads, with those that functions it reaches read beside it."""
        root, *others = self.reached(function, skip=skip)
        module = getattr(root.value, "__globals__", None)
        beside = [node for node in others if getattr(node.value, "__globals__", None) is module]
        return frozenset(name for node in (root, *beside) if node.info for name, _ in node.info.reads)

    def undeclared_reads(self, function: Callable[..., Any], *, skip: Iterable[str] = ()) -> list[str]:
        """Return the files and environment variables that a function, or one it reaches, reads by a literal name."""
        found = {
            f"{notice}, read in `{node.name}`" if node.name else notice
            for node in self.reached(function, skip=skip)
            for notice in (node.info.notices if node.info else ())
        }
        return sorted(found)

    # From functions to nodes

    def _root(self, function: Any, skip: frozenset[str]) -> Node:
        """Return the node of the function itself; after an error nothing half done is kept."""
        try:
            return self._rooted(function, skip)
        except BaseException:
            self._nodes.clear()
            self._pending.clear()
            raise

    def _rooted(self, function: Any, skip: frozenset[str]) -> Node:
        """Return the node of the function itself: its body counts, its name and parameters don't."""
        plain = _plain(function)
        if plain is None or is_installed_function(plain):
            node = Node("", function)
            self._add(node, Child("code", "", function))
        else:
            info = read_code(plain.__code__, plain.__globals__)
            node = Node("", plain, info, [_body(info)])
            for children in (_bound(function), anatomies.held(plain, "", skip), anatomies.read(plain, info, skip)):
                for child in children:
                    self._add(node, child)
        self._finish()
        return node

    def _node(self, key: int | str, value: object, anatomy: Anatomy) -> Node:
        """Return the node of what is followed; its children wait, so that neither depth nor cycles matter."""
        known = self._nodes.get(key)
        if known is not None:
            return known
        node = self._nodes[key] = Node(anatomy.name, value, anatomy.info)
        if anatomy.missing:
            node.parts.append(Part("unknown", anatomy.name, "", anatomy.missing))
        elif anatomy.digest:
            node.parts.append(Part("code", anatomy.name, anatomy.digest, anatomy.text))
        if anatomy.children:
            self._pending.append((node, anatomy.children))
        return node

    def _finish(self) -> None:
        while self._pending:
            node, children = self._pending.pop()
            for child in children:
                self._add(node, child)

    # From children to parts and edges

    def _add(self, node: Node, child: Child) -> None:
        """Add what a node depends on: a part of its own, or an edge."""
        part = self._following.answer(child)
        if part is not None:
            node.parts.append(part)
        elif type(child.value) in ATOMS:
            node.parts.append(_atom(child.kind, child.name, child.value))
        elif child.value is UNDEFINED:
            node.parts.append(_labelled(child.kind, child.name, "not defined"))
        elif isinstance(child.value, Opaque):
            node.parts.append(Part("unknown", child.name, "", child.value.reason))
        elif isinstance(child.value, ModuleName):
            self._add_module(node, child, child.value.name)
        elif isinstance(child.value, ConfigClass):
            self._add_config_class(node, child.value.annotation)
        else:
            self._add_object(node, child)

    def _add_config_class(self, node: Node, cls: type) -> None:
        """Add a class that config fills; code that reads the class by its name leads to another node, with defaults."""
        anatomy = self._following.config_class(cls)
        node.edges.append(_Edge(self._node(f"config {id(cls)}", cls, anatomy)))

    def _add_module(self, node: Node, child: Child, name: str) -> None:
        """Add a module that is imported when the function runs."""
        found = self._following.text(name)
        if isinstance(found, str):
            node.parts.append(_labelled(child.kind, child.name, found))
        else:
            node.edges.append(_Edge(self._node(name, child.value, found)))

    def _add_object(self, node: Node, child: Child) -> None:
        """Add a function, class or module, wrapped or not, or any other value."""
        via, inner = anatomies.peel(child.value)
        anatomy = self._following.anatomy(inner)
        if anatomy is not None:
            target = self._node(id(inner), inner, anatomy)
            node.edges.append(_Edge(target, child.expected, child.kind, child.name, via))
        elif isinstance(inner, _NAMED):
            node.parts.append(_labelled(child.kind, child.name, f"{via} {self._following.label(inner)}".lstrip()))
        else:
            self._add_value(node, child)

    def _add_value(self, node: Node, child: Child) -> None:
        """Add a value by its content, and lead to the functions and classes in it."""
        try:
            hashed, text, met = self._following.value(child.value)
        except Unhashable as error:
            node.parts.append(Part("unknown", child.name, "", f"`{child.name}` can't be followed: {error.reason}"))
            return
        node.parts.append(Part(child.kind, child.name, hashed, _MASK if looks_secret(child.name) else text))
        for value in met:
            anatomy = self._following.anatomy(value)
            if anatomy is not None:
                node.edges.append(_Edge(self._node(id(value), value, anatomy)))

    def _link(self, edge: _Edge, counts: Mapping[str, int]) -> Iterator[Part]:
        """Yield the part that says where an edge leads, unless its name does.

        Two functions of one name are told apart by all that they depend on.
        """
        target, alone = edge.target, counts[edge.target.name] == 1
        if not edge.name or (alone and not edge.via and edge.expected in {ANY, target.name}):
            return
        text = f"{edge.via} of {target.name}" if edge.via else target.name
        try:
            meant = "" if alone else self._following.value(target.value)[0]
        except Unhashable as error:
            yield Part("unknown", edge.name, "", f"`{edge.name}` can't be followed: {error.reason}")
        else:
            yield Part(edge.kind, edge.name, digest(f"{text} {meant}"), text)


def _plain(function: Any) -> types.FunctionType | None:
    """Return the Python function under partials, bound methods and the like, or None if there is none."""
    while not isinstance(function, types.FunctionType):
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, types.MethodType):
            function = function.__func__
        elif anatomies.peel(function)[0]:
            function = anatomies.peel(function)[1]
        else:
            return None
    return function


def _alone(function: Any) -> Part | None:
    """Return the one part of a function that reads no globals and brought nothing along, as many small ones are."""
    if type(function) is not types.FunctionType:
        return None
    if function.__closure__ or function.__defaults__ or function.__kwdefaults__ or is_installed_function(function):
        return None
    info = read_code(function.__code__, function.__globals__)
    leads_on = info.missing or info.reads or info.quoted or info.imports or info.unseen
    return None if leads_on else _body(info)


def _bound(function: Any) -> Iterator[Child]:
    """Yield what partials and bound methods add to a function."""
    while not isinstance(function, types.FunctionType):
        if isinstance(function, functools.partial):
            yield from (Child("default", f"[{number}]", value) for number, value in enumerate(function.args))
            yield from (Child("default", name, value) for name, value in sorted(function.keywords.items()))
            function = function.func
        elif isinstance(function, types.MethodType):
            yield Child("closure", "self", function.__self__)
            function = function.__func__
        else:
            function = anatomies.peel(function)[1]


def _hands_out(node: Node, module: str) -> bool:
    """Tell whether a function may hand out one of a module: in a value that is kept it goes by the module's name."""
    if not isinstance(node.value, types.FunctionType):
        return False
    own = node.value.__globals__
    held = (own[name] for name in names_handled(node.value.__code__) if name in own)
    return any(  # a class has its module in its digest
        callable(one) and not isinstance(one, type) and getattr(one, "__module__", None) == module for one in held
    )


def _body(info: CodeInfo) -> Part:
    if info.missing:
        return Part("unknown", "", "", info.missing)
    return Part("code", "", info.body, info.body_text)


def _atom(kind: str, name: str, value: object) -> Part:
    """Return the part of a number, string and the like; those that are asked for again and again are kept."""
    if isinstance(value, int) or (isinstance(value, str) and len(value) < 100):
        return _common_atom(kind, name, type(value).__name__, value)
    return Part(kind, name, digest(value), _MASK if looks_secret(name) else short(value))


@lru_cache(maxsize=4096)
def _common_atom(kind: str, name: str, _cls: str, value: object) -> Part:
    return Part(kind, name, digest(value), _MASK if looks_secret(name) else short(value))


@lru_cache(maxsize=4096)
def _labelled(kind: str, name: str, label: str) -> Part:
    """Return the part of something that counts by its name."""
    return Part(kind, name, digest(f"<{label}>"), label)


def _reach(root: Node) -> list[Node]:
    """Return all nodes that one leads to, itself first."""
    found = {id(root): root}
    pending = [root]
    while pending:
        for edge in pending.pop().edges:
            if id(edge.target) not in found:
                found[id(edge.target)] = edge.target
                pending.append(edge.target)
    return list(found.values())


def _assembled(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return parts sorted, each once, names numbered where two differ, and what is unknown unlike any before."""
    if len(parts) == 1 and parts[0].kind != "unknown":
        return tuple(parts)
    unique = {(part.kind, part.name, part.digest): part for part in parts}
    recipe: dict[tuple[str, str], Part] = {}
    for key in sorted(unique):
        (kind, name, hashed), text = key, unique[key].text
        number = 2
        while (kind, name) in recipe:
            name, number = f"{key[1]}#{number}", number + 1
        if kind == "unknown":
            recipe[kind, name] = Part(kind, name, uuid4().hex, text)
        else:
            recipe[kind, name] = unique[key] if name is key[1] else Part(kind, name, hashed, text)
    return tuple(recipe.values())
