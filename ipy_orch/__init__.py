"""Turn the cells of a notebook into assets and checks, run what changed, and take it away as a Dagster module.

The names are Dagster's: replace ``ipy_orch`` by ``dagster`` in the imports, and it is Dagster code.
"""

from __future__ import annotations
