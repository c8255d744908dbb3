"""Components that run SQL for their assets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, runtime_checkable

from ipy_orch.authoring.components.executable import ExecutableComponent
from ipy_orch.authoring.components.resolvable import Resolvable
from ipy_orch.authoring.components.resolver import Model, Resolver
from ipy_orch.authoring.components.specs import OpSpec
from ipy_orch.authoring.components.templates import sandbox

if TYPE_CHECKING:
    from ipy_orch.authoring.components.load_contexts import ComponentLoadContext

__all__ = ["SQLClient", "SqlComponent", "SqlFile", "TemplatedSqlComponent"]


@runtime_checkable
class SQLClient(Protocol):
    """Be what runs SQL: a connection component, or anything with this method."""

    def connect_and_execute(self, sql: str) -> None:
        """Run SQL on a connection of its own."""


ResolvedClient = Annotated[
    Any,
    Resolver.default(
        model_field_type=str,
        description="What runs the SQL: a template that gives something with `connect_and_execute(sql)`.",
        examples=["{{ load_component('warehouse') }}"],
    ),
]


class SqlComponent(ExecutableComponent):
    """Make assets by SQL that runs on a connection.

    Args:
        connection: what runs it, with a method ``connect_and_execute(sql)``.
        execution: what is said of the op.
    """

    connection: ResolvedClient
    execution: OpSpec | None = None

    @abstractmethod
    def get_sql_content(self, context: Any, component_load_context: ComponentLoadContext) -> str:
        """Return the SQL to run."""

    @property
    def op_spec(self) -> OpSpec:
        """Return what is said of the op, named by its first asset where it has no name."""
        said = self.execution or OpSpec()
        return said.model_copy(update={"name": said.name or self.get_unique_name()})

    def get_unique_name(self) -> str:
        """Return the name of the op."""
        about = [*(self.assets or ()), *(self.checks or ())]
        return "__".join(["sql", about[0].key.to_python_identifier()]) if about else "sql"

    def function(self, component_load_context: ComponentLoadContext) -> Callable[..., Any]:
        """Return the function that runs the SQL."""

        def run_sql(context: Any) -> None:
            self.execute(context, component_load_context)

        return run_sql

    def execute(self, context: Any, component_load_context: ComponentLoadContext) -> None:
        """Run the SQL."""
        self.connection.connect_and_execute(self.get_sql_content(context, component_load_context))


class SqlFile(Model, Resolvable):
    """Be a file of SQL, from the folder of the YAML."""

    path: str


class TemplatedSqlComponent(SqlComponent):
    """Make assets by SQL with templates in it, written in the attributes or in a file.

    Args:
        sql_template: the SQL, or ``{path: FILE}``.
        sql_template_vars: name -> value, for the templates in it.
    """

    sql_template: Annotated[
        str | SqlFile,
        Resolver(
            lambda _, written: written if isinstance(written, str) else SqlFile(path=written.path),
            inject_before_resolve=False,
            model_field_type=str | SqlFile,
            description="The SQL, or `path:` of a file with it; templates in it know `sql_template_vars`.",
        ),
    ]
    sql_template_vars: Mapping[str, Any] | None = None

    def get_sql_content(self, context: Any, component_load_context: ComponentLoadContext) -> str:
        """Return the SQL, with its templates filled in."""
        text = self.sql_template
        if isinstance(text, SqlFile):
            folder = component_load_context.path
            text = ((folder if folder.is_dir() else folder.parent) / Path(text.path)).read_text(encoding="utf-8")
        return sandbox().from_string(text).render(context=context, **(self.sql_template_vars or {}))
