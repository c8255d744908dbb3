"""Config of several values of one type, or of a value that may be None."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ipy_orch.model.config.findings import Findings, Path
from ipy_orch.model.config.types import ConfigPart, ConfigType, config_type, env_form, masked, part_of

__all__ = ["Array", "Map", "Noneable", "ScalarUnion"]


class Noneable(ConfigType):
    """Accept None or a value of another type."""

    def __init__(self, inner_type: Any) -> None:
        self.inner_type = config_type(inner_type)
        self.holds_models, self.overlays = self.inner_type.holds_models, self.inner_type.overlays
        self.expected, self.label = f"{self.inner_type.expected} or None", f"{self.inner_type.label} | None"

    def check(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form."""
        return None if value is None else self.inner_type.check(value, at, findings)

    def dump(self, value: Any, *, given_only: bool = False) -> Any:
        """Return the written form."""
        return None if value is None else self.inner_type.dump(value, given_only=given_only)

    def admit(self, value: Any) -> Any:
        """Return what pydantic shall validate."""
        return None if value is None else self.inner_type.admit(value)

    def full(self, checked: Any) -> Any:
        """Return the value with its defaults."""
        return None if checked is None else self.inner_type.full(checked)

    def value(self, checked: Any) -> Any:
        """Return what user code gets."""
        return None if checked is None else self.inner_type.value(checked)

    def filled(self, written: Any) -> Any:
        """Return the written value with its defaults."""
        return None if written is None else self.inner_type.filled(written)

    def implicit(self) -> Any:
        """Return the written value that stands for one left out, or MISSING."""
        return None

    def parts(self, checked: Any, name: str) -> Iterator[ConfigPart]:
        """Yield the entries for a recipe."""
        yield from [part_of(name, None)] if checked is None else self.inner_type.parts(checked, name)


class Array(ConfigType):
    """Accept a list whose items are of one type."""

    def __init__(self, inner_type: Any) -> None:
        self.inner_type = config_type(inner_type)
        self.holds_models = self.inner_type.holds_models
        self.expected, self.label = "a list", f"list[{self.inner_type.label}]"

    def check(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form."""
        if not isinstance(value, list | tuple):
            findings.mismatch(at, f"a list ({self.label})", value)
            return value
        return [self.inner_type.check(item, (*at, index), findings) for index, item in enumerate(value)]

    def dump(self, value: Any, *, given_only: bool = False) -> Any:
        """Return the written form."""
        if not isinstance(value, list | tuple):
            return env_form(value)
        return [self.inner_type.dump(item, given_only=given_only) for item in value]

    def admit(self, value: Any) -> Any:
        """Return what pydantic shall validate."""
        return [self.inner_type.admit(item) for item in value] if type(value) is list else value

    def full(self, checked: Any) -> Any:
        """Return the value with its defaults."""
        return [self.inner_type.full(item) for item in checked]

    def filled(self, written: Any) -> Any:
        """Return the written value with its defaults."""
        return [self.inner_type.filled(item) for item in written] if type(written) is list else written

    def parts(self, checked: Any, name: str) -> Iterator[ConfigPart]:
        """Yield the entries for a recipe."""
        yield from merged_parts(
            name, checked, self.inner_type, {f"{name}[{i}]": item for i, item in enumerate(checked)}
        )


class Map(ConfigType):
    """Accept a mapping whose keys are of one type and whose values are of another."""

    def __init__(self, key_type: Any, inner_type: Any, key_label_name: str | None = None) -> None:
        self.key_type, self.inner_type, self.key_label_name = (
            config_type(key_type),
            config_type(inner_type),
            key_label_name,
        )
        self.holds_models = self.inner_type.holds_models
        self.expected, self.label = "a mapping", f"dict[{self.key_type.label}, {self.inner_type.label}]"

    def check(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form."""
        if not isinstance(value, Mapping):
            findings.mismatch(at, f"a mapping ({self.label})", value)
            return value
        return {
            self.key_type.check(key, (*at, f"key {key!r}"), findings): self.inner_type.check(
                item, (*at, str(key)), findings
            )
            for key, item in value.items()
        }

    def dump(self, value: Any, *, given_only: bool = False) -> Any:
        """Return the written form."""
        if not isinstance(value, Mapping):
            return env_form(value)
        return {
            self.key_type.dump(key): self.inner_type.dump(item, given_only=given_only) for key, item in value.items()
        }

    def admit(self, value: Any) -> Any:
        """Return what pydantic shall validate."""
        if type(value) is not dict:
            return value
        return {self.key_type.admit(key): self.inner_type.admit(item) for key, item in value.items()}

    def full(self, checked: Any) -> Any:
        """Return the value with its defaults."""
        return {key: self.inner_type.full(item) for key, item in checked.items()}

    def filled(self, written: Any) -> Any:
        """Return the written value with its defaults."""
        if type(written) is not dict or not self.inner_type.holds_models:
            return written
        return {key: self.inner_type.filled(item) for key, item in written.items()}

    def parts(self, checked: Any, name: str) -> Iterator[ConfigPart]:
        """Yield the entries for a recipe."""
        yield from merged_parts(
            name, checked, self.inner_type, {f"{name}.{key}": item for key, item in checked.items()}
        )


def merged_parts(name: str, checked: Any, kind: ConfigType, items: Mapping[str, Any]) -> Iterator[ConfigPart]:
    """Yield one entry for a container of plain values, else the entries of its items."""
    parts = [part for path, item in items.items() for part in kind.parts(item, path)]
    if [part[0] for part in parts] == list(items) and not any(map(masked, parts)):
        yield part_of(name, checked)
    else:
        yield from parts


class ScalarUnion(ConfigType):
    """Accept a plain value of one type, or anything of a type that isn't plain."""

    def __init__(self, scalar_type: Any, non_scalar_schema: Any) -> None:
        self.scalar_type, self.non_scalar_type = config_type(scalar_type), config_type(non_scalar_schema)
        self.expected = f"{self.scalar_type.expected} or {self.non_scalar_type.expected}"
        self.label = f"{self.scalar_type.label} | {self.non_scalar_type.label}"

    def check(self, value: Any, at: Path, findings: Findings) -> Any:
        """Return the checked form."""
        chosen = self.non_scalar_type if isinstance(value, Mapping | list) else self.scalar_type
        return chosen.check(value, at, findings)
