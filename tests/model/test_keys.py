"""Names of assets and of checks."""

from __future__ import annotations

import dagster
import pytest

import ipy_orch
from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError, DagsterInvariantViolationError
from ipy_orch.model.keys import AssetCheckKey, AssetKey, FrozenList, valid_name

TRICKY = [
    ["a"],
    ["a", "b"],
    ["a/b"],
    ["a\\", "b"],
    ["a\\", "/b"],
    ["a\\/b"],
    ["a", "b\\c"],
    ["a\\\\", "b"],
    ["a", "", "b"],
]


def test_a_string_is_one_part():
    """A string isn't split, as in Dagster; from_user_string splits."""
    assert AssetKey("a/b").path == ["a/b"]
    assert AssetKey.from_coercible("a/b") == AssetKey(["a/b"])
    assert AssetKey.from_user_string("a/b") == AssetKey(["a", "b"])


@pytest.mark.parametrize("path", TRICKY)
def test_user_strings_go_round(path):
    """The spelling of a key reads back as the key, whatever its parts hold."""
    key = AssetKey(path)
    assert AssetKey.from_user_string(key.to_user_string()) == key
    assert AssetKey.from_db_string(key.to_string()) == key


def test_user_strings_are_distinct():
    """No two keys are spelled alike."""
    assert len({AssetKey(path).to_user_string() for path in TRICKY}) == len(TRICKY)


def test_keys_are_values():
    """Equal paths are equal keys with equal hashes, and keys are ordered."""
    assert AssetKey("a") == AssetKey(["a"])
    assert hash(AssetKey("a")) == hash(AssetKey(("a",)))
    assert AssetKey("a") != "a"
    assert sorted([AssetKey("b"), AssetKey(["a", "c"]), AssetKey("a")]) == [
        AssetKey("a"),
        AssetKey(["a", "c"]),
        AssetKey("b"),
    ]


@pytest.mark.parametrize("path", [1, None, [], ["a", 1]])
def test_other_types_are_refused(path):
    """A key is a string or a sequence of strings."""
    with pytest.raises(CheckError):
        AssetKey(path)


def test_keys_are_not_sequences():
    """A key that is taken for a list of keys is an error, not a list of letters."""
    with pytest.raises(TypeError):
        list(AssetKey("orders"))
    with pytest.raises(TypeError):
        AssetKey("orders")[0]


def test_prefixes():
    """A prefix is a string or a sequence."""
    assert AssetKey("a").with_prefix("p") == AssetKey(["p", "a"])
    assert AssetKey("a").with_prefix(["p", "q"]) == AssetKey(["p", "q", "a"])
    assert AssetKey(["p", "a"]).has_prefix(["p"])
    assert not AssetKey(["p", "a"]).has_prefix(["a"])
    with pytest.raises(TypeError):
        AssetKey("a").with_prefix(1)


def test_identifiers():
    """A key has a name that Python accepts."""
    assert AssetKey(["a-b.c", "d"]).to_python_identifier() == "a_b_c__d"
    assert AssetKey("a").to_python_identifier("x") == "a__x"


def test_check_keys():
    """A check is spelled `asset:check`."""
    key = AssetCheckKey(AssetKey(["sales", "orders"]), "unique")
    assert key.label == key.to_user_string() == "sales/orders:unique"
    assert AssetCheckKey.from_user_string("sales/orders:unique") == key
    assert key.with_asset_key_prefix("p").asset_key == AssetKey(["p", "sales", "orders"])
    assert key.replace_asset_key(AssetKey("a")) == AssetCheckKey(AssetKey("a"), "unique")
    with pytest.raises(DagsterInvariantViolationError):
        AssetCheckKey.from_user_string("orders")


def test_keys_are_printed_as_dagsters_are() -> None:
    """Code that formats a key gives the same text under both libraries."""
    for lib in (dagster, ipy_orch):
        key = lib.AssetKey(["sales", "orders"])
        assert f"{key}" == str(key) == "AssetKey(['sales', 'orders'])"
        check = lib.AssetCheckKey(key, "unique")
        assert str(check) == "AssetCheckKey(asset_key=AssetKey(['sales', 'orders']), name='unique')"


def test_frozen_lists_equal_lists():
    """Where Dagster has a list, ours is a tuple that equals it, and hashes."""
    row = FrozenList(["a"])
    assert row == ["a"] == row
    assert row == ("a",)
    assert row != ["b"]
    assert {row: 1}[FrozenList(["a"])] == 1


def test_a_frozen_list_adds_up_to_a_list() -> None:
    """What Dagster code does with the lists of specs and keys can be done with ours."""
    key = AssetKey(["a", "b"])
    for made in (key.path + ["c"], [*key.path[:1], "b"] + ["c"], ["a"] + key.path[1:] + ["c"]):  # noqa: RUF005
        assert made == ["a", "b", "c"]
        assert isinstance(made, list)
    assert key.path[:-1] == ["a"]
    assert key.path + key.path == ["a", "b", "a", "b"]
    assert key.path + ("c",) == ("c", *key.path)[1:] + ("c",)  # noqa: RUF005
    assert {key.path[:1]: 1}["a",] == 1
    with pytest.raises(TypeError):
        key.path + "c"


def test_valid_names():
    """A name that can't be one is refused with one that can."""
    assert valid_name("a_1") == "a_1"
    with pytest.raises(DagsterInvalidDefinitionError, match="hint: `my_name`"):
        valid_name("my-name")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("caf\u00e9 1", "`cafe_1`"),
        ("\u0434\u0430_2", "`orders_2`"),
        ("\u0434\u0430", "`orders_2`"),
        ("--", "`orders_2`"),
    ],
)
def test_names_of_other_letters(name, hint):
    """A name that has no letters of A to Z to go by is refused with an example, and with what is allowed."""
    with pytest.raises(DagsterInvalidDefinitionError, match="only the letters A to Z, digits and") as error:
        valid_name(name)
    assert error.value.hint == hint
