"""The notebook as a package laid out as Dagster's projects are.

    pyproject.toml                      with ``[tool.dg]``, by which `dg` and `ipy-orch` know the project
    src/shop/definitions.py             defs = Definitions(...)
    src/shop/defs/resources.py          each file imports only those above it: a helper stands in the first that
    src/shop/defs/assets.py             ... needs it
    src/shop/defs/checks.py
    src/shop/defs/jobs.py

A new kind of definition enters in ``FILES`` and in :func:`Package.own_file`.
"""

from __future__ import annotations

import ast
import keyword
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from ipy_orch.authoring.cells.free_names import free_names
from ipy_orch.errors import DagsterInvalidDefinitionError
from ipy_orch.export.bodies import CHECK_RESULT
from ipy_orch.export.holders import contents
from ipy_orch.export.imports import Import, import_block
from ipy_orch.export.marks import Mark, footer
from ipy_orch.export.module import CHECK_RESULT_TEXT, MARKER, Module
from ipy_orch.export.slicing import Piece, Precedence
from ipy_orch.export.statements import quoted_names
from ipy_orch.model.assets import AssetsDefinition
from ipy_orch.session.automation.automations import Automation
from ipy_orch.session.jobs.jobs import Job

__all__ = ["FILES", "Package", "checked_name"]

FILES: Final = ("resources", "assets", "checks", "jobs")
"""The files of definitions, from the one that imports none of the others to the one that may import all."""

TOLD: Final = {
    "resources": "What the assets use, and don't compute.",
    "assets": "The assets, as the cells of a notebook define them.",
    "checks": "The checks of the assets.",
    "jobs": "The jobs, the ops in them, schedules and sensors.",
}
# How packages are called where they are installed from, when that isn't how they are imported.
DISTRIBUTIONS: Final = {
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "ipy_orch": "ipy-orch",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "upath": "universal-pathlib",
    "yaml": "pyyaml",
}


def checked_name(name: str) -> str:
    """Return the name of a package.

    Raises:
        DagsterInvalidDefinitionError: when it can't be imported, or is another package's.
    """
    plain = re.sub(r"\W", "_", name).lower().lstrip("0123456789_") or "my_project"
    if not name.isidentifier() or keyword.iskeyword(name):
        raise DagsterInvalidDefinitionError(f"`{name}` can't be the name of a package", hint=f"call it `{plain}`")
    if name in sys.stdlib_module_names or name in ("dagster", "ipy_orch"):
        told = f"`{name}` is a package already, which this one would hide"
        raise DagsterInvalidDefinitionError(told, hint=f"call it `{plain}_project`")
    return name


@dataclass
class Package:
    """Lay a module out as a package.

    Args:
        local: modules beside the notebook: they aren't installed from anywhere.
    """

    module: Module
    name: str
    local: frozenset[str] = frozenset()

    # -- which file ---------------------------------------------------------------------------------------------------

    @cached_property
    def places(self) -> dict[Piece, int]:
        """Return the file of each piece, as a place in ``FILES``.

        What a piece needs stands in its file or one above; all that binds or changes one name stands in one file.
        """
        module, slicer = self.module, self.module.slicer
        order = Precedence(slicer, module.pieces, {})
        needs = {piece: order.must[piece] | order.called[piece] | order.better[piece] for piece in module.pieces}
        of_name: dict[str, set[Piece]] = {}
        for piece, statement in module.below.items():
            for name in statement.binds | statement.changes:
                of_name.setdefault(name, set()).add(piece)
        for piece in module.pieces:
            for name in self.read_by(piece):
                needs[piece] |= of_name.get(name, set()) - {piece}
        found = {piece: self.own_file(piece) for piece in module.pieces}
        while pulls := [
            *((one, found[piece]) for piece in module.pieces for one in needs[piece] if found[one] > found[piece]),
            *(
                (one, low)
                for same in of_name.values()
                for one in same
                if found[one] > (low := min(found[other] for other in same))
            ),
        ]:
            for one, level in pulls:
                found[one] = min(found[one], level)
        return {piece: min(level, len(FILES) - 1) for piece, level in found.items()}

    def read_by(self, piece: Piece) -> set[str]:
        """Return the names that a piece reads, now or when it is called."""
        return names_in(self.module.written[piece].text)

    def own_file(self, piece: Piece) -> int:
        """Return where a piece belongs by what it defines; the end of ``FILES`` for a helper."""
        module = self.module
        if piece.statement is None:
            return FILES.index("assets" if module.made_of[piece].has_keys else "checks")
        names = piece.statement.binds
        if names & {*module.resources, *module.loggers, *module.deployments.variables}:
            return FILES.index("resources")
        held = [one for one in module.held if one.name in names]
        values = [made for one in held for made in contents(module.namespace[one.name])]
        if any(isinstance(one, Job | Automation) for one in values):
            return FILES.index("jobs")
        if values:
            only_checks = all(isinstance(one, AssetsDefinition) and not one.has_keys for one in values)
            return FILES.index("checks" if only_checks else "assets")
        return len(FILES)

    # -- text ---------------------------------------------------------------------------------------------------------

    @property
    def files(self) -> dict[str, str]:
        """Return path -> text of all files; the one with ``defs`` is the first."""
        used = [name for name in FILES if self.pieces_in(name)]
        home = f"src/{self.name}"
        made = {f"{home}/defs/{name}.py": self.file(name) for name in used}
        return {
            f"{home}/definitions.py": self.definitions,
            **made,
            f"{home}/__init__.py": "",
            f"{home}/defs/__init__.py": "",
            "pyproject.toml": self.pyproject,
        }

    def pieces_in(self, name: str) -> list[Piece]:
        """Return the pieces of a file, in order."""
        return [piece for piece in self.module.pieces if FILES[self.places[piece]] == name]

    def file(self, name: str) -> str:
        """Return the text of a file of definitions."""
        pieces = self.pieces_in(name)
        body = self.module.body(pieces, with_check_result=False)
        with_check_result = CHECK_RESULT in names_in(body)
        if with_check_result:
            body = f"\n\n\n{CHECK_RESULT_TEXT.rstrip()}\n\n\n{body.lstrip()}"
        imports = self.imports(names_in(body), but=name)
        above = [MARKER, f'"""{TOLD[name]}"""', *(["", imports] if imports else [])]
        return "\n".join(above) + body + "\n\n\n" + footer(self.marks[name])

    @cached_property
    def marks(self) -> dict[str, list[Mark]]:
        """Return the marks of each file."""
        seen: dict[str, int] = {}
        used = [name for name in FILES if self.pieces_in(name)]
        hoisted = {name: None if name == used[0] else () for name in used}  # the cell of the imports is named once
        return {name: self.module.marks(self.pieces_in(name), hoisted[name], seen) for name in used}

    @property
    def definitions(self) -> str:
        """Return the text of ``definitions.py``."""
        code = self.module.definitions
        above = [MARKER, self.module.docstring, "", self.imports(names_in(code), but="definitions")]
        return "\n".join(above) + "\n\n" + code + "\n"

    def imports(self, names: set[str], *, but: str) -> str:
        """Return the imports of names: from the other files, and from wherever the notebook has them.

        Args:
            but: the file that they are for.
        """
        module = self.module
        makers = {made: FILES[self.places[piece]] for piece in module.pieces for made in self.made_by(piece)}
        own = {name: makers[name] for name in names if name in makers and makers[name] != but}
        here = {name for name, file in makers.items() if file == but}
        others = {one for one in module.all_imports if one.bound in names - here - {*own}}
        inner = {Import(f"{self.name}.defs.{file}", name) for name, file in own.items()}
        return "\n\n".join(filter(None, (import_block(others | module.futures), import_block(inner))))

    def made_by(self, piece: Piece) -> Iterable[str]:
        """Return the names that a piece binds."""
        return piece.statement.binds if piece.statement is not None else [self.module.names[self.module.made_of[piece]]]

    @property
    def pyproject(self) -> str:
        """Return the text of ``pyproject.toml``."""
        needed = {self.module.target, *(one.module.partition(".")[0] for one in self.module.all_imports)}
        ours = {"", self.name, *self.local, *sys.stdlib_module_names}
        names = sorted({DISTRIBUTIONS.get(one, one) for one in needed - ours}, key=str.lower)
        listed = "".join(f'    "{name}",\n' for name in names)
        dev = ["dagster-dg-cli", "dagster-webserver"] if self.module.target == "dagster" else []
        group = (
            f"\n[dependency-groups]\ndev = [{', '.join(f'{one!r}' for one in dev)}]\n".replace("'", '"') if dev else ""
        )
        return PYPROJECT.format(name=self.name, project=self.name.replace("_", "-"), listed=listed, group=group)


PYPROJECT: Final = """\
[project]
name = "{project}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = [
{listed}]
{group}
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = ["src/{name}"]

[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "{name}"
"""


def names_in(text: str) -> set[str]:
    """Return the names that code takes from outside, those in annotations that are strings too."""
    tree = ast.parse(text)
    return {*free_names(tree).free} | {name for one in tree.body for name in quoted_names(one)}
