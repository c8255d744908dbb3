"""Templates: what they stand for, and what they can't reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ipy_orch.authoring.components.context import ResolutionContext
from ipy_orch.authoring.components.templates import default_scope, rendered
from ipy_orch.errors import ResolutionException
from ipy_orch.model.env import redact


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ limit }}", 3),
        ("{{ limit + 1 }}", 4),
        ("a{{ limit }}", "a3"),
        ("{{ limit }}{{ limit }}", "33"),
        ("{{ names }}", ["a", "b"]),
        ("{{ names | join('-') }}", "a-b"),
        ("{{ '5' }}", "5"),
        ("{% if limit > 2 %}many{% endif %}", "many"),
        ("plain {text}", "plain {text}"),
        ("{{ twice('x') }}", "xx"),
    ],
)
def test_a_template_stands_for_a_value(text: str, value: Any) -> None:
    """The object itself where it is all there is; nothing is guessed from how text looks."""
    context = ResolutionContext(scope={"limit": 3, "names": ["a", "b"], "twice": lambda text: text * 2})
    assert context.resolve_value(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "{{ ().__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{{ place.__init__.__globals__ }}",
        "{{ place._private }}",
        "{{ function.__code__ }}",
        "{{ function.__globals__ }}",
        "{{ module.system('echo no') }}",
        "{{ holder.os.system('echo no') }}",
        "{{ dg.errors }}",
        "{{ dg.__builtins__ }}",
        "{{ datetime.sys }}",
        "{{ env.__class__ }}",
        "{{ '{0.__class__}'.format(place) }}",
        "{{ place['__class__'] }}",
        "{{ names.append(1) }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ lipsum.__globals__ }}",
        "{% for a in range(10000000) %}{% endfor %}",
    ],
)
def test_a_template_leaves_the_sandbox_nowhere(text: str) -> None:
    """No dunder, no module, no inside of a function, no change of a value."""
    import os

    class Holder:
        def __init__(self) -> None:
            self.os = os

    scope = {
        **default_scope(),
        "place": Path(),
        "function": test_a_template_stands_for_a_value,
        "module": os,
        "holder": Holder(),
        "names": [],
    }
    with pytest.raises(ResolutionException):
        rendered(text, scope)


def test_a_name_that_is_not_there_is_told_with_the_closest() -> None:
    """And where it stands."""
    with pytest.raises(ResolutionException, match="nmes") as caught:
        rendered("{{ nmes }}", {"names": 1})
    assert caught.value.hint == "did you mean `names`?"


def test_environment_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, by call, with a default; what they hold is a secret from then on."""
    monkeypatch.setenv("SHOP_TOKEN", "hunter2222")
    scope = default_scope()
    assert rendered("{{ env.SHOP_TOKEN }}", scope) == rendered("{{ env('SHOP_TOKEN') }}", scope) == "hunter2222"
    assert rendered("{{ env('NO_SUCH_VARIABLE', 'x') }}", scope) == "x"
    assert "hunter2222" not in redact("token hunter2222")
    with pytest.raises(ResolutionException, match="SHOP_TOKE") as caught:
        rendered("{{ env.SHOP_TOKE }}", scope)
    assert "SHOP_TOKEN" in caught.value.hint
    with pytest.raises(ResolutionException, match="items"):
        rendered("{{ env['SHOP_TOKEN'] }}", scope)


def test_the_framework_can_be_used() -> None:
    """Objects of the definitions, and times."""
    scope = default_scope()
    assert rendered("{{ dg.AssetKey(['a', 'b']) }}", scope).label == "a/b"
    assert rendered("{{ datetime.timedelta(days=2) }}", scope).days == 2
