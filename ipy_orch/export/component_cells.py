"""The cells of components, as the Python that they stand for: that is what a module holds.

%%component Report sales          from ipy_orch import build_defs_for_component
limit: 3
                                  sales = build_defs_for_component(Report.from_attributes_dict(attributes={"limit": 3}))
"""

from __future__ import annotations

import ast

from ipy_orch.authoring.components.cells import ComponentCell, read_component_cell
from ipy_orch.authoring.components.type_names import home_of
from ipy_orch.errors import DagsterError
from ipy_orch.export.layout import call, laid_out, literal

__all__ = ["component_text", "read_component_call"]

BUILD = "build_defs_for_component"


def component_text(said: ComponentCell) -> str:
    """Return the cell of a component as an assignment, with the imports of what it needs."""
    home, _, cls = said.type_name.rpartition(".")
    home = home or home_of(cls)
    imports = [f"from ipy_orch import {BUILD}", *([f"from {home} import {cls}"] if home else [])]
    if said.attributes is None:
        made = call(cls, **said.arguments)
    else:
        written = {"attributes": literal(said.attributes, "an attribute")} if said.attributes else {"attributes": "{}"}
        made = call(f"{cls}.from_attributes_dict", **written)
    return "\n".join([*imports, laid_out(f"{said.name} = ", call(BUILD, [made]))])


def read_component_call(node: ast.stmt) -> ComponentCell | None:
    """Return the component that a statement is, as IPython writes the magic; None where it is another."""
    match node:
        case ast.Expr(
            ast.Call(
                func=ast.Attribute(attr="run_cell_magic"),
                args=[ast.Constant("component"), ast.Constant(str(line)), ast.Constant(str(body))],
            )
        ):
            try:
                return read_component_cell(line, body, "")
            except DagsterError:
                return None
    return None
