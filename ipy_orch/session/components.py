"""Components of the notebook: which types there are, what they take, and the definitions that a cell makes of one."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from ipy_orch.authoring.components.cells import ComponentCell, snake
from ipy_orch.authoring.components.component import Component
from ipy_orch.authoring.components.declared import loaded
from ipy_orch.authoring.components.load import context_at
from ipy_orch.authoring.components.type_names import find_type, full_name, is_type, known_types, refuse_other_type
from ipy_orch.errors import DagsterError, DagsterInvalidDefinitionError, ResolutionException, closest
from ipy_orch.model.definitions import Definitions

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = [
    "component_rows",
    "component_words",
    "define_component",
    "find_component_type",
    "schema_text",
    "types_of",
]

UNDEFINED: Final = re.compile(r"'(\w+)' is undefined")
TYPE_LINE: Final = re.compile(r"^%%component\s+\S*$|^\s*%component_schema\s+\S*$")
CELL_LINE: Final = re.compile(r"^%%component\s+(\w+)")
ATTRIBUTE_LINE: Final = re.compile(r"^\w*$")
STRUCTURE: Final = ("DefsFolderComponent", "DefinitionsComponent")  # they are what is in their folder


def types_of(namespace: Mapping[str, Any]) -> dict[str, type[Component]]:
    """Return the types that a cell can name: those that come along, and the notebook's classes."""
    known = {name: one for name, one in known_types().items() if name not in STRUCTURE}
    return {**known, **{name: one for name, one in namespace.items() if is_type(one) and not name.startswith("_")}}


def find_component_type(name: str, namespace: Mapping[str, Any], where: str = "") -> type[Component]:
    """Return a component type by its name.

    Raises:
        DagsterInvalidDefinitionError: when there's none, with the closest.
    """
    types = types_of(namespace)
    if "." in name:
        return find_type(name, where)
    if name not in types:
        if name in namespace:
            refuse_other_type(namespace[name], name, where)
        hint = closest(name, types) or closest(f"{name}Component", types) or "%components lists them"
        raise DagsterInvalidDefinitionError(f"there is no component type `{name}`", where=where, hint=hint)
    if name in namespace and name in known_types() and namespace[name] is not known_types()[name]:
        told = f"`{name}` is a class of the notebook and a type that comes along"
        raise DagsterInvalidDefinitionError(told, where=where, hint=f"call the class `My{name}`")
    return types[name]


def define_component(session: Session, said: ComponentCell, where: str) -> Definitions:
    """Put the definitions of a component into its variable; where they can't be, the old ones stay.

    Raises:
        DagsterInvalidDefinitionError: with the line and the field, when something in the cell isn't right.
        ResolutionException: the same, where a template fails.
        Exception: what the component itself raises.
    """
    namespace = session.namespace
    refuse_taken(session, said.name, where)
    cls = find_component_type(said.type_name, namespace, where)
    context = context_at(Path.cwd())
    if said.attributes is None:
        values = {name: evaluated(text, namespace, where) for name, text in said.arguments.items()}
        component = of_arguments(cls, values, where)
    else:
        try:
            component = loaded(cls, said.attributes, context, said.lines, ())
        except ResolutionException as error:
            raise with_variables_named(error, namespace) from error.__cause__
    made = component.build_defs(context)
    if not isinstance(made, Definitions):
        told = f"`{cls.__name__}.build_defs` returned {type(made).__name__}, not Definitions"
        raise DagsterInvalidDefinitionError(told, where=where)
    put(session, said.name, made)
    return made


def with_variables_named(error: ResolutionException, namespace: Mapping[str, Any]) -> ResolutionException:
    """Return an error that says how a cell reads one of the notebook's variables, where a template wanted to."""
    found = UNDEFINED.search(error.message)
    if found is None or found[1] not in namespace:
        return error
    hint = f"templates don't know the notebook's variables, keyword arguments do: `name = {found[1]}`, a line each"
    return ResolutionException(error.message, where=error.where, hint=hint)


def put(session: Session, name: str, made: Definitions) -> None:
    """Put definitions into a variable, where they go with all others.

    Raises:
        DagsterError: when they don't; then the variable is as it was.
    """
    before = {name: session.namespace[name]} if name in session.namespace else {}
    session.namespace[name] = made
    session.book.gone.pop(name, None)
    try:
        _ = session.scan().graph
    except DagsterError:
        del session.namespace[name]
        session.namespace.update(before)
        raise


def refuse_taken(session: Session, name: str, where: str) -> None:
    """Refuse the name of an asset, whose variable holds its value.

    Raises:
        DagsterInvalidDefinitionError: with another name.
    """
    if name in session.scan().names and not isinstance(session.namespace.get(name), Definitions):
        told = f"`{name}` is an asset, and a component can't have its name"
        raise DagsterInvalidDefinitionError(told, where=where, hint=f"call it `{name}_component`")


def evaluated(text: str, namespace: dict[str, Any], where: str) -> Any:
    """Return the value of an argument."""
    return eval(compile(text, f"<{where}>", "eval"), namespace)  # noqa: S307 - the notebook's own code


def of_arguments(cls: type[Component], values: Mapping[str, Any], where: str) -> Component:
    """Return a component of keyword arguments.

    Raises:
        DagsterInvalidDefinitionError: for one that it doesn't take, with the closest.
    """
    known = list(inspect.signature(cls).parameters)
    for name in values:
        if name not in known:
            hint = closest(name, known) or f"it takes {', '.join(map('`{}`'.format, known))}"
            raise DagsterInvalidDefinitionError(f"`{cls.__name__}` takes no `{name}`", where=where, hint=hint)
    try:
        return cls(**values)
    except (TypeError, ValueError) as error:
        told = f"`{cls.__name__}` can't be made: {str(error).splitlines()[0]}"
        raise DagsterInvalidDefinitionError(told, where=where) from error


# -- telling ----------------------------------------------------------------------------------------------------------


def component_rows(namespace: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row per type: its name, what it is, and what it takes; fields that must be given are marked."""
    return [
        {
            "type": name,
            "takes": ", ".join(f"{field}*" if needed else field for field, _, needed in fields_of(cls)),
            "about": first_line(cls.get_description() or ""),
            "module": full_name(cls).rpartition(".")[0],
        }
        for name, cls in sorted(types_of(namespace).items())
    ]


def fields_of(cls: type[Component]) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Yield name, schema and whether it must be given, of each attribute."""
    model = cls.get_model_cls()
    if model is None:
        return
    schema = model.model_json_schema()
    needed = schema.get("required", [])
    for name, one in schema.get("properties", {}).items():
        yield name, one, name in needed


def first_line(text: str) -> str:
    """Return the first line of a text."""
    return text.strip().partition("\n")[0]


def component_words(namespace: Mapping[str, Any], text: str, line_number: int, line: str) -> list[str] | None:
    """Return what can stand at the end of a line: a type, or an attribute in the cell of one; None for other lines.

    Args:
        text: the whole cell.
        line: the current line up to the cursor.
    """
    if TYPE_LINE.match(line) and (line_number == 0 or not line.startswith("%%")):
        return sorted(types_of(namespace))
    head = CELL_LINE.match(text)
    if head is None or line_number == 0 or not ATTRIBUTE_LINE.match(line) or head[1] not in types_of(namespace):
        return None
    given = {one.partition(":")[0] for one in text.split("\n")}
    return [f"{name}: " for name, _, _ in fields_of(types_of(namespace)[head[1]]) if name not in given]


def schema_text(cls: type[Component], name: str) -> str:
    """Return what a type takes, field by field, and an example to begin with."""
    fields = sorted(fields_of(cls), key=lambda one: not one[2])  # what must be given first
    model = cls.get_model_cls()
    inner = model.model_json_schema().get("$defs", {}) if model is not None else {}
    lines = [f"{name} · {first_line(cls.get_description() or 'a component')}", ""]
    lines += [field_line(*one) for one in fields] or ["  it takes no attributes"]
    for key, schema in inner.items():
        needed = schema.get("required", ())
        parts = ", ".join(f"{part}*" if part in needed else part for part in schema.get("properties", {}))
        lines.append(f"    {called(key)}: {parts}")
    return "\n".join([*lines, "", f"%%component {name} my_{snake(name.rpartition('.')[2])}", *example(fields)])


def field_line(name: str, schema: Mapping[str, Any], needed: bool) -> str:
    """Return what a field is, in a line."""
    default = schema.get("default")
    said = "" if needed else " (optional)" if default is None else f" = {json.dumps(default)}"
    about = f"  # {schema['description']}" if schema.get("description") else ""
    return f"  {name}: {kind_of(schema)}{said}{about}"


def called(name: str) -> str:
    """Return what a model of attributes is called.

    >>> called("AssetSpecKwargsModel")
    'AssetSpec'
    """
    return name.removesuffix("Model").removesuffix("Kwargs")


def kind_of(schema: Mapping[str, Any]) -> str:
    """Return the type of a field in words; a template can always stand for it."""
    if "$ref" in schema:
        return called(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema or "oneOf" in schema:
        kinds = [kind_of(one) for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))]
        rich = [one for one in kinds if one not in ("text", "nothing")]
        return " or ".join(dict.fromkeys(rich or [one for one in kinds if one != "nothing"]))
    if "const" in schema or "enum" in schema:
        return " or ".join(map(json.dumps, schema.get("enum", [schema.get("const")])))
    words = {"string": "text", "integer": "int", "number": "number", "boolean": "bool", "null": "nothing"}
    match schema.get("type"):
        case "array":
            return f"list of {kind_of(schema.get('items', {}))}"
        case "object":
            return "fields"
        case kind:
            return words.get(str(kind), "anything")


def example(fields: list[tuple[str, Mapping[str, Any], bool]]) -> list[str]:
    """Return YAML to begin with: what must be given, or the first field."""
    chosen = [one for one in fields if one[2]] or fields[:1]
    values = {name: sample(schema) for name, schema, _ in chosen}
    return yaml.safe_dump(values, sort_keys=False).rstrip().split("\n") if values else []


def sample(schema: Mapping[str, Any]) -> Any:
    """Return a value that a field could have."""
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("default") is not None:
        return schema["default"]
    kinds = {"list": ["..."], "int": 1, "number": 1.0, "bool": True, "fields": {"name": "..."}}
    return kinds.get(kind_of(schema).partition(" ")[0], "...")
