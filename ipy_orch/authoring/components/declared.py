"""A component as YAML declares it: its type, its attributes, and what is done with its definitions afterwards."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from ipy_orch.authoring.components.component import Component, from_text
from ipy_orch.authoring.components.documents import Document, FieldPath, Lines, read_documents
from ipy_orch.authoring.components.load_contexts import ComponentLoadContext
from ipy_orch.authoring.components.post_processing import AssetPostProcessorModel, PostProcessor, post_processor
from ipy_orch.authoring.components.resolvable import Resolvable
from ipy_orch.authoring.components.template_vars import template_vars_of_class, template_vars_of_module
from ipy_orch.authoring.components.type_names import find_type
from ipy_orch.errors import DagsterInvalidDefinitionError, closest

__all__ = ["Declared", "checked_attributes", "of_attributes", "read_declared"]

FIELDS: Final = ("type", "attributes", "template_vars_module", "requirements", "post_processing")
ATTRIBUTES: Final = "attributes"


@dataclass(frozen=True)
class Declared:
    """Be one document of a ``defs.yaml``.

    Args:
        type_name: of the component, as it's written.
        attributes: as they are written.
        lines: of all fields of the document.
        env: environment variables that have to be set.
        post_processing: what changes assets afterwards, as it's written.
    """

    type_name: str
    attributes: Mapping[str, Any] | None
    lines: Lines
    template_vars_module: str | None = None
    env: Sequence[str] = ()
    post_processing: Sequence[Any] = ()
    found_types: dict[str, type[Component]] = field(default_factory=dict, compare=False, repr=False)

    def cls(self, context: ComponentLoadContext) -> type[Component]:
        """Return the class that the type names.

        Raises:
            DagsterInvalidDefinitionError: when there's none, with the closest.
        """
        if self.type_name not in self.found_types:
            name = context.normalize_component_type_str(self.type_name)
            self.found_types[self.type_name] = find_type(name, self.lines.where(("type",)))
        return self.found_types[self.type_name]

    def load(self, context: ComponentLoadContext) -> Component:
        """Return the component.

        Raises:
            DagsterInvalidDefinitionError: with the line and the field, when something in it isn't right.
            ResolutionException: the same, where a template or a resolver fails.
        """
        for number, name in enumerate(self.env):
            if name not in os.environ:
                where = self.lines.where(("requirements", "env", number))
                raise DagsterInvalidDefinitionError(f"the environment variable `{name}` isn't set", where=where)
        cls = self.cls(context)
        return loaded(cls, self.attributes, self.scoped(context, cls), self.lines.below(ATTRIBUTES))

    def scoped(self, context: ComponentLoadContext, cls: type[Component]) -> ComponentLoadContext:
        """Return a context whose templates know the variables of ``template_vars_module``."""
        if self.template_vars_module is None:
            return context
        name = context.normalize_component_type_str(self.template_vars_module)
        try:
            module = importlib.import_module(name.rstrip("."))
        except ModuleNotFoundError as error:
            where = self.lines.where(("template_vars_module",))
            raise DagsterInvalidDefinitionError(f"there is no module `{error.name}`", where=where) from None
        own = template_vars_of_module(module, context.with_rendering_scope({"component": cls}))
        return context.with_rendering_scope(own)

    def post_processors(self, context: ComponentLoadContext) -> list[PostProcessor]:
        """Return what changes the assets afterwards.

        Raises:
            DagsterInvalidDefinitionError: when it isn't right, with the line.
        """
        found = []
        resolution = context.resolution_context.with_source_position_tree(self.lines)
        for number, one in enumerate(self.post_processing):
            path: FieldPath = ("post_processing", "assets", number)
            model = fitting(AssetPostProcessorModel.model(), one, self.lines.below(*path), "post_processing", path)
            inner = resolution.at_path("post_processing").at_path("assets").at_path(number)
            found.append(post_processor(inner, model))
        return found


def read_declared(text: str, name: str) -> list[Declared]:
    r"""Return the components that a YAML text declares, one per document.

    Args:
        name: of the file or cell, for messages.

    Raises:
        DagsterInvalidDefinitionError: with the line, when it isn't YAML or its fields aren't right.

    Example:
        >>> [one] = read_declared("type: my.Report\nattributes: {name: sales}", "defs.yaml")
        >>> one.type_name, one.attributes
        ('my.Report', {'name': 'sales'})
    """
    return [of_document(one) for one in read_documents(text, name)]


def of_document(document: Document) -> Declared:
    """Return what one document declares."""
    value, lines = document.value, document.lines
    if not isinstance(value, dict):
        raise DagsterInvalidDefinitionError(
            "a component is written as fields", where=lines.where(()), hint="type: ...\nattributes: ..."
        )
    for name in value:
        if name not in FIELDS:
            told, hint = f"a component has no field `{name}`", closest(str(name), FIELDS)
            if not hint and "type" not in value:
                hint = "type: NAME, and this below `attributes:`"
            raise DagsterInvalidDefinitionError(told, where=lines.where((name,)), hint=hint)
    of_kind(value.get("type"), str, lines, ("type",), "type: package.module.Class")
    of_kind(value.get(ATTRIBUTES), dict | None, lines, (ATTRIBUTES,), "attributes: {name: value}")
    of_kind(value.get("template_vars_module"), str | None, lines, ("template_vars_module",), ".template_vars")
    requirements = section(value, "requirements", "env", lines)
    post_processing = section(value, "post_processing", "assets", lines)
    return Declared(
        value["type"], value.get(ATTRIBUTES), lines, value.get("template_vars_module"), requirements, post_processing
    )


def section(value: Mapping[str, Any], name: str, part: str, lines: Lines) -> list[Any]:
    """Return the list in a field that has one part only.

    Raises:
        DagsterInvalidDefinitionError: when it has others, or isn't one.
    """
    found = value.get(name)
    of_kind(found, dict | None, lines, (name,), f"{name}: {{{part}: [...]}}")
    for other in found or ():
        if other != part:
            raise DagsterInvalidDefinitionError(
                f"`{name}` has no field `{other}`", where=lines.where((name, other)), hint=f"it has `{part}`"
            )
    inner = (found or {}).get(part)
    of_kind(inner, list | None, lines, (name, part), f"{name}: {{{part}: [...]}}")
    return inner or []


def of_kind(value: Any, kind: Any, lines: Lines, path: FieldPath, hint: str) -> None:
    """Refuse a field of another kind."""
    if not isinstance(value, kind):
        told = f"`{path[-1]}` is missing" if value is None else f"`{path[-1]}` can't be {value!r}"
        raise DagsterInvalidDefinitionError(told, where=lines.where(path), hint=hint)


# -- attributes -------------------------------------------------------------------------------------------------------


@from_text.supply
def of_attributes(
    cls: type[Component], attributes: Mapping[str, Any] | None, context: ComponentLoadContext
) -> Component:
    """Return a component of attributes that aren't from YAML."""
    return loaded(cls, attributes, context, context.resolution_context.source_position_tree or Lines())


def loaded(
    cls: type[Component],
    attributes: Mapping[str, Any] | None,
    context: ComponentLoadContext,
    lines: Lines,
    above: FieldPath = (ATTRIBUTES,),
) -> Component:
    """Return a component of attributes, with the names of its class for templates.

    Args:
        lines: of the fields of the attributes.
        above: the path of the attributes in their document.
    """
    model = checked_attributes(cls, attributes, lines, above)
    outer = Lines(lines.name, {(*above, *path): line for path, line in lines.of_path.items()})
    own = {**cls.get_additional_scope(), **template_vars_of_class(cls, context)}
    scope = {
        "context": context,
        "project_root": str(context.project_root),
        "load_component": context.load_component,
        "build_defs": context.build_defs,
        **own,
    }
    placed = context.with_rendering_scope(scope).with_source_position_tree(outer)
    if not lines.of_path or not above:
        return cls.load(model, placed)
    inside = placed.resolution_context.at_path(*above)
    return cls.load(model, replace(placed, resolution_context=inside))


def checked_attributes(
    cls: type[Component], attributes: Mapping[str, Any] | None, lines: Lines, above: FieldPath = (ATTRIBUTES,)
) -> BaseModel | None:
    """Return attributes as the model of a component's type.

    Raises:
        DagsterInvalidDefinitionError: when they don't fit, or the type takes none.
    """
    model = cls.get_model_cls()
    if model is None:
        if attributes:
            hint = f"class {cls.__name__}(Component, Model, Resolvable)" if not issubclass(cls, Resolvable) else ""
            told = f"`{cls.__name__}` takes no attributes, as it's no subclass of `Resolvable`"
            raise DagsterInvalidDefinitionError(told, where=lines.where(()), hint=hint)
        return None
    return fitting(model, attributes or {}, lines, cls.__name__, above)


def fitting(model: type[BaseModel], value: Any, lines: Lines, what: str, above: FieldPath) -> BaseModel:
    """Return a value as a model.

    Args:
        what: has these fields, for messages.
        above: the path of the value in its document.

    Raises:
        DagsterInvalidDefinitionError: with each line and field that doesn't fit.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = problems(error, value)
        whole = Lines(lines.name, {(*above, *path): line for path, line in lines.of_path.items()})
        texts = [told_of(path, one, what) for path, one in found.items()]
        first = next(iter(found))
        rest = [f"{text} ({whole.where((*above, *path))})" for path, text in [*zip(found, texts, strict=True)][1:]]
        hint = hint_of(first, found[first], model, value)
        raise DagsterInvalidDefinitionError(
            "; ".join([texts[0], *rest]), where=whole.where((*above, *first)), hint=hint
        ) from None


def problems(error: ValidationError, value: Any) -> dict[FieldPath, Mapping[str, Any]]:
    """Return path -> what is wrong there, a misspelt name first; of a union's variants that one that got furthest."""
    found: dict[FieldPath, Mapping[str, Any]] = {}
    for one in error.errors(include_url=False):
        path = path_in(one["loc"], value)
        if path not in found or one["type"] in ("missing", "extra_forbidden"):
            found[path] = one
    deep = [path for path in found if not any(other != path and other[: len(path)] == path for other in found)]
    deep.sort(key=lambda path: found[path]["type"] != "extra_forbidden")
    return {path: found[path] for path in deep}


def path_in(loc: Iterable[str | int], value: Any) -> FieldPath:
    """Return a place that pydantic names without the names of variants in it."""
    path: list[str | int] = []
    parts = list(loc)
    for number, part in enumerate(parts):
        if isinstance(value, Mapping) and (part in value or number == len(parts) - 1):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            continue
        path.append(part)
    return tuple(path)


def told_of(path: FieldPath, one: Mapping[str, Any], what: str) -> str:
    """Return in words what is wrong with a field."""
    name = path[-1] if path else ""
    match one["type"]:
        case "missing":
            return f"`{what}` needs `{name}`"
        case "extra_forbidden":
            return f"`{what}` has no `{name}`"
        case _:
            said = str(one["msg"])
            return f"`{name}` can't be {short(one['input'])}: {said[:1].lower()}{said[1:]}"


def short(value: Any) -> str:
    """Return a value as a message shows it."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def hint_of(path: FieldPath, one: Mapping[str, Any], model: type[BaseModel], value: Mapping[str, Any]) -> str:
    """Return what to type: the closest field, or all that are left."""
    if one["type"] != "extra_forbidden":
        return ""
    known = [name for name in fields_at(path[:-1], model) if name not in value]
    near = closest(str(path[-1]), known)
    return near or (f"it has {', '.join(map('`{}`'.format, known))}" if known else "")


def fields_at(path: FieldPath, model: type[BaseModel]) -> list[str]:
    """Return the names of the fields of a model, or of one inside it, as its schema says."""
    schema = model.model_json_schema()
    return sorted(properties(schema, path, schema.get("$defs", {})))


def properties(schema: Mapping[str, Any], path: FieldPath, known: Mapping[str, Any]) -> set[str]:
    """Return the fields that a schema has at a path, over all its variants."""
    if "$ref" in schema:
        return properties(known[schema["$ref"].rpartition("/")[2]], path, known)
    found: set[str] = set()
    for variant in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        found |= properties(variant, path, known)
    if not path:
        return found | set(schema.get("properties", {}))
    part, rest = path[0], path[1:]
    inner = schema.get("items") if isinstance(part, int) else schema.get("properties", {}).get(part)
    inner = inner if inner is not None else schema.get("additionalProperties")
    return found | (properties(inner, rest, known) if isinstance(inner, dict) else set())
