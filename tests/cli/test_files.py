"""Commands on a file or module: what they print, what they remember, how they end."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import LIB, SHOP, call, forget, statuses, told, write_shop


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return a file with two assets and a check."""
    return write_shop(tmp_path)


def test_list(shop: Path) -> None:
    """Assets and checks are listed with their status, and nothing is written."""
    result = call("list", "shop.py")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert ["raw", "missing", "never", "materialized", "ingest"] in lines
    assert ["some", "daily", "not", "run"] in lines
    assert not (shop.parent / ".ipy_orch").exists()


def test_a_second_time_nothing_runs(shop: Path) -> None:
    """What one process has made is fresh in the next."""
    first = call("materialize", "shop.py")
    assert first.exit_code == 0, first.output
    assert [line.partition(" · ")[0] for line in first.output.splitlines()[:3]] == ["✓ raw", "✓ daily", "✓ daily:some"]
    second = told("materialize", "shop.py")
    assert statuses(second) == {"raw": "fresh", "daily": "fresh"}
    assert second["run_id"] is None
    assert "nothing to do: 2 assets fresh" in call("plan", "shop.py").output


def test_an_edit_of_an_imported_module(shop: Path) -> None:
    """What reads a helper of another file is stale when that changes; plan and why say so."""
    told("materialize", "shop.py")
    (shop.parent / "lib.py").write_text(LIB.replace("2 *", "3 *"))
    forget("lib", "shop")
    steps = told("plan", "shop.py")["steps"]
    assert (steps[0]["step"], steps[0]["reason"]) == ("daily", "code changed: lib.double")
    why = call("why", "shop.py", "daily").output
    assert "daily is stale: code changed: lib.double" in why
    assert "    -    return [2 * value for value in values]" in why
    assert "    +    return [3 * value for value in values]" in why
    assert statuses(told("materialize", "shop.py")) == {"raw": "fresh", "daily": "ran"}


def test_a_selection(shop: Path) -> None:
    """Only what is selected runs, and what it needs."""
    assert statuses(told("materialize", "shop.py", "raw")) == {"raw": "ran"}
    assert statuses(told("materialize", "shop.py", "raw", "--force")) == {"raw": "ran"}
    assert [step["step"] for step in told("plan", "shop.py", "+daily")["steps"]][:1] == ["daily"]


def test_a_failing_asset(tmp_path: Path) -> None:
    """The user's frames are shown and none of ours; what is downstream is skipped; it ends with 1."""
    (tmp_path / "bad.py").write_text(
        "from ipy_orch import asset\n\n@asset\ndef raw():\n    return 1 / 0\n\n@asset\ndef daily(raw):\n    ...\n"
    )
    result = call("materialize", "bad.py")
    assert result.exit_code == 1
    assert "✗ raw · failed: ZeroDivisionError: division by zero" in result.output
    assert "– daily · skipped: raw failed" in result.output
    assert "return 1 / 0" in result.output
    assert "ipy_orch/" not in result.output
    again = call("list", "bad.py").output
    assert "failed" in again


def test_a_failing_check(tmp_path: Path, shop: Path) -> None:
    """A check that fails ends with 1, in materialize and in check; a warning doesn't."""
    shop.write_text(SHOP.replace("> 2", "> 5"))
    result = call("materialize", "shop.py")
    assert result.exit_code == 1
    assert "failed checks: daily:some" in result.output
    assert call("check", "shop.py").exit_code == 1
    shop.write_text(SHOP.replace("passed=len(daily) > 2", "passed=False, severity='WARN'"))
    shop.write_text(
        "from ipy_orch import AssetCheckSeverity\n" + SHOP.replace("> 2", "> 5, severity=AssetCheckSeverity.WARN")
    )
    forget("shop")
    assert call("check", "shop.py").exit_code == 0


def test_config(tmp_path: Path) -> None:
    """Run config is YAML; without it the value made with it is stale, and `plan` says so."""
    (tmp_path / "defs.py").write_text(
        "from ipy_orch import Config, asset\n\nclass Limit(Config):\n    n: int = 1\n\n"
        "@asset\ndef raw(config: Limit):\n    return [0] * config.n\n"
    )
    config = "{ops: {raw: {config: {n: 4}}}}"
    assert "✓ raw · 4" in call("materialize", "defs.py", "--config", config).output
    assert told("plan", "defs.py", "--config", config)["steps"] == []
    assert told("plan", "defs.py")["steps"][0]["reason"] == "config changed: n"


def test_partitions(tmp_path: Path) -> None:
    """A partition, or a range of them, is made; those that are there aren't made again."""
    (tmp_path / "defs.py").write_text(
        "from ipy_orch import ScheduleDefinition, StaticPartitionsDefinition, asset, define_asset_job\n\n"
        "@asset(partitions_def=StaticPartitionsDefinition(['a', 'b', 'c']))\ndef raw(context):\n"
        "    return context.partition_key\n\n"
        "job = define_asset_job('nightly', ['raw'])\nnightly = ScheduleDefinition(job=job, cron_schedule='0 1 * * *')\n"
    )
    one = call("materialize", "defs.py", "raw", "--partition", "a").output.splitlines()
    assert [line.partition(" · ")[0] for line in one] == ["✓ raw[a]", "1 ran"]
    steps = told("plan", "defs.py", "raw", "--partition", "a..b")["steps"]
    assert [step["partitions"] for step in steps] == [["b"]]
    missing = call("materialize", "defs.py", "raw", "--partition", "d")
    assert missing.exit_code == 2
    assert "there is no partition `d`" in missing.output
    listed = told("list", "defs.py")
    assert [row["job"] for row in listed["jobs"]] == ["nightly"]
    assert [row["cron"] for row in listed["automations"]] == ["0 1 * * *"]


def test_definitions_of_a_module(tmp_path: Path) -> None:
    """Where a module holds a Definitions, that is what counts, with its resources."""
    package = tmp_path / "src" / "corner"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "assets.py").write_text(
        "from ipy_orch import ConfigurableResource, asset\n\nclass Store(ConfigurableResource):\n    name: str\n\n"
        "@asset\ndef sold(store: Store):\n    return store.name\n\n@asset\ndef unused():\n    return 0\n"
    )
    (package / "definitions.py").write_text(
        "from ipy_orch import Definitions\nfrom corner.assets import Store, sold, unused\n\n"
        "defs = Definitions([sold], resources={'store': Store(name='a')})\n"
    )
    (tmp_path / "pyproject.toml").write_text('[tool.dg.project]\nroot_module = "corner"\n')
    assert statuses(told("materialize")) == {"sold": "ran"}
    assert statuses(told("list", "-m", "corner.definitions")) == {"sold": "fresh"}
    assert (tmp_path / ".ipy_orch").is_dir()


def test_a_file_in_a_package(tmp_path: Path) -> None:
    """A file may import its neighbours relatively."""
    package = tmp_path / "corner"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("START = 5\n")
    (package / "two.py").write_text(
        "from ipy_orch import asset\nfrom .one import START\n\n@asset\ndef n():\n    return START\n"
    )
    assert statuses(told("materialize", "corner/two.py")) == {"n": "ran"}


def test_code_that_can_do_without_dagster(tmp_path: Path) -> None:
    """A module that only tries to import dagster is loaded with ipy_orch."""
    (tmp_path / "either.py").write_text(
        "try:\n    import dagster as dg\nexcept ImportError:\n    import ipy_orch as dg\n\n@dg.asset\ndef n(): ...\n"
    )
    assert statuses(told("list", "either.py")) == {"n": "missing"}


def test_what_a_module_prints(tmp_path: Path) -> None:
    """What an import prints doesn't mix with the answer."""
    (tmp_path / "loud.py").write_text(
        "print('loading')\nfrom ipy_orch import asset\n\n@asset\ndef n():\n    print('x')\n"
    )
    assert statuses(told("materialize", "loud.py")) == {"n": "ran"}


def test_lineage(shop: Path) -> None:
    """The lineage is text, dot, or a page that fetches nothing."""
    assert "└─ ○ daily" in call("lineage", "shop.py").output
    assert call("lineage", "shop.py", "-o", "dot").output.startswith("digraph")
    result = call("lineage", "shop.py", "-o", "lineage.html")
    assert result.exit_code == 0, result.output
    page = (shop.parent / "lineage.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "daily" in page
    assert "default-src 'none'" in page
    assert [row["reads"] for row in told("lineage", "shop.py", "raw+")["assets"]] == [[], ["raw"]]


def test_a_user_s_escapes_are_inert(tmp_path: Path) -> None:
    """Control characters in a description of the user's reach no terminal."""
    (tmp_path / "evil.py").write_text(
        "from ipy_orch import AssetCheckResult, asset, asset_check\n\n@asset\ndef n():\n    return 1\n\n"
        "@asset_check(asset=n)\ndef c(n):\n    return AssetCheckResult(passed=True, description='\\x1b[31mred')\n"
    )
    result = call("materialize", "evil.py")
    assert "red" in result.output
    assert "\x1b" not in result.output


def test_no_control_codes_in_a_pipe(shop: Path) -> None:
    """What isn't a terminal gets plain text, also of the messages."""
    done = subprocess.run(
        [sys.executable, "-m", "ipy_orch.cli", "materialize", "shop.py", "nope"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: there is no asset `nope`")
    assert "\x1b" not in done.stderr + done.stdout


def test_errors_as_json(shop: Path) -> None:
    """With --json a refusal is JSON on stdout, too."""
    result = call("why", "shop.py", "dayly", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["hint"] == "did you mean `daily`?"


def test_a_bug_of_ours_shows_where_with_debug(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that isn't a message is one line; --debug lets it through."""
    from ipy_orch.ui import answers

    monkeypatch.setitem(answers.VERBS, "list", None)
    result = call("list", "shop.py")
    assert result.exit_code == 2
    assert "ipy_orch itself failed: TypeError" in result.output
    assert isinstance(call("list", "shop.py", "--debug").exception, TypeError)


def test_interrupted(tmp_path: Path) -> None:
    """Ctrl-C doesn't wait for a step on another thread; what was finished is kept."""
    (tmp_path / "slow.py").write_text(
        "import time\nfrom ipy_orch import asset\n\n@asset\ndef one():\n    return 1\n\n"
        "@asset\ndef two(one):\n    time.sleep(60)\n"
    )
    shell = [sys.executable, "-u", "-m", "ipy_orch.cli", "materialize", "slow.py", "--workers", "2"]
    process = subprocess.Popen(shell, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("✓ one")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "Error: interrupted: nothing half done is stored\n")
    assert [step["step"] for step in told("plan", "slow.py")["steps"]] == ["two"]


DEPLOYED = """
import os
from ipy_orch import ConfigurableResource, Definitions, asset

class Db(ConfigurableResource):
    url: str

@asset
def where(db: Db):
    return db.url

deployments = {
    "default": {"db": Db(url="dev")},
    "prod": {"db": Db(url="prod"), **{}},
    "not a name": {},
}
defs = Definitions(assets=[where], resources=deployments[os.getenv("DAGSTER_DEPLOYMENT", "default")])
"""


@pytest.mark.parametrize("variable", ["", "prod"])
def test_the_environments_of_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """`--env` names those of a module's dict, whichever the module itself has chosen."""
    if variable:
        monkeypatch.setenv("DAGSTER_DEPLOYMENT", variable)
    else:
        monkeypatch.delenv("DAGSTER_DEPLOYMENT", raising=False)
    (tmp_path / "deployed.py").write_text(DEPLOYED)
    own, other = (variable, "default") if variable else ("default", "prod")
    assert statuses(told("materialize", "deployed.py")) == {"where": "ran"}
    assert told("plan", "deployed.py", "--env", own)["steps"] == []
    (step,) = told("plan", "deployed.py", "--env", other)["steps"]
    assert step["reason"] == "resource config changed: db.url"
    assert statuses(told("materialize", "deployed.py", "--env", other)) == {"where": "ran"}
    assert "there is no environment `nope`" in call("plan", "deployed.py", "--env", "nope").output


def test_keys_among_what_a_check_found(tmp_path: Path) -> None:
    """They are written as everywhere else, as text and as JSON."""
    (tmp_path / "keyed.py").write_text(
        "from ipy_orch import AssetCheckResult, AssetKey, asset, asset_check\n\n@asset\ndef one():\n    return 1\n\n"
        "@asset_check(asset=one)\ndef good():\n"
        "    return AssetCheckResult(passed=True, metadata={'of': AssetKey(['a', 'b']), 'n': 3})\n"
    )
    assert "of=a/b · n=3" in call("check", "keyed.py").output
    assert told("check", "keyed.py")["checks"][0]["metadata"] == {"of": "a/b", "n": 3}
    assert "of=a/b, n=3" in call("list", "keyed.py").output


def test_the_frames_of_an_error(tmp_path: Path) -> None:
    """Of an error that we raise for what a user's function did, the user's frames are shown, and none of ours."""
    (tmp_path / "odd.py").write_text(
        "from ipy_orch import AssetCheckResult, asset, asset_check\n\n@asset\ndef one():\n    return 1\n\n"
        "@asset_check(asset=one)\ndef odd():\n    return AssetCheckResult(passed=True, metadata={'x': object()})\n"
    )
    result = call("materialize", "odd.py")
    assert result.exit_code == 1
    frames = [line for line in result.output.splitlines() if line.startswith("  File ")]
    assert [frame.rpartition(", ")[2] for frame in frames] == ["in odd"]


def test_a_check_that_failed_in_an_earlier_run(shop: Path) -> None:
    """It still counts, as what it looked at is as it was; what it said then is told, and when."""
    shop.write_text(SHOP.replace("> 2", "> 3"))
    assert "✗ daily:some · failed · n=3\n" in call("materialize", "shop.py").output
    result = call("materialize", "shop.py")
    assert result.exit_code == 1
    assert "✗ daily:some · failed in the run of 20" in result.output
    assert " · n=3\n" in result.output
    assert result.output.count("daily:some · failed") == 1


PARTITIONED = """
from ipy_orch import StaticPartitionsDefinition, asset

@asset(partitions_def=StaticPartitionsDefinition(["a", "b"]))
def by_letter():
    return 1
"""


def test_hints_can_be_pasted(tmp_path: Path) -> None:
    """They name the source as the command did, and no magic."""
    (tmp_path / "my parts.py").write_text(PARTITIONED)
    result = call("materialize", "my parts.py", "by_letter")
    assert "hint: `ipy-orch materialize 'my parts.py' by_letter --partition b`" in result.output
    assert "%" not in result.output
    hint = call("why", "my parts.py", "by_letter").output.rpartition("hint: ")[2].strip("`\n")
    assert hint == "ipy-orch materialize 'my parts.py' by_letter --partition b"
    assert call(*shlex.split(hint)[1:]).exit_code == 0
    assert "`ipy-orch list 'my parts.py'` lists them" in call("why", "my parts.py", "x").output
