"""Schedules and sensors in an exported module: which variables hold them, what they need, and what dagster says."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipy_orch.errors import DagsterInvalidDefinitionError
from tests.export.notebooks import Notebook, run_clean

ASSET = "#| asset: orders\n1"


def test_a_list_is_named_with_a_star_and_helpers_come_along() -> None:
    """A helper that a function reads stands above it; the job that a schedule brings isn't named twice."""
    text = Notebook(
        "from ipy_orch import RunRequest, define_asset_job, schedule, sensor",
        ASSET,
        "def key(number):\n    return f'key {number}'",
        "@sensor(target='orders')\ndef look():\n    return RunRequest(run_key=key(1))",
        "load = lambda: define_asset_job('load', 'orders')",
        "both = [schedule('@daily', job=load(), name=name)(lambda: {}) for name in 'a']",
        "scratch = 1",
    ).export()
    assert "def key(number):" in text
    assert "schedules=[*both]" in text
    assert "sensors=[look]" in text
    assert "jobs=" not in text
    assert "scratch" not in text


def test_schedules_and_sensors_in_one_list_are_refused() -> None:
    """A module lists them apart."""
    notebook = Notebook(
        "from ipy_orch import schedule, sensor",
        ASSET,
        "all_of_them = [sensor(target='orders', name='s')(lambda: None),"
        " schedule('@daily', target='orders', name='d')(lambda: {})]",
    )
    with pytest.raises(DagsterInvalidDefinitionError, match="which a module lists apart"):
        notebook.export()


def test_dagster_validates_a_module_with_every_kind(tmp_path: Path) -> None:
    """Its own command line says so."""
    notebook = Notebook(
        "from ipy_orch import (AssetKey, ConfigurableResource, DagsterRunStatus, DailyPartitionsDefinition, RunRequest,"
        " ScheduleDefinition, asset, asset_sensor, build_schedule_from_partitioned_job, define_asset_job,"
        " multi_asset_sensor, run_failure_sensor, run_status_sensor, schedule, sensor)",
        ASSET,
        "days = DailyPartitionsDefinition('2024-01-01')",
        "@asset(partitions_def=days)\ndef sales():\n    return 1",
        "by_day = define_asset_job('by_day', 'sales')",
        "follows = build_schedule_from_partitioned_job(by_day, hour_of_day=3)",
        "class Bucket(ConfigurableResource):\n    name: str\n\nbucket = Bucket(name='in')",
        "load = define_asset_job('load', 'orders')\nnightly = ScheduleDefinition(job=load, cron_schedule='0 3 * * *')",
        "@sensor(job=load)\ndef arrivals(bucket: Bucket):\n    return RunRequest(run_key=bucket.name)",
        "@asset_sensor(AssetKey('orders'), job=load)\ndef after(context, asset_event):\n    return RunRequest()",
        "@multi_asset_sensor([AssetKey('orders')], job=load)\ndef several(context):\n    return RunRequest()",
        "@run_failure_sensor\ndef failed(context):\n    print(context.failure_event.message)",
        "@run_status_sensor(DagsterRunStatus.SUCCESS, request_job=load)\ndef done(context):\n    return RunRequest()",
    )
    notebook.write(tmp_path / "definitions.py")
    code = (
        "import subprocess, sys; done = subprocess.run([sys.executable, '-m', 'dagster', 'definitions', 'validate',"
        " '-f', 'definitions.py'], capture_output=True, text=True); print(done.returncode, done.stderr[-2000:])"
    )
    told = run_clean(code, tmp_path)
    assert told.startswith("0"), told
    names = "from definitions import defs; r = defs.get_repository_def();"
    names += "print(sorted(s.name for s in r.schedule_defs), sorted(s.name for s in r.sensor_defs))"
    assert run_clean(names, tmp_path).strip() == (
        "['by_day_schedule', 'load_schedule'] ['after', 'arrivals', 'done', 'failed', 'several']"
    )
