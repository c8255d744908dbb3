"""Environments: named sets of resources that take the place of the notebook's own, for one run or until further notice.

The notebook's own resources are the environment ``default``. Another one is laid over them: what it doesn't name stays.
A resource that holds another one in a field gets the other environment's there, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from ipy_orch.errors import DagsterInvalidDefinitionError, DagsterInvariantViolationError, closest
from ipy_orch.model.resources.resource import ConfigurableResourceFactory, PartialResource, as_resource

__all__ = ["DEFAULT", "Environments", "NoSuchEnvironment", "can_name", "cell_name"]

DEFAULT: Final = "default"


class NoSuchEnvironment(DagsterInvariantViolationError):
    """Tell that no environment has a name."""


def can_name(name: object) -> bool:
    """Tell whether an environment can have a name: whether it can be typed after ``--env``.

    >>> can_name("eu-west"), can_name("-west")
    (True, False)
    """
    return isinstance(name, str) and name.replace("-", "_").isidentifier() and not name.startswith("-")


def cell_name(environment: str) -> str:
    """Return the name under which the cell book knows an environment; no variable can have it."""
    return f"environment {environment}"


class Environments:
    """Hold the environments of a session, which one is in use, and the config that each one's resources were given.

    Args:
        is_gone: whether the cell that said something, by its name in the cell book, was deleted.
    """

    def __init__(self, is_gone: Callable[[str], bool] = lambda _: False) -> None:
        self.named: dict[str, Mapping[str, Any]] = {}
        self.chosen = DEFAULT
        self.meanwhile: ContextVar[str] = ContextVar("environment")  # other threads don't see it
        self.configs: dict[str, dict[str, Any]] = {}
        self.is_gone = is_gone

    @property
    def names(self) -> list[str]:
        """Return the names, ``default`` first."""
        others = [name for name in self.named if name != DEFAULT and not self.is_gone(cell_name(name))]
        return [DEFAULT, *others]

    @property
    def current(self) -> str:
        """Return the environment in use; the notebook's own when its cell was deleted."""
        name = self.meanwhile.get(self.chosen)
        return name if name in self.names else DEFAULT

    def use(self, name: str) -> None:
        """Switch to another environment."""
        self.chosen = self.known(name)

    @property
    def overlay(self) -> Mapping[str, Any]:
        """Return the resources that the environment in use names."""
        return self.named.get(self.current, {})

    @property
    def label(self) -> str:
        """Return the name of the environment in use, "" for the notebook's own."""
        return "" if self.current == DEFAULT else self.current

    def define(self, name: Any, resources: Any) -> None:
        """Give a set of resources a name, in the place of the one that had it.

        Raises:
            DagsterInvalidDefinitionError: for a name that can't be typed after ``--env``, or what isn't a resource.
        """
        if not can_name(name):
            raise DagsterInvalidDefinitionError(
                f"`{name}` can't be the name of an environment", hint="letters, digits, `_` and `-`, e.g. `prod`"
            )
        if name == DEFAULT:
            raise DagsterInvalidDefinitionError(f"`{DEFAULT}` is the environment of the notebook's own resources")
        if not isinstance(resources, Mapping) or not all(isinstance(key, str) for key in resources):
            hint = f'`session.environment("{name}", {{"db": ...}})`'
            raise DagsterInvalidDefinitionError(f"the resources of environment `{name}` are a dict by key", hint=hint)
        for one in resources.values():
            as_resource(one)
        self.named[name] = dict(resources)

    def take(self, named: Mapping[str, Mapping[str, Any]], in_use: str) -> None:
        """Have the environments of a module, whose own resources are those of one of them.

        Args:
            named: environment -> resources; :data:`DEFAULT` may be among them, where another one is in use.
        """
        self.named.update(named)
        self.chosen = in_use

    def known(self, name: str) -> str:
        """Return a name that exists.

        Raises:
            NoSuchEnvironment: when it doesn't, with the closest.
        """
        if name not in self.names:
            told = closest(name, self.names) or f'`session.environment("{name}", {{...}})` makes one'
            raise NoSuchEnvironment(f"there is no environment `{name}`", hint=told)
        return name

    @contextmanager
    def within(self, name: str | None) -> Iterator[None]:
        """Use another environment for a while; None stays in the one in use."""
        before = self.meanwhile.set(self.current if name is None else self.known(name))
        try:
            yield
        finally:
            self.meanwhile.reset(before)

    # -- resources ----------------------------------------------------------------------------------------------------

    def laid_over(self, resources: Mapping[str, Any]) -> dict[str, Any]:
        """Return the resources of the environment in use, given the notebook's own."""
        swaps = {id(resources[key]): one for key, one in self.overlay.items() if key in resources}
        rest = {key: one for key, one in resources.items() if key not in self.overlay}
        return {**{key: swapped(one, swaps) for key, one in rest.items()}, **self.overlay}

    def refuse_misspelt(self, known: set[str]) -> None:
        """Refuse a key that nothing uses and that is nearly one that something does: the swap would do nothing.

        Args:
            known: the keys of the notebook's own resources, and those that its definitions require.

        Raises:
            DagsterInvalidDefinitionError: then.
        """
        for key in self.overlay.keys() - known:
            if hint := closest(key, known - self.overlay.keys()):
                raise DagsterInvalidDefinitionError(
                    f"environment `{self.current}` has a resource `{key}`, which nothing uses", hint=hint
                )


def swapped(one: Any, swaps: Mapping[int, Any]) -> Any:
    """Return a resource that holds others, with those of another environment in their place.

    Args:
        swaps: identity of a resource -> the other one.
    """
    if not isinstance(one, ConfigurableResourceFactory | PartialResource):
        return one
    inner = {name: swaps.get(id(held), held) for name, held in one.__nested__().items()}
    deep = {name: swapped(held, swaps) for name, held in inner.items()}
    new = {name: held for name, held in deep.items() if held is not one.__nested__()[name]}
    if not new:
        return one
    if isinstance(one, PartialResource):
        return PartialResource(one.resource_cls, {**one.data, **new})
    return one.model_copy(update=new)
