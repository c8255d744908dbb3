"""Run config from YAML: files, texts, files in packages; later ones are laid over earlier ones."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from functools import reduce
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from ipy_orch.errors import CheckError, DagsterInvariantViolationError
from ipy_orch.model.config.fields import overlay

__all__ = ["config_from_files", "config_from_pkg_resources", "config_from_yaml_strings", "file_relative_path"]


def config_from_files(config_files: Sequence[str]) -> dict[str, Any]:
    """Return the run config in YAML files.

    Args:
        config_files: paths, or patterns such as ``config/*.yaml``.

    Raises:
        DagsterInvariantViolationError: when a pattern finds no file, or one isn't YAML.
        CheckError: when one holds something else than fields.
    """
    return merged((path, Path(path).read_text(encoding="utf-8")) for pattern in config_files for path in found(pattern))


def found(pattern: str) -> list[str]:
    """Return the files that a pattern finds.

    Raises:
        DagsterInvariantViolationError: when there's none.
    """
    paths = sorted(glob.glob(pattern))  # noqa: PTH207 - the pattern may be absolute
    if not paths:
        raise DagsterInvariantViolationError(f"`{pattern}` finds no file", hint=f"now in `{Path.cwd()}`")
    return paths


def config_from_yaml_strings(yaml_strings: Sequence[str]) -> dict[str, Any]:
    """Return the run config in YAML texts.

    Raises:
        DagsterInvariantViolationError: when one isn't YAML.
        CheckError: when one holds something else than fields.

    Example:
        >>> config_from_yaml_strings(["ops: {a: {config: {size: 1}}}", "ops: {a: {config: {text: x}}}"])
        {'ops': {'a': {'config': {'size': 1, 'text': 'x'}}}}
    """
    return merged((f"text {number}", text) for number, text in enumerate(yaml_strings, 1))


def config_from_pkg_resources(pkg_resource_defs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the run config in YAML files that lie in packages.

    Args:
        pkg_resource_defs: package and file, ``[("my_package", "dev.yaml")]``.

    Raises:
        DagsterInvariantViolationError: when there's no such package or file, or one isn't YAML.
        CheckError: when one holds something else than fields.
    """
    return merged((f"{package}: {name}", text_in(package, name)) for package, name in pkg_resource_defs)


def text_in(package: str, name: str) -> str:
    """Return the text of a file in a package.

    Raises:
        DagsterInvariantViolationError: when there's no such package or file.
    """
    try:
        return resources.files(package).joinpath(name).read_text(encoding="utf-8")
    except (ImportError, OSError, UnicodeDecodeError) as error:
        raise DagsterInvariantViolationError(f"`{name}` in the package `{package}` can't be read: {error}") from error


def merged(texts: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the fields in named texts, later ones laid over earlier ones."""
    empty: dict[str, Any] = {}
    return reduce(overlay, (parsed(name, text) for name, text in texts), empty)


def parsed(name: str, text: str) -> dict[str, Any]:
    """Return the fields in a text.

    Raises:
        DagsterInvariantViolationError: when it isn't YAML.
        CheckError: when it holds something else than fields.
    """
    try:
        fields = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DagsterInvariantViolationError(f"`{name}` isn't YAML: {error}") from error
    if not isinstance(fields, dict):
        raise CheckError(f"`{name}` holds `{type(fields).__name__}`, not fields")
    return fields


def file_relative_path(dunderfile: str, relative_path: str) -> str:
    """Return the absolute path of a file beside a module.

    Args:
        dunderfile: ``__file__`` of the module.

    Example:
        >>> file_relative_path("/project/jobs.py", "../config/dev.yaml")
        '/config/dev.yaml'
    """
    return os.path.abspath(os.path.join(os.path.dirname(dunderfile), relative_path))  # noqa: PTH100, PTH118, PTH120
