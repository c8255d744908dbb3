"""``jupyter nbconvert --to ipy_orch``: a notebook as a definitions module, among the other things it can become.

Only nbconvert imports this.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from nbconvert.exporters import Exporter
from traitlets import Enum, default

from ipy_orch.errors import DagsterError
from ipy_orch.export.formatting import formatted
from ipy_orch.export.module import TARGETS
from ipy_orch.export.notebook_file import parse_notebook
from ipy_orch.export.writing import module_of_notebook

__all__ = ["OrchExporter"]

REFUSED: Final = 2


class OrchExporter(Exporter):
    """Write a notebook's assets, checks, resources and jobs as a module; nothing of it is run."""

    export_from_notebook = "Definitions module (ipy_orch)"
    output_mimetype = "text/x-python"
    target = Enum(TARGETS, "ipy_orch", help="What the module imports: ipy_orch or dagster.").tag(config=True)

    @default("file_extension")
    def python_extension(self) -> str:
        """Return how the file's name ends."""
        return ".py"

    def from_notebook_node(  # type: ignore[override]  # nbconvert's own exporters of text do the same
        self, nb: Any, resources: Any = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Return the text of the module.

        Raises:
            DagsterInvalidDefinitionError: for what a module can't hold, with cell and line.
        """
        found, resources = super().from_notebook_node(nb, resources, **kw)
        told = resources.get("metadata", {})
        notebook = parse_notebook(found, str(told.get("name", "notebook")))
        folder = Path(told["path"]) if told.get("path") else None
        try:
            module, warnings = module_of_notebook(notebook, folder, target=self.target)
            text = module.text
        except DagsterError as error:
            from nbconvert.nbconvertapp import NbConvertApp  # which imports this file

            if not NbConvertApp.initialized():
                raise
            self.log.error(str(error))  # noqa: TRY400 - the command would show a traceback of ours
            NbConvertApp.instance().exit(REFUSED)
        for warning in warnings:
            self.log.warning(warning)
        return formatted(text), resources
