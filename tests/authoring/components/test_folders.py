"""A defs folder: what is found in it, loaded and built."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipy_orch import (
    AssetSpec,
    Component,
    ComponentTree,
    Definitions,
    FunctionComponent,
    Model,
    PythonScriptComponent,
    Resolvable,
    definitions,
    load_from_defs_folder,
    materialize,
    template_var,
)
from ipy_orch.components.testing import DefsFolderSandbox, create_defs_folder_sandbox
from ipy_orch.errors import ComponentTreeException, DagsterError, DagsterInvariantViolationError

REPORT = """
from ipy_orch import AssetSpec, Component, Definitions, Model, Resolvable, template_var

class Report(Component, Model, Resolvable):
    name: str
    size: int = 1

    @staticmethod
    @template_var
    def word():
        return "sales"

    @staticmethod
    @template_var
    def folder(context):
        return context.path.name

    def build_defs(self, context):
        return Definitions([AssetSpec(self.name, metadata={"size": self.size}, group_name="g")])
"""


@pytest.fixture
def sandbox() -> Iterator[DefsFolderSandbox]:
    """Return an empty project."""
    with create_defs_folder_sandbox() as made:
        yield made


def write(sandbox: DefsFolderSandbox, **files: str) -> None:
    """Write files of the defs folder; `__` stands for `/`, a last `_` for the dot."""
    for name, text in files.items():
        path = sandbox.defs_folder_path / name.replace("__", "/").replace("_py", ".py").replace("_yaml", ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")


def keys(sandbox: DefsFolderSandbox) -> set[str]:
    """Return the keys of all assets."""
    with sandbox.build_all_defs() as defs:
        return {key.label for key in defs.resolve_all_asset_keys()}


def failure(sandbox: DefsFolderSandbox) -> DagsterError:
    """Return what the loading of a folder raises."""
    with pytest.raises(ComponentTreeException) as caught, sandbox.build_all_defs():
        pass
    assert isinstance(caught.value.__cause__, DagsterError)
    return caught.value.__cause__


def test_modules_folders_and_components_are_found(sandbox: DefsFolderSandbox) -> None:
    """A folder is its YAML, else its definitions.py, else what is in it."""
    write(
        sandbox,
        plain_py="from ipy_orch import asset\n@asset\ndef plain(): ...",
        report__types_py=REPORT,
        report__defs_yaml="type: .types.Report\nattributes: {name: '{{ word }}_{{ folder }}'}\n"
        "---\ntype: .types.Report\nattributes: {name: second}\n",
        whole__definitions_py="from ipy_orch import AssetSpec, Definitions\ndefs = Definitions([AssetSpec('whole')])",
        whole__other_py="from ipy_orch import asset\n@asset\ndef not_found(): ...",
        deep__er__more_py="from ipy_orch import asset\n@asset\ndef deep(): ...",
        python__component_py=REPORT
        + "from ipy_orch import component_instance\n@component_instance\ndef made(context):\n"
        "    return Report(name='by_function')\n",
    )
    assert keys(sandbox) == {"plain", "sales_report", "second", "whole", "deep", "by_function"}


def test_a_folder_can_be_loaded_through_its_project(
    sandbox: DefsFolderSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pyproject.toml says which module holds the definitions; it needn't be installed."""
    write(sandbox, plain_py="from ipy_orch import asset\n@asset\ndef plain(): ...")
    monkeypatch.syspath_prepend(str(sandbox.project_root))
    defs = load_from_defs_folder(path_within_project=sandbox.defs_folder_path)
    assert [key.label for key in defs.resolve_all_asset_keys()] == ["plain"]


def test_post_processing_changes_what_it_selects(sandbox: DefsFolderSandbox) -> None:
    """Of a component, and of a folder with all in it."""
    write(
        sandbox,
        defs_yaml="""
        type: dagster.DefsFolderComponent
        post_processing:
          assets:
            - attributes: {tags: {all: 1}}
        """,
        types_py=REPORT,
        one__defs_yaml="""
        type: ..types.Report
        attributes: {name: a}
        """,
    )
    (sandbox.defs_folder_path / "one" / "defs.yaml").write_text(
        textwrap.dedent(f"""
        type: {sandbox.project_name}.defs.types.Report
        attributes: {{name: a}}
        post_processing:
          assets:
            - target: "key:a"
              operation: replace
              attributes: {{group_name: "of_{{{{ asset.group_name }}}}", kinds: [x]}}
        """)
    )
    with sandbox.build_all_defs() as defs:
        spec = defs.resolve_asset_graph().spec(next(iter(defs.resolve_all_asset_keys())))
    assert (spec.group_name, spec.kinds, spec.tags["all"]) == ("of_g", {"x"}, "1")


def test_a_component_reads_anothers_definitions(sandbox: DefsFolderSandbox) -> None:
    """And two that read each other are refused."""
    write(
        sandbox,
        a__definitions_py="""
        from pathlib import Path
        from ipy_orch import AssetSpec, Definitions, definitions
        @definitions
        def defs(context):
            return Definitions([AssetSpec("below", deps=context.build_defs("b").resolve_all_asset_keys())])
        """,
        b__assets_py="from ipy_orch import asset\n@asset\ndef above(): ...",
    )
    with sandbox.build_all_defs() as defs:
        assert [dep.asset_key.label for dep in defs.resolve_assets_def("below").specs[0].deps] == ["above"]
    write(
        sandbox,
        b__definitions_py="""
        from ipy_orch import Definitions, definitions
        @definitions
        def defs(context):
            return context.build_defs("a")
        """,
    )
    with pytest.raises(ComponentTreeException, match="need each other"), sandbox.build_all_defs():
        pass


@pytest.mark.parametrize(
    ("yaml", "told", "line", "hint"),
    [
        ("type: .types.Report\nattributes:\n  nmae: a\n", "no `nmae`", 3, "`name`"),
        ("type: .types.Report\nattributes:\n  size: 1\n", "needs `name`", 2, ""),
        ("type: .types.Report\nattributes:\n  name: a\n  size: [1]\n", "`size` can't be", 4, ""),
        ("type: .types.Report\nattributes:\n  name: a\n  size: x\n", "integer", 4, ""),
        ("type: .types.Report\nattributes:\n  name: '{{ wrod }}'\n", "wrod", 3, "`word`"),
        ("type: .types.Reprt\n", "no `Reprt`", 1, "`Report`"),
        ("type: .typs.Report\n", "no module", 1, ""),
        ("type: dagster.FunctionComponnt\n", "no component type", 1, "`FunctionComponent`"),
        ("type: os.getcwd\n", "is no component type", 1, ""),
        ("type: .types.Report\natributes:\n  name: a\n", "no field `atributes`", 2, "`attributes`"),
        ("attributes:\n  name: a\n", "`type` is missing", 1, "type:"),
        ("type: 3\n", "`type` can't be 3", 1, ""),
        ("type: .types.Report\nrequirements:\n  env: [NO_SUCH_VARIABLE]\n", "NO_SUCH_VARIABLE", 3, ""),
        ("type: .types.Report\nrequirements:\n  envs: []\n", "no field `envs`", 3, "`env`"),
        ("- a\n", "written as fields", 1, "type"),
        (
            "type: .types.Report\nattributes: {name: a}\npost_processing:\n  assets:\n  - atributes: {}\n",
            "atributes",
            5,
            "`attributes`",
        ),
        (
            (
                "type: .types.Report\nattributes: {name: a}\npost_processing:\n  assets:\n  - target: 'key:b'\n"
                "    attributes: {}\n"
            ),
            "b",
            5,
            "",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(
    sandbox: DefsFolderSandbox, yaml: str, told: str, line: int, hint: str
) -> None:
    """The file, the line, the field, and the closest name."""
    write(sandbox, one__types_py=REPORT, one__defs_yaml=yaml)
    error = failure(sandbox)
    assert told in error.message
    assert f"defs.yaml:{line}" in error.where
    assert hint in error.hint


def test_an_error_of_a_component_is_told_of_its_place(sandbox: DefsFolderSandbox) -> None:
    """What it raised is the cause."""
    write(sandbox, one__definitions_py="raise ZeroDivisionError('mine')")
    with pytest.raises(ComponentTreeException, match=r"one/definitions\.py") as caught, sandbox.build_all_defs():
        pass
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_components_of_a_type_are_loaded_alone(sandbox: DefsFolderSandbox) -> None:
    """Others may be broken."""
    write(
        sandbox,
        one__types_py=REPORT,
        one__defs_yaml="type: .types.Report\nattributes: {name: a}\n",
        two__defs_yaml="type: dagster.FunctionComponent\nattributes: {execution: no.such.function}\n",
    )
    with sandbox.build_component_tree() as tree:
        module = __import__(f"{sandbox.project_name}.defs.one.types", fromlist=["Report"])
        [found] = tree.get_all_components(of_type=module.Report)
        assert found.name == "a"
        assert tree.load_component("one").name == "a"
        with pytest.raises(ComponentTreeException):
            tree.get_all_components(of_type=FunctionComponent)
        with pytest.raises(DagsterInvariantViolationError, match="three"):
            tree.load_component("three")


def test_a_script_makes_an_asset(sandbox: DefsFolderSandbox, capfd: pytest.CaptureFixture[str]) -> None:
    """In a process of its own; it fails where the script does."""
    folder = sandbox.scaffold_component(
        PythonScriptComponent,
        "script",
        defs_yaml_contents={
            "type": "dagster.PythonScriptComponent",
            "attributes": {"execution": {"path": "run.py", "args": ["x y"]}, "assets": [{"key": "made"}]},
        },
    )
    (folder / "run.py").write_text("import sys; open('out.txt', 'w').write(sys.argv[1])")
    with sandbox.load_component_and_build_defs(folder) as (component, defs):
        assert component.op_spec.name == "run"
        assert materialize(defs.assets).success
        assert (folder / "out.txt").read_text() == "x y"
        (folder / "run.py").write_text("raise SystemExit(3)")
        assert not materialize(defs.assets, raise_on_error=False).success


def test_functions_of_a_module_are_checked() -> None:
    """What takes or returns something else is refused."""
    with pytest.raises(DagsterInvariantViolationError, match="2 arguments"):
        definitions(lambda a, b: None)
    with pytest.raises(DagsterInvariantViolationError, match="returned"):
        definitions(lambda: "no")()


def test_a_class_that_takes_nothing_needs_no_attributes() -> None:
    """And is told where it gets some."""

    class Bare(Component):
        def build_defs(self, context: object) -> Definitions:
            return Definitions([AssetSpec("a")])

    tree = ComponentTree.for_test()
    assert Bare.load(None, tree.load_context).build_defs(None).assets == (AssetSpec("a"),)
    with pytest.raises(DagsterError, match="Resolvable"):
        Bare.from_attributes_dict(attributes={"a": 1})


def test_template_vars_take_at_most_the_context() -> None:
    """One that takes more is named."""

    class Greedy(Component, Model, Resolvable):
        @staticmethod
        @template_var
        def word(context, other): ...

        def build_defs(self, context: object) -> Definitions:
            return Definitions()

    with pytest.raises(DagsterError, match="word"):
        Greedy.from_attributes_dict(attributes={})


def test_a_component_is_read_from_a_file(tmp_path: Path) -> None:
    """Alone, without a folder round it."""
    file = tmp_path / "defs.yaml"
    file.write_text("type: dagster.DefinitionsComponent\nattributes: {path: a.py}\n")
    assert Component.from_yaml_path(file).path == "a.py"
    with pytest.raises(DagsterError, match="not a `FunctionComponent`"):
        FunctionComponent.from_yaml_path(file)
