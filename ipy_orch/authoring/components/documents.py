"""YAML with the line of each field, for files that strangers may have written.

Only plain data: no tags that make objects, no alias that holds itself, and no text that grows without end as its
aliases are followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from ipy_orch.errors import DagsterInvalidDefinitionError

__all__ = ["Document", "FieldPath", "Lines", "read_documents"]

FieldPath = tuple[str | int, ...]
MOST_NODES: Final = 100_000
MOST_DEPTH: Final = 100
MERGE: Final = "tag:yaml.org,2002:merge"


@dataclass(frozen=True)
class Lines:
    """Know where each field stands.

    Args:
        name: of the file or cell; one that ends with a blank has the number right behind it.
        of_path: path of a field -> its line, from 1.
    """

    name: str = ""
    of_path: Mapping[FieldPath, int] = field(default_factory=dict)

    def line(self, path: FieldPath) -> int | None:
        """Return the line of a field, or of the nearest one around it."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.of_path:
                return self.of_path[path[:end]]
        return None

    def where(self, path: FieldPath) -> str:
        """Return where a field stands, for messages.

        >>> Lines("defs.yaml", {("a",): 3}).where(("a", 0))
        'defs.yaml:3, field `a.0`'
        """
        line = self.line(path)
        told = self.name or "line "
        place = self.name if line is None else f"{told}{'' if told.endswith(' ') else ':'}{line}"
        inside = f"field `{'.'.join(map(str, path))}`" if path else ""
        return ", ".join(part for part in (place, inside) if part)

    def below(self, *path: str | int) -> Lines:
        """Return the lines of the fields inside one, under their paths from there."""
        size = len(path)
        inner = {whole[size:]: line for whole, line in self.of_path.items() if whole[:size] == path}
        return Lines(self.name, inner)


@dataclass(frozen=True)
class Document:
    """Be one document of a YAML text.

    Args:
        value: plain data.
    """

    value: Any
    lines: Lines


def read_documents(text: str, name: str = "") -> list[Document]:
    r"""Return the documents of a YAML text; empty ones are left out.

    Args:
        name: of the file or cell, for messages.

    Raises:
        DagsterInvalidDefinitionError: with the line, when it isn't YAML, or not plain data.

    Example:
        >>> [one] = read_documents("type: a.B\nattributes:\n  limit: 3\n", "defs.yaml")
        >>> one.value, one.lines.where(("attributes", "limit"))
        ({'type': 'a.B', 'attributes': {'limit': 3}}, 'defs.yaml:3, field `attributes.limit`')
    """
    try:
        loader = yaml.SafeLoader(text)
        try:
            found = [Reading(loader, name).document(node) for node in nodes_of(loader)]
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise not_yaml(error, name) from None
    except RecursionError:
        raise DagsterInvalidDefinitionError("the YAML is nested too deeply", where=name) from None
    return [one for one in found if one.value is not None]


def nodes_of(loader: yaml.SafeLoader) -> list[yaml.Node]:
    """Return the root of each document."""
    found = []
    while loader.check_node():
        node = loader.get_node()
        if node is not None:
            found.append(node)
    return found


def not_yaml(error: yaml.YAMLError, name: str) -> DagsterInvalidDefinitionError:
    """Return the error of a text that isn't YAML."""
    mark = getattr(error, "problem_mark", None)
    where = name if mark is None else Lines(name, {(): mark.line + 1}).where(())
    told = getattr(error, "problem", None) or str(error).splitlines()[0]
    return DagsterInvalidDefinitionError(f"this isn't YAML: {told}", where=where)


class Reading:
    """Make the data of one document, and note the lines.

    Args:
        loader: makes the values of scalars.
    """

    def __init__(self, loader: yaml.SafeLoader, name: str) -> None:
        self.loader, self.name = loader, name
        self.lines: dict[FieldPath, int] = {}
        self.count = 0
        self.inside: list[int] = []

    def document(self, node: yaml.Node) -> Document:
        """Return a document."""
        value = self.value(node, ())
        return Document(value, Lines(self.name, self.lines))

    def value(self, node: yaml.Node, path: FieldPath) -> Any:
        """Return the data of a node."""
        self.lines.setdefault(path, node.start_mark.line + 1)
        self.refuse_endless(node)
        self.inside.append(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self.mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                self.refuse_tag(node, "tag:yaml.org,2002:seq")
                return [self.value(one, (*path, number)) for number, one in enumerate(node.value)]
            return self.scalar(node)
        finally:
            self.inside.pop()

    def mapping(self, node: yaml.MappingNode, path: FieldPath) -> dict[Any, Any]:
        """Return the data of a mapping; what ``<<`` brings lies under its own fields."""
        self.refuse_tag(node, "tag:yaml.org,2002:map")
        merged: dict[Any, Any] = {}
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == MERGE:
                brought = self.value(value_node, path)
                for one in reversed(brought) if isinstance(brought, list) else [brought]:
                    merged.update(one if isinstance(one, dict) else {})
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise self.refused("the name of a field is a list or a mapping", key_node)
            key = self.scalar(key_node)
            if key in found:
                raise self.refused(f"field `{key}` is there twice", key_node)
            self.lines[*path, key] = key_node.start_mark.line + 1
            found[key] = self.value(value_node, (*path, key))
        return {**merged, **found}

    def scalar(self, node: yaml.Node) -> Any:
        """Return the value of a scalar."""
        if not node.tag.startswith("tag:yaml.org,2002:") or ":python" in node.tag:
            raise self.refused(f"`{short(node.tag)}` would make an object, and only plain data is read", node)
        return self.loader.construct_object(node)

    def refuse_tag(self, node: yaml.Node, usual: str) -> None:
        """Refuse a mapping or list that would become something else."""
        if node.tag != usual:
            raise self.refused(f"`{short(node.tag)}` would make an object, and only plain data is read", node)

    def refuse_endless(self, node: yaml.Node) -> None:
        """Refuse aliases that hold themselves, or grow to too much."""
        self.count += 1
        if id(node) in self.inside:
            raise self.refused("an alias stands for what it's a part of", node)
        if self.count > MOST_NODES:
            raise self.refused(f"its aliases stand for more than {MOST_NODES:,} values", node)
        if len(self.inside) > MOST_DEPTH:
            raise self.refused("the YAML is nested too deeply", node)

    def refused(self, message: str, node: yaml.Node) -> DagsterInvalidDefinitionError:
        """Return the error of a node."""
        where = Lines(self.name, {(): node.start_mark.line + 1}).where(())
        return DagsterInvalidDefinitionError(message, where=where)


def short(tag: str) -> str:
    """Return a tag as it's written.

    >>> short("tag:yaml.org,2002:python/object:os.system")
    '!!python/object:os.system'
    """
    return tag.replace("tag:yaml.org,2002:", "!!")
