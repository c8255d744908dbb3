"""The magics of partitions: how they stand, and making many of them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, magics_class

from ipy_orch.errors import DagsterError, DagsterExecutionInterruptedError
from ipy_orch.export.written import words
from ipy_orch.model.partitions.dynamic import DynamicPartitionsDefinition
from ipy_orch.notebook.cells import Cells
from ipy_orch.notebook.display import show
from ipy_orch.notebook.formatters import block
from ipy_orch.notebook.magics.magics import ENV, EXECUTOR, SELECTION, arg, line, positive, read, typed, unquoted
from ipy_orch.notebook.running import Presenter
from ipy_orch.notebook.tracebacks import is_users, usage
from ipy_orch.planning.partition_statuses import WORDS
from ipy_orch.session.report import Report
from ipy_orch.session.session import Session

__all__ = ["PartitionMagics"]


@magics_class
class PartitionMagics(Magics):
    """Partitions: their table, and backfills."""

    def __init__(self, ip: InteractiveShell, session: Session, cells: Cells, presenter: Presenter) -> None:
        super().__init__(ip)
        self.session, self.cells, self.presenter = session, cells, presenter

    @line(
        arg("asset", help="the asset"),
        arg("--status", choices=WORDS, help="only those that stand so"),
        arg("--add", metavar="KEYS", help="of dynamic partitions: add these, separated by commas"),
        arg("--remove", metavar="KEYS", help="of dynamic partitions: take these away"),
    )
    def partitions(self, line: str) -> Any:
        """Return a DataFrame of the partitions of an asset, neighbours that stand alike as one range."""
        args = read(self.partitions, line)
        try:
            if args.add or args.remove:
                self.change(args.asset, keys_of(args.add), keys_of(args.remove))
                return None
            return self.session.partitions(args.asset, args.status or "")
        except DagsterError as error:
            raise usage(error) from None

    def change(self, name: str, added: list[str], removed: list[str]) -> None:
        """Add dynamic partitions, or take them away.

        Raises:
            UsageError: when the asset has none that could be added.
        """
        session = self.session
        scanned = session.scan()
        cut = scanned.graph.spec(session.key(name, scanned)).partitions_def
        if not isinstance(cut, DynamicPartitionsDefinition) or cut.name is None:
            raise UsageError(f"the partitions of `{name}` aren't dynamic: keys can't be added or taken away")
        session.instance.add_dynamic_partitions(cut.name, added)
        session.instance.delete_dynamic_partitions(cut.name, removed)
        many = len(session.instance.get_dynamic_partitions(cut.name))
        text = f"{cut.name} · {many:,} partition{'' if many == 1 else 's'} · next: %backfill {name}"
        show(self.presenter.ip, block([escape(text)]), text)

    @line(
        arg("selection", nargs="*", help=f"{SELECTION}; all that are partitioned by default"),
        arg(
            "--partitions",
            metavar="KEYS",
            action="append",
            help="which: a key, several with commas, `a..b` with both ends, `a..`; all by default",
        ),
        arg("--missing", action="store_true", help="only those that were never made"),
        arg("--failed", action="store_true", help="only those that failed the last time"),
        arg("--force", action="store_true", help="all of them, although they are fresh"),
        arg("--resume", action="store_true", help="go on with the last backfill, which didn't come to its end"),
        ENV,
        arg("--workers", type=positive, metavar="N", help="how many partitions are made at once"),
        EXECUTOR,
    )
    def backfill(self, line: str) -> None:
        """Bring many partitions up to date: those that are missing, stale or failed, and before them what they read.

        It can be interrupted at any time: what was made stays, and the next one goes on from there.
        """
        args = read(self.backfill, line)
        selection = words(" ".join(unquoted(one) for one in args.selection))
        if args.resume and (selection or args.partitions):
            raise UsageError("--resume goes on with the last backfill as it was asked for: give it nothing else")
        options = {name: getattr(args, name) for name in ("missing", "failed", "force", "resume")}
        places = {"env": args.env, "workers": args.workers, "executor": args.executor}
        asked = typed(args.partitions)
        self.presenter.request(lambda: self.filled(selection, asked, {**options, **places}))

    def filled(self, selection: str | None, partitions: Any, options: Mapping[str, Any]) -> Report:
        """Run a backfill; what was typed wrongly is a usage error."""
        try:
            return self.session.backfill(selection, partitions, **options)
        except DagsterExecutionInterruptedError:
            raise
        except DagsterError as error:
            if error.__cause__ is None and not is_users(error.__traceback__):
                raise usage(error) from None
            raise


def keys_of(text: str | None) -> list[str]:
    """Return keys that were typed with commas between them."""
    return [key.strip() for key in unquoted(text or "").split(",") if key.strip()]
