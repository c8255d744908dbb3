"""Calling a definition as a function: ``orders(raw)``, ``orders(build_asset_context(), raw=[1])``. Nothing is stored.

Inputs, config and resources come as arguments, by position or by name; config and resources may come from the context
instead. What the function returns or yields is checked as in a run, and handed on as it is.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from ipy_orch.errors import (
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterInvariantViolationError,
    closest,
)
from ipy_orch.execution.build import DirectContext, build_asset_check_context, build_asset_context, build_op_context
from ipy_orch.execution.contexts.current import Entered
from ipy_orch.execution.forms import dynamic_items, forms_of, refuse_form
from ipy_orch.execution.outputs import EVENTS, RESULTS, kind_of, spec_of
from ipy_orch.execution.resources import ResourceScope
from ipy_orch.execution.types import check_type
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.config.classes import Config
from ipy_orch.model.ops import RESULT, OpDefinition, invoke, type_of
from ipy_orch.model.results import AssetCheckResult, DynamicOutput, MaterializeResult, ObserveResult, Output
from ipy_orch.planning.config import resolve_run_config

__all__ = ["invoke_definition"]


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """Be the arguments of a call, told apart.

    Args:
        context: the context that was given, None for none.
        named: parameter -> value, the config and the resources among them.
    """

    op: OpDefinition
    definition: AssetsDefinition | None
    context: DirectContext | None
    named: Mapping[str, Any]

    @property
    def resources(self) -> Mapping[str, Any]:
        """Return the resources that were given as arguments, by key."""
        return {key: self.named[name] for name, key in self.op.signature.resources.items() if name in self.named}

    @property
    def has_config(self) -> bool:
        """Tell whether the config was given as an argument."""
        return self.op.signature.config is not None and self.op.signature.config in self.named

    @property
    def inputs(self) -> Mapping[str, Any]:
        """Return the other arguments."""
        signature = self.op.signature
        return {n: v for n, v in self.named.items() if n not in signature.resources and n != signature.config}


@invoke.supply
def invoke_definition(target: OpDefinition | AssetsDefinition, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call the function of an op, an asset or a check; an async function returns a coroutine.

    Raises:
        DagsterInvalidInvocationError: for missing, unknown or superfluous arguments.
        DagsterInvalidDefinitionError: when a resource is missing.
        DagsterInvalidConfigError: when the config doesn't fit.
        DagsterTypeCheckDidNotPass: when an input or an output isn't of its declared type.
        DagsterInvariantViolationError: when outputs are missing, unknown or there twice.
        Exception: what the function raises.
    """
    call = told_apart(target, args, kwargs)
    inputs = checked_inputs(call)
    with ExitStack() as stack:
        context, named = bound(call, stack)
        positional = (context,) if call.op.signature.context is not None else ()
        with Entered(context):
            made = call.op.compute_fn(*positional, **{**inputs, **named})
        if not inspect.isawaitable(made) and not inspect.isgenerator(made) and not inspect.isasyncgen(made):
            check_returned(call, made)
            return made
        later = stack.pop_all()  # the context stays in use until the function has ended
    if inspect.isgenerator(made):
        return checked_items(call, made, later)
    return checked_later_items(call, made, later) if inspect.isasyncgen(made) else checked_later(call, made, later)


# -- arguments


def told_apart(target: OpDefinition | AssetsDefinition, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Call:
    """Return which argument is which."""
    definition = target if isinstance(target, AssetsDefinition) else None
    if definition is not None and not definition.is_executable:
        raise DagsterInvalidInvocationError(f"`{definition.label}` is external: there's no function to call")
    op = target.op if isinstance(target, AssetsDefinition) else target
    if not isinstance(op, OpDefinition):
        raise DagsterInvalidInvocationError(
            f"`{op.name}` is a graph, which can't be called as a function",
            hint="`.execute_in_process()`, or `materialize`",
        )
    context, args, kwargs = taken_context(op, args, kwargs)
    return Call(op, definition, context, by_name(op, args, kwargs))


def taken_context(
    op: OpDefinition, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[DirectContext | None, Sequence[Any], Mapping[str, Any]]:
    """Return the context, and the arguments without it.

    Raises:
        DagsterInvalidInvocationError: when the function takes one and none was given.
    """
    name = op.signature.context
    if name is None:
        first = args[0] if args and isinstance(args[0], DirectContext) else None
        return first, args[1:] if first is not None else args, kwargs
    if name in kwargs:
        return kwargs[name], args, {key: value for key, value in kwargs.items() if key != name}
    if args and (args[0] is None or isinstance(args[0], DirectContext)):
        return args[0], args[1:], kwargs
    raise DagsterInvalidInvocationError(
        f"`{op.name}` takes a context, and got none",
        hint=f"`{op.name}(build_op_context(), ...)`, or `build_asset_context()`",
    )


def by_name(op: OpDefinition, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments by name.

    Raises:
        DagsterInvalidInvocationError: when there are too many, one is there twice, or one has no parameter.
    """
    names = parameter_names(op)
    if len(args) > len(names):
        hint = "it takes no context" if op.signature.context is None else ""
        raise DagsterInvalidInvocationError(f"`{op.name}` takes {len(names)} arguments, and got {len(args)}", hint=hint)
    named = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name in named:
            raise DagsterInvalidInvocationError(f"`{op.name}` got `{name}` twice: by position and by name")
        if name not in names:
            raise DagsterInvalidInvocationError(
                f"`{op.name}` has no argument `{name}`",
                hint=closest(name, names) or f"it has {', '.join(names) or 'none'}",
            )
        named[name] = value
    return named


def parameter_names(op: OpDefinition) -> list[str]:
    """Return the names of all arguments but the context, in order."""
    parameters = inspect.signature(op.compute_fn).parameters.values()
    own = [
        p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.name != op.signature.context
    ]
    return own + [name for name in op.ins_with_values if name not in own]


def checked_inputs(call: Call) -> dict[str, Any]:
    """Return the inputs, with the defaults of those that weren't given.

    Raises:
        DagsterInvalidInvocationError: when one is missing.
        DagsterTypeCheckDidNotPass: when one isn't of its type.
    """
    given = dict(call.inputs)
    for name in call.op.ins_with_values:
        port = call.op.ins[name]
        if name in given:
            check_type(type_of(port), given[name], f"input `{name}` of `{call.op.name}`")
        elif port.has_default_value:
            given[name] = port.default_value
        elif name not in call.op.signature.defaults:
            raise DagsterInvalidInvocationError(
                f"`{call.op.name}` needs `{name}`", hint=f"`{call.op.name}({name}=...)`"
            )
    return given


# -- context, config, resources


def bound(call: Call, stack: ExitStack) -> tuple[DirectContext, dict[str, Any]]:
    """Return the context, set up for this call until ``stack`` is closed, and config and resources as arguments."""
    op, context = call.op, call.context
    if context is None:
        context = new_context(call)
    config = config_for(call, context)
    resources = stack.enter_context(resources_for(call, context))
    stack.enter_context(context.bound(op, call.definition, config, resources.namespace(resources.objects)))
    named = {name: resources.objects[key] for name, key in op.signature.resources.items()}
    if op.signature.config is not None:
        named[op.signature.config] = config
    return context, named


def new_context(call: Call) -> DirectContext:
    """Return an empty context of the right kind."""
    if call.definition is None:
        return build_op_context()
    return build_asset_context() if call.definition.has_keys else build_asset_check_context()


def config_for(call: Call, context: DirectContext) -> Any:
    """Return the op's config.

    Raises:
        DagsterInvalidInvocationError: when it was given twice.
        DagsterInvalidConfigError: when it doesn't fit.
    """
    op, given = call.op, context.given_config
    if call.has_config:
        if given:
            raise DagsterInvalidInvocationError(f"`{op.name}` got its config twice: in the context and as an argument")
        given = call.named[op.signature.config or ""]
    if isinstance(given, Config) or (given is None and op.config_type is None):
        return given
    entry = {"config": given} if given is not None else {}
    return resolve_run_config({"ops": {op.name: entry}}, {op.name: op.config_type}).op_config(op.name)


def resources_for(call: Call, context: DirectContext) -> ResourceScope:
    """Return the resources of a call: those of the arguments, or those of the context, and the definition's own.

    Raises:
        DagsterInvalidInvocationError: when a resource comes from two places.
        DagsterInvalidDefinitionError: when one is missing.
    """
    op, own = call.op, dict(call.definition.resource_defs) if call.definition is not None else {}
    if call.resources and context.given:
        raise DagsterInvalidInvocationError(f"`{op.name}` got resources twice: in the context and as arguments")
    twice = own.keys() & context.given.keys()
    if twice:
        raise DagsterInvalidInvocationError(
            f"resource `{min(twice)}` is given by `{op.name}` itself and by the context"
        )
    known = {**own, **context.scope.objects, **call.resources}
    needed = (
        op.required_resource_keys if op.signature.context is not None else frozenset(op.signature.resources.values())
    )
    for key in sorted(needed - known.keys()):
        raise DagsterInvalidDefinitionError(
            f"`{op.name}` needs the resource `{key}`",
            hint=closest(key, known) or f"`build_op_context(resources={{{key!r}: ...}})`",
        )
    if needed & context.given.keys():
        _ = context.resources  # says so when one must be closed and nobody will
    return ResourceScope(known, known.keys() & needed)


# -- what comes back


def check_returned(call: Call, value: Any) -> None:
    """Check a returned value against the outputs.

    Raises:
        DagsterTypeCheckDidNotPass: when a part isn't of its type.
        DagsterInvariantViolationError: when there are too many parts or too few.
    """
    op, names = call.op, list(call.op.outs)
    if call.definition is not None and not call.definition.has_keys:
        return
    forms = forms_of(op)
    if len(names) == 1:
        refuse_form(op, names[0], value, forms)
    if len(names) == 1 and op.outs[names[0]].is_dynamic:
        check_positional(call, value, names[0], set(), forms)
    elif isinstance(value, RESULTS) and not (isinstance(value, AssetCheckResult) and call.definition is None):
        seen: set[str] = set()
        check_item(call, value, seen)
        refuse_silence(call, seen)
    elif len(names) == 1:
        check_value(op, names[0], value)
    elif isinstance(value, tuple) and (len(value) == len(names) or all(isinstance(one, RESULTS) for one in value)):
        seen = set()
        for number, one in enumerate(value):
            check_positional(call, one, names[number] if number < len(names) else "", seen, forms)
    elif value is not None or any(not op.outs[name].is_nothing for name in names):
        raise DagsterInvariantViolationError(
            f"`{op.name}` has {len(names)} outputs, and returned {kind_of(value)}",
            hint=f"return a tuple in this order: {', '.join(names)}",
        )


def check_positional(call: Call, item: Any, name: str, seen: set[str], forms: Mapping[str, bool]) -> None:
    """Check an element of a returned tuple, or the value of the only output."""
    refuse_form(call.op, name, item, forms)
    if name in call.op.outs and call.op.outs[name].is_dynamic:
        for one in dynamic_items(item, name, call.op):
            check_item(call, one, seen)
    elif isinstance(item, Output) and item.output_name == RESULT and RESULT not in call.op.outs:
        check_value(call.op, name, item.value)
    elif isinstance(item, Output) and name in call.op.outs and item.output_name != name:
        raise DagsterInvariantViolationError(
            f"`{call.op.name}` returned `{item.output_name}` in the place of `{name}`",
            hint=f"return a tuple in this order: {', '.join(call.op.outs)}",
        )
    elif isinstance(item, RESULTS):
        check_item(call, item, seen)
    else:
        check_value(call.op, name, item)


def check_item(call: Call, item: Any, seen: set[str]) -> None:
    """Check one yielded or returned result, and note its output.

    Raises:
        DagsterInvariantViolationError: for what isn't a result, or an output that is unknown or there twice.
    """
    op = call.op
    if isinstance(item, EVENTS):
        return
    if isinstance(item, AssetCheckResult):
        note_verdicts(call, [item], seen)
        return
    if not isinstance(item, RESULTS):
        raise DagsterInvariantViolationError(f"`{op.name}` yielded {kind_of(item)}", hint="`yield Output(...)`")
    name = output_name(call, item)
    if name not in op.outs:
        raise DagsterInvariantViolationError(f"`{op.name}` has no output `{name}`", hint=closest(name, op.outs))
    if name in seen and not isinstance(item, DynamicOutput):
        raise DagsterInvariantViolationError(f"`{op.name}` made output `{name}` twice")
    seen.add(name)
    if isinstance(item, MaterializeResult | ObserveResult):
        note_verdicts(call, item.check_results, seen)
    if isinstance(item, Output | DynamicOutput) or (isinstance(item, MaterializeResult) and item.has_value):
        check_value(op, name, item.value)


def note_verdicts(call: Call, verdicts: Sequence[AssetCheckResult], seen: set[str]) -> None:
    """Note the outputs of verdicts.

    Raises:
        DagsterInvariantViolationError: when it isn't clear which check one is of.
    """
    if call.definition is None:
        raise DagsterInvariantViolationError(f"`{call.op.name}` is an op, and made the verdict of a check")
    for verdict in verdicts:
        known = call.definition.check_specs_by_output_name, call.definition.all_check_specs_by_output_name
        key = spec_of(call.op.name, *known, verdict).key
        seen.add(call.definition.get_output_name_for_asset_check_key(key))


def refuse_silence(call: Call, seen: set[str]) -> None:
    """Refuse a result without the verdicts of the checks that must give one.

    Raises:
        DagsterInvariantViolationError: naming them.
    """
    named = call.definition.check_specs_by_output_name if call.definition is not None else {}
    silent = [spec.key.label for name, spec in named.items() if name not in seen and call.op.outs[name].is_required]
    if silent:
        raise DagsterInvariantViolationError(
            f"`{call.op.name}` gave no verdict of {', '.join(f'`{key}`' for key in silent)}"
        )


def output_name(call: Call, item: Any) -> str:
    """Return the output that a result is of.

    Raises:
        DagsterInvariantViolationError: when it doesn't say, and there are several.
    """
    if not isinstance(item, MaterializeResult | ObserveResult):
        alone = item.output_name == RESULT and len(call.op.outs) == 1
        return next(iter(call.op.outs)) if alone else item.output_name
    if call.definition is None:
        raise DagsterInvariantViolationError(f"`{call.op.name}` is an op, and {kind_of(item)} is of an asset")
    return call.definition.get_output_name_for_asset_key(item.asset_key or call.definition.key)


def check_value(op: OpDefinition, name: str, value: Any) -> None:
    """Check one value against its output."""
    check_type(type_of(op.outs[name]), value, f"output `{name}` of `{op.name}`")


def checked_items(call: Call, items: Iterator[Any], stack: ExitStack) -> Iterator[Any]:
    """Yield what a generator yields, checked."""
    seen: set[str] = set()
    with stack:
        for item in items:
            check_item(call, item, seen)
            yield item
        yield from missing(call, seen)
        refuse_silence(call, seen)


async def checked_later_items(call: Call, items: AsyncIterator[Any], stack: ExitStack) -> AsyncIterator[Any]:
    """Yield what an async generator yields, checked."""
    seen: set[str] = set()
    with stack:
        async for item in items:
            check_item(call, item, seen)
            yield item
        for item in missing(call, seen):
            yield item
        refuse_silence(call, seen)


async def checked_later(call: Call, coroutine: Any, stack: ExitStack) -> Any:
    """Return what a coroutine returns, checked."""
    with stack:
        value = await coroutine
        check_returned(call, value)
        return value


def missing(call: Call, seen: set[str]) -> Iterator[Output[None]]:
    """Yield the outputs that carry no value and weren't yielded, as a run makes them.

    Raises:
        DagsterInvariantViolationError: when an output that carries a value is missing.
    """
    checks = call.definition.all_check_specs_by_output_name if call.definition is not None else {}
    for name, port in call.op.outs.items():
        if name in seen or name in checks or not port.is_required or port.is_dynamic:
            continue
        if not port.is_nothing:
            raise DagsterInvariantViolationError(f"`{call.op.name}` did not make its output `{name}`")
        yield Output(None, name)
