"""A cell as the function that a colleague would have written: decorator, signature, body."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ipy_orch.authoring.cells.cells import CellText
from ipy_orch.authoring.cells.conditions import read_condition
from ipy_orch.authoring.cells.freshness import read_freshness
from ipy_orch.authoring.cells.options import place_tags
from ipy_orch.authoring.cells.statements import awaits
from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.export.bodies import asset_body, check_body
from ipy_orch.export.layout import Doc, call, laid_out, literal, mapping, quoted, sequence
from ipy_orch.export.partitions import FRAMEWORK, mappings_of, partition_words
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.keys import AssetKey
from ipy_orch.model.resources.resource import ConfigurableResource
from ipy_orch.session.cellbook import Cell
from ipy_orch.session.scan import declared

__all__ = ["ANY", "Annotations", "Function", "function_of", "resource_annotation"]

CONTEXTS: Final = {"asset": "AssetExecutionContext", "check": "AssetCheckExecutionContext"}
ANY: Final = "ResourceParam[Any]"


@dataclass(frozen=True)
class Function:
    """Be the text of a cell's function, and what it uses.

    Args:
        framework: names of the framework in it.
    """

    name: str
    text: str
    framework: frozenset[str]


@dataclass(frozen=True)
class Annotations:
    """Be what the parameters of a cell's function are annotated with.

    Args:
        config: the Config class, as the notebook names it.
        resources: parameter -> the class of its resource.
    """

    config: str
    resources: Mapping[str, str]


def function_of(cell: Cell, definition: AssetsDefinition, name: str, annotations: Annotations) -> Function:
    """Return the function of an asset or check cell.

    Raises:
        DagsterInvalidDefinitionError: when an option of the cell can't be written as text.
    """
    source = cell.source
    assert source is not None
    try:
        decorator, used = (
            asset_decorator(source, definition, name)
            if source.kind == "asset"
            else check_decorator(source, definition, name)
        )
    except DagsterInvalidDefinitionError as error:
        raise DagsterInvalidDefinitionError(error.message, where=cell.label, hint=error.hint) from None
    parameters, more = signature(source, definition, annotations)
    kind = "async def" if awaits(source.tree) else "def"
    body, needed = (
        (asset_body(source), frozenset[str]()) if source.kind == "asset" else check_body(source, severity_of(source))
    )
    head = laid_out(f"{kind} ", call(name, parameters), ":")
    return Function(name, f"{decorator}\n{head}\n{body}", frozenset({*used, *more, *needed}))


# -- the decorator -----------------------------------------------------------------------------------------------------


def asset_decorator(source: CellText, definition: AssetsDefinition, name: str) -> tuple[str, set[str]]:
    """Return ``@asset(...)`` and the names of the framework in it."""
    options, key = source.options, source.target
    mapped = mappings_of(options)
    words: dict[str, Doc | None] = {
        **own_key(key, name),
        "ins": ins_of(definition, (), mapped),
        "deps": keys_doc(waited(definition), mapped),
        **partition_words(options),
        "group_name": text(options, "group"),
        "kinds": literal(set(options["kinds"])) if options.get("kinds") else None,
        "tags": data(options, "tags"),
        "owners": data(options, "owners"),
        "description": text(options, "description"),
        "metadata": metadata({**(options.get("metadata") or {}), **declared(options)}),
        "io_manager_key": text(options, "io_manager"),
        "code_version": text(options, "code_version"),
        "retry_policy": retry_policy(options),
        "automation_condition": condition(options),
        "freshness_policy": freshness(options),
        "pool": text(options, "pool"),
        "op_tags": literal(place_tags(options)) if options.get("executor") else None,
    }
    return decorator("asset", words)


def check_decorator(source: CellText, definition: AssetsDefinition, name: str) -> tuple[str, set[str]]:
    """Return ``@asset_check(...)`` and the names of the framework in it."""
    options = source.options
    words: dict[str, Doc | None] = {
        "asset": key_doc(source.target),
        "name": quoted(source.name) if source.name != name else None,
        "blocking": "True" if options.get("blocking") else None,
        "additional_ins": ins_of(definition, (source.target,)),
        "additional_deps": keys_doc(key for key in waited(definition) if key != source.target),
        "description": text(options, "description"),
        "metadata": metadata(options.get("metadata") or {}),
        "op_tags": literal(place_tags(options)) if options.get("executor") else None,
    }
    return decorator("asset_check", words)


def decorator(name: str, words: Mapping[str, Doc | None]) -> tuple[str, set[str]]:
    """Return a decorator with the words that say something, and the names of the framework in it."""
    said = {word: doc for word, doc in words.items() if doc is not None}
    found = laid_out("@", call(name, **said)) if said else f"@{name}"
    known = ("AssetIn", "AssetKey", "AutomationCondition", "FreshnessPolicy", "RetryPolicy", "timedelta", *FRAMEWORK)
    return found, {name, *(one for one in known if any(one in names_in(doc) for doc in said.values()))}


def names_in(doc: Doc) -> set[str]:
    """Return the names of what a doc calls."""
    if isinstance(doc, str):
        return set()
    return {doc.opening.rstrip("([{").partition(".")[0], *(name for _, one in doc.items for name in names_in(one))}


def own_key(key: AssetKey, name: str) -> dict[str, Doc | None]:
    """Return the words that give a function of this name the key."""
    prefix = literal(key.path[0] if len(key.path) == 2 else list(key.path[:-1])) if len(key.path) > 1 else None
    return {"name": quoted(key.path[-1]) if key.path[-1] != name else None, "key_prefix": prefix}


def ins_of(
    definition: AssetsDefinition, but: Sequence[AssetKey], mapped: Mapping[str, Doc] | None = None
) -> Doc | None:
    """Return ``{argument: AssetIn(...)}`` for the arguments that aren't named like their asset, or are mapped.

    Args:
        mapped: argument or asset -> which of its partitions are read.
    """
    docs: dict[str, Doc] = {}
    for arg in definition.op.signature.inputs:
        key = definition.keys_by_input_name[arg]
        doc = mapping_for(arg, key, mapped)
        if key not in but and (doc is not None or not definition.has_keys or key.path != (arg,)):
            docs[arg] = asset_in(arg, key, {} if doc is None else {"partition_mapping": doc})
    return mapping(docs) if docs else None


def mapping_for(argument: str, key: AssetKey, mapped: Mapping[str, Doc] | None) -> Doc | None:
    """Return which partitions of an asset are read, None where nothing was said."""
    return (mapped or {}).get(argument, (mapped or {}).get(key.label))


def asset_in(argument: str, key: AssetKey, how: Mapping[str, Doc]) -> Doc:
    """Return ``AssetIn(...)``."""
    *prefix, last = key.path
    if prefix and last == argument:
        return call("AssetIn", key_prefix=literal(prefix[0] if len(prefix) == 1 else prefix), **how)
    return call("AssetIn", [] if key.path == (argument,) and how else [key_doc(key)], **how)


def key_doc(key: AssetKey) -> Doc:
    """Return a key as one writes it: a string, or ``AssetKey([...])``."""
    return quoted(key.path[0]) if len(key.path) == 1 else call("AssetKey", [literal(list(key.path))])


def keys_doc(keys: Any, mapped: Mapping[str, Doc] | None = None) -> Doc | None:
    """Return a list of keys, None where there are none; those that are mapped as ``AssetDep(...)``."""
    docs: list[Doc] = []
    for key in keys:
        how = mapping_for(key.path[-1], key, mapped)
        docs.append(key_doc(key) if how is None else call("AssetDep", [key_doc(key)], partition_mapping=how))
    return sequence(docs) if docs else None


def waited(definition: AssetsDefinition) -> list[AssetKey]:
    """Return the assets that a definition waits for without reading them."""
    read = definition.op.signature.inputs
    return [key for name, key in definition.keys_by_input_name.items() if name not in read]


def text(options: Mapping[str, Any], name: str) -> Doc | None:
    """Return an option as a string."""
    return quoted(str(options[name])) if options.get(name) else None


def data(options: Mapping[str, Any], name: str) -> Doc | None:
    """Return an option as a list or dict."""
    return literal(options[name], f"`{name}`") if options.get(name) else None


def metadata(said: Mapping[str, Any]) -> Doc | None:
    """Return metadata as a dict."""
    return mapping({key: literal(value, f"metadata `{key}`") for key, value in said.items()}) if said else None


def retry_policy(options: Mapping[str, Any]) -> Doc | None:
    """Return ``RetryPolicy(...)``."""
    if "retries" not in options:
        return None
    delay = {"delay": repr(options["retry_delay"])} if options.get("retry_delay") is not None else {}
    return call("RetryPolicy", max_retries=repr(int(options["retries"])), **delay)


def condition(options: Mapping[str, Any]) -> Doc | None:
    """Return ``AutomationCondition.eager()`` and the like, or the name of a variable."""
    if not options.get("automation"):
        return None
    said = read_condition(str(options["automation"]))
    return said.name if said.is_variable else call(f"AutomationCondition.{said.name}", [*map(quoted, said.args)])


def freshness(options: Mapping[str, Any]) -> Doc | None:
    """Return ``FreshnessPolicy.time_window(...)`` and the like, or the name of a variable."""
    if options.get("freshness") is None:
        return None
    said = read_freshness(str(options["freshness"]))
    if said.variable:
        return said.variable
    spans = [call("timedelta", **{unit: repr(many) for unit, many in span.items()}) for span in said.spans]
    if said.cron:
        zone = {"timezone": quoted(said.timezone)} if said.timezone else {}
        return call("FreshnessPolicy.cron", deadline_cron=quoted(said.cron), lower_bound_delta=spans[0], **zone)
    return call("FreshnessPolicy.time_window", **dict(zip(("fail_window", "warn_window"), spans, strict=False)))


def severity_of(source: CellText) -> str:
    """Return the severity of a check cell."""
    return str(source.options.get("severity") or "ERROR").upper()


# -- the signature -----------------------------------------------------------------------------------------------------


def signature(source: CellText, definition: AssetsDefinition, annotations: Annotations) -> tuple[list[Doc], set[str]]:
    """Return the parameters, and the names of the framework in them."""
    takes = definition.op.signature
    context = CONTEXTS[source.kind]
    parameters: list[Doc] = [
        *([f"{takes.context}: {context}"] if takes.context else []),
        *([f"{takes.config}: {annotations.config}"] if takes.config else []),
        *takes.inputs,
        *(f"{name}: {annotations.resources[name]}" for name in takes.resources),
    ]
    used = {context} if takes.context else set()
    return parameters, used | ({"ResourceParam"} if ANY in annotations.resources.values() else set())


def resource_annotation(value: Any, makers: Sequence[ast.stmt], namespace: Mapping[str, Any]) -> str | None:
    """Return how a notebook names the class of a resource, ``ResourceParam[Any]`` for what isn't configurable.

    Args:
        makers: the statements that make the resource: what they call may be its class.

    Returns:
        None when the notebook has no name for the class.
    """
    if not isinstance(value, ConfigurableResource):
        return ANY
    kind = type(value)
    calls = (one.func for maker in makers for one in ast.walk(maker) if isinstance(one, ast.Call))
    for function in calls:
        if valued(function, namespace) is kind:
            return ast.unparse(function)
    names = sorted(name for name, one in namespace.items() if one is kind and not name.startswith("_"))
    return kind.__name__ if kind.__name__ in names else names[0] if names else None


def valued(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    """Return what ``a.b.c`` is, None where that can't be told without running it."""
    if isinstance(node, ast.Name):
        return namespace.get(node.id)
    if isinstance(node, ast.Attribute):
        return vars(owner).get(node.attr) if hasattr(owner := valued(node.value, namespace), "__dict__") else None
    return None
