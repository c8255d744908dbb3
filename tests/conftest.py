"""What all tests share: a private Jupyter home, hypothesis profiles, and a plain word where there is no Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from ipy_orch.model.env import SECRETS

os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # or each kernel prints a page about frozen modules
os.environ.pop("DAGSTER_HOME", None)

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "here")

NO_CHROMIUM = (
    "no Chromium found (apt-get install chromium, or IPY_ORCH_CHROMIUM=/path/to/it); "
    "CI=true or IPY_ORCH_REQUIRE_BROWSER=1 make this a failure"
)
LEFT_OUT = pytest.StashKey[int]()


def find_chromium() -> str | None:
    """Return the path of a Chromium or Chrome of this machine, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    given = os.environ.get("IPY_ORCH_CHROMIUM")
    return given or next(filter(None, map(shutil.which, names)), None) or shutil.which(mac) or of_playwright()


def of_playwright() -> str | None:
    """Return the path of the Chromium that Playwright has installed, or None."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def browser_is_required() -> bool:
    """Tell whether a missing Chromium is a failure here."""
    return os.environ.get("CI") == "true" or os.environ.get("IPY_ORCH_REQUIRE_BROWSER") == "1"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the browser tests out, counted as deselected, where they can't run and needn't."""
    if find_chromium() or browser_is_required():
        return
    left_out = [item for item in items if item.get_closest_marker("browser")]
    if left_out:
        config.stash[LEFT_OUT] = len(left_out)
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out, and how to have it."""
    if config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"{config.stash[LEFT_OUT]} browser tests left out: {NO_CHROMIUM}", yellow=True)


@pytest.fixture(autouse=True)
def only_its_own_secrets() -> Iterator[None]:
    """Forget the secrets that a test made known: what is redacted in the next one would depend on the order."""
    before = SECRETS.labels, SECRETS.pattern
    yield
    SECRETS.labels, SECRETS.pattern = before


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the Chromium that drives the browser tests."""
    path = find_chromium()
    if path is None:
        pytest.fail(NO_CHROMIUM, pytrace=False)
    return path


@pytest.fixture(scope="session", autouse=True)
def jupyter_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep every kernel and server that a test starts away from the settings and history of who runs it."""
    home = tmp_path_factory.mktemp("jupyter")
    with pytest.MonkeyPatch.context() as environment:
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            (home / name.lower()).mkdir()
            environment.setenv(name, str(home / name.lower()))
        environment.setenv("JUPYTERLAB_SETTINGS_DIR", str(home / "settings"))
        environment.setenv("JUPYTERLAB_WORKSPACES_DIR", str(home / "workspaces"))
        environment.setenv("JUPYTER_PLATFORM_DIRS", "1")
        # the JupyterLab extension as it lies here: an editable install holds a copy of what it was
        environment.setenv("JUPYTER_PATH", str(Path(__file__).parents[1] / "labextension" / "share" / "jupyter"))
        yield home
