"""Runs that are told to OpenLineage, in a file and to a server."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.session.notebook import Notebook

CELL = """
import pandas as pd
from ipy_orch import *

class Db(ConfigurableResource):
    password: str

db = Db(password=EnvVar("LINEAGE_PASSWORD"))

@asset
def raw(db: ResourceParam[Db]):
    print(db.password)
    return pd.DataFrame({"id": [1, 2], "name": ["a", "b"]})

@asset_check(asset=raw)
def raw_ok(raw): return bool(len(raw))

@asset
def ids(raw):
    deps = TableColumnLineage({"id": [TableColumnDep("raw", "id")]})
    return MaterializeResult(value=raw[["id"]], metadata={"dagster/column_lineage": deps})

@asset
def broken(ids, db: ResourceParam[Db]): raise ValueError(f"no login with {db.password}")
"""


@pytest.fixture
def notebook(monkeypatch):
    """Return a notebook with a table, a check, column lineage, an error and a secret."""
    monkeypatch.setenv("LINEAGE_PASSWORD", "hunter2-hunter2")
    made = Notebook(run=False)
    made.cell("a", CELL)
    yield made
    made.session.telling.close()


def test_a_run_in_a_file(notebook, tmp_path):
    """Each run and step is told with its assets, their columns, sizes, lineage and checks, and with no secret."""
    file = tmp_path / "lineage.ndjson"
    assert notebook.session.telling.use(str(file)) == ""
    run = notebook.session.materialize().result.run_id
    notebook.session.telling.close()

    text = file.read_text()
    events = [json.loads(line) for line in text.splitlines()]
    told = [(event["eventType"], event["job"]["name"]) for event in events]
    assert [told[0], told[-1]] == [("START", "session"), ("FAIL", "session")]
    ends = {"raw": "COMPLETE", "raw_raw_ok": "COMPLETE", "ids": "COMPLETE", "broken": "FAIL"}
    steps = {(state, f"session.{name}") for name, end in ends.items() for state in ("START", end)}
    assert sorted(told[1:-1]) == sorted(steps)
    ended = {event["job"]["name"]: event for event in events if event["eventType"] != "START"}
    assert ended["session.raw"]["run"]["facets"]["parent"]["run"]["runId"] == run
    (raw,) = ended["session.raw"]["outputs"]
    assert [one["name"] for one in raw["facets"]["schema"]["fields"]] == ["id", "name"]
    assert raw["outputFacets"]["outputStatistics"]["rowCount"] == 2
    assert [one["name"] for one in ended["session.ids"]["inputs"]] == ["raw"]
    (ids,) = ended["session.ids"]["outputs"]
    assert ids["facets"]["columnLineage"]["fields"]["id"]["inputFields"][0]["name"] == "raw"
    (checked,) = ended["session.raw_raw_ok"]["outputs"]
    assert checked["facets"]["dataQualityAssertions"]["assertions"][0]["success"] is True
    assert "no login with [LINEAGE_PASSWORD]" in ended["session.broken"]["run"]["facets"]["errorMessage"]["message"]
    assert "hunter2" not in text


def test_a_server(notebook):
    """A server gets the events; one that is away costs the run nothing but a line of the log."""
    got = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args): ...

    server = HTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    assert notebook.session.telling.use(f"http://127.0.0.1:{server.server_port}") == ""
    notebook.session.materialize("ids")
    notebook.session.telling.close()
    server.shutdown()
    thread.join()
    server.server_close()
    assert [event["eventType"] for event in got if event["job"]["name"] == "session.ids"] == ["START", "COMPLETE"]


def test_nothing_is_told_unasked(notebook):
    """Without a setting and without OpenLineage's variables nothing is sent."""
    assert notebook.session.telling.emitter is None


def test_a_setting_that_cannot_be(tmp_path, monkeypatch):
    """A client that can't be made is told in one message, and the session goes on."""
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "nothing")
    with pytest.warns(UserWarning, match="OpenLineage's client can't be made"):
        notebook = Notebook(run=False)
    notebook.cell("a", "from ipy_orch import asset\n@asset\ndef a(): return 1")
    assert notebook.value("a") == 1
