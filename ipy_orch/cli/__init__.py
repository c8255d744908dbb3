"""The shell door: ``ipy-orch`` and its commands. What they do is below; here is what one types and reads."""

from ipy_orch.cli.group import main

__all__ = ["main"]
