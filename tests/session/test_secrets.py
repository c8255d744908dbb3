"""A secret never shows: its value is in nothing that comes out of a session, also as a part of something longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.session.notebook import Notebook

SECRET = "s3cr3t-Token-9f8e7d"
RESOURCE = """
from pydantic import SecretStr
from ipy_orch import AssetCheckResult, ConfigurableResource, EnvVar, MaterializeResult, asset
class Shop(ConfigurableResource):
    token: str
    key: SecretStr = SecretStr("other-secret-55aa")
    def url(self):
        return f"https://user:{self.token}@shop/{self.key.get_secret_value()}"
shop = Shop(token=EnvVar("SHOP_TOKEN"))
def boom(text):
    raise ValueError("no " + text)
"""


@pytest.fixture
def nb(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """Return a notebook whose assets and checks give the secret away in every way they can."""
    monkeypatch.setenv("SHOP_TOKEN", SECRET)
    notebook = Notebook()
    notebook.cell("r", RESOURCE)
    told = "print(shop.url())\ncontext.log.info(shop.url())\ncontext.add_output_metadata({'url': shop.url()})\n1"
    notebook.cell("a", f"%%asset a\n{told}")
    notebook.cell("k", "%%asset_check a k\nFalse, {'where': [shop.url()]}")
    notebook.cell("j", "%%asset_check a j\nAssetCheckResult(passed=True, description=shop.url())")
    notebook.cell("m", "%%asset m\nMaterializeResult(value=2, metadata={'d': {'url': shop.url()}}, tags={})")
    notebook.cell("b", "%%asset b\nboom(shop.url())")
    return notebook


def outlets(nb: Notebook, tmp_path: Path) -> dict[str, str]:
    """Return all that a session says, by where it says it."""
    session = nb.session
    exported = session.export(tmp_path / "definitions.py")
    failed = session.materialize("b")
    return {
        "report": str(failed),
        "log": repr(list(session.log)),
        "assets": session.assets().to_csv(),
        "checks": session.checks().to_csv(),
        "runs": session.runs().to_csv(),
        "events": session.events().to_csv(),
        "why": str(session.why("a")),
        "lineage": session.lineage().text + (session.lineage().svg or ""),
        "resource": repr(nb.namespace["shop"]) + str(nb.namespace["shop"]),
        "opened": repr(session.open("a")),
        "ledger": repr(vars(session.ledger)),
        "module": Path(exported).read_text(),
    }


def test_a_secret_never_shows(nb: Notebook, tmp_path: Path) -> None:
    """Neither that of the environment nor that of a field that is marked."""
    for where, text in outlets(nb, tmp_path).items():
        assert SECRET not in text, where
        assert "other-secret-55aa" not in text or where == "module", where  # the cell itself says that one


def test_the_name_shows_instead(nb: Notebook) -> None:
    """So that one knows which secret it was."""
    made = next(event for event in nb.session.log if event.kind == "materialized")
    assert "SHOP_TOKEN" in made.materialization.metadata["url"].value


def test_a_version_holds_the_name_of_a_secret_and_not_its_value(nb: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another token is the same recipe; another variable isn't."""
    monkeypatch.setenv("SHOP_TOKEN", "another-token-123")
    assert nb.session.materialize("a").materialized == []
    nb.cell("r", RESOURCE.replace("SHOP_TOKEN", "OTHER_TOKEN"))
    monkeypatch.setenv("OTHER_TOKEN", "another-token-456")
    assert [key.label for key in nb.session.materialize("a").materialized] == ["a"]
