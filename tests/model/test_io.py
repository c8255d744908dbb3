"""IO managers as resources."""

from __future__ import annotations

from typing import Any

import pytest

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.execution.resources import build_resources
from ipy_orch.model.config.classes import Config
from ipy_orch.model.io import (
    ConfigurableIOManager,
    ConfigurableIOManagerFactory,
    ConfigurableLegacyIOManagerAdapter,
    InputManager,
    InputManagerDefinition,
    IOManager,
    IOManagerDefinition,
    input_manager,
    io_config_fields,
    io_manager,
)
from ipy_orch.model.resources.resource import ConfigurableResource, InitResourceContext, is_resource_annotation


class Shelf(IOManager):
    def __init__(self, name: str = "") -> None:
        self.name, self.values = name, {}

    def handle_output(self, context: Any, obj: Any) -> None:
        self.values[context] = obj

    def load_input(self, context: Any) -> Any:
        return self.values[context]


class InputSchema(Config):
    format: str


class Place(ConfigurableResource):
    folder: str


class Files(ConfigurableIOManager):
    place: Place
    suffix: str = ".txt"

    @classmethod
    def input_config_schema(cls) -> Any:
        return InputSchema

    def handle_output(self, context: Any, obj: Any) -> None: ...

    def load_input(self, context: Any) -> Any:
        return f"{self.place.folder}/{context}{self.suffix}"


class ShelfFactory(ConfigurableIOManagerFactory):
    name: str

    def create_io_manager(self, context: InitResourceContext) -> IOManager:
        return Shelf(self.name)


@io_manager(config_schema={"name": str}, output_config_schema={"path": str}, required_resource_keys={"place"})
def shelf(context: InitResourceContext) -> IOManager:
    """Make a shelf with config and another resource."""
    return Shelf(context.resource_config["name"] + context.resources.place.folder)


def test_an_io_manager_is_abstract():
    """Both methods are needed."""
    with pytest.raises(TypeError):
        IOManager()


def test_each_spelling_gives_an_io_manager():
    """An instance, a class with fields, a factory, a function, an adapter, a hardcoded one."""

    class Adapter(ConfigurableLegacyIOManagerAdapter):
        name: str

        @property
        def wrapped_io_manager(self) -> IOManagerDefinition:
            return io_manager(config_schema={"name": str})(lambda context: Shelf(context.resource_config["name"]))

    plain = Shelf("plain")
    definitions = {
        "place": Place(folder="f"),
        "plain": plain,
        "hard": IOManagerDefinition.hardcoded_io_manager(plain),
        "files": Files(place=Place(folder="d")),
        "factory": ShelfFactory(name="made"),
        "shelf": shelf,
        "adapter": Adapter(name="adapted"),
        "wrapped": Files(place=Place(folder="w")).get_resource_definition(),
    }
    with build_resources(definitions, resource_config={"shelf": {"config": {"name": "n"}}}) as resources:
        assert resources.plain is resources.hard is plain
        assert resources.files.load_input("x") == "d/x.txt"
        assert [resources.factory.name, resources.shelf.name, resources.adapter.name] == ["made", "nf", "adapted"]
        assert resources.wrapped.load_input("x") == "w/x.txt"


def test_an_input_manager_is_a_function_of_the_input():
    """With or without the context, with or without arguments to the decorator."""

    @input_manager
    def fixed() -> int:
        return 4

    @input_manager(input_config_schema={"n": int})
    def of_context(context: Any) -> Any:
        return context + 1

    with build_resources({"fixed": fixed, "of_context": of_context}) as resources:
        assert resources.fixed.load_input(None) == 4
        assert resources.of_context.load_input(1) == 2


def test_the_schemas_of_inputs_and_outputs():
    """They are found on definitions, instances, and definitions made of instances."""
    files = Files(place=Place(folder="d"))
    assert isinstance(files.get_resource_definition(), IOManagerDefinition)
    for one in (files, files.get_resource_definition()):
        inputs, outputs = io_config_fields(one)
        assert list(inputs.config_type.fields) == ["format"]
        assert outputs is None
    assert list(io_config_fields(shelf)[1].config_type.fields) == ["path"]
    assert io_config_fields(Shelf()) == (None, None)


def test_which_io_managers_annotate_parameters():
    """A class whose instances are the IO manager does, a factory doesn't."""
    assert is_resource_annotation(Files)
    with pytest.raises(DagsterInvalidDefinitionError):
        is_resource_annotation(ShelfFactory)


def test_a_configured_io_manager_stays_one() -> None:
    """What inputs and outputs may say, what it requires and its description stay."""

    @io_manager(
        config_schema={"name": str},
        description="a shelf",
        input_config_schema={"format": str},
        output_config_schema={"path": str},
        required_resource_keys={"db"},
    )
    def shelf(context: InitResourceContext) -> Shelf:
        return Shelf(context.resource_config["name"])

    ready = shelf.configured({"name": "left"})
    assert isinstance(ready, IOManagerDefinition)
    assert (ready.description, ready.required_resource_keys) == ("a shelf", {"db"})
    assert [list(one.config_type.fields) for one in io_config_fields(ready) if one] == [["format"], ["path"]]
    with build_resources({"shelf": ready, "db": 1}) as resources:
        assert resources.shelf.name == "left"


def test_a_configured_input_manager_stays_one() -> None:
    """With what inputs may say."""

    @input_manager(config_schema={"suffix": str}, input_config_schema={"format": str})
    def loader(context: Any) -> Any:
        return 1

    ready = loader.configured(lambda suffix: {"suffix": suffix}, config_schema=str)
    assert isinstance(ready, InputManagerDefinition)
    assert list(ready.input_config_schema.config_type.fields) == ["format"]


def test_an_input_manager_made_by_a_function() -> None:
    """What the function returns is the value, or an input manager that is asked for it."""

    class Five(InputManager):
        def load_input(self, context: Any) -> Any:
            return 5

    @input_manager
    def direct() -> Any:
        return 4

    @input_manager
    def indirect(context: Any) -> Any:
        return Five()

    with build_resources({"direct": direct, "indirect": indirect}) as resources:
        assert resources.direct.load_input(None) == 4
        assert resources.indirect.load_input(None) == 5
