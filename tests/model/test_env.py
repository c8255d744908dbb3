"""EnvVar placeholders, and the redaction of what they and secret fields stood for."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

from ipy_orch.model.env import EnvVar, Secrets, holds_placeholder, redact
from ipy_orch.model.metadata.value import MetadataValue


def test_an_env_var_reads_its_variable_when_asked(monkeypatch):
    """`get_value` gives the value, or the default of a variable that isn't set."""
    monkeypatch.setenv("A_STR", "foo")
    monkeypatch.setenv("AN_INT", "55")
    assert EnvVar("A_STR").get_value() == "foo"
    assert EnvVar.int("AN_INT").get_value() == 55
    assert EnvVar("NOT_SET_AT_ALL").get_value() is None
    assert EnvVar.int("NOT_SET_AT_ALL").get_value(default=3) == 3


def test_an_integer_variable_with_other_text_says_so_without_the_text(monkeypatch):
    """The message names what is wrong, never the value."""
    monkeypatch.setenv("AN_INT", "swordfish")
    with pytest.raises(ValueError) as caught:
        EnvVar.int("AN_INT").get_value()
    assert "swordfish" not in str(caught.value)


@pytest.mark.parametrize("use", [str, print, "{}".format, lambda placeholder: f"{placeholder}"])
@pytest.mark.parametrize("placeholder", [EnvVar("A"), EnvVar.int("A")], ids=["text", "integer"])
def test_a_placeholder_has_no_text(placeholder, use):
    """Using a placeholder as the text it stands for is refused."""
    with pytest.raises(RuntimeError, match="EnvVar"):
        use(placeholder)


def test_a_placeholder_is_a_value():
    """It shows its name, equals another of its name, and survives copying and pickling."""
    assert repr(EnvVar("A")) == 'EnvVar("A")'
    assert EnvVar.int("A") == EnvVar.int("A") != EnvVar.int("B")
    for placeholder in (EnvVar("A"), EnvVar.int("A")):
        assert repr(copy.deepcopy(placeholder)) == repr(placeholder)
        assert repr(pickle.loads(pickle.dumps(placeholder))) == repr(placeholder)
    assert holds_placeholder([{"a": EnvVar("A")}])
    assert not holds_placeholder(["A"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("hunter2!", "login hunter2! ok"),
        ("p@ss/word", "postgresql://me:p%40ss%2Fword@host/db"),
        ("a b&c d", "?token=a+b%26c+d"),
        ('say "hi"', r'{"password": "say \"hi\""}'),
        ("<secret>", "<td>&lt;secret&gt;</td>"),
        ("line\nbreak", r"'line\nbreak'"),
        ("-----BEGIN KEY-----\nabcdefghij\n-----END KEY-----", "one line only: abcdefghij"),
        ("ünïcode", r'"\u00fcn\u00efcode"'),
        (b"bytes-secret", "bytes-secret"),
        (54321, "port 54321"),
        ({"inner": ["deep-secret"]}, "deep-secret"),
    ],
)
def test_a_secret_is_found_however_it_is_written(value, text):
    """Plain, in a URL, in JSON, by repr, in HTML, line by line, as a number, in a container."""
    secrets = Secrets()
    secrets.add(value, "NAME")
    redacted = secrets.redact(text)
    assert "[NAME]" in redacted
    assert str(value) not in redacted


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("url://me:correct-hor...", "url://me:[NAME]..."),
        ("['correct-horse-bat…, 1]", "['[NAME]…, 1]"),
        ("Db(...rse-battery', 2)", "Db(...[NAME]', 2)"),
        ("a ... b … correctly ... battery", "a ... b … correctly ... battery"),
        ("corr... tery", "corr... tery"),
    ],
)
def test_what_is_left_of_a_secret_that_was_cut_off(text, redacted):
    """A table or a repr shortens before anything can be replaced; six characters are enough to know a secret by."""
    secrets = Secrets()
    secrets.add("correct-horse-battery", "NAME")
    assert secrets.redact(text) == redacted


def test_what_is_too_common_stays():
    """Short values, plain words and parts of longer numbers aren't replaced."""
    secrets = Secrets()
    for value in ("abc", "true", "5432", "", None):
        secrets.add(value, "NAME")
    assert secrets.redact("abc true 154321") == "abc true 154321"
    assert secrets.redact("localhost:5432") == "localhost:[NAME]"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("postgresql://me:dsn-pass@host:5432/db", "auth failed for dsn-pass"),
        ("postgresql://me:dsn%20pa%2Fss@host/db", "auth failed for dsn pa/ss (dsn%20pa%2Fss)"),
        ("redis://:dsn-pass@host/0", "AUTH dsn-pass"),
        ("amqp://u:dsn-pass@a,amqp://u:other-pass@b", "dsn-pass, other-pass"),
        ("jdbc:postgresql://host/db?user=me&password=dsn-pass", "dsn-pass"),
        ("host=h password='dsn-pass' dbname=d", "dsn-pass"),
        ("Server=h;Uid=me;Pwd=dsn-pass;", "dsn-pass"),
    ],
)
def test_the_password_in_a_url_is_a_secret_too(value, told):
    """As a library takes it out of there; the rest of the URL isn't secret by itself, nor is a very short password."""
    secrets = Secrets()
    secrets.add(value, "DSN")
    redacted = secrets.redact(f"{told} as me at host")
    assert not re.search("pass|pa/ss|%", redacted.replace("password", ""))
    assert redacted.endswith("[DSN] as me at host") or "([DSN]) as me at host" in redacted
    secrets.add("mysql://root:root@host/db", "LOCAL")
    assert secrets.redact("root") == "root"


def test_the_longest_is_replaced_first():
    """A secret that contains another one leaves nothing of itself behind."""
    secrets = Secrets()
    secrets.add("pass", "SHORT")
    secrets.add("password-of-mine", "LONG")
    assert secrets.redact("password-of-mine, pass") == "[LONG], [SHORT]"


def test_secrets_in_data_are_replaced_too():
    """`redact_all` reaches the strings of metadata and keeps what isn't text."""
    secrets = Secrets()
    secrets.add("swordfish")
    assert secrets.redact_all({"url": ["x:swordfish@y", 3]}) == {"url": ["x:[secret]@y", 3]}
    path = MetadataValue.path("md:?token=swordfish")  # its argument isn't named like its field
    assert secrets.redact_all({"p": path}) == {"p": MetadataValue.path("md:?token=[secret]")}
    assert secrets.redact_all({"u": MetadataValue.url("x:swordfish@y")}) == {"u": MetadataValue.url("x:[secret]@y")}
    same = MetadataValue.text("nothing")
    assert secrets.redact_all(same) is same


def test_every_value_read_in_this_process_is_redacted(monkeypatch):
    """The process-wide `redact` knows what was read."""
    monkeypatch.setenv("WAREHOUSE_PASSWORD", "correct-horse-battery")
    assert redact("correct-horse-battery") == "correct-horse-battery"
    EnvVar("WAREHOUSE_PASSWORD").get_value()
    assert redact("jdbc://u:correct-horse-battery@h") == "jdbc://u:[WAREHOUSE_PASSWORD]@h"
