"""Twenty-odd secrets of different kinds are planted in a notebook, which runs, fails, exports and is saved.

Then every byte that came out of the kernel is searched for all of them. Nothing in the notebook's text holds one: they
come from the environment, as they should. What a person prints himself is his, so no cell prints one.
"""

from __future__ import annotations

import html
import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

import nbformat
import pytest
from nbclient import NotebookClient

KINDS = {
    "IN_RESOURCE": "an EnvVar in a field of a resource",
    "AS_NUMBER": "an EnvVar.int",
    "IN_DEFAULT": "an EnvVar as the default of an asset's config",
    "IN_LIST": "an EnvVar in a list",
    "IN_DICT": "an EnvVar in a dict",
    "IN_MODEL": "an EnvVar in a nested Config",
    "IN_NESTED": "an EnvVar in a nested resource",
    "IN_IO": "an EnvVar in an IO manager's config",
    "IN_YAML": "an environment variable named in run config",
    "IN_LAUNCH": "an environment variable named in the run config of a resource",
    "IN_PROD": "an EnvVar in a resource of another environment",
    "SECRET_STR": "a SecretStr in a resource",
    "SECRET_BYTES": "a SecretBytes in a resource",
    "SECRET_LIST": "a list of SecretStr",
    "SECRET_CONFIG": "a SecretStr in an asset's config",
    "MARKED": "a field marked as secret",
    "IN_URL": "a password with special characters, in a URL",
    "PEM": "a key of several lines",
    "IN_VALIDATOR": "a value that a validator of the user's repeats in its error",
    "IN_SETUP": "a value in the error of a resource that can't be set up",
    "IN_TEARDOWN": "a value in the error of a resource that can't be torn down",
    "IN_WRITER": "a value in the error of an IO manager",
    "IN_CAUSE": "a value in the cause, the notes and the arguments of an exception",
    "IN_FUNCTION": "the config of a resource that is a function",
}
EVERYTHING = """
told = [*shop.everything(), config.default, config.yaml, config.secret.get_secret_value(), of_function]
context.log.info(" ".join(told))
logging.getLogger("a library").warning("logged %s", told)
warnings.warn(f"careful: {told}")
thread = threading.Thread(target=print, args=told)
thread.start()
thread.join()
context.add_output_metadata({"list": told, "text": told[0], "md": MetadataValue.md(" ".join(told)), "j": {"k": [told]},
                             "url": MetadataValue.url(f"https://x?key={told[0]}"), "repr": repr(config)})
pd.DataFrame({"told": told})
"""
CELLS = {
    "load": "%load_ext ipy_orch",
    "classes": """
import logging, os, threading, warnings
from urllib.parse import quote
import pandas as pd
from pydantic import Field, SecretBytes, SecretStr, field_validator
import ipy_orch
from ipy_orch import (AssetCheckResult, Config, ConfigurableIOManager, ConfigurableResource, EnvVar, MaterializeResult,
                      MetadataValue, asset, asset_check, resource)

session = ipy_orch.session()

class Login(Config):
    password: str

class Inner(ConfigurableResource):
    token: str

class Shop(ConfigurableResource):
    token: str
    number: int
    hosts: list[str]
    by_name: dict[str, str]
    login: Login
    inner: Inner
    url: str
    pem: str
    launch: str
    key: SecretStr = SecretStr(os.environ["SECRET_STR"])
    raw: SecretBytes = SecretBytes(os.environ["SECRET_BYTES"].encode())
    keys: list[SecretStr] = []
    marked: str = Field(default=os.environ["MARKED"], json_schema_extra={"dagster__is_secret": True})

    def everything(self):
        return [self.token, str(self.number), *self.hosts, *self.by_name.values(), self.login.password,
                self.inner.token, self.launch, f"postgresql://me:{quote(self.url, safe='')}@host/db", self.url,
                self.pem, self.key.get_secret_value(), self.raw.get_secret_value().decode(), self.marked,
                *(key.get_secret_value() for key in self.keys)]

class Fussy(ConfigurableResource):
    value: str
    @field_validator("value")
    @classmethod
    def check(cls, value):
        if not isinstance(value, EnvVar):
            raise ValueError(f"I don't like {value}")
        return value

class Bad(ConfigurableResource):
    value: str
    def setup_for_execution(self, context):
        raise OSError(f"can't connect to http://me:{self.value}@host")

class Leaky(ConfigurableResource):
    value: str
    def setup_for_execution(self, context):
        print("connecting to", self.value)
    def teardown_after_execution(self, context):
        raise OSError(f"can't disconnect from {self.value}")

class Shelf(ConfigurableIOManager):
    value: str
    def handle_output(self, context, obj):
        context.add_output_metadata({"where": self.value})
        context.log.info(f"stored at {self.value}")
        print("storing", self.value)
        os.kept = obj
    def load_input(self, context):
        print("loading", self.value)
        return os.kept

class Broken(ConfigurableIOManager):
    value: str
    def handle_output(self, context, obj):
        raise OSError(f"can't write to {self.value}")
    def load_input(self, context):
        raise OSError(f"can't read from {self.value}")

class Odd(Exception):
    def __init__(self, value):
        super().__init__({"value": value}, [value])
        self.value = value
    def __str__(self):
        return f"odd: {self.value}"

class Settings(Config):
    default: str = EnvVar("IN_DEFAULT")
    yaml: str = "none"
    secret: SecretStr = SecretStr(os.environ["SECRET_CONFIG"])

@resource(config_schema={"value": str})
def function(context):
    return context.resource_config["value"]
""",
    "resources": """
inner = Inner(token=EnvVar("IN_NESTED"))
shop = Shop.configure_at_launch(
    token=EnvVar("IN_RESOURCE"), number=EnvVar.int("AS_NUMBER"), hosts=[EnvVar("IN_LIST"), "plain"],
    by_name={"a": EnvVar("IN_DICT")}, login=Login(password=EnvVar("IN_MODEL")), inner=inner, url=EnvVar("IN_URL"),
    pem=EnvVar("PEM"), keys=[SecretStr(os.environ["SECRET_LIST"])])
shelf, broken = Shelf(value=EnvVar("IN_IO")), Broken(value=EnvVar("IN_WRITER"))
fussy, bad = Fussy(value=EnvVar("IN_VALIDATOR")), Bad(value=EnvVar("IN_SETUP"))
leaky, cause = Leaky(value=EnvVar("IN_TEARDOWN")), Inner(token=EnvVar("IN_CAUSE"))
of_function = function.configured({"value": {"env": "IN_FUNCTION"}})
session.environment("prod", {"inner": Inner(token=EnvVar("IN_PROD"))})
""",
    "everything": "%%asset everything --config Settings --no-run" + EVERYTHING,
    "run": "%%materialize everything\nops:\n  everything:\n    config: {yaml: {env: IN_YAML}}\n"
    "resources:\n  shop:\n    config: {launch: {env: IN_LAUNCH}}",
    "value": "%%asset everything --config Settings" + EVERYTHING,
    "check": "%%asset_check everything told\nAssetCheckResult(passed=False, description=' '.join(shop.everything()),\n"
    "                 metadata={'all': shop.everything(), 'repr': repr(shop)})",
    "result": "%%asset result --no-run\n"
    "MaterializeResult(value=shop.everything(), metadata={'d': {'url': shop.everything()}}, tags={})",
    "result_run": "%materialize result",
    "kept": "%%asset kept --io-manager shelf\nleaky.value + shop.token",
    "kept_read": "%%asset kept_read\nlen(kept)",
    "kept_value": "_ = session.value('kept')",
    "prod": "%%asset nested --no-run\ninner.token",
    "prod_run": "%materialize nested --env prod",
    "prod_use": "%use prod\n%materialize nested\n%use default",
    "fail": "%%asset fail\nif True:\n    raise ValueError('no ' + ' '.join(shop.everything()))\n1",
    "fail_cause": """%%asset fail_cause
try:
    raise KeyError({"password": cause.token})
except KeyError as error:
    error.add_note(f"noted: {cause.token}")
    wrong = Odd(cause.token)
    wrong.add_note(f"noted: {cause.token}")
    raise wrong from error
1""",
    "fail_local": "%%asset fail_local\npassword = shop.token\n1 / 0",
    "fail_setup": "%%asset fail_setup\nbad.value",
    "fail_validator": "%%asset fail_validator\nfussy.value",
    "fail_writer": "%%asset fail_writer --io-manager broken\n1",
    "fail_check": "%%asset_check everything fails\nif True:\n    raise RuntimeError(shop.everything())\nTrue",
    "fail_config": "%%materialize everything\nops:\n  everything:\n    config: {limit: {env: IN_YAML}}",
    "decorated": "@asset\ndef decorated(shop: Shop):\n    raise RuntimeError(repr(shop.everything()))",
    "shown": "shop, shelf, inner, bad, Settings(), session.open('kept'), of_function",
    "shown_2": "[shelf]",
    "why": "%why everything",
    "resources_table": "%resources",
    "schema": "%config_schema everything",
    "assets": "%assets",
    "checks": "%checks",
    "runs": "%runs",
    "events": "%events",
    "lineage": "%lineage",
    "verbose": "%xmode Verbose",
    "fail_verbose": "%%asset fail_verbose\nvalue = shop.everything()\nint('no ' + shop.token)",
    "tb": "%tb",
    "export": "%export module.py",
    "fail_export_dagster": "%export refused.py --for dagster",
    "export_dagster": """
from ipy_orch.export.module import export_module
_ = open("module_dagster.py", "w").write(export_module(session.scan(), session.book, globals(), target="dagster"))
""",
    "dump": """
tables = [session.assets(), session.checks(), session.runs(), session.events(), session.resources(),
          session.resources(env="prod")]
told = [repr(list(session.log)), repr(vars(session.ledger)), repr(session.history.runs), repr(session.run_config),
        repr(session.environments.configs), *map(str, tables), *(one.to_csv() for one in tables),
        *(one._repr_html_() for one in tables), *(str(session.why(name)) for name in session.assets().index),
        *(str(session.config_schema(name)) for name in session.assets().index), repr(session.plan(force=True)),
        session.lineage().svg or "", session.lineage().text, repr(session.definitions()), repr(session.scan())]
_ = open("dump.txt", "w").write("\\n".join(told))
""",
}
FAILS = {name for name in CELLS if name.startswith("fail")} | {"decorated", "tb"}


def planted() -> dict[str, str]:
    """Return a value for each kind, new each time."""
    values = {name: f"{name.lower()}-{secrets.token_hex(8)}" for name in KINDS}
    lines = "\n".join(secrets.token_hex(32) for _ in range(3))
    special = f"p@ss/{secrets.token_hex(4)}<&>'\"%#é {secrets.token_hex(4)}"
    number = str(secrets.randbelow(9 * 10**9) + 10**9)
    return {**values, "AS_NUMBER": number, "IN_URL": special, "PEM": f"-----BEGIN KEY-----\n{lines}\n-----END KEY-----"}


@dataclass
class Outcome:
    """What came out: by place, as text; and the notebook with its outputs."""

    values: Mapping[str, str]
    places: Mapping[str, str]
    cells: Mapping[str, nbformat.NotebookNode]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Run and save the notebook, and read all that it left behind."""
    values, folder = planted(), tmp_path_factory.mktemp("secrets")
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(text.lstrip("\n"), id=name) for name, text in CELLS.items()]
    client = NotebookClient(
        notebook, timeout=100, allow_errors=True, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    with (folder / "kernel.log").open("w") as log:
        client.execute(env={**os.environ, **values}, stdout=log, stderr=log)
    nbformat.write(notebook, folder / "saved.ipynb")
    homes = [Path(os.environ[name]) for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR")]
    files = [path for place in (folder, *homes) for path in place.rglob("*") if path.is_file()]
    places = {path.name: path.read_bytes().decode("utf-8", "replace") for path in files}
    return Outcome(values, places, {cell.id: cell for cell in notebook.cells})


def spellings(value: str) -> set[str]:
    """Return a value as texts may hold it; of several lines each one."""
    lines = [line for line in value.splitlines() if "-----" not in line]
    forms = {html.escape(value), html.escape(value, quote=False)}
    forms |= {quote(value, safe=""), quote_plus(value), quote(value)}
    forms |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1], value, *lines}
    return forms | {json.dumps(form)[1:-1] for form in forms}


def errors_of(cell: nbformat.NotebookNode) -> str:
    """Return the errors of a cell as text without colours."""
    texts = ["\n".join(one.get("traceback", [])) + str(one.get("text", "")) for one in cell.outputs]
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(texts))


def has_failed(cell: nbformat.NotebookNode) -> bool:
    """Tell whether a cell has an error, or was told that something is typed wrongly."""
    return any(one.output_type == "error" or "UsageError" in one.get("text", "") for one in cell.outputs)


def test_each_cell_did_what_it_should(outcome: Outcome) -> None:
    """A secret that never got anywhere can't leak: the cells ran, and those that should fail failed."""
    failed = {name for name, cell in outcome.cells.items() if has_failed(cell)}
    wrong = {name: errors_of(outcome.cells[name]) for name in failed ^ FAILS}
    assert not wrong, next(iter(wrong.items()))
    assert "assets" in outcome.places["module.py"]
    assert {"saved.ipynb", "dump.txt", "module.py", "module_dagster.py", "kernel.log"} <= outcome.places.keys()


def test_what_dagster_could_not_load_is_refused(outcome: Outcome) -> None:
    """The error says what to write instead, and no file is left."""
    told = errors_of(outcome.cells["fail_export_dagster"])
    assert "in a list or a dict: give IN_LIST a field of its own" in told
    assert "refused.py" not in outcome.places


@pytest.mark.parametrize("kind", KINDS)
def test_a_secret_is_in_no_byte_that_came_out(outcome: Outcome, kind: str) -> None:
    """Not in outputs, tables, tracebacks, logs, metadata, events, exports, nor in the saved notebook."""
    for place, text in outcome.places.items():
        for form in spellings(outcome.values[kind]):
            before, found, after = text.partition(form)
            assert not found, f"{KINDS[kind]}: in {place}: …{before[-300:]}<HERE>{after[:80]}"


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"SECRET_STR", "SECRET_BYTES", "SECRET_LIST", "SECRET_CONFIG"}))
def test_its_name_is_there_instead(outcome: Outcome, kind: str) -> None:
    """So that one knows which secret it was, and that it was there at all."""
    marks = [f"[{kind}]", f'EnvVar("{kind}")', f'EnvVar.int("{kind}")', f"environment {kind}"]
    said = outcome.places["dump.txt"] + "".join(map(errors_of, outcome.cells.values()))
    assert any(mark in said for mark in marks) or kind == "MARKED"
    assert "[secret]" in said


def test_what_is_beside_a_secret_stays(outcome: Outcome) -> None:
    """A word in the same list as a secret is a word, and the types of a display are not text."""
    assert "'plain'" in outcome.places["dump.txt"]
    value = next(one.data for one in outcome.cells["value"].outputs if one.output_type == "display_data")
    assert {"text/plain", "text/html"} <= value.keys()
    assert "[IN_URL]" in value["text/html"]
