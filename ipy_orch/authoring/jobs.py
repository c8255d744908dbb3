"""``@job``: the body of a function, in which ops are called, becomes a job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from ipy_orch.authoring.graphs import composed
from ipy_orch.authoring.ops import presented

if TYPE_CHECKING:
    from ipy_orch.model.jobs import JobDefinition
    from ipy_orch.model.policies import RetryPolicy

__all__ = ["job"]

Function = Callable[..., Any]


@overload
def job(compose_fn: Function, /) -> JobDefinition: ...
@overload
def job(
    compose_fn: None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    config: Any = None,
    tags: Mapping[str, Any] | None = None,
    run_tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    logger_defs: Mapping[str, Any] | None = None,
    executor_def: Any = None,
    hooks: Iterable[Any] | None = None,
    op_retry_policy: RetryPolicy | None = None,
    partitions_def: Any = None,
    input_values: Mapping[str, Any] | None = None,
    owners: Sequence[str] | None = None,
) -> Callable[[Function], JobDefinition]: ...
def job(
    compose_fn: Function | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    config: Any = None,
    tags: Mapping[str, Any] | None = None,
    run_tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    logger_defs: Mapping[str, Any] | None = None,
    executor_def: Any = None,
    hooks: Iterable[Any] | None = None,
    op_retry_policy: RetryPolicy | None = None,
    partitions_def: Any = None,
    input_values: Mapping[str, Any] | None = None,
    owners: Sequence[str] | None = None,
) -> Any:
    """Make a job of a function: the ops and graphs that its body calls are what it runs.

    Args:
        compose_fn: the function, when the decorator is used without arguments.
        resource_defs: the resources of its ops; ``io_manager`` stores their values.
        config: what its runs get where they aren't given any: a dict or RunConfig; or a ConfigMapping.
        tags: the job's.
        run_tags: its runs'; by default the job's.
        hooks: called after each step.
        op_retry_policy: of the ops that have none of their own.
        input_values: values of the function's parameters.

    Returns:
        A JobDefinition, or a decorator that makes one.

    Raises:
        DagsterInvalidDefinitionError: when a call doesn't fit, a resource is missing, or an input comes from nowhere.

    Example:
        >>> from ipy_orch.authoring.ops import op
        >>> @op
        ... def one():
        ...     return 1
        >>> @job
        ... def count():
        ...     one()
        >>> count.execute_in_process().output_for_node("one")
        1
    """

    def define(function: Function) -> JobDefinition:
        graph = composed(function, "@job", name=name, description=description, out={})
        made = graph.to_job(
            description=graph.description,
            resource_defs=resource_defs,
            config=config,
            tags=tags,
            run_tags=run_tags,
            metadata=metadata,
            logger_defs=logger_defs,
            executor_def=executor_def,
            hooks=hooks,
            op_retry_policy=op_retry_policy,
            partitions_def=partitions_def,
            input_values=input_values,
            owners=owners,
        )
        return presented(made, function)

    return define(compose_fn) if compose_fn is not None else define
