# Each target sets up what it needs: Python 3.11 or newer and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check bench bench-stages clean

demo: $(READY)  ## convert a small data set with deliberate defects and show the result
	$(BIN)/python fixtures/demo/run.py

test: $(READY)  ## run all tests
	$(BIN)/python -m pytest

check: $(READY)  ## formatting, lint and types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

bench: $(READY)  ## the whole beside the floor and other libraries, on generated data sets
	$(BIN)/python -m benchmarks.compare $(ARGS)

bench-stages: $(READY)  ## time every stage on a generated data set
	$(BIN)/python -m pytest benchmarks --benchmark-enable --benchmark-columns=median,iqr,ops,rounds --benchmark-sort=mean $(ARGS)

clean:  ## remove what the other targets made
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .benchmarks .hypothesis

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "labelingest needs Python 3.11 or newer; run: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	touch $@
