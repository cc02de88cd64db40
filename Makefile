# Each target sets up what it needs: Python 3.11 or newer and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOWEST := .venv-lowest
LOCK := pyproject.toml --extra test --universal --python-version 3.11 --generate-hashes --no-header --quiet
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check

.PHONY: demo test check docs lowest lock bench bench-stages clean

demo: $(READY)  ## convert a small data set with deliberate defects and show the result
	$(BIN)/python fixtures/demo/run.py

test: $(READY)  ## run all tests
	$(BIN)/python -m pytest -n auto --dist worksteal

check: $(READY)  ## formatting, lint and types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

docs: $(READY)  ## write the pages that are generated from the code
	$(BIN)/python docs/generate.py

lowest: $(LOWEST)/.ready  ## conformance, contracts and demo with the lowest versions that pyproject.toml allows
	$(LOWEST)/bin/python -m pytest -W ignore::DeprecationWarning tests/conformance tests/contracts tests/integration/test_demo.py

lock: $(READY)  ## write the versions for development and CI, and the lowest ones, from pyproject.toml
	$(BIN)/python $(PIP_INSTALL) uv
	$(BIN)/uv pip compile $(LOCK) --output-file requirements/development.txt
	$(BIN)/uv pip compile $(LOCK) --resolution lowest-direct --output-file requirements/lowest.txt

bench: $(READY)  ## the whole beside the floor and other libraries, on generated data sets
	$(BIN)/python -m benchmarks.compare $(ARGS)
	$(BIN)/python -m benchmarks.first_sync

bench-stages: $(READY)  ## time every stage on a generated data set
	$(BIN)/python -m pytest benchmarks --benchmark-enable --benchmark-columns=median,iqr,ops,rounds --benchmark-sort=mean $(ARGS)

clean:  ## remove what the other targets made
	rm -rf $(VENV) $(LOWEST) .mypy_cache .pytest_cache .ruff_cache .benchmarks .hypothesis

$(VENV)/.ready: requirements/development.txt
$(LOWEST)/.ready: requirements/lowest.txt
%/.ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "labelingest needs Python 3.11 or newer; run: make PYTHON=python3.11")'
	$(PYTHON) -m venv $*
	$*/bin/python $(PIP_INSTALL) --require-hashes -r $(filter requirements/%,$^)
	$*/bin/python $(PIP_INSTALL) --no-deps -e .
	touch $@
