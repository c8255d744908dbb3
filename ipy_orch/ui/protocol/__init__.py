"""The wire between kernel and view: messages that the kernel sends, commands that a view may send.

Everything is JSON. A view in the browser is a stranger: each of its commands is read by :func:`read_command`, has no
field that isn't declared here, and no size that isn't bounded here. What the kernel sends leaves out whatever has its
default (:func:`wire`), so that ten thousand assets are a small message. ``labextension/src/protocol.ts`` is generated
from these classes (generate_protocol.py), docstrings included.

Assets are named by their key, spelled ``a/b``. Texts are plain text, never HTML. Times are seconds since the epoch,
durations are seconds.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias

from pydantic import Field, TypeAdapter

from ipy_orch.ui.protocol.automations import (
    Automation,
    AutomationsMessage,
    Condition,
    ConditionMessage,
    DaemonState,
    TickLine,
    TicksMessage,
)
from ipy_orch.ui.protocol.commands import (
    AutomationsCommand,
    Backfill,
    Cancel,
    CheckConfig,
    Compare,
    ConditionCommand,
    DaemonCommand,
    DetailsCommand,
    DropPreset,
    FormCommand,
    JobCommand,
    Launch,
    Materialize,
    PartitionsCommand,
    ProfileCommand,
    Refresh,
    RowsCommand,
    RunCommand,
    SavePreset,
    Select,
    Sort,
    Switch,
    TickNow,
    TicksCommand,
    UseEnvironment,
    UsePreset,
)
from ipy_orch.ui.protocol.details import (
    Bin,
    Change,
    ChangedCell,
    CheckDetails,
    Code,
    Column,
    Comparison,
    DetailsMessage,
    Entry,
    ErrorText,
    ImageValue,
    NoValue,
    OutputChunk,
    Plot,
    Point,
    Profile,
    RowsMessage,
    RunLine,
    TableValue,
    TextValue,
    Value,
    Why,
)
from ipy_orch.ui.protocol.envelope import (
    MOST_CONFIG,
    MOST_IDS,
    MOST_ROWS,
    Answer,
    Scalar,
)
from ipy_orch.ui.protocol.forms import (
    ConfigChecked,
    Finding,
    FormField,
    FormMessage,
    Section,
)
from ipy_orch.ui.protocol.graph import (
    Cell,
    CheckState,
    Freshness,
    Group,
    Job,
    Node,
    NodePatch,
    Patch,
    Progress,
    RunState,
    Snapshot,
    Status,
    StepState,
    Verdict,
    Word,
)
from ipy_orch.ui.protocol.jobs import (
    JobMessage,
    JobOp,
    JobRun,
)
from ipy_orch.ui.protocol.notices import (
    Refused,
    RunMessage,
    Selected,
    Toast,
)
from ipy_orch.ui.protocol.partitions import (
    PartitionsMessage,
    PartitionStatus,
)

__all__ = [
    "COMMANDS",
    "MESSAGES",
    "MOST_CONFIG",
    "MOST_IDS",
    "MOST_ROWS",
    "Answer",
    "Automation",
    "AutomationsCommand",
    "AutomationsMessage",
    "Backfill",
    "Bin",
    "Cancel",
    "Cell",
    "Change",
    "ChangedCell",
    "CheckConfig",
    "CheckDetails",
    "CheckState",
    "Code",
    "Column",
    "Command",
    "Compare",
    "Comparison",
    "Condition",
    "ConditionCommand",
    "ConditionMessage",
    "ConfigChecked",
    "DaemonCommand",
    "DaemonState",
    "DetailsCommand",
    "DetailsMessage",
    "DropPreset",
    "Entry",
    "ErrorText",
    "Finding",
    "FormCommand",
    "FormField",
    "FormMessage",
    "Freshness",
    "Group",
    "ImageValue",
    "Job",
    "JobCommand",
    "JobMessage",
    "JobOp",
    "JobRun",
    "Launch",
    "Materialize",
    "Message",
    "NoValue",
    "Node",
    "NodePatch",
    "OutputChunk",
    "PartitionStatus",
    "PartitionsCommand",
    "PartitionsMessage",
    "Patch",
    "Plot",
    "Point",
    "Profile",
    "ProfileCommand",
    "Progress",
    "Refresh",
    "Refused",
    "RowsCommand",
    "RowsMessage",
    "RunCommand",
    "RunLine",
    "RunMessage",
    "RunState",
    "SavePreset",
    "Scalar",
    "Section",
    "Select",
    "Selected",
    "Snapshot",
    "Sort",
    "Status",
    "StepState",
    "Switch",
    "TableValue",
    "TextValue",
    "TickLine",
    "TickNow",
    "TicksCommand",
    "TicksMessage",
    "Toast",
    "UseEnvironment",
    "UsePreset",
    "Value",
    "Verdict",
    "Why",
    "Word",
    "read_command",
    "wire",
]

Message: TypeAlias = Annotated[
    Snapshot
    | Patch
    | DetailsMessage
    | RowsMessage
    | Profile
    | Comparison
    | RunMessage
    | JobMessage
    | PartitionsMessage
    | ConditionMessage
    | AutomationsMessage
    | TicksMessage
    | Selected
    | FormMessage
    | ConfigChecked
    | Refused
    | Toast,
    Field(discriminator="kind"),
]


Command: TypeAlias = Annotated[
    Refresh
    | Materialize
    | Backfill
    | Launch
    | UseEnvironment
    | Cancel
    | Select
    | DetailsCommand
    | RowsCommand
    | ProfileCommand
    | Compare
    | RunCommand
    | JobCommand
    | PartitionsCommand
    | ConditionCommand
    | AutomationsCommand
    | TicksCommand
    | Switch
    | TickNow
    | DaemonCommand
    | FormCommand
    | CheckConfig
    | SavePreset
    | UsePreset
    | DropPreset,
    Field(discriminator="kind"),
]

COMMANDS: Final[TypeAdapter[Command]] = TypeAdapter(Command)
MESSAGES: Final[TypeAdapter[Message]] = TypeAdapter(Message)


def read_command(content: Any) -> Command:
    """Return a command that a view has sent.

    Raises:
        ValidationError: when it is none.

    >>> read_command({"kind": "cancel"})
    Cancel(request=0, kind='cancel')
    """
    return COMMANDS.validate_python(content)


def wire(message: Answer) -> dict[str, Any]:
    """Return a message as JSON data, without what has its default.

    >>> wire(Toast(text="done"))
    {'text': 'done', 'kind': 'toast'}
    """
    data: dict[str, Any] = message.model_dump(mode="json", exclude_defaults=True)
    data["kind"] = getattr(message, "kind")  # noqa: B009 - each message has one, their parent hasn't
    return data
