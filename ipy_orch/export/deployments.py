"""The environments of a notebook as Dagster's guide has them: a dict of resources for each, one of which is chosen.

    deployments = {
        "default": {"db": db, "io_manager": io_manager},
        "prod": {"io_manager": io_manager, **prod_resources},
    }

    defs = Definitions(..., resources=deployments[os.getenv("DAGSTER_DEPLOYMENT", "default")])

An environment overlays the notebook's own resources, also where one of these holds another in a field.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.export.environment_cells import Environment, EnvironmentCells, LeftOut
from ipy_orch.export.layout import Doc, Group, laid_out, mapping, quoted
from ipy_orch.export.slicing import END, Piece, Slicer
from ipy_orch.export.statements import Statement
from ipy_orch.model.resources.resource import ConfigurableResourceFactory, PartialResource
from ipy_orch.session.config.environments import DEFAULT

__all__ = ["DEPLOYMENTS", "VARIABLE", "Deployments", "deployments_in"]

DEPLOYMENTS: Final = "deployments"
VARIABLE: Final = "DAGSTER_DEPLOYMENT"


@dataclass
class Deployments:
    """Be the environments that a module has.

    Args:
        cells: what the notebook says of them.
        own: the notebook's own resources.
        needed: those that the module needs.
        turn: when a cell ran -> where it stands.
        refuse: refuses a statement that the target can't have.
    """

    cells: EnvironmentCells
    slicer: Slicer
    own: Mapping[str, Any]
    needed: Sequence[str]
    turn: Mapping[int, int]
    refuse: Callable[[Statement], object]

    @cached_property
    def tried(self) -> list[tuple[Environment, Doc | LeftOut]]:
        """Return each environment with its resources, or why it has none, in the notebook's order."""
        found = sorted(self.cells.found, key=lambda one: (self.turn[one.place[0]], one.place[1]))
        return [(one, self.attempt(one)) for one in found]

    @cached_property
    def written(self) -> dict[str, tuple[str, Doc]]:
        """Return environment -> its variable, and its resources."""
        return {one.name: (one.variable, doc) for one, doc in self.tried if not isinstance(doc, LeftOut)}

    @property
    def variables(self) -> list[str]:
        """Return the variables of the environments."""
        return [variable for variable, _ in self.written.values()]

    @property
    def names(self) -> frozenset[str]:
        """Return the names that the module needs for itself."""
        return frozenset({DEPLOYMENTS, "os"} if self.written else ())

    @property
    def in_use(self) -> str:
        """Return the environment that the module has where nothing says which: that in use."""
        return self.cells.in_use if self.cells.in_use in self.written else DEFAULT

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what to say of environments that the module hasn't."""
        left = [*self.cells.left_out, *(doc for _, doc in self.tried if isinstance(doc, LeftOut))]
        is_in_use = any(one.name == self.cells.in_use for one in left)
        told = f"environment `{self.cells.in_use}` is in use, and the module's own is `{DEFAULT}`"
        return (*map(str, left), *([told] if is_in_use else []))

    # -- text ---------------------------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """Return the statement that holds them, "" where there are none."""
        if not self.written:
            return ""
        own = (f"{quoted(DEFAULT)}: ", mapping({key: key for key in self.needed}))
        others = ((f"{quoted(name)}: ", doc) for name, (_, doc) in self.written.items())
        return laid_out(f"{DEPLOYMENTS} = ", Group("{", (own, *others), "}", filled=False))

    @property
    def chosen(self) -> Doc:
        """Return the resources of the module."""
        if not self.written:
            return mapping({key: key for key in self.needed})
        return f"{DEPLOYMENTS}[os.getenv({quoted(VARIABLE)}, {quoted(self.in_use)})]"

    def attempt(self, one: Environment) -> Doc | LeftOut:
        """Return the resources of an environment, or why a module can't have them."""
        piece = Piece(END, f"environment `{one.name}`", "the notebook", late={one.variable: 1})
        try:
            for statement in self.slicer.slice([piece]).statements:
                self.refuse(statement)
            there = [(f"{quoted(key)}: ", self.swapped(key, one)) for key in self.needed if key not in (one.keys or ())]
        except DagsterInvalidDefinitionError as error:
            return LeftOut(one.name, error.message, error.where, error.hint)
        return Group("{", (*there, ("**", one.variable)), "}", filled=False) if there else one.variable

    # -- resources that hold others -----------------------------------------------------------------------------------

    def swapped(self, key: str, one: Environment) -> str:
        """Return a resource of the notebook's own as it is in an environment.

        Raises:
            DagsterInvalidDefinitionError: when it holds one of the environment's, and no text says how.
        """
        value = self.own[key]
        if one.keys is None and any(is_in(held, self.own) for held in nested(value).values()):
            raise Unsaid(key, f"only running the notebook tells which resources it has, and `{key}` holds some")
        swaps = {id(self.own[name]): name for name in one.keys or () if name in self.own}
        return ast.unparse(Swap(self, one, swaps).resource(key)) if holds(value, swaps) else key


class Unsaid(DagsterInvalidDefinitionError):
    """Tell that an environment's form of a resource can't be written."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(why, hint=f"name `{key}` in the environment, too")


@dataclass(frozen=True)
class Swap:
    """Write resources that hold others anew, with those of an environment in their place.

    Args:
        swaps: identity of a resource -> its key in the environment.
    """

    module: Deployments
    environment: Environment
    swaps: Mapping[int, str]

    def resource(self, key: str) -> ast.expr:
        """Return what makes a resource that a variable holds.

        Raises:
            Unsaid: where that isn't one call, of what it reads to the end.
        """
        slicer, makers = self.module.slicer, self.module.slicer.definitions(key)
        match [one.node for one in makers]:
            case [ast.Assign(targets=[ast.Name()], value=ast.Call() as call)]:
                reads, place = makers[0].reads, makers[0].place
                if all(slicer.definitions(name, place) == slicer.definitions(name) for name in reads):
                    return self.call(key, call, self.module.own[key])
        raise self.unsaid(key)

    def call(self, key: str, node: ast.Call, value: Any) -> ast.expr:
        """Return a call with the environment's resources in the fields of what it makes."""
        made = deepcopy(node)
        words = {one.arg: one for one in made.keywords}
        for field, inner in nested(value).items():
            if id(inner) in self.swaps or holds(inner, self.swaps):
                if field not in words:
                    raise self.unsaid(key)
                words[field].value = self.field(key, words[field].value, inner)
        return made

    def field(self, key: str, node: ast.expr, inner: Any) -> ast.expr:
        """Return what stands in a field."""
        if id(inner) in self.swaps:
            return ast.Subscript(ast.Name(self.environment.variable), ast.Constant(self.swaps[id(inner)]))
        match node:
            case ast.Name(name) if self.module.own.get(name) is inner:
                return self.resource(name)
            case ast.Call():
                return self.call(key, node, inner)
        raise self.unsaid(key)

    def unsaid(self, key: str) -> Unsaid:
        """Return the error for a resource that isn't made by one call."""
        held = ", ".join(f"`{name}`" for name in sorted({*self.swaps.values()}))
        return Unsaid(key, f"`{key}` holds its {held}, and isn't made by one call with them in it")


def nested(value: Any) -> Mapping[str, Any]:
    """Return the resources in the fields of a resource."""
    return value.__nested__() if isinstance(value, ConfigurableResourceFactory | PartialResource) else {}


def holds(value: Any, swaps: Mapping[int, str]) -> bool:
    """Tell whether a resource holds one that is another in an environment."""
    return any(id(one) in swaps or holds(one, swaps) for one in nested(value).values())


def is_in(value: Any, own: Mapping[str, Any]) -> bool:
    """Tell whether a resource, or one that it holds, is in a variable."""
    return any(value is one for one in own.values()) or any(is_in(one, own) for one in nested(value).values())


# -- and back ----------------------------------------------------------------------------------------------------------


def deployments_in(node: ast.stmt) -> dict[str, str] | None:
    """Return variable -> environment, of the statement that holds them; None for any other statement.

    >>> deployments_in(ast.parse("deployments = {'default': {}, 'prod': {'a': a, **prod_resources}}").body[0])
    {'prod_resources': 'prod'}
    """
    match node:
        case ast.Assign(
            targets=[ast.Name("deployments")],
            value=ast.Dict(keys=[ast.Constant("default"), *keys], values=[_, *values]),
        ):
            names = [one.value for one in keys if isinstance(one, ast.Constant)]
            return {overlay(value): str(name) for name, value in zip(names, values, strict=False) if overlay(value)}
    return None


def overlay(node: ast.expr) -> str:
    """Return the variable of an environment, "" where there's none."""
    last = node.values[-1] if isinstance(node, ast.Dict) and node.values and node.keys[-1] is None else node
    return last.id if isinstance(last, ast.Name) else ""
