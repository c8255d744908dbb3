"""Run config from YAML."""

from __future__ import annotations

import pytest

from ipy_orch.authoring.config_files import (
    config_from_files,
    config_from_pkg_resources,
    config_from_yaml_strings,
    file_relative_path,
)
from ipy_orch.errors import CheckError, DagsterInvariantViolationError


def test_later_files_are_laid_over_earlier_ones(tmp_path):
    """By name and by pattern, in the order of names."""
    (tmp_path / "a.yaml").write_text("ops: {x: {config: {size: 1, text: t}}}")
    (tmp_path / "b.yaml").write_text("ops: {x: {config: {size: 2}}, y: {}}")
    both = {"ops": {"x": {"config": {"size": 2, "text": "t"}}, "y": {}}}
    assert config_from_files([f"{tmp_path}/*.yaml"]) == both
    assert config_from_files([str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")]) == both
    assert config_from_yaml_strings([]) == {}


def test_files_in_packages_are_found(tmp_path, monkeypatch):
    """Beside the package's modules."""
    package = tmp_path / "some_package_with_config"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "dev.yaml").write_text("a: 1")
    monkeypatch.syspath_prepend(tmp_path)
    assert config_from_pkg_resources([("some_package_with_config", "dev.yaml")]) == {"a": 1}
    for missing in (("some_package_with_config", "prod.yaml"), ("no_such_package_anywhere", "dev.yaml")):
        with pytest.raises(DagsterInvariantViolationError, match=missing[1]):
            config_from_pkg_resources([missing])


def test_what_can_not_be_run_config_is_refused(tmp_path):
    """No file, no YAML, no fields."""
    with pytest.raises(DagsterInvariantViolationError, match="finds no file"):
        config_from_files([f"{tmp_path}/*.yaml"])
    with pytest.raises(DagsterInvariantViolationError, match="text 2"):
        config_from_yaml_strings(["a: 1", "a: [b"])
    with pytest.raises(CheckError, match="list"):
        config_from_yaml_strings(["- 1"])


def test_a_path_beside_a_module(tmp_path):
    """Absolute, with the dots taken out."""
    assert file_relative_path(str(tmp_path / "jobs.py"), "../x.yaml") == str(tmp_path.parent / "x.yaml")
