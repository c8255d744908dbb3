"""The cells of schedules and sensors, as the Python that they stand for: that is what a module holds.

%%schedule nightly --cron "0 3 * * *" --job load     from ipy_orch import ScheduleDefinition
                                                     nightly = ScheduleDefinition(
                                                         "nightly", cron_schedule="0 3 * * *", job_name="load"
                                                     )

%%sensor new_files --job load                        from ipy_orch import RunRequest, sensor
[RunRequest(one) for one in os.listdir("inbox")]
                                                     @sensor(job_name="load")
                                                     def new_files():
                                                         return [RunRequest(one) for one in os.listdir("inbox")]
"""

from __future__ import annotations

import ast
from collections.abc import Collection

from ipy_orch.authoring.cells.automation import (
    GIVEN,
    KINDS,
    AutomationCell,
    parameters,
    read_automation_cell,
    resources_read,
)
from ipy_orch.errors import DagsterError
from ipy_orch.export.functions import ANY
from ipy_orch.export.layout import Doc, call, laid_out, literal, quoted
from ipy_orch.export.op_cells import body_of
from ipy_orch.model.keys import AssetKey

__all__ = ["automation_text", "read_automation_call"]


def automation_text(cell: AutomationCell, resources: Collection[str], namespace: Collection[str] = ()) -> str:
    """Return the cell of a schedule or sensor as a definition, with the imports of what it needs.

    Args:
        resources: the keys of the notebook's.
        namespace: the notebook's variables: what they hold isn't imported.
    """
    said: dict[str, Doc] = {name: literal(value, f"`{name}`") for name, value in cell.arguments.items()}
    if not cell.has_body:
        words = {"cron_schedule": quoted(cell.options["cron"]), **said}
        made = laid_out(f"{cell.name} = ", call("ScheduleDefinition", [quoted(cell.name)], **words))
        return f"from ipy_orch import ScheduleDefinition\n{made}\n"
    decorator, positional, names = "sensor", list[Doc](), set[str]()
    if cell.kind == "schedule":
        decorator, positional = "schedule", [quoted(cell.options["cron"])]
    elif "asset" in cell.options:
        key = AssetKey.from_user_string(cell.options["asset"])
        decorator, positional = "asset_sensor", [call("AssetKey", [literal(list(key.path))])]
        names = {"AssetKey"}
        if "target" in said:  # which Dagster's decorator doesn't take
            said["job"] = call("define_asset_job", [quoted(cell.job_of_target)], selection=said.pop("target"))
            names |= {"define_asset_job"}
    taken = resources_read(cell, resources)
    if taken:
        names |= {"ResourceParam"}
    names |= {decorator, *(name for name in GIVEN if name in cell.source.names.free and name not in namespace)}
    above = laid_out("@", call(decorator, positional, **said))
    head = laid_out("def ", call(cell.name, [*parameters(cell), *(f"{name}: {ANY}" for name in taken)]), ":")
    imports = [*(["from typing import Any"] if taken else []), f"from ipy_orch import {', '.join(sorted(names))}"]
    return "\n".join([*imports, "", above, head, body_of(cell.source), ""])


def read_automation_call(node: ast.stmt) -> AutomationCell | None:
    """Return the schedule or sensor that a statement is, as IPython writes the magic; None where it is another."""
    match node:
        case ast.Expr(ast.Call(func=ast.Attribute(attr="run_cell_magic" | "run_line_magic" as how), args=[*texts])):
            values = [one.value for one in texts if isinstance(one, ast.Constant)]
            said = [one for one in values if isinstance(one, str)] + ([""] if how == "run_line_magic" else [])
        case _:
            return None
    if len(said) != 3 or said[0] not in KINDS:
        return None
    try:
        return read_automation_cell(said[0], said[1], f"\n{said[2]}")
    except (DagsterError, SyntaxError):
        return None
