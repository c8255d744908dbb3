"""SQL on a connection, state that is fetched once, files to begin with, schemas for forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ipy_orch import (
    AssetSpec,
    Component,
    ComponentFormConfig,
    ComponentTypeSpec,
    Definitions,
    FunctionComponent,
    Model,
    Resolvable,
    Scaffolder,
    ScaffoldRequest,
    StateBackedComponent,
    TemplatedSqlComponent,
    component_defs,
    materialize,
    scaffold_component,
    scaffold_with,
)
from ipy_orch.components import DefsStateConfig, DefsStateConfigArgs
from ipy_orch.components.testing import copy_code_to_file, create_defs_folder_sandbox, scaffold_defs_sandbox
from ipy_orch.errors import CheckError, DagsterInvalidDefinitionError


class Client:
    """Keep what it was told to run."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def connect_and_execute(self, sql: str) -> None:
        """Run it."""
        self.ran.append(sql)


def test_sql_runs_on_a_connection() -> None:
    """Its own templates are filled in when it runs, not when it is loaded."""
    client = Client()
    made = TemplatedSqlComponent(
        assets=[AssetSpec("totals")],
        connection=client,
        sql_template="create table {{ name }} as select {{ context.run_id is string }}",
        sql_template_vars={"name": "totals"},
    )
    defs = component_defs(component=made)
    assert materialize(defs.assets).success
    assert client.ran == ["create table totals as select True"]
    assert defs.assets[0].op.name == "sql__totals"


def test_sql_can_stand_in_a_file() -> None:
    """From the folder of the YAML; its templates aren't those of the YAML."""
    with create_defs_folder_sandbox() as sandbox:
        folder = sandbox.scaffold_component(
            TemplatedSqlComponent,
            "sql",
            defs_yaml_contents={
                "type": "dagster.TemplatedSqlComponent",
                "attributes": {
                    "connection": "{{ load_component('warehouse') }}",
                    "sql_template": {"path": "totals.sql"},
                    "sql_template_vars": {"limit": 3},
                    "assets": [{"key": "totals"}],
                },
            },
        )
        (folder / "totals.sql").write_text("select {{ limit }}")
        (sandbox.defs_folder_path / "warehouse").mkdir()
        (sandbox.defs_folder_path / "warehouse" / "component.py").write_text(
            "from ipy_orch import Component, Definitions, component_instance\n"
            "class Warehouse(Component):\n"
            "    ran = []\n"
            "    def connect_and_execute(self, sql):\n"
            "        self.ran.append(sql)\n"
            "    def build_defs(self, context):\n"
            "        return Definitions()\n"
            "@component_instance\n"
            "def warehouse(context) -> Warehouse:\n"
            "    return Warehouse()\n"
        )
        with sandbox.load_component_and_build_defs(folder) as (component, defs):
            assert materialize(defs.assets).success
            assert component.connection.ran == ["select 3"]


class Remote(StateBackedComponent, Model, Resolvable):
    names: list[str]

    @property
    def defs_state_config(self) -> DefsStateConfig:
        return DefsStateConfig.from_args(DefsStateConfigArgs(), default_key="remote/1")

    async def write_state_to_path(self, state_path: Path) -> None:
        state_path.write_text(",".join(self.names))  # noqa: ASYNC240 - a small file

    def build_defs_from_state(self, context: Any, state_path: Path | None) -> Definitions:
        names = state_path.read_text().split(",") if state_path is not None else []
        return Definitions([AssetSpec(name) for name in names])


def test_state_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And again when that is asked for."""
    monkeypatch.chdir(tmp_path)
    first, second = Remote(names=["a", "b"]), Remote(names=["c"])
    assert len(component_defs(component=first).assets) == 2
    assert len(component_defs(component=second).assets) == 2
    assert second.refresh_state(tmp_path) == "remote/1"
    assert len(component_defs(component=second).assets) == 1


def test_files_to_begin_with() -> None:
    """A YAML or a module; a type may have a scaffolder of its own."""

    class Params(Model):
        name: str

    class Own(Scaffolder[Params]):
        @classmethod
        def get_scaffold_params(cls) -> type[Params]:
            return Params

        def scaffold(self, request: ScaffoldRequest[Params]) -> None:
            scaffold_component(request, {"name": request.params.name})

    @scaffold_with(Own)
    class Report(Component, Model, Resolvable):
        name: str

        def build_defs(self, context: Any) -> Definitions:
            return Definitions([AssetSpec(self.name)])

    with scaffold_defs_sandbox(component_cls=Report, scaffold_params={"name": "day"}) as sandbox:
        assert "name: day" in (sandbox.defs_folder_path / "defs.yaml").read_text()
    with create_defs_folder_sandbox() as made:
        folder = made.scaffold_component(FunctionComponent, "python", scaffold_format="python")
        assert "import FunctionComponent" in (folder / "component.py").read_text()


def test_code_can_be_copied(tmp_path: Path) -> None:
    """The body of a function becomes a module."""

    def code() -> None:
        def add(a: int) -> int:
            return a + 1

    copy_code_to_file(code, tmp_path / "m.py")
    scope: dict[str, Any] = {}
    exec((tmp_path / "m.py").read_text(), scope)
    assert scope["add"](1) == 2


def test_functions_get_resources_and_config() -> None:
    """A parameter that is neither is refused."""
    made = FunctionComponent(execution=lambda context, rows: None, assets=[AssetSpec("a")])
    with pytest.raises(DagsterInvalidDefinitionError, match="`rows`"):
        component_defs(component=made)
    with pytest.raises(DagsterInvalidDefinitionError, match="neither assets nor checks"):
        component_defs(component=FunctionComponent(execution=lambda context: None))


def test_a_type_says_what_it_is() -> None:
    """For people, and for forms."""
    with pytest.raises(CheckError, match="bogus"):
        ComponentTypeSpec(produces=["asset", "bogus"])

    class Report(Component, Model, Resolvable):
        """A report."""

        name: str = "x"

        def build_defs(self, context: Any) -> Definitions:
            return Definitions()

    assert Report.get_description() == "A report."
    extra = ComponentFormConfig(label="Name", multiline=True, hidden=False).to_field_json_schema_extra()
    assert extra == {"ui:widget": "textarea", "ui:label": "Name", "ui:hidden": False}
