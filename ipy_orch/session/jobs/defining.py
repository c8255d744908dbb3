"""Define a job over assets by name, as ``%job`` does."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.model.asset_jobs import define_asset_job
from ipy_orch.model.keys import AssetKey
from ipy_orch.planning.selection.selection import AssetSelection
from ipy_orch.session.jobs.jobs import Job
from ipy_orch.session.scan import Scanned

if TYPE_CHECKING:
    from ipy_orch.session.session import Session

__all__ = ["define_job"]


def define_job(session: Session, name: str, said: Mapping[str, Any]) -> list[AssetKey]:
    """Put a job over assets into a variable of its name, and return what it selects now.

    Args:
        said: the arguments of ``define_asset_job`` beside the name.

    Raises:
        DagsterInvalidDefinitionError: for a name that can't be one, or is something else's.
        DagsterInvalidSubsetError: for an asset that nothing defines, with the closest one.
    """
    scanned = session.scan()
    refuse_variable(session, scanned, name)
    job = define_asset_job(name, **said)
    found = AssetSelection.from_coercible(job.selection).resolve(scanned.graph)
    session.namespace[name] = job
    return scanned.graph.in_order(key for key in found if scanned.graph.makers[key].is_executable)


def refuse_variable(session: Session, scanned: Scanned, name: str) -> None:
    """Refuse the name of a job that is that of an asset, or of a variable that holds something else.

    Raises:
        DagsterInvalidDefinitionError: with another name.
    """
    taken = ""
    if not name.isidentifier() or keyword.iskeyword(name):
        taken = f"`{name}` can't be the name of a variable, which holds the job"
    elif name in scanned.names:
        taken = f"`{name}` is an asset, and a job can't have its name"
    elif not isinstance(session.namespace.get(name, define_asset_job(name)), Job):
        taken = f"`{name}` is a variable of yours, and holds no job"
    if taken:
        plain = re.sub(r"\W", "_", name).lstrip("0123456789_") or "nightly"
        raise DagsterInvalidDefinitionError(taken, hint=f"call it `{plain}_job`")
