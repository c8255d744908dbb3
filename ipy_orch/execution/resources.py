"""Opening and closing the resources of a run.

A :class:`ResourceScope` opens what the planned steps need, each once, those it depends on first, and closes in the
reverse order: also when a step failed, when another resource can't be closed, and after an interrupt. What can be
known to be wrong beforehand (a missing resource, config that doesn't fit) is told before the first one is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any, ClassVar, Self

from ipy_orch.errors import (
    DagsterConfigMappingFunctionError,
    DagsterInvalidConfigError,
    DagsterInvalidDefinitionError,
    DagsterInvariantViolationError,
    DagsterResourceFunctionError,
    closest,
)
from ipy_orch.execution.records.instance import DagsterInstance
from ipy_orch.model.config.schema import MISSING
from ipy_orch.model.env import redact
from ipy_orch.model.resources.resource import (
    LOG,
    InitResourceContext,
    PartialResource,
    ScopedResources,
    as_resource,
    checked_config,
    closes,
    config_value,
    open_resource,
)

__all__ = ["OwnResources", "ResourceScope", "build_init_resource_context", "build_resources"]


class NestedConfigError(DagsterInvalidConfigError):
    """Tell that the config of a resource in a field of another doesn't fit.

    Run config can't say it, so that it fails the run, as what resources raise does.
    """


class ResourceScope:
    """Hold the resources of one run open, as a context manager.

    Args:
        definitions: key -> resource, or any object.
        required: the keys that are needed; what these depend on is opened, too, and nothing else.
        resource_config: the ``resources`` part of run config, ``{key: {"config": ...}}``.
        run: what the engine knows of the run, for the contexts of the resources.
        on_teardown_error: called with the key and the exception for each resource that can't be closed; by default
            it is logged. The run goes on in either case.

    Raises, on entering:
        DagsterInvalidDefinitionError: when nothing provides a key.
        DagsterInvalidConfigError: when a resource's config doesn't fit, or an environment variable isn't set.
        DagsterResourceFunctionError: from the user's exception, when a resource can't be opened; those that were
            opened before are closed.
    """

    def __init__(
        self,
        definitions: Mapping[str, Any],
        required: Iterable[str],
        resource_config: Mapping[str, Any] | None = None,
        run: Any = None,
        *,
        instance: Any = None,
        log: Any = None,
        on_teardown_error: Callable[[str, Exception], None] | None = None,
    ) -> None:
        self.definitions = dict(definitions)
        self.required = list(required)
        self.resource_config = dict(resource_config or {})
        self.run, self.instance, self.log = run, instance, log
        self.on_teardown_error = on_teardown_error or log_teardown_error
        self.objects: dict[str, Any] = {}  #: key -> what steps get
        self.teardown_errors: list[tuple[str, Exception]] = []
        self._configs: dict[str, tuple[Any, Any]] = {}  #: label -> its config, checked and resolved
        self._keys = {id(definition): key for key, definition in self.definitions.items()}
        self._inner: dict[int, Any] = {}
        self._above: list[str] = []  #: what is being prepared, and what needs it
        self._open: list[tuple[str, AbstractContextManager[Any]]] = []

    def __enter__(self) -> Self:
        keys = self._in_order_of_definition()
        for key in keys:
            self._prepare_key(key)
        try:
            for key in keys:
                self._object(key)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def open_also(self, definitions: Mapping[str, Any], required: Iterable[str]) -> None:
        """Open more resources, where they aren't open yet.

        Raises:
            DagsterError: what entering raises; what was open stays open.
        """
        new = {key: one for key, one in definitions.items() if key not in self.definitions}
        self.definitions.update(new)
        self._keys.update({id(one): key for key, one in new.items()})
        keys = list(required)
        for key in keys:
            self._prepare_key(key)
        for key in keys:
            self._object(key)

    def namespace(self, keys: Iterable[str]) -> ScopedResources:
        """Return ``context.resources`` of a step that requires these keys."""
        return ScopedResources({key: self.objects[key] for key in keys if key in self.objects})

    def close(self) -> None:
        """Close what is open, the last opened first.

        An exception of one doesn't keep the others from being closed; only an interrupt is raised, at the end.
        """
        interrupt: BaseException | None = None
        while self._open:
            key, manager = self._open.pop()
            try:
                manager.__exit__(None, None, None)
            except Exception as error:
                self.teardown_errors.append((key, error))
                self.on_teardown_error(key, error)
            except BaseException as error:
                interrupt = error
        if interrupt is not None:
            raise interrupt

    def _in_order_of_definition(self) -> list[str]:
        wanted = set(self.required)
        known = [key for key in self.definitions if key in wanted]
        return [*known, *(key for key in self.required if key not in self.definitions)]

    # -- before anything is opened ------------------------------------------------------------------------------------

    def _prepare_key(self, key: str) -> None:
        if key not in self.definitions:
            raise DagsterInvalidDefinitionError(
                f"resource `{key}` is required and nothing provides it",
                where=f"resource `{self._above[-1]}`" if self._above else "",
                hint=closest(key, self.definitions) or f'`Definitions(resources={{"{key}": ...}})`',
            )
        written = self.resource_config.get(key, {}).get("config", MISSING)
        self._prepare(key, as_resource(self.definitions[key]), written)

    def _prepare_nested(self, outer: str, field: str, resource: Any) -> None:
        if id(resource) in self._keys:
            self._prepare_key(self._keys[id(resource)])
        elif isinstance(resource, PartialResource):
            raise DagsterInvalidDefinitionError(
                f"the field `{field}` of resource `{outer}` waits for config, so it needs a key of its own"
            )
        else:
            try:
                self._prepare(f"{outer}.{field}", resource, MISSING)
            except DagsterInvalidConfigError as error:
                told = NestedConfigError(error.message, where=error.where, hint=error.hint, errors=error.errors)
                raise told from error.__cause__

    def _prepare(self, label: str, resource: Any, written: Any) -> None:
        """Resolve the config of a resource and of all that it needs."""
        if label in self._above:
            raise DagsterInvariantViolationError(
                f"resource `{label}` needs itself: {' → '.join(f'`{one}`' for one in [*self._above, label])}"
            )
        if label in self._configs:
            return
        self._above.append(label)
        for key in sorted(resource.__required_keys__):
            self._prepare_key(key)
        for field, one in resource.__nested__().items():
            self._prepare_nested(label, field, one)
        self._above.pop()
        self._configs[label] = resolved_config(label, resource, written)

    # -- opening ------------------------------------------------------------------------------------------------------

    def _object(self, key: str) -> Any:
        if key not in self.objects:
            self.objects[key] = self._opened(key, as_resource(self.definitions[key]))
        return self.objects[key]

    def _nested(self, outer: str, field: str, resource: Any) -> Any:
        """Return the opened resource in a field: the one that has a key of its own, or one just for fields."""
        if id(resource) in self._keys:
            return self._object(self._keys[id(resource)])
        if id(resource) not in self._inner:
            self._inner[id(resource)] = self._opened(f"{outer}.{field}", resource)
        return self._inner[id(resource)]

    def _opened(self, label: str, resource: Any) -> Any:
        own = ScopedResources({key: self._object(key) for key in sorted(resource.__required_keys__)})
        nested = {field: self._nested(label, field, one) for field, one in resource.__nested__().items()}
        checked, value = self._configs[label]
        context = InitResourceContext(value, own, resource, self.run, self.instance, self.log, self.definitions)
        return self._entered(label, resource.__open__(context, checked, nested))

    def _entered(self, label: str, manager: AbstractContextManager[Any]) -> Any:
        try:
            value = manager.__enter__()
        except Exception as error:
            raise DagsterResourceFunctionError(
                f"resource `{label}` raised while it was set up: {type(error).__name__}: {redact(str(error))}",
                where=f"resource `{label}`, set-up",
            ) from error
        self._open.append((label, manager))
        return value


def resolved_config(label: str, resource: Any, written: Any) -> tuple[Any, Any]:
    """Return a resource's config, checked and resolved.

    Raises:
        DagsterInvalidConfigError: when it doesn't fit, or an environment variable isn't set.
        DagsterConfigMappingFunctionError: when the function that makes it raises.
    """
    try:
        checked = checked_config(resource, written, ("resources", label, "config"))
        return checked, config_value(resource, checked)
    except (DagsterInvalidConfigError, DagsterConfigMappingFunctionError) as error:
        raise error.at(f"resource `{label}`") from error.__cause__


def log_teardown_error(key: str, error: Exception) -> None:
    """Log that a resource couldn't be closed."""
    LOG.error("resource `%s` raised while it was torn down: %s: %s", key, type(error).__name__, redact(str(error)))


@contextmanager
def build_resources(
    resources: Mapping[str, Any],
    instance: Any = None,
    resource_config: Mapping[str, Any] | None = None,
    dagster_run: Any = None,
    log_manager: Any = None,
) -> Iterator[ScopedResources]:
    """Open resources outside a run and give them as attributes, as a context manager.

    >>> with build_resources({"db": 5}) as resources:
    ...     resources.db
    5
    """
    scope = ResourceScope(resources, resources, resource_config, dagster_run, instance=instance, log=log_manager)
    with scope:
        yield scope.namespace(resources)


class OwnResources:
    """Hold resources of its own open: until the end of ``with``, or as long as it lives where none must be closed.

    What was made for a test is of this kind.
    """

    scope: ResourceScope
    entered: bool
    maker: ClassVar[str]  #: how it is made, for a message

    def hold(self, scope: ResourceScope) -> None:
        """Open the resources of a scope."""
        self.entered = not any(closes(as_resource(one)) for one in scope.definitions.values())
        self.scope = scope.__enter__()

    def refuse_unclosed(self) -> None:
        """Refuse to give resources of which one would stay open.

        Raises:
            DagsterInvariantViolationError: when one must be closed, and this isn't used by ``with``.
        """
        if not self.entered:
            raise DagsterInvariantViolationError(
                "a resource here must be closed after use", hint=f"`with {self.maker} as context:`"
            )

    def held(self, keys: Iterable[str]) -> ScopedResources:
        """Return the resources under some keys.

        Raises:
            DagsterInvariantViolationError: when one must be closed, and this isn't used by ``with``.
        """
        self.refuse_unclosed()
        return self.scope.namespace(keys)

    def __enter__(self) -> Self:
        self.entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.scope.close()

    def __del__(self) -> None:
        if scope := self.__dict__.get("scope"):
            scope.close()


class BuiltInitResourceContext(OwnResources, InitResourceContext):
    """Be an :class:`InitResourceContext` made for a test; it holds its own resources open."""

    maker = "build_init_resource_context(...)"

    def __init__(self, config: Any, resources: Mapping[str, Any], instance: Any) -> None:
        super().__init__(config, instance=instance, all_resource_defs=resources)
        self.hold(ResourceScope(resources, resources, instance=instance))

    @property
    def resources(self) -> ScopedResources:
        """Return the resources.

        Raises:
            DagsterInvariantViolationError: when one must be closed, and this isn't used by ``with``.
        """
        return self.held(self.scope.definitions)


def build_init_resource_context(
    config: Any = None, resources: Mapping[str, Any] | None = None, instance: Any = None
) -> InitResourceContext:
    """Return a context to call a resource's function with in a test; use ``with`` when a resource must be closed."""
    known = DagsterInstance.ephemeral() if instance is None else instance
    return BuiltInitResourceContext(config, dict(resources or {}), known)


@open_resource.supply
@contextmanager
def opened_alone(resource: Any, written: Any = MISSING, context: InitResourceContext | None = None) -> Iterator[Any]:
    """Open one resource outside a run, with those in its fields."""
    config = {"resource": {}} if written is MISSING else {"resource": {"config": written}}
    run = context.run if context is not None else None
    with ResourceScope({"resource": resource}, ["resource"], config, run) as scope:
        yield scope.objects["resource"]
