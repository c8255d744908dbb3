"""``python -m ipy_orch.cli`` is ``ipy-orch``."""

from ipy_orch.cli.group import main

main(prog_name="ipy-orch")
