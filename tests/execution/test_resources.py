"""Opening and closing resources: order, sharing, config at launch, failures, interrupts."""

from __future__ import annotations

import contextlib
import enum
import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import PrivateAttr

from ipy_orch.errors import (
    DagsterConfigMappingFunctionError,
    DagsterInvalidConfigError,
    DagsterInvalidDefinitionError,
    DagsterInvariantViolationError,
    DagsterResourceFunctionError,
    DagsterUnknownResourceError,
)
from ipy_orch.execution.resources import ResourceScope, build_init_resource_context, build_resources
from ipy_orch.model.config.configured import configured
from ipy_orch.model.env import EnvVar
from ipy_orch.model.resources.resource import (
    ConfigurableResource,
    ConfigurableResourceFactory,
    IAttachDifferentObjectToOpContext,
    InitResourceContext,
    ResourceDependency,
    resource,
)


class Logged(ConfigurableResource):
    """Write its life into a list that is shared by reference."""

    name: str
    log: ResourceDependency[list[str]]
    fails_in: str = ""

    def note(self, phase: str) -> None:
        self.log.append(f"{phase} {self.name}")
        if phase == self.fails_in:
            raise ValueError(f"{phase} failed")

    def setup_for_execution(self, context: InitResourceContext) -> None:
        self.note("open")

    def teardown_after_execution(self, context: InitResourceContext) -> None:
        self.note("close")


class Credentials(ConfigurableResource):
    username: str
    password: str = "default"


class Bucket(ConfigurableResource):
    credentials: Credentials
    name: str = "bucket"


class Mode(enum.Enum):
    A = "a_value"
    B = "b_value"


class Moded(ConfigurableResource):
    mode: Mode

    def setup_for_execution(self, context: InitResourceContext) -> None:
        assert context.resource_config == {"mode": self.mode.value}


def opened(key: str, definitions: dict[str, Any], config: dict[str, Any] | None = None) -> Any:
    """Return what steps get under one key."""
    with ResourceScope(definitions, [key], config) as scope:
        return scope.objects[key]


# --------------------------------------------------------------------------------------- life


def test_only_what_is_needed_is_opened_and_in_order():
    """In the order of definition; closed in reverse; what isn't needed stays shut."""
    log: list[str] = []
    definitions = {name: Logged(name=name, log=log) for name in ("a", "b", "unused")}
    with ResourceScope(definitions, {"b", "a"}) as scope:
        assert set(scope.objects) == {"a", "b"}
    assert log == ["open a", "open b", "close b", "close a"]


def test_dependencies_come_first_and_are_opened_once():
    """A required key and a shared nested resource, whoever needs them."""
    log: list[str] = []
    inner = Logged(name="inner", log=log)

    class Around(ConfigurableResource):
        inner: Logged

    @resource(required_resource_keys={"base"})
    def made(context: InitResourceContext) -> str:
        return f"{context.resources.base.name}!"

    definitions = {
        "one": Around(inner=inner),
        "two": Around(inner=inner),
        "made": made,
        "base": Logged(name="base", log=log),
    }
    with ResourceScope(definitions, ["one", "two", "made"]) as scope:
        assert scope.objects["one"].inner is scope.objects["two"].inner
        assert scope.objects["made"] == "base!"
    assert log == ["open inner", "open base", "close base", "close inner"]


def test_generators_and_context_managers_are_entered():
    """`yield` in a resource function, behind `@contextmanager`, in `create_resource` and `yield_for_execution`."""
    log: list[str] = []

    @resource
    def generator() -> Iterator[str]:
        yield "generator"
        log.append("generator")

    @resource
    @contextlib.contextmanager
    def managed(context: InitResourceContext) -> Iterator[str]:
        yield "managed"
        log.append("managed")

    class Factory(ConfigurableResourceFactory[str]):
        def create_resource(self, context: InitResourceContext) -> Iterator[str]:
            yield "factory"
            log.append("factory")

    class Yielding(ConfigurableResource):
        @contextlib.contextmanager
        def yield_for_execution(self, context: InitResourceContext) -> Iterator[Any]:
            yield self
            log.append("yielding")

    definitions = {"generator": generator, "managed": managed, "factory": Factory(), "yielding": Yielding()}
    with ResourceScope(definitions, definitions) as scope:
        assert [scope.objects[key] for key in ("generator", "managed", "factory")] == [
            "generator",
            "managed",
            "factory",
        ]
        assert isinstance(scope.objects["yielding"], Yielding)
    assert log == ["yielding", "factory", "managed", "generator"]


def test_the_users_own_context_managers_are_left_alone():
    """An object with `__enter__` in a field or as a resource isn't entered."""

    class Connection:
        def __enter__(self) -> None:
            raise AssertionError

        def __exit__(self, *exc: object) -> None:
            raise AssertionError

    class Around(ConfigurableResource):
        connection: ResourceDependency[Connection]

    connection = Connection()
    assert opened("around", {"around": Around(connection=connection)}).connection is connection
    assert opened("plain", {"plain": connection}) is connection


def test_state_made_in_setup_is_in_the_runs_copy():
    """The definition stays as it was; each run has its own."""

    class Client(ConfigurableResource):
        user: str
        _token: str = PrivateAttr(default="")

        def setup_for_execution(self, context: InitResourceContext) -> None:
            self._token = f"token of {self.user}"

    client = Client(user="me")
    made = opened("client", {"client": client})
    assert (made._token, client._token) == ("token of me", "")
    assert made.get_resource_context().resource_config == {"user": "me"}


# --------------------------------------------------------------------------------------- failures


def test_a_failing_set_up_closes_what_was_open():
    """The error names resource and phase, has the user's exception as its cause, and its own teardown isn't called."""
    log: list[str] = []
    definitions = {"good": Logged(name="good", log=log), "bad": Logged(name="bad", log=log, fails_in="open")}
    with pytest.raises(DagsterResourceFunctionError, match="`bad`") as caught, ResourceScope(definitions, definitions):
        raise AssertionError
    assert isinstance(caught.value.user_exception, ValueError)
    assert log == ["open good", "open bad", "close good"]


def test_a_failing_function_is_the_same_error():
    """`@resource` functions are no different."""

    @resource
    def bad() -> None:
        raise KeyError("boo")

    with pytest.raises(DagsterResourceFunctionError, match="`bad`"):
        opened("bad", {"bad": bad})


def test_a_failing_teardown_neither_raises_nor_keeps_others_open():
    """It is reported with its key, and the run's own error, if any, goes on."""
    log: list[str] = []
    reported = []
    definitions = {"a": Logged(name="a", log=log), "b": Logged(name="b", log=log, fails_in="close")}
    scope = ResourceScope(
        definitions, definitions, on_teardown_error=lambda key, error: reported.append((key, str(error)))
    )
    with pytest.raises(ZeroDivisionError), scope:
        1 / 0  # noqa: B018
    assert reported == [("b", "close failed")]
    assert [key for key, _ in scope.teardown_errors] == ["b"]
    assert log[-2:] == ["close b", "close a"]


def test_a_failing_teardown_is_logged_without_secrets(monkeypatch, caplog):
    """By default the log tells."""
    monkeypatch.setenv("A_SECRET", "very-secret-indeed")

    class Leaky(ConfigurableResource):
        secret: str

        def teardown_after_execution(self, context: InitResourceContext) -> None:
            raise ValueError(f"can't log out with {self.secret}")

    opened("leaky", {"leaky": Leaky(secret=EnvVar("A_SECRET"))})
    assert "`leaky`" in caplog.text
    assert "very-secret-indeed" not in caplog.text


@pytest.mark.parametrize("where", ["step", "open", "close"])
def test_an_interrupt_closes_everything(where):
    """Ctrl-C in a step, while opening and while closing: all others are closed and the interrupt comes through."""
    log: list[str] = []

    class Interrupted(ConfigurableResource):
        def setup_for_execution(self, context: InitResourceContext) -> None:
            if where == "open":
                raise KeyboardInterrupt

        def teardown_after_execution(self, context: InitResourceContext) -> None:
            if where == "close":
                raise KeyboardInterrupt

    definitions = {"first": Logged(name="first", log=log), "second": Interrupted()}
    with pytest.raises(KeyboardInterrupt), ResourceScope(definitions, definitions):
        if where == "step":
            raise KeyboardInterrupt
    assert log == ["open first", "close first"]


def test_a_missing_resource_is_named_with_the_nearest():
    """Nothing provides it, for a step or for another resource."""

    @resource(required_resource_keys={"databse"})
    def made() -> None: ...

    for required in (["databse"], ["made"]):
        with (
            pytest.raises(DagsterInvalidDefinitionError, match="database"),
            ResourceScope({"database": 1, "made": made}, required),
        ):
            raise AssertionError


def test_resources_that_need_each_other_are_refused():
    """A cycle is named."""

    @resource(required_resource_keys={"b"})
    def a() -> None: ...

    @resource(required_resource_keys={"a"})
    def b() -> None: ...

    with pytest.raises(DagsterInvariantViolationError, match="`a` → `b` → `a`"), ResourceScope({"a": a, "b": b}, ["a"]):
        raise AssertionError


# --------------------------------------------------------------------------------------- config


def test_run_config_overrides_what_an_instance_has():
    """Field by field, enums by name, also for a resource that waits for all of it."""
    definitions = {
        "fixed": Moded(mode=Mode.A),
        "late": Moded.configure_at_launch(),
        "half": Credentials.configure_at_launch(password="set"),
    }
    config = {key: {"config": {"mode": "B"}} for key in ("fixed", "late")} | {"half": {"config": {"username": "u"}}}
    with ResourceScope(definitions, definitions, config) as scope:
        assert scope.objects["fixed"].mode is scope.objects["late"].mode is Mode.B
        assert scope.objects["half"] == Credentials(username="u", password="set").with_resource_context(
            scope.objects["half"].get_resource_context()
        )
    assert opened("fixed", definitions).mode is Mode.A


def test_config_that_is_missing_or_wrong_names_the_resource():
    """Nothing of the user's is called then."""
    late = {"late": Credentials.configure_at_launch()}
    with pytest.raises(DagsterInvalidConfigError, match="username: missing") as caught:
        opened("late", late)
    assert "resource `late`" in str(caught.value)
    with pytest.raises(DagsterInvalidConfigError, match="did you mean `username`"):
        opened("late", late, {"late": {"config": {"usrname": "x"}}})
    with pytest.raises(DagsterInvalidConfigError, match=r"write \{\"env\": \"X\"\}"):
        opened("late", late, {"late": {"config": {"username": EnvVar("X")}}})


def test_what_is_known_to_be_wrong_is_told_before_anything_is_opened():
    """Config of another resource, its function, a variable that isn't set, a resource that isn't there."""
    log: list[str] = []
    first = Logged(name="first", log=log)

    @resource(config_schema={"size": int}, required_resource_keys={"first"})
    def sized(context: InitResourceContext) -> int:
        return context.resource_config["size"]

    for wrong, error, text in (
        (sized, DagsterInvalidConfigError, r"resources\.last\.config\.size: missing"),
        (sized.configured(lambda _: {"siz": 1}), DagsterInvalidConfigError, "did you mean `size`"),
        (sized.configured(lambda _: 1 / 0), DagsterConfigMappingFunctionError, "ZeroDivisionError"),
        (Credentials(username=EnvVar("TEST_UNSET")), DagsterInvalidConfigError, "TEST_UNSET"),
        (resource(required_resource_keys={"frist"})(lambda _: 1), DagsterInvalidDefinitionError, "frist"),
    ):
        with (
            pytest.raises(error, match=text) as told,
            ResourceScope({"first": first, "last": wrong}, ["first", "last"]),
        ):
            pass
        assert "resource `last`" in str(told.value)
    assert log == []


def test_a_mapping_function_is_called_once():
    """For one run, whoever asks for the config."""
    calls: list[Any] = []

    def mapped(outer: Any) -> Any:
        calls.append(outer)
        return {"username": outer["name"]}

    made = opened("it", {"it": configured(Credentials, {"name": str})(mapped)}, {"it": {"config": {"name": "ada"}}})
    assert (made.username, calls) == ("ada", [{"name": "ada"}])


def test_a_nested_resource_with_a_key_takes_its_config_there():
    """Partial resources at any depth are the ones that run config reaches."""

    class Store(ConfigurableResource):
        bucket: Bucket

    credentials = Credentials.configure_at_launch()
    bucket = Bucket.configure_at_launch(credentials=credentials, name="preset")
    definitions = {"any_key": credentials, "bucket": bucket, "store": Store(bucket=bucket)}
    config = {"any_key": {"config": {"username": "late"}}}
    store = opened("store", definitions, config)
    assert (store.bucket.credentials.username, store.bucket.name) == ("late", "preset")
    with pytest.raises(DagsterInvalidDefinitionError, match="key of its own"):
        opened("store", {"store": Store(bucket=bucket)}, {})


def test_environment_variables_are_read_when_opened(monkeypatch):
    """Not before, in nested resources and data too; the open resource doesn't show them."""

    class Hosts(ConfigurableResource):
        hosts: list[str]
        by_name: dict[str, str]
        port: int

    hosts = Hosts(hosts=[EnvVar("H1"), "b"], by_name={"a": EnvVar("H1")}, port=EnvVar.int("P1"))
    bucket = Bucket(credentials=Credentials(username="u", password=EnvVar("H1")))
    with pytest.raises(DagsterInvalidConfigError, match="H1") as caught:
        opened("hosts", {"hosts": hosts})
    assert "P1" in str(caught.value)
    monkeypatch.setenv("H1", "secret-host")
    monkeypatch.setenv("P1", "4711")
    made = opened("hosts", {"hosts": hosts})
    assert (made.hosts, made.by_name, made.port) == (["secret-host", "b"], {"a": "secret-host"}, 4711)
    inner = opened("bucket", {"bucket": bucket})
    assert inner.credentials.password == "secret-host"
    assert "secret-host" not in repr((made, inner))


def test_fields_may_have_any_name():
    """What the engine asks of a resource doesn't take names from the user."""

    class Names(ConfigurableResource):
        nested: Credentials
        config: dict[str, int] = {}
        opened: str = "o"
        config_field: int = 1
        required_resource_keys: int = 2
        context: int = 3

    made = opened("names", {"names": Names(nested=Credentials(username="u"), config={"a": 1})})
    assert (made.nested.username, made.config, made.opened, made.config_field) == ("u", {"a": 1}, "o", 1)


def test_functions_and_objects_are_nested_too():
    """A dependency is a resource function, configured or at launch, a factory, or an object."""

    class Text(ConfigurableResourceFactory[str]):
        text: str

        def create_resource(self, context: InitResourceContext) -> str:
            return self.text

    @resource(config_schema={"prefix": str})
    def prefixer(context: InitResourceContext) -> Callable[[str], str]:
        return lambda text: context.resource_config["prefix"] + text

    class Postfixer(ConfigurableResource):
        prefix: ResourceDependency[Callable[[str], str]]
        text: ResourceDependency[str]
        missing: Credentials | None = None

        def made(self) -> str:
            return self.prefix(self.text)

    fixed = Postfixer(prefix=prefixer.configured({"prefix": "a-"}), text=Text(text="b"))
    assert opened("x", {"x": fixed}).made() == "a-b"
    late = {"x": Postfixer(prefix=prefixer, text="b"), "prefix": prefixer}
    assert opened("x", late, {"prefix": {"config": {"prefix": "late-"}}}).made() == "late-b"


# --------------------------------------------------------------------------------------- what steps see


def test_a_step_sees_what_it_asked_for():
    """Others are unknown, with the nearest name, and `hasattr` says no."""
    with ResourceScope({"db": 1, "other": 2}, ["db", "other"]) as scope:
        resources = scope.namespace({"db"})
        assert resources.db == 1
        assert not hasattr(resources, "other")
        with pytest.raises(DagsterUnknownResourceError, match="did you mean `db`"):
            _ = resources.dbb
        assert resources._asdict() == {"db": 1}


def test_the_context_may_give_another_object_than_the_parameter():
    """For code on its way to the new style."""

    class Client(ConfigurableResource, IAttachDifferentObjectToOpContext):
        def get_object_to_set_on_execution_context(self) -> Any:
            return "the client"

    with ResourceScope({"client": Client()}, ["client"]) as scope:
        assert isinstance(scope.objects["client"], Client)
        assert scope.namespace(["client"]).client == "the client"


def test_build_resources_opens_and_closes():
    """Config, dependencies and clean-up, outside a run."""
    closed = []

    @resource(config_schema={"animal": str})
    def animal(context: InitResourceContext) -> Iterator[str]:
        yield context.resource_config["animal"]
        closed.append("animal")

    @resource(required_resource_keys={"animal"})
    def sentence(context: InitResourceContext) -> str:
        return f"a {context.resources.animal}"

    config = {"animal": {"config": {"animal": "dog"}}}
    with build_resources({"sentence": sentence, "animal": animal}, resource_config=config) as resources:
        assert resources.sentence == "a dog"
    assert closed == ["animal"]


def test_a_built_context_holds_its_resources():
    """One that must be closed needs `with`; without, it is closed when the context goes."""
    closed = []

    @resource
    def foo() -> Iterator[str]:
        yield "foo"
        closed.append(1)

    context = build_init_resource_context(resources={"foo": foo})
    with pytest.raises(DagsterInvariantViolationError):
        _ = context.resources
    del context
    gc.collect()
    assert closed == [1]
    with build_init_resource_context(resources={"foo": foo, "bar": "bar"}) as context:
        assert (context.resources.foo, context.resources.bar) == ("foo", "bar")
    assert closed == [1, 1]
