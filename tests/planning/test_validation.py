"""Run config of a job, checked without running it."""

from __future__ import annotations

import pytest

from ipy_orch import Config, ConfigMapping, ConfigurableResource, EnvVar, RunConfig, graph, job, op
from ipy_orch.errors import DagsterInvalidConfigError
from ipy_orch.planning.validation import validate_run_config


class Size(Config):
    size: int
    text: str = "t"


class Store(ConfigurableResource):
    path: str
    depth: int = 2


@op
def sized(config: Size, store: Store) -> None:
    """Take config."""


@op(config_schema={"a": int})
def plain(context) -> None:
    """Take config of the older kind."""


@graph(config=ConfigMapping(lambda c: {"plain": {"config": {"a": c["b"]}}}, {"b": int}))
def mapped():
    """Make the config of what is inside."""
    plain()


@job(resource_defs={"store": Store.configure_at_launch()})
def whole():
    """Hold all of them."""
    sized()
    mapped()


def test_defaults_are_filled_in_and_variables_stay_names(monkeypatch):
    """Of ops, ops in graphs and resources; nothing is read."""
    monkeypatch.delenv("TEST_PATH", raising=False)
    config = RunConfig(
        ops={"sized": Size(size=1), "mapped": {"config": {"b": 2}}},
        resources={"store": Store(path=EnvVar("TEST_PATH"))},
    )
    told = validate_run_config(whole, config)
    empty = {"inputs": {}, "outputs": None}
    assert told["ops"] == {
        "sized": {"config": {"size": 1, "text": "t"}, **empty},
        "mapped": {"ops": {"plain": {"config": {"a": 2}, **empty}}, **empty},
    }
    assert told["resources"]["store"] == {"config": {"path": {"env": "TEST_PATH"}, "depth": 2}}


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"ops": {"mapped": {"config": {"b": 1}}}}, r"ops\.sized\.config\.size: missing"),
        ({"ops": {"sized": {"config": {"siz": 1}}, "mapped": {"config": {"b": 1}}}}, "did you mean `size`"),
        ({"ops": {"sized": {"config": {"size": 1}}, "mapped": {"config": {"c": 1}}}}, r"ops\.mapped\.config\.c"),
        (
            {"ops": {"sized": {"config": {"size": 1}}, "mapped": {"config": {"b": 1}}}},
            r"resources\.store\.config\.path",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_path(config, problem):
    """Of an op, a graph's own config, a resource."""
    with pytest.raises(DagsterInvalidConfigError, match=problem):
        validate_run_config(whole, config)
