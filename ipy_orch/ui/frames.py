"""A data frame that shows itself in the words of people, and computes like any other."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd

from ipy_orch.ui.tables import human

__all__ = ["Table"]

SHORT = 8
"""How much of a run's id is shown; `%events` takes the beginning of one."""

STYLE = "<style>.ipy-orch-table td, .ipy-orch-table th { white-space: nowrap; vertical-align: top; }</style>"


class Table(pd.DataFrame):
    """Be the answer of ``%assets`` and its kin: raw numbers inside, sizes and durations as words outside.

    What is computed from it is a plain DataFrame.
    """

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def shown(self) -> pd.DataFrame:
        """Return what is shown: words for numbers, the time of day for today, and no columns without content."""
        frame = human(pd.DataFrame(self))
        for column in ("when", "started"):
            if column in frame and len(frame):
                frame[column] = frame[column].str.removeprefix(f"{datetime.now():%Y-%m-%d} ")  # noqa: DTZ005 - for people
        if "run" in frame:
            frame["run"] = frame["run"].str[:SHORT]
        elif frame.index.name == "run":
            frame.index = frame.index.str[:SHORT]
        filled = [name for name in frame if not (frame[name].isna() | (frame[name].astype(str) == "")).all()]
        return frame[filled] if len(frame) else frame

    def _repr_html_(self) -> str:
        html: Any = self.shown()._repr_html_()  # type: ignore[operator]
        return f'<div class="ipy-orch-table">{STYLE}{html}</div>'

    def __repr__(self) -> str:
        return self.shown().to_string(max_rows=60)
