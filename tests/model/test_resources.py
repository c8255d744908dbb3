"""What resources are before a run opens them: classes, functions, partial ones, and their recipes."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any

import pytest
from pydantic import ValidationError

from ipy_orch.errors import (
    CheckError,
    DagsterInvalidConfigDefinitionError,
    DagsterInvalidConfigError,
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
    DagsterInvariantViolationError,
)
from ipy_orch.execution.resources import build_init_resource_context, build_resources
from ipy_orch.model.config.classes import Config
from ipy_orch.model.config.configured import configured
from ipy_orch.model.config.schema import Field, Noneable, Selector
from ipy_orch.model.env import EnvVar
from ipy_orch.model.resources.checks import check_resources
from ipy_orch.model.resources.recipes import resource_recipe
from ipy_orch.model.resources.resource import (
    ConfigurableLegacyResourceAdapter,
    ConfigurableResource,
    ConfigurableResourceFactory,
    InitResourceContext,
    ResourceDefinition,
    ResourceDependency,
    ResourceParam,
    as_resource,
    is_resource_annotation,
    make_values_resource,
    resource,
)


class Writer(ConfigurableResource):
    prefix: str = ""

    def write(self, text: str) -> str:
        return f"{self.prefix}{text}"


class TextFactory(ConfigurableResourceFactory[str]):
    text: str

    def create_resource(self, context: InitResourceContext) -> str:
        return self.text


class Outer(ConfigurableResource):
    writer: Writer
    text: ResourceDependency[str]
    size: int = 1


class Simple(Config):
    simple: str


# --------------------------------------------------------------------------------------- classes


def test_methods_work_without_a_run():
    """A resource is a plain object in a test."""
    assert Writer(prefix="a: ").write("b") == "a: b"
    assert repr(Writer(prefix="a")) == "Writer(prefix='a')"
    with pytest.raises(ValidationError):
        Writer(prefix=3)
    with pytest.raises(DagsterInvalidInvocationError):
        Writer().prefix = "x"


def test_fields_take_other_resources():
    """An instance, a partial one, a function's, a factory's, or the plain object of a dependency."""
    for writer in (Writer(), Writer.configure_at_launch()):
        for text in (
            TextFactory(text="x"),
            TextFactory.configure_at_launch(),
            ResourceDefinition.string_resource(),
            "x",
        ):
            outer = Outer(writer=writer, text=text)
            assert outer.writer is writer
            assert outer.text is text
    assert Outer.model_validate({"writer": {"prefix": "p"}, "text": "x"}).writer == Writer(prefix="p")
    with pytest.raises(ValidationError):
        Outer(writer=3, text="x")


def test_a_class_of_resources_may_be_abstract():
    """An abstract one can't be instantiated, and annotates the fields of others."""

    class Shape(ConfigurableResource, ABC):
        @abstractmethod
        def area(self) -> float: ...

    class Square(Shape):
        side: float

        def area(self) -> float:
            return self.side**2

    class Field_(ConfigurableResource):
        shape: Shape

    with pytest.raises(TypeError):
        Shape()
    assert Field_(shape=Square(side=2)).shape.area() == 4


def test_cached_properties_work():
    """A frozen resource can cache."""

    class Client(ConfigurableResource):
        name: str

        @cached_property
        def connection(self) -> list[str]:
            return [self.name]

    client = Client(name="x")
    assert client.connection is client.connection


def test_the_context_is_there_once_it_is_bound():
    """`get_resource_context` needs a run, or a context put in by a test."""
    with pytest.raises(CheckError):
        Writer().get_resource_context()
    context = build_init_resource_context()
    assert Writer().with_replaced_resource_context(context).get_resource_context() is context


def test_a_resource_opens_by_itself(monkeypatch):
    """`process_config_and_initialize` reads variables and opens what the fields hold."""
    monkeypatch.setenv("A_PREFIX", "from-env: ")
    outer = Outer(writer=Writer(prefix=EnvVar("A_PREFIX")), text=TextFactory(text="t")).process_config_and_initialize()
    assert (outer.writer.write("x"), outer.text) == ("from-env: x", "t")
    assert "from-env" not in repr(outer)
    with pytest.raises(DagsterInvalidConfigError, match="NOT_SET_AT_ALL"):
        Writer(prefix=EnvVar("NOT_SET_AT_ALL")).process_config_and_initialize()


def test_what_must_be_closed_opens_by_with_only():
    """A teardown needs the `_cm` spelling, also one of a resource in a field."""
    log = []

    class Closing(ConfigurableResource):
        def teardown_after_execution(self, context: InitResourceContext) -> None:
            log.append("closed")

    class Around(ConfigurableResource):
        inner: ResourceDependency[Closing]

    with pytest.raises(CheckError):
        Closing().process_config_and_initialize()
    with pytest.raises(CheckError):
        Around(inner=Closing()).process_config_and_initialize()
    with pytest.raises(CheckError):
        Closing.from_resource_context(build_init_resource_context())
    with Around(inner=Closing()).process_config_and_initialize_cm():
        assert log == []
    assert log == ["closed"]


def test_a_class_serves_a_function():
    """`from_resource_context` and `to_config_schema` are the way from the old style to the new one."""

    @resource(config_schema=TextFactory.to_config_schema())
    def text(context: InitResourceContext) -> str:
        return TextFactory.from_resource_context(context) + "bar"

    assert text(build_init_resource_context({"text": "foo"})) == "foobar"
    with pytest.raises(DagsterInvalidConfigError):
        text(build_init_resource_context({"txt": "foo"}))


def test_a_class_gives_its_fields_to_a_function():
    """The adapter's fields are the wrapped function's config."""

    @resource(config_schema={"text": str})
    def shout(context: InitResourceContext) -> str:
        return context.resource_config["text"].upper()

    class Adapter(ConfigurableLegacyResourceAdapter):
        text: str

        @property
        def wrapped_resource(self) -> ResourceDefinition:
            return shout

    with build_resources({"shout": Adapter(text="hi")}) as resources:
        assert resources.shout == "HI"


def test_a_type_that_is_no_config_is_refused():
    """A field of an unknown class needs to be a ResourceDependency."""

    class Stranger:
        pass

    class Bad(ConfigurableResource):
        odd: Stranger

    with pytest.raises(DagsterInvalidConfigDefinitionError, match="ResourceDependency"):
        Bad(odd=Stranger())


# --------------------------------------------------------------------------------------- annotations


def test_which_annotations_mean_a_resource():
    """Classes whose instances steps get, and ResourceParam; a factory is refused with the right spelling."""
    assert is_resource_annotation(Writer)
    assert is_resource_annotation(ResourceParam[str])
    assert is_resource_annotation(ResourceParam[Callable[[str], None]])
    assert not is_resource_annotation(str)
    assert not is_resource_annotation(None)
    assert not is_resource_annotation(list[int])
    assert not is_resource_annotation("Writer")
    for cls in (TextFactory, ResourceDefinition):
        with pytest.raises(DagsterInvalidDefinitionError, match="ResourceParam"):
            is_resource_annotation(cls)


# --------------------------------------------------------------------------------------- functions


def test_a_function_is_called_with_the_context_it_takes():
    """Direct calls in tests: with a context, None, by name, or nothing."""

    @resource
    def plain() -> int:
        return 5

    @resource
    def named(whatever: Any) -> int:
        return 6

    assert plain() == 5
    assert named(None) == named(whatever=None) == 6
    for wrong in (lambda: plain(None), lambda: named(), lambda: named(other=None)):
        with pytest.raises(DagsterInvalidInvocationError):
            wrong()


def test_a_direct_call_checks_resources_and_config():
    """What a run would refuse, a test hears of."""

    @resource(required_resource_keys={"foo"}, config_schema={"size": Field(int, default_value=2), "name": str})
    def made(context: InitResourceContext) -> Any:
        return (context.resources.foo, context.resource_config)

    with pytest.raises(DagsterInvalidInvocationError):
        made(None)
    with pytest.raises(DagsterInvalidDefinitionError):
        made(build_init_resource_context({"name": "n"}))
    with pytest.raises(DagsterInvalidConfigError):
        made(build_init_resource_context({"nam": "n"}, resources={"foo": 1}))
    context = build_init_resource_context({"name": "n"}, resources={"foo": 1})
    assert made(context) == (1, {"size": 2, "name": "n"})


@pytest.mark.parametrize(
    ("schema", "config", "expected"),
    [
        (dict, {"foo": "bar"}, {"foo": "bar"}),
        (Noneable(dict), None, None),
        (Field(str, default_value="bar"), None, "bar"),
        ([[int]], [[1], [2, 3]], [[1], [2, 3]]),
        (Selector({"a": [{"n": int}], "b": int}), {"a": [{"n": 1}]}, {"a": [{"n": 1}]}),
    ],
)
def test_the_config_of_a_function_may_be_of_any_schema(schema, config, expected):
    """Not only a dict of fields."""
    made = ResourceDefinition(lambda context: context.resource_config, schema)
    assert made(build_init_resource_context(config)) == expected


def test_ready_made_definitions():
    """Hardcoded, none, string, mock and values."""
    assert ResourceDefinition.hardcoded_resource(3)(None) == 3
    assert ResourceDefinition.none_resource()(None) is None
    assert ResourceDefinition.mock_resource()() is not None
    assert ResourceDefinition.string_resource()(build_init_resource_context("x")) == "x"
    assert make_values_resource(n=int)(build_init_resource_context({"n": 1})) == {"n": 1}
    assert make_values_resource()(build_init_resource_context(1)) == 1


def test_config_may_be_given_or_made_in_advance():
    """`configured` with data, with a function of data, of a Config, and on a class."""

    @resource(config_schema={"name": str})
    def named(context: InitResourceContext) -> str:
        return context.resource_config["name"]

    @configured(named, config_schema={"simple": str})
    def simpler(config: Any) -> Any:
        return {"name": config["simple"]}

    @configured(Writer)
    def writer(config: Simple) -> Any:
        return {"prefix": config.simple}

    @configured(Writer)
    def object_writer(config: Simple) -> Writer:
        return Writer(prefix=config.simple)

    @configured(Writer)
    def constant(_: Any) -> Any:
        return {"prefix": "constant"}

    assert named.configured({"name": "a"})(None) == "a"
    with pytest.raises(DagsterInvalidConfigError):
        named.configured({"nam": "a"})(None)
    config = {"simpler": {"config": {"simple": "b"}}, "writer": {"config": {"simple": "c"}}}
    definitions = {
        "simpler": simpler,
        "writer": writer,
        "constant": constant,
        "fixed": object_writer.configured({"simple": "d"}),
    }
    with build_resources(definitions, resource_config=config) as resources:
        assert resources.simpler == "b"
        assert [resources.writer.prefix, resources.constant.prefix, resources.fixed.prefix] == ["c", "constant", "d"]


# --------------------------------------------------------------------------------------- several


def test_anything_is_a_resource_but_a_class_of_them():
    """Plain objects are wrapped; forgetting the parentheses is said."""
    writer = Writer()
    assert as_resource(writer) is writer
    assert isinstance(as_resource(3), ResourceDefinition)
    with pytest.raises(DagsterInvalidDefinitionError, match=r"Writer\(\.\.\.\)"):
        as_resource(Writer)


def test_resources_are_checked_together():
    """A missing one, a partial one without a key, and a cycle are refused before anything is opened."""

    @resource(required_resource_keys={"b"})
    def a() -> None: ...

    @resource(required_resource_keys={"a"})
    def b() -> None: ...

    with pytest.raises(DagsterInvalidDefinitionError, match="`b`"):
        check_resources({"a": a})
    with pytest.raises(DagsterInvariantViolationError, match="itself"):
        check_resources({"a": a, "b": b})
    partial = TextFactory.configure_at_launch()
    with pytest.raises(DagsterInvalidDefinitionError, match="key of its own"):
        check_resources({"outer": Outer(writer=Writer(), text=partial)})
    check_resources({"outer": Outer(writer=Writer(), text=partial), "text": partial})


# --------------------------------------------------------------------------------------- recipes


class Mode(enum.Enum):
    FAST = 1


class Database(ConfigurableResource):
    host: str
    password: str
    mode: Mode = Mode.FAST
    writer: Writer | None = None


def test_a_recipe_names_fields_and_code_but_no_secret(monkeypatch):
    """One entry per field, dotted into other resources; the classes are given for fingerprints."""
    monkeypatch.setenv("DB_PASSWORD", "swordfish-2")
    database = Database(host="h", password=EnvVar("DB_PASSWORD"), writer=Writer(prefix="p"))
    recipe = resource_recipe(database)
    assert recipe.fields == [
        ("host", "h", "'h'"),
        ("password", ("env", "DB_PASSWORD"), 'EnvVar("DB_PASSWORD")'),
        ("mode", 1, "1"),
        ("writer.prefix", "p", "'p'"),
    ]
    assert recipe.code == [Database, Writer]
    assert resource_recipe(database, {"host": "other"}).fields[0] == ("host", "other", "'other'")


def test_the_recipe_of_a_function_and_of_an_object():
    """A function is code with config; an object is itself and its class."""

    @resource(config_schema={"n": Field(int, default_value=1)})
    def made() -> None: ...

    assert resource_recipe(made) == ([("n", 1, "1")], [made.resource_fn])
    value = object()
    assert resource_recipe(value).fields[0][:2] == ("", value)
    assert resource_recipe(value).code == [object]
