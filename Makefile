# make demo      run the quickstart notebook in a real kernel and print what it made
# make lab       open the quickstart in JupyterLab (`make lab LAB=--allow-root` in a container; or other options)
# make test      linters, then all tests
# make docs      the reference of every public name, into site/
# make lite      a site whose kernel runs in the browser, into site/lite/
#
# Needs Python 3.11 or newer and nothing else: what is missing is installed into .venv, which `make clean` removes.

NEWER := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	"$$python" -c '$(NEWER)' >/dev/null 2>&1 && echo "$$python" && break; done)
BIN := .venv/bin

export DAGSTER_DISABLE_TELEMETRY := yes
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1
# The JupyterLab extension as it lies here, before the copy that an editable install has made of it.
export JUPYTER_PATH := $(CURDIR)/labextension/share/jupyter$(if $(JUPYTER_PATH),:$(JUPYTER_PATH))

.PHONY: demo lab test chromium test-floors test-doors test-notebook test-lowest lint bench docs lite clean
.DELETE_ON_ERROR:

demo: .venv/.demo
	@$(BIN)/ipy-orch demo

lab: .venv/.lab
	@$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks/quickstart.ipynb $(LAB)

# Two at a time: the floors below the doors, the doors that start processes of their own, the notebook's. Then the browser
# tests, which want the machine for themselves.
DOORS := tests/cli tests/components tests/export tests/notebooks
NOTEBOOK := tests/notebook

test: chromium lint
	@$(MAKE) --no-print-directory -j2 test-floors test-doors test-notebook
	@$(BIN)/python -m pytest -q tests/browser

test-floors:
	@$(BIN)/python -m pytest -q ipy_orch tests --ignore tests/browser $(DOORS:%=--ignore %) --ignore $(NOTEBOOK)

test-doors:
	@$(BIN)/python -m pytest -q $(DOORS)

test-notebook:
	@$(BIN)/python -m pytest -q $(NOTEBOOK)

chromium: .venv/.test
	@.ci/chromium

lint: .venv/.test
	@echo "checking with ruff, mypy and import-linter"
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check || { echo "hint: .venv/bin/ruff format"; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo

# The lowest version of each dependency that pyproject.toml admits. Old libraries warn of each other: no failure here.
test-lowest: .venv-lowest/.test
	@.venv-lowest/bin/python -m pytest -m "not browser" -W default

bench: .venv/.test
	@set -e; for script in tests/benchmarks/*.py tests/benchmarks/*/*.py; do $(BIN)/python "$$script"; done

docs: .venv/.docs
	@$(BIN)/python docs/reference.py site

# The page's side of things is in .venv-lite, which holds no dependency of ipy_orch: those are fetched by the browser.
lite: .venv-lite/.lite
	@rm -rf dist/lite site/lite
	@.venv-lite/bin/python -m pip wheel --quiet --no-deps --wheel-dir dist/lite .
	@.venv-lite/bin/python -m pip install --quiet --no-deps --force-reinstall dist/lite/*.whl
	@cd docs/lite && JUPYTER_PATH= $(CURDIR)/.venv-lite/bin/jupyter lite build --piplite-wheels $(CURDIR)/dist/lite/*.whl
	@rm -f docs/lite/.jupyterlite.doit.db
	@echo "built; to see it: python -m http.server -d site/lite"

clean:
	@echo "removing .venv, caches and build products"
	@rm -rf .venv .venv-lowest .venv-lite build dist site .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -type d -name __pycache__ -prune -exec rm -rf {} +

# One stamp for each set of extras; pyproject.toml is what they depend on, so a second run installs nothing.
.venv/.demo: EXTRAS := demo
.venv/.lab: EXTRAS := demo,lab
.venv/.docs: EXTRAS := docs
.venv/.test: EXTRAS := test
.venv/.demo .venv/.docs .venv/.lab .venv/.test: pyproject.toml | $(BIN)/python
	$(call install,.venv,-e '.[$(EXTRAS)]')

.venv-lowest/.test: pyproject.toml .ci/lowest.py | .venv-lowest/bin/python
	@.venv-lowest/bin/python .ci/lowest.py > .venv-lowest/lowest.txt
	$(call install,.venv-lowest,-e '.[test]' -c .venv-lowest/lowest.txt)

.venv-lite/.lite: docs/lite/requirements.txt | .venv-lite/bin/python
	$(call install,.venv-lite,-r docs/lite/requirements.txt)

%/bin/python:
	@test -n "$(PYTHON)" || { \
		echo "No Python 3.11 or newer with venv was found (Debian: apt-get install python3-venv)."; \
		echo "hint: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c '$(NEWER)' || { echo "$(PYTHON) is not a Python 3.11 or newer with venv."; exit 1; }
	@echo "making $* with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv --clear $* || { rm -rf $*; exit 1; }

define install
	@echo "installing ipy_orch into $1: $2 (once; some minutes)"
	@$1/bin/python -m pip install --quiet $2 > $1/install.log 2>&1 \
		|| { cat $1/install.log; echo "The installation failed: what pip said is above."; exit 1; }
	@touch $@
endef
