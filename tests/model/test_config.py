"""Config classes: what they take, show, and become in a run."""

from __future__ import annotations

import copy
import enum
import pickle
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import pydantic
import pytest
from pydantic import PrivateAttr, SecretBytes, SecretStr, ValidationError, field_validator

from ipy_orch.errors import (
    DagsterInvalidConfigDefinitionError,
    DagsterInvalidConfigError,
    DagsterInvalidDefinitionError,
    DagsterInvalidInvocationError,
)
from ipy_orch.model.config.classes import Config, PermissiveConfig, RunConfig, construct, shape_of
from ipy_orch.model.config.schema import Field, Findings
from ipy_orch.model.env import EnvVar, redact


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


class Cat(Config):
    pet_type: Literal["cat"] = "cat"
    meows: int


class Shy(Config):
    pet_type: Literal["shy"] = "shy"
    hides: str | None = None


class Lizard(Config):
    pet_type: Literal["reptile", "lizard"] = "reptile"
    scales: bool = True


class Owner(Config):
    pet: Cat | Lizard = pydantic.Field(..., discriminator="pet_type")


class Inner(Config):
    name: str | None = None
    size: int = 1


def built(cls: type[Config], written: Any) -> Any:
    """Return the instance that a run makes of written config."""
    findings = Findings()
    checked = Field(cls).check_or_default(written, (), findings)
    findings.raise_any("doesn't fit")
    return construct(cls, checked)


# --------------------------------------------------------------------------------------- writing it in Python


def test_a_config_is_frozen_and_takes_keywords_only():
    """Fields can't be set, positional arguments are refused."""
    config = Inner(name="x")
    with pytest.raises(DagsterInvalidInvocationError, match="frozen"):
        config.size = 2  # type: ignore[misc]
    with pytest.raises(TypeError):
        Inner("x")  # type: ignore[call-arg]
    assert config == Inner(name="x")
    assert hash(config) == hash(Inner(name="x"))
    assert repr(config) == "Inner(name='x', size=1)"


def test_an_unknown_keyword_is_ignored_with_a_warning():
    """As in Dagster it has no effect; the warning is at the user's line and knows the field that was meant."""
    with pytest.warns(UserWarning, match="`Inner` has no field `nam`.*\n  hint: did you mean `name`") as told:
        config = Inner(nam="secret")  # type: ignore[call-arg]
    assert (config, len(told), told[0].filename) == (Inner(), 1, __file__)
    assert "secret" not in str(told[0].message)
    assert Inner.model_validate({"nam": "x"}) == Inner()


def test_an_unknown_keyword_is_for_those_who_know_it():
    """No warning where a validator, an alias or the class itself says what becomes of it."""

    class Older(Config):
        name: str

        @pydantic.model_validator(mode="before")
        @classmethod
        def rename(cls, data: Any) -> Any:
            return {"name": data["title"]}

    class Strict(Config):
        model_config = pydantic.ConfigDict(extra="forbid")

    class Aliased(Config):
        size: int = pydantic.Field(1, alias="len")
        depth: int = pydantic.Field(1, validation_alias=pydantic.AliasChoices("deep", pydantic.AliasPath("more", 0)))

    assert Older(title="x").name == "x"  # type: ignore[call-arg]
    with pytest.raises(ValidationError):
        Strict(title="x")  # type: ignore[call-arg]
    assert Aliased(len=2, more=[3]).depth == 3  # type: ignore[call-arg]
    with pytest.warns(UserWarning, match="`size`"):
        assert Aliased(size=2).size == 1  # type: ignore[call-arg]


def test_an_optional_field_may_be_left_out():
    """`Optional[T]` without a default is None, as in Dagster."""

    class Sample(Config):
        a: Optional[int]  # noqa: UP045
        b: list[int] | None

    assert Sample() == Sample(a=None, b=None)


def test_state_lives_in_private_attributes_and_cached_properties():
    """A frozen config can still cache."""

    class Sample(Config):
        a: int
        _seen: list[int] = PrivateAttr(default_factory=list)

        @cached_property
        def double(self) -> int:
            self._seen.append(1)
            return 2 * self.a

    sample = Sample(a=2)
    sample._seen = [0]
    assert (sample.double, sample.double, sample._seen) == (4, 4, [0, 1])


def test_an_enum_is_written_by_its_member_its_name_or_its_value():
    """Python code may give any of the three."""

    class Sample(Config):
        colour: Colour
        more: list[Colour] = []

    assert (
        Sample(colour="RED", more=["BLUE"])
        == Sample(colour=Colour.RED, more=[Colour.BLUE])
        == Sample(colour="r", more=["b"])
    )
    with pytest.raises(ValidationError):
        Sample(colour="GREEN")


def test_a_union_takes_an_instance_or_its_choice():
    """Direct, inline and selector forms are one."""
    assert Owner(pet=Cat(meows=1)) == Owner(pet={"cat": {"meows": 1}}) == Owner(pet={"pet_type": "cat", "meows": 1})
    assert Owner(pet={"lizard": {}}).pet.pet_type == "lizard"


def test_permissive_config_keeps_other_fields():
    """They are attributes, in the dump, and in equality."""

    class Sample(PermissiveConfig):
        a: int

    assert Sample(a=1, b="x").b == "x"
    assert Sample(a=1, b="x").model_dump() == {"a": 1, "b": "x"}
    assert Sample(a=1, b="x") != Sample(a=1, b="y")
    assert built(Sample, {"a": 1, "c": [1]}) == Sample(a=1, c=[1])


def test_validators_run_on_given_values_only():
    """A default isn't validated, an equal value that is given is."""

    class Strict(Config):
        name: str | None = None

        @field_validator("name")
        @classmethod
        def never(cls, value: Any) -> Any:
            raise ValueError("never")

    class Outer(Config):
        inner: Strict
        size: int = 1

    assert built(Outer, {"inner": {}}) == Outer(inner=Strict())
    assert built(Outer, shape_of(Outer).dump(Outer(inner=Strict()), given_only=True)) == Outer(inner=Strict())
    with pytest.raises(ValidationError, match="never"):
        Strict(name=None)
    with pytest.raises(ValidationError, match="never"):
        built(Outer, {"inner": {"name": None}})


def test_what_cannot_be_config_is_said_when_it_is_used():
    """An unknown class and a legacy Field in the place of pydantic's are named with the field."""

    class Stranger:
        pass

    class Sample(Config):
        odd: Stranger

    class Mistaken(Config):
        name: str = Field(str)  # type: ignore[assignment]

    class Around(Config):
        inner: Sample

    for cls in (Sample, Around):
        with pytest.raises(DagsterInvalidConfigDefinitionError, match="`odd` of `Sample`"):
            cls.__config_type__()
    with pytest.raises(DagsterInvalidDefinitionError, match=r"pydantic\.Field"):
        Mistaken.__config_type__()


def test_a_class_may_hold_itself():
    """A tree of configs has a schema."""
    assert built(Tree, {"children": [{"value": 1, "children": [{"value": 2}]}]}).children[0].children[0].value == 2


class Tree(Config):
    value: int = 0
    children: list[Tree] = []


# --------------------------------------------------------------------------------------- what a run makes of it


@pytest.mark.parametrize(
    ("annotation", "written", "expected"),
    [
        (str, "x", "x"),
        (float, 1, 1.0),
        (list[str], ["a"], ["a"]),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (Mapping[int, list[Mapping[str, int | None]]], {5: [{"a": None}]}, {5: [{"a": None}]}),
        (dict[bool, int], {True: 1}, {True: 1}),
        (dict[float, int], {1.5: 1}, {1.5: 1}),
        (dict, {"a": [1]}, {"a": [1]}),
        (list, [1, "a", None], [1, "a", None]),
        (Any, {"a": 1}, {"a": 1}),
        (Colour, "RED", Colour.RED),
        (list[Colour], ["RED"], [Colour.RED]),
        (Colour | None, None, None),
        (Literal["a", 1], 1, 1),
        (date, "2024-01-02", date(2024, 1, 2)),
        (Path, "a/b", Path("a/b")),
        (tuple[int, str], [1, "a"], (1, "a")),
        (set[int], [1, 1], {1}),
        (int | str, "x", "x"),
        (Inner, {"size": 2}, Inner(size=2)),
        (list[Inner], [{"name": "a"}], [Inner(name="a")]),
        (dict[str, Inner], {"k": {}}, {"k": Inner()}),
        (Annotated[int, pydantic.Field(gt=0)], 1, 1),
        (Annotated[Cat | Lizard, pydantic.Field(discriminator="pet_type")], {"cat": {"meows": 1}}, Cat(meows=1)),
        (
            list[Annotated[Cat | Lizard, pydantic.Field(discriminator="pet_type")]],
            [{"cat": {"meows": 1}}, {"lizard": {}}],
            [Cat(meows=1), Lizard(pet_type="lizard")],
        ),
        (Annotated[Cat | Lizard, pydantic.Field(discriminator="pet_type")] | None, None, None),
    ],
)
def test_run_config_becomes_the_types_value(annotation, written, expected):
    """Each type of pydantic is written as Dagster writes it, and comes back when dumped."""
    cls = pydantic.create_model("Sample", __base__=Config, field=(annotation, ...))
    instance = built(cls, {"field": written})
    assert instance.field == expected
    assert built(cls, shape_of(cls).dump(instance)) == instance


@pytest.mark.parametrize(
    ("annotation", "written", "message"),
    [
        (list[str], ["a", 3], "field[1]: expected a string, got 3 (int)"),
        (list[str], None, "field: expected a list"),
        (dict[str, int], {"a": "x"}, "field.a: expected an integer"),
        (dict[str, int], {2: 4}, "field.key 2: expected a string"),
        (Colour, "r", "field: expected one of the names RED, BLUE, got 'r'"),
        (Literal["a", "b"], "c", "field: expected one of 'a', 'b'"),
        (bool, "true", "field: expected true or false"),
        (Inner, {"sizes": 1}, "field.sizes: unknown field (did you mean `size`?)"),
        (date, "tomorrow", "field: expected `date`, got 'tomorrow'"),
        (Owner, {"pet": {"cat": {"meows": 1}, "lizard": {}}}, "field.pet: expected exactly one of `cat`, `reptile`"),
        (Owner, {"pet": {"octopus": {}}}, "field.pet: expected exactly one of"),
        (Owner, {"pet": {"pet_type": "cat", "meows": 1}}, "(write `{'cat': {...}}`)"),
        (Owner, {"pet": {"cat": {}}}, "field.pet.cat.meows: missing, an integer is needed"),
        (str, EnvVar("A"), 'write {"env": "A"}'),
    ],
)
def test_run_config_that_does_not_fit(annotation, written, message):
    """The path, the expected type and the closest field are in the message."""
    cls = pydantic.create_model("Sample", __base__=Config, field=(annotation, ...))
    with pytest.raises(Exception, match="doesn't fit") as caught:
        built(cls, {"field": written})
    assert message in str(caught.value)


def test_given_fields_are_laid_over_a_nested_default():
    """What run config leaves out of a nested default stays as the default has it."""

    class Middle(Config):
        count: int = 1
        inner: Inner = Inner(name="default", size=5)

    class Outer(Config):
        middle: Middle = Middle(count=7)

    config = built(Outer, {"middle": {"inner": {"size": 6}}})
    assert (config.middle.count, config.middle.inner.name, config.middle.inner.size) == (7, "default", 6)


def test_the_schema_knows_required_fields_and_defaults():
    """`to_fields_dict` gives what a launchpad needs."""

    class Sample(Config):
        a: str
        b: int = 12
        c: str | None = None
        d: Inner
        pet: Cat | Lizard = pydantic.Field(default=Lizard(), discriminator="pet_type", description="a pet")
        made: list[int] = pydantic.Field(default_factory=lambda: [1])

    fields = Sample.to_fields_dict()
    assert [name for name, field in fields.items() if field.is_required] == ["a"]
    assert fields["b"].default_value == 12
    assert fields["pet"].default_value == {"reptile": {"scales": True}}
    assert fields["pet"].description == "a pet"
    assert fields["made"].default_value == [1]
    assert not fields["d"].default_provided


def test_an_alias_is_the_name_in_run_config():
    """A field with an alias is given by it, in Python and in run config."""

    class Sample(Config):
        field_: str = pydantic.Field(alias="field")

    assert built(Sample, {"field": "x"}) == Sample(field="x")
    assert RunConfig(ops={"o": Sample(field="x")}).to_config_dict()["ops"] == {"o": {"config": {"field": "x"}}}


# --------------------------------------------------------------------------------------- environment and secrets


class Connection(Config):
    """A config with each way to be secret."""

    user: str
    password: str
    port: int = EnvVar.int("TEST_PORT")
    token: SecretStr | None = None
    key: str = pydantic.Field("unset-key", json_schema_extra={"dagster__is_secret": True})
    blob: SecretBytes | None = None
    hosts: list[str] = []
    options: dict[str, str] = {}
    nested: Inner | None = None


@pytest.fixture
def secrets(monkeypatch):
    """Set the variables that the tests here read, and return their values."""
    values = {
        "TEST_PASSWORD": "swordfish-1",
        "TEST_PORT": "59999",
        "TEST_HOST": "hidden.example",
        "TEST_NAME": "jane-doe",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


def connection() -> Connection:
    """Return a config that uses them."""
    return Connection(
        user="me",
        password=EnvVar("TEST_PASSWORD"),
        token="literal-token",
        key="literal-key",
        blob=b"literal-blob",
        hosts=["a", EnvVar("TEST_HOST")],
        options={"host": EnvVar("TEST_HOST")},
        nested={"name": EnvVar("TEST_NAME")},
    )


def test_placeholders_stay_until_the_run(secrets):
    """An EnvVar keeps its place, its variable isn't read, and run config names it."""
    config = connection()
    assert config.password == EnvVar("TEST_PASSWORD")
    assert config.nested == Inner(name=EnvVar("TEST_NAME"))
    written = RunConfig(ops={"load": config}).to_config_dict()["ops"]["load"]["config"]
    assert written["password"] == {"env": "TEST_PASSWORD"}
    assert written["port"] == {"env": "TEST_PORT"}
    assert written["hosts"] == ["a", {"env": "TEST_HOST"}]
    assert written["nested"] == {"name": {"env": "TEST_NAME"}, "size": 1}


def test_the_run_gets_the_values(secrets):
    """Placeholders everywhere become values of their fields' types."""
    config = built(Connection, shape_of(Connection).dump(connection(), given_only=True))
    assert (config.password, config.port, config.hosts) == ("swordfish-1", 59999, ["a", "hidden.example"])
    assert (config.options, config.nested) == ({"host": "hidden.example"}, Inner(name="jane-doe"))
    assert config.token.get_secret_value() == "literal-token"


def test_no_repr_shows_a_secret(secrets):
    """Before and after resolution, copied or pickled, and in lists and run config."""
    config = connection()
    resolved = built(Connection, shape_of(Connection).dump(config, given_only=True))
    hidden = [*secrets.values(), "literal-token", "literal-key", "literal-blob"]
    copies = [copy.deepcopy(resolved), pickle.loads(pickle.dumps(resolved)), resolved.model_copy()]
    for shown in [config, resolved, [resolved], *copies, RunConfig(ops={"a": config})]:
        text = repr(shown) + str(shown)
        assert not [secret for secret in hidden if secret in text]
    assert 'password=EnvVar("TEST_PASSWORD")' in repr(resolved)
    assert "token=[secret]" in repr(resolved)
    assert not [secret for secret in hidden if secret in redact(f"{hidden}")]


def test_no_validation_error_shows_a_secret(secrets, monkeypatch):
    """Neither pydantic's text nor ours has the value that was refused."""
    monkeypatch.setenv("TEST_PORT", "not-a-port")
    with pytest.raises(Exception, match="TEST_PORT") as caught:
        built(Connection, {"user": "me", "password": "x"})
    assert "not-a-port" not in str(caught.value)
    with pytest.raises(ValidationError) as refused:
        Connection(user="me", password="x", key=["leaked-key"])
    assert "leaked-key" not in str(refused.value)
    with pytest.raises(Exception, match="got a secret") as mismatch:
        built(Connection, {"user": "me", "password": "x", "port": 1, "key": ["leaked-key"], "token": ["leaked-token"]})
    assert "leaked" not in str(mismatch.value)


def test_a_validator_that_changes_a_secret_hides_the_new_one_too(secrets):
    """What a validator makes of a variable's value is redacted as well."""

    class Loud(Config):
        password: str

        @field_validator("password")
        @classmethod
        def loud(cls, value: str) -> str:
            return value.upper()

    assert built(Loud, {"password": {"env": "TEST_PASSWORD"}}).password == "SWORDFISH-1"
    assert redact("SWORDFISH-1") == "[TEST_PASSWORD]"


def test_the_default_of_a_secret_field_is_hidden_once_it_is_used():
    """Also in a nested model."""

    class Sample(Config):
        key: SecretStr = SecretStr("default-secret-key")

    class Around(Config):
        items: list[Sample] = []

    built(Around, {"items": [{}]})
    assert redact("default-secret-key") == "[secret]"


def test_a_placeholder_stands_for_a_choice_too(monkeypatch):
    """In literals, which tell the members of a union apart, and in enums, numbers and bools."""

    class Choices(Config):
        letter: Literal["a", "b"] = "a"
        alias: Literal[1, 2] = pydantic.Field(1, alias="number")
        colour: Colour = Colour.RED
        on: bool = False
        share: float = 0.0

    for name, text in (("L", "b"), ("N", "2"), ("C", "BLUE"), ("O", "true"), ("S", "0.5")):
        monkeypatch.setenv(f"TEST_{name}", text)
    names = {"letter": "L", "number": "N", "colour": "C", "on": "O", "share": "S"}
    given = Choices(**{field: EnvVar(f"TEST_{name}") for field, name in names.items()})
    assert repr(given.letter) == 'EnvVar("TEST_L")'
    made = built(Choices, shape_of(Choices).dump(given))
    assert (made.letter, made.alias, made.colour, made.on, made.share) == ("b", 2, Colour.BLUE, True, 0.5)
    monkeypatch.setenv("TEST_L", "quite-wrong")
    with pytest.raises(DagsterInvalidConfigError, match="TEST_L") as wrong:
        built(Choices, {"letter": {"env": "TEST_L"}})
    assert "quite-wrong" not in str(wrong.value)


def test_a_validator_that_tells_a_secret_is_heard_without_it():
    """The value of a marked field is known before its validators run, and in what is wrong with other fields."""

    class Guarded(Config):
        key: SecretStr
        size: int = 0

        @field_validator("key")
        @classmethod
        def refuse(cls, key: SecretStr) -> SecretStr:
            raise ValueError(f"no such key: {key.get_secret_value()}")

    with pytest.raises(ValidationError) as refused:
        built(Guarded, {"key": "said-by-a-validator"})
    assert "no such key: [secret]" in str(refused.value)
    assert refused.value.errors()[0]["loc"] == ("key",)
    with pytest.raises(DagsterInvalidConfigError, match=r"got '\[secret\]'"):
        built(Guarded, {"key": "given-twice-over", "size": "given-twice-over"})


def test_data_that_looks_like_a_placeholder_stays_data(secrets):
    """`{"env": ...}` in an untyped field is what the user wrote, an EnvVar there is read."""

    class Sample(Config):
        anything: Any
        mapping: dict[str, str] = {}

    plain = built(Sample, {"anything": {"env": "TEST_HOST"}, "mapping": {"env": "TEST_HOST"}})
    assert plain.anything == plain.mapping == {"env": "TEST_HOST"}
    placed = shape_of(Sample).dump(Sample(anything=[EnvVar("TEST_HOST")]), given_only=True)
    assert built(Sample, placed).anything == ["hidden.example"]


# --------------------------------------------------------------------------------------- run config, configured


def test_run_config_as_data():
    """All parts are there, models are written, entries of dicts may hold models."""

    class Sample(Config):
        colour: Colour = Colour.RED
        nothing: Any = None
        maybe: int | None = None

    config = RunConfig(
        ops={"a": Sample(), "graph": {"ops": {"b": Sample()}}, "c": {"config": Sample()}}, loggers={"l": {}}
    )
    expected = {"config": {"colour": "RED"}}
    assert config.to_config_dict() == {
        "loggers": {"l": {}},
        "resources": {},
        "ops": {"a": expected, "graph": {"ops": {"b": expected}}, "c": expected},
        "execution": {},
    }


def test_none_is_written_where_it_says_something():
    """A field whose default is None is left out where it holds that; op_config and a run have it nevertheless."""

    class Inner(Config):
        maybe: int | None = None

    class Sample(Config):
        required: int | None
        given: str | None = "x"
        first: int | None = None
        one: Inner
        some: list[Inner]
        named: dict[str, Inner]
        pet: Cat | Shy = pydantic.Field(discriminator="pet_type")

    config = Sample(
        required=None,
        given=None,
        one=Inner(),
        some=[Inner(), Inner(maybe=1)],
        named={"a": Inner()},
        pet=Shy(),
    )
    written = RunConfig({"o": config}).to_config_dict()["ops"]["o"]["config"]
    assert written == {
        "required": None,
        "given": None,
        "one": {},
        "some": [{}, {"maybe": 1}],
        "named": {"a": {}},
        "pet": {"shy": {}},
    }
    assert list(shape_of(Sample).filled(written).items()) == [
        ("required", None),
        ("given", None),
        ("first", None),
        ("one", {"maybe": None}),
        ("some", [{"maybe": None}, {"maybe": 1}]),
        ("named", {"a": {"maybe": None}}),
        ("pet", {"shy": {"hides": None}}),
    ]
    assert built(Sample, written) == config
