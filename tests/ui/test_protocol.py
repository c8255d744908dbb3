"""The wire's types: TypeScript is current, and nothing gets in that isn't declared."""

import pytest
from pydantic import ValidationError

from ipy_orch.ui.generate_protocol import PLACE, typescript
from ipy_orch.ui.protocol import MOST_CONFIG, MOST_IDS, Snapshot, Toast, read_command, wire


@pytest.mark.skipif(not PLACE.is_file(), reason="the TypeScript isn't in this tree")
def test_typescript_is_current():
    """What the view was built with is what the kernel speaks: `python -m ipy_orch.ui.generate_protocol` writes it."""
    assert PLACE.read_text(encoding="utf-8") == typescript()


@pytest.mark.parametrize(
    "content",
    [
        None,
        "cancel",
        [],
        {},
        {"kind": "exec", "code": "1/0"},
        {"kind": "cancel", "code": "1/0"},
        {"kind": "details"},
        {"kind": "details", "id": ["a"]},
        {"kind": "details", "id": ""},
        {"kind": "details", "id": "a" * 1001},
        {"kind": "materialize", "ids": ["a"] * (MOST_IDS + 1)},
        {"kind": "materialize", "config": "x" * (MOST_CONFIG + 1)},
        {"kind": "rows", "id": "a", "start": -1, "stop": 5},
        {"kind": "cancel", "request": 2**60},
    ],
)
def test_what_is_no_command_is_refused(content):
    """Unknown kinds and fields, other types, sizes beyond the bounds."""
    with pytest.raises(ValidationError):
        read_command(content)


def test_defaults_are_left_out_on_the_wire():
    """Ten thousand assets are a small message because most of their fields have their defaults."""
    assert wire(Toast(text="x")) == {"kind": "toast", "text": "x"}
    assert wire(Snapshot(version=3)) == {"kind": "snapshot", "version": 3}
