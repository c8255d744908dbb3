"""``{{ ... }}`` in attributes, by Jinja in its sandbox: a whole-field template keeps the object that it stands for."""

from __future__ import annotations

import datetime as dt
import importlib
import os
from collections.abc import Mapping
from functools import cache
from types import FunctionType, MappingProxyType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from ipy_orch.errors import ResolutionException, closest
from ipy_orch.model.env import read_variable

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

__all__ = ["Template", "default_scope", "is_template", "rendered"]

MARKS: Final = ("{{", "{%", "{#")
HINT: Final = "env('NAME', 'default') says what to take where it isn't set"


def is_template(text: Any) -> bool:
    """Tell whether a value is text with a template in it."""
    return isinstance(text, str) and any(mark in text for mark in MARKS)


def rendered(text: str, scope: Mapping[str, Any]) -> Any:
    """Return what a template stands for: the object itself where it is all there is, else text.

    Raises:
        ResolutionException: when it can't be read, names what isn't in the scope, or what it calls raises.

    Example:
        >>> rendered("{{ limit }}", {"limit": 3}), rendered("a{{ limit }}", {"limit": 3})
        (3, 'a3')
    """
    return Template(text)(scope)


class Template:
    """Be a text with templates in it.

    Raises:
        ResolutionException: when it can't be read.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def __call__(self, scope: Mapping[str, Any]) -> Any:
        """Return what it stands for in a scope."""
        from jinja2 import TemplateError, UndefinedError

        environment = sandbox()
        try:
            if (inner := only_expression(self.text)) is not None:
                found: Any = environment.compile_expression(inner, undefined_to_none=False)(**scope)
                if isinstance(found, environment.undefined):
                    str(found)  # raises, with the name
                return found
            return environment.from_string(self.text).render(**scope)
        except UndefinedError as error:
            raise undefined(self.text, str(error), scope) from None
        except ResolutionException:
            raise
        except TemplateError as error:
            raise ResolutionException(f"the template `{self.text}` can't be used: {error.message}") from error
        except Exception as error:
            told = f"the template `{self.text}` raised {type(error).__name__}: {error}"
            raise ResolutionException(told) from error


def undefined(text: str, told: str, scope: Mapping[str, Any]) -> ResolutionException:
    """Return the error of a name that isn't there."""
    name = told.split("'")[1] if told.startswith("'") else ""
    known = [one for one in scope if not one.startswith("_")]
    hint = closest(name, known) or f"known here: {', '.join(map('`{}`'.format, sorted(known)))}"
    return ResolutionException(f"the template `{text}` reads what isn't there: {told}", hint=hint)


def only_expression(text: str) -> str | None:
    """Return the inside of a text that is one ``{{ ... }}`` and nothing else.

    >>> only_expression("{{ a }}"), only_expression("{{ a }}-{{ b }}"), only_expression("x{{ a }}")
    (' a ', None, None)
    """
    if not (text.startswith("{{") and text.endswith("}}")):
        return None
    tokens = [kind for _, kind, _ in sandbox().lex(text) if kind != "whitespace"]
    return text[2:-2].strip("-+") if tokens.count("variable_begin") == 1 and tokens[-1] == "variable_end" else None


@cache
def sandbox() -> SandboxedEnvironment:
    """Return the environment of all templates, which lets none leave what it was given."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Closed(ImmutableSandboxedEnvironment):
        """Besides what starts with ``_``, modules and the insides of functions are out of reach."""

        def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
            if isinstance(value, ModuleType) or isinstance(obj, ModuleType | FunctionType | MethodType):
                return False
            return super().is_safe_attribute(obj, attr, value)

        def is_safe_callable(self, obj: Any) -> bool:
            return not isinstance(obj, ModuleType) and super().is_safe_callable(obj)

        def getattr(self, obj: Any, attribute: str) -> Any:
            return obj(attribute) if isinstance(obj, EnvScope) else super().getattr(obj, attribute)

    return Closed(undefined=StrictUndefined, autoescape=False)


# -- what each template can use ---------------------------------------------------------------------------------------


class EnvScope:
    """Be ``env``: environment variables by ``env.NAME`` or ``env('NAME', default)``; their values are secrets.

    >>> rendered("{{ env('NO_SUCH', 4) }}", default_scope())
    4
    """

    def __call__(self, name: str, *default: Any) -> Any:
        """Return a variable, or the default."""
        found = read_variable(name, None)
        if found is not None:
            return found
        if default:
            return default[0]
        raise unset(name)

    def __getitem__(self, name: str) -> str:
        raise ResolutionException(f"`env` has no items, so `env['{name}']` can't be read", hint=f"env.{name}")


def unset(name: str) -> ResolutionException:
    """Return the error of an environment variable that isn't set."""
    near = closest(name, os.environ)
    return ResolutionException(
        f"the environment variable `{name}` isn't set", hint="; ".join(filter(None, (near, HINT)))
    )


class NameScope:
    """Give the public names of a module, and nothing that they hang on.

    Args:
        home: the name of the module.
        names: those that are given; its ``__all__`` by default.
    """

    def __init__(self, home: str, names: tuple[str, ...] = ()) -> None:
        self._home, self._names = home, names

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        module = importlib.import_module(self._home)
        known = self._names or tuple(module.__all__)
        found = getattr(module, name, None) if name in known else None
        if found is None or isinstance(found, ModuleType):
            raise ResolutionException(f"`{self._home}` has no `{name}`", hint=closest(name, known))
        return found


class ConditionScope:
    """Be ``automation_condition``: the constructors of AutomationCondition."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(NameScope("ipy_orch").AutomationCondition, name)


def default_scope() -> Mapping[str, Any]:
    """Return the names that each template can use."""
    return MappingProxyType(
        {
            "env": EnvScope(),
            "dg": NameScope("ipy_orch"),
            "datetime": NameScope(dt.__name__, ("date", "datetime", "time", "timedelta", "timezone")),
            "automation_condition": ConditionScope(),
        }
    )
