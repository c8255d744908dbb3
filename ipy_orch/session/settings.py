"""What a person sets for a session."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Settings"]


@dataclass
class Settings:
    """Hold the settings of a session.

    Args:
        autorun: running an asset's cell materializes it.
        cache_bytes: how much memory the values may take; 0 means a quarter of the machine's.
        workers: how many steps run at once; 1 runs them in the cell's own thread.
        openlineage: where runs are told of: a URL, a file, or ``on`` for what OpenLineage's own configuration says.
        executor: where steps run, e.g. ``processes`` or ``dask``; "" for threads of the kernel.
        pins: installed packages whose version counts as part of the code that uses them.
        store: the folder in which log and values outlive the kernel; "" keeps them in memory only.
    """

    autorun: bool = True
    cache_bytes: int = 0
    workers: int = 1
    pins: tuple[str, ...] = ()
    store: str = ""
    executor: str = ""
    openlineage: str = ""
