"""The code of Dagster's documents about resources, unchanged but for the import, against a real server.

The samples call ``https://my-api.com``. They find it here as they would behind a company's firewall: ``HTTPS_PROXY``
names a proxy and ``REQUESTS_CA_BUNDLE`` whom it trusts; this proxy is the site itself, with a certificate in its name.
Nothing of ``requests`` or of the samples is replaced.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

import ipy_orch
from tests.session.notebook import Notebook

WITH_ASSETS = """
from dagster import asset, Definitions, ConfigurableResource
import requests
from requests import Response

class MyConnectionResource(ConfigurableResource):
    username: str

    def request(self, endpoint: str) -> Response:
        return requests.get(
            f"https://my-api.com/{endpoint}",
            headers={"user-agent": "dagster"},
        )

@asset
def data_from_service(my_conn: MyConnectionResource) -> Dict[str, Any]:
    return my_conn.request("/fetch_data").json()

defs = Definitions(
    assets=[data_from_service],
    resources={
        "my_conn": MyConnectionResource(username="my_user"),
    },
)
"""
WITH_JOBS = """
from dagster import Definitions, job, op, ConfigurableResource
import requests
from requests import Response

class MyConnectionResource(ConfigurableResource):
    username: str

    def request(self, endpoint: str) -> Response:
        return requests.get(
            f"https://my-api.com/{endpoint}",
            headers={"user-agent": "dagster"},
        )

@op
def update_service(my_conn: MyConnectionResource):
    my_conn.request("/update")

@job
def update_service_job():
    update_service()

defs = Definitions(
    jobs=[update_service_job],
    resources={
        "my_conn": MyConnectionResource(username="my_user"),
    },
)
"""
IMPORTS = "from typing import Any, Dict"  # the document leaves them out


@dataclass
class Site:
    """The server, and what was asked of it: path and user agent."""

    server: ThreadingHTTPServer
    asked: list[tuple[str, str]] = field(default_factory=list)


class Pages(BaseHTTPRequestHandler):
    """Answer with JSON."""

    def do_GET(self) -> None:
        self.server.site.asked.append((self.path, self.headers["user-agent"]))  # type: ignore[attr-defined]
        body = json.dumps({"path": self.path}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Print nothing."""


class Tunnel(Pages):
    """Be the proxy: where a tunnel to the site is asked for, the site's own TLS begins."""

    def do_CONNECT(self) -> None:
        assert self.path == "my-api.com:443"
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        context = self.server.context  # type: ignore[attr-defined]
        with context.wrap_socket(self.connection, server_side=True, suppress_ragged_eofs=True) as secure:
            Pages(secure, self.client_address, self.server)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Run the server, and tell the environment of it."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("my-api.com").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "trusted.pem"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tunnel)
    server.site, server.context = Site(server), context  # type: ignore[attr-defined]
    for name in ("NO_PROXY", "no_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "trusted.pem"))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.site  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ours(sample: str) -> str:
    """Return a sample with its import changed, and nothing else."""
    changed = sample.replace("from dagster import", "from ipy_orch import")
    assert changed.count("ipy_orch") == 1
    return f"{IMPORTS}\n{changed}"


def run(sample: str) -> dict[str, Any]:
    """Run a sample as a module."""
    namespace: dict[str, Any] = {"__name__": "sample"}
    exec(compile(ours(sample), "sample.py", "exec", dont_inherit=True), namespace)
    return namespace


def test_with_asset_definitions(site: Site) -> None:
    """The asset is what the service answered."""
    defs = run(WITH_ASSETS)["defs"]
    result = defs.resolve_implicit_global_asset_job_def().execute_in_process()
    assert result.success
    assert result.asset_value("data_from_service") == {"path": "/fetch_data"}
    assert site.asked == [("/fetch_data", "dagster")]


def test_with_asset_definitions_in_a_notebook(site: Site) -> None:
    """The same text in a cell: the resource is recognised where `Definitions` names it."""
    notebook = Notebook()
    notebook.cell("sample", ours(WITH_ASSETS))
    assert notebook.value("data_from_service") == {"path": "/fetch_data"}
    assert notebook.session.resources().loc[("my_conn", "username"), "used by"] == "data_from_service"
    notebook.cell("sample", ours(WITH_ASSETS).replace("my_user", "another"))
    reason = notebook.session.assets().loc["data_from_service", "reason"]
    assert reason == "resource config changed: my_conn.username"


def test_with_jobs(site: Site) -> None:
    """The job's op calls the service."""
    defs = run(WITH_JOBS)["defs"]
    assert defs.resolve_job_def("update_service_job").execute_in_process().success
    assert site.asked == [("/update", "dagster")]


def test_the_relevant_apis() -> None:
    """The names in the table of "External resources" are there."""
    names = {
        "ConfigurableResource",
        "ResourceParam",
        "ResourceDefinition",
        "InitResourceContext",
        "build_init_resource_context",
        "build_resources",
        "with_resources",
    }
    assert names <= set(ipy_orch.__all__)
