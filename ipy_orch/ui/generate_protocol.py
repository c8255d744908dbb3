"""Write ``labextension/src/protocol.ts`` from the classes of protocol/.

To do so: ``python -m ipy_orch.ui.generate_protocol``; a test says when it has to be done.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from ipy_orch.ui import protocol
from ipy_orch.ui.protocol import automations, commands, details, envelope, forms, graph, jobs, notices, partitions

__all__ = ["typescript"]

PLACE: Final = Path(__file__).parents[2] / "labextension" / "src" / "protocol.ts"
HEADING: Final = "// Generated from ipy_orch/ui/protocol/ by `python -m ipy_orch.ui.generate_protocol`. Don't edit."
PLAIN: Final = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
JSON: Final = "export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };"

ROOMS: Final = (graph, details, notices, jobs, partitions, automations, forms, commands)

Schema = Mapping[str, Any]


def typescript() -> str:
    """Return the types of the wire in TypeScript."""
    models = [one for room in ROOMS for one in vars(room).values() if is_model(one, room)]
    _, schema = models_json_schema([(one, "validation") for one in models], by_alias=True)
    definitions = schema["$defs"]
    interfaces = [interface(one.__name__, definitions[one.__name__], one) for one in models]
    unions = [union("Message", protocol.MESSAGES), union("Command", protocol.COMMANDS)]
    limits = [f"export const {name} = {getattr(envelope, name)};" for name in ("MOST_IDS", "MOST_ROWS", "MOST_CONFIG")]
    return "\n\n".join([HEADING, comment(notes(protocol)), JSON, "\n".join(limits), *interfaces, *unions]) + "\n"


def is_model(one: Any, room: ModuleType) -> bool:
    """Tell whether a name of a module of the protocol is a type that is its own."""
    inner = (envelope.Wire, envelope.Answer, envelope.Asked)
    own = inspect.isclass(one) and issubclass(one, envelope.Wire) and one.__module__ == room.__name__
    return own and one not in inner


def interface(name: str, schema: Schema, model: type) -> str:
    """Return the interface of a model: what has a default may be missing, but for the constant that tells its kind."""
    fields = [field(key, one, key in schema.get("required", ())) for key, one in schema["properties"].items()]
    return "\n".join([comment(notes(model)), f"export interface {name} {{", *fields, "}"])


def field(name: str, schema: Schema, required: bool) -> str:
    """Return one field, with its default where it has one that isn't empty."""
    always = required or "const" in schema
    told = [schema.get("description", ""), "" if always else default_of(schema)]
    note = " ".join(part if part.endswith(".") else f"{part}." for part in told if part)
    return "\n".join([*([f"  /** {note} */"] if note else []), f"  {name}{'' if always else '?'}: {type_of(schema)};"])


def default_of(schema: Schema) -> str:
    """Say what the default is, where that isn't plainly nothing."""
    default = schema.get("default")
    return f"Default: {json.dumps(default, ensure_ascii=False)}" if default and not isinstance(default, dict) else ""


def type_of(schema: Schema) -> str:
    """Return a schema as a type."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return "Json" if name == "JsonValue" else name
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(map(json.dumps, schema["enum"]))
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " | ".join(dict.fromkeys(map(type_of, schema[word])))
    return compound(schema)


def compound(schema: Schema) -> str:
    """Return a list, a tuple, a mapping or a plain type."""
    match schema.get("type"):
        case "array" if "prefixItems" in schema:
            return f"[{', '.join(map(type_of, schema['prefixItems']))}]"
        case "array":
            inside = type_of(schema["items"])
            return f"({inside})[]" if " | " in inside else f"{inside}[]"
        case "object":
            values = schema.get("additionalProperties", {})
            return f"{{ [name: string]: {type_of(values) if isinstance(values, dict) else 'Json'} }}"
        case str() as plain:
            return PLAIN[plain]
        case _:
            return "Json"


def union(name: str, adapter: TypeAdapter[Any]) -> str:
    """Return a union of all messages or commands."""
    return f"export type {name} =\n" + "\n".join(f"  | {one}" for one in members(adapter)) + ";"


def members(adapter: TypeAdapter[Any]) -> Iterator[str]:
    """Yield the names of a union's members."""
    for one in adapter.json_schema()["oneOf"]:
        yield str(one["$ref"]).rpartition("/")[2]


def notes(one: Any) -> Iterable[str]:
    """Return the lines of a docstring."""
    return (inspect.getdoc(one) or "").replace("*/", "* /").replace("``", "`").splitlines()


def comment(lines: Iterable[str]) -> str:
    """Return lines as a comment."""
    lines = list(lines)
    if len(lines) == 1:
        return f"/** {lines[0]} */"
    return "\n".join(["/**", *(f" * {line}".rstrip() for line in lines), " */"])


if __name__ == "__main__":
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    PLACE.write_text(typescript(), encoding="utf-8")
    sys.stdout.write(f"written: {PLACE.name}\n")
