"""What each definition depends on beside its inputs: code, config, resources, and sources that were declared."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from ipy_orch.errors import DagsterError, DagsterInvalidDefinitionError
from ipy_orch.events.types import Part, Recipe
from ipy_orch.execution.iomanagers import InMemoryIOManager
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.model.config.schema import MISSING
from ipy_orch.model.env import redact
from ipy_orch.model.ops import OpDefinition
from ipy_orch.model.resources.recipes import resource_recipe
from ipy_orch.model.resources.resource import as_resource
from ipy_orch.planning.calls import Call, FromConfig, FromValue, calls_of, flat, shape_of
from ipy_orch.planning.code.fingerprint import Fingerprinter, read_of_definition
from ipy_orch.planning.config import Resolved
from ipy_orch.planning.hashing.hashing import Unhashable, digest
from ipy_orch.session.scan import ENV, FILES, Scanned, uses

__all__ = ["ELSEWHERE", "FileDigests", "Recipes", "told_elsewhere"]

ELSEWHERE: Final = "recipe elsewhere"  #: on the function of a step: what its code depends on in its code location

CHUNK: Final = 1 << 20
WIRING: Final = "the wiring"  # with a blank, which no op has in its name


class FileDigests:
    """Remember the digest of each file until its size, time or inode changes."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[tuple[int, int, int], str]] = {}

    def __call__(self, path: str) -> str:
        """Return the digest of a file's content, or a mark that there's none.

        A folder counts by the names, sizes and times of what is in it.
        """
        place = Path(path).expanduser()
        try:
            stat = place.stat()
        except OSError:
            return "missing"
        if place.is_dir():
            return digest(
                sorted((str(p.relative_to(place)), p.stat().st_size, p.stat().st_mtime_ns) for p in place.rglob("*"))
            )
        mark = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        known = self.known.get(path)
        if known is None or known[0] != mark:
            known = self.known[path] = (mark, content_digest(place))
        return known[1]


def content_digest(path: Path) -> str:
    """Return the digest of a file's content."""
    state = blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            state.update(chunk)
    return state.hexdigest()


def told_elsewhere(definition: AssetsDefinition) -> Recipe | None:
    """Return what a code location said that the code of a definition depends on; None for one that is made here.

    It's kept with the function: copies of the definition have that, too.
    """
    op = definition.op_def
    return getattr(op.compute_fn, ELSEWHERE, None) if isinstance(op, OpDefinition) else None


class Recipes:
    """Give the parts of definitions for one planning; values that several of them read are hashed once.

    Args:
        config: the validated run config, or None where it isn't valid yet.
        bound: variables that hold values of assets; a helper that reads one would hide a dependency.
        pins: installed packages whose version counts.
        token: resource -> how its cell came to make it, for objects without content that could be hashed.
        at_home: whether the module of an asset stands for a notebook, whose own code has no module's name.
    """

    def __init__(
        self,
        scanned: Scanned,
        config: Resolved | None,
        files: FileDigests,
        bound: Mapping[str, Any] | None = None,
        pins: Iterable[str] = (),
        token: Callable[[str], str] = lambda _: "",
        *,
        at_home: bool = False,
    ) -> None:
        self.scanned, self.config, self.files = scanned, config, files
        self.bound, self.token = bound or {}, token
        self.current: AssetsDefinition | None = None
        self.fingerprinter = Fingerprinter(
            on_object=self.on_object, pins={name: installed_version(name) for name in pins}, at_home=at_home
        )
        self.resource_parts: dict[str, Recipe] = {}
        self.config_parts: dict[int, tuple[object, Recipe]] = {}
        self.known: dict[AssetsDefinition, Recipe] = {}

    def __call__(self, definition: AssetsDefinition) -> Recipe:
        """Return the parts of a definition."""
        if definition not in self.known:
            self.known[definition] = tuple(self.parts(definition))
        return self.known[definition]

    def parts(self, definition: AssetsDefinition) -> Iterator[Part]:
        """Yield the parts of a definition."""
        calls = calls_of(definition)
        yield from self.code(definition, calls)
        for call in calls:
            if call.op.config_type is not None:
                yield from self.config_of(definition, call)
            if call.op is not definition.op_def:
                yield from self.inputs_of(call, definition.op.name)
        if self.scanned.resources:
            for key in sorted(uses(definition, self.scanned.graph)):
                yield from self.resource(key)
        told = [one.metadata for one in definition.specs] + [one.metadata for one in definition.check_specs]
        for metadata in told:
            if FILES in metadata or ENV in metadata:
                yield from self.sources(metadata)

    def code(self, definition: AssetsDefinition, calls: tuple[Call, ...]) -> Recipe:
        """Return the code parts: those computed, here or in a code location, or the version that was said."""
        elsewhere = told_elsewhere(definition)
        if elsewhere is not None:
            return elsewhere
        said = [spec.code_version for spec in definition.specs]
        if said and None not in said:
            keys = [spec.key.label for spec in definition.specs]
            said_of = zip(keys, said, strict=True)
            return tuple(Part("code", "code_version", digest((key, version)), str(version)) for key, version in said_of)
        self.current = definition
        if calls[0].op is definition.op_def:
            return self.code_of(calls[0].op)
        inner = [
            replace(part, name=f"{call.name}: {part.name}" if part.name else call.name)
            for call in calls
            for part in self.code_of(call.op)
        ]
        return (Part("code", WIRING, digest(shape_of(calls)), wiring_text(calls)), *inner)

    def code_of(self, op: OpDefinition) -> Recipe:
        """Return the code parts of an op, with those of the class of its config: what that does is code, too."""
        call = op.signature
        asked = read_of_definition(call.function) if call.context is not None else frozenset[str]()
        parts = self.fingerprinter.parts(call.function, skip=call.parameters | asked)
        if asked:
            parts = (*parts, self.said_of(op))
        annotation = call.annotations.get(call.config, call.config_type) if call.config is not None else None
        return parts if annotation is None else (*parts, *self.code_of_config(annotation))

    def said_of(self, op: OpDefinition) -> Part:
        """Return the part of a definition of which the code asks what was said: tags, metadata and the like."""
        specs = [] if self.current is None else [*self.current.specs, *self.current.check_specs]
        return Part("code", "definition", digest_or_new([op.name, op.tags, op.description, specs]), "tags and metadata")

    def code_of_config(self, annotation: Any) -> Recipe:
        """Return the code parts of the classes that annotate a config."""
        if id(annotation) not in self.config_parts:
            parts = self.fingerprinter.config_parts(annotation)
            named = tuple(replace(part, name=f"config: {part.name}") for part in parts)
            self.config_parts[id(annotation)] = annotation, named
        return self.config_parts[id(annotation)][1]

    @property
    def label(self) -> str:
        """Return the name of the definition that is looked at."""
        return self.current.label if self.current is not None else ""

    def on_object(self, name: str, value: Any) -> Part | None:
        """Say what an object of ours is, met among the globals of a function.

        Raises:
            DagsterInvalidDefinitionError: when a helper reads an asset's variable behind the planner's back.
        """
        if name in self.bound and self.bound[name] is value:
            raise DagsterInvalidDefinitionError(
                f"`{self.label}` reads the asset `{name}` through a helper function, where it can't be followed",
                where=self.current.origin if self.current is not None else "",
                hint=f"give the helper a parameter, and pass `{name}` from the asset",
            )
        if name in self.scanned.swapped and self.scanned.swapped[name] is value:
            raise DagsterInvalidDefinitionError(
                f"`{self.label}` reads the resource `{name}` through a helper function, where it can't be swapped",
                where=self.current.origin if self.current is not None else "",
                hint=f"give the helper a parameter, and pass `{name}` from the asset",
            )
        if isinstance(value, AssetsDefinition):
            return Part("global", name, digest(value.label), value.label)
        if name in self.scanned.resources and self.scanned.resources[name] is value:
            return Part("resource", name, digest([(part.name, part.digest) for part in self.resource(name)]), name)
        return None

    def config_of(self, definition: AssetsDefinition, call: Call) -> Iterator[Part]:
        """Yield a part per field of an op's config."""
        if self.config is None:
            yield Part("config", "", "invalid", "the config isn't valid")
            return
        alone = call.op is definition.op_def
        for name, value, text in self.config.op_parts(call.name if alone else f"{definition.op.name}.{call.name}"):
            yield Part("config", name if alone else f"{call.name}.{name}", digest(value), text)

    def inputs_of(self, call: Call, graph: str = "") -> Iterator[Part]:
        """Yield a part per input of an op in a graph that run config, a value or its default gives."""
        for name, source in sorted(call.sources.items()):
            for one in flat(source):
                if isinstance(one, FromConfig) and one.asset is None:
                    at = ".".join(filter(None, (graph, *one.at)))
                    said = self.config.input_value(at, one.name) if self.config is not None else MISSING
                    value = one.default if said is MISSING else said
                elif isinstance(one, FromValue):
                    value = one.value
                else:
                    continue
                yield Part("config", f"{call.name}.{name}", digest_or_new(value), redact(repr(value)[:200]))

    def resource(self, key: str) -> Recipe:
        """Return the parts of a resource: its class and its fields, secrets by name."""
        if key not in self.resource_parts:
            one = self.scanned.resources.get(key)
            self.resource_parts[key] = ()  # should it need itself, opening it says so
            self.resource_parts[key] = tuple(self.parts_of_resource(key, one)) if one is not None else ()
        return self.resource_parts[key]

    def parts_of_resource(self, key: str, one: Any) -> Iterator[Part]:
        """Yield the parts of a resource."""
        if type(one) is InMemoryIOManager:
            yield Part("resource", key, digest(type(one).__name__), type(one).__name__)
            return  # what it keeps is what the assets make, and changes none of them
        written = self.config.written(key) if self.config is not None else MISSING
        recipe = resource_recipe(one, written)
        for name, value, text in recipe.fields:
            kind = "resource config" if name else "resource"
            yield Part(kind, f"{key}.{name}" if name else key, self.digest(key, value), text)
        for needed in sorted(as_resource(one).__required_keys__):
            yield from self.resource(needed)
        is_object = any(not name for name, _, _ in recipe.fields)
        for code in recipe.code:
            for part in self.fingerprinter.parts(code):
                if is_object and not part.name:
                    continue  # an installed class, which the object's own digest names
                kind = "unknown" if part.kind == "unknown" else "resource"
                yield Part(kind, f"{key}: {part.name}" if part.name else key, part.digest, part.text)

    def digest(self, key: str, value: Any) -> str:
        """Return the digest of a value in a resource; of an open connection, say, how its cell came to make it."""
        try:
            return digest(value)
        except Unhashable:
            return digest(("made by", self.token(key) or uuid4().hex))

    def sources(self, metadata: Mapping[str, Any]) -> Iterator[Part]:
        """Yield a part per declared file and environment variable."""
        for path in values_of(metadata.get(FILES)):
            yield Part("source", path, self.files(path), path)
        for name in values_of(metadata.get(ENV)):
            yield Part("env", name, digest(os.environ.get(name)), "set" if name in os.environ else "not set")


def digest_or_new(value: Any) -> str:
    """Return the digest of a value, one that was never there of what has no content."""
    try:
        return digest(value)
    except Unhashable:
        return uuid4().hex


def wiring_text(calls: Iterable[Call]) -> str:
    """Return how the ops of a graph are wired, a line per call, for the difference between two."""
    wired = {name: [f"{port}={' + '.join(places)}" for port, places in inputs] for name, inputs in shape_of(calls)}
    return "\n".join(f"{name}({', '.join(inputs)})" for name, inputs in wired.items())


def installed_version(package: str) -> str:
    """Return the version of an installed package, or "" where there's none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def values_of(said: Any) -> list[str]:
    """Return the strings of a metadata entry, plain or wrapped."""
    value = getattr(said, "value", said)
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    try:
        return [str(one) for one in value]
    except TypeError:
        raise DagsterError(f"`{FILES}` and `{ENV}` are lists of strings, not {value!r}") from None
