# One environment in three layers, each command building what it needs where that is missing: the package itself for
# the demo, what its tests need on top of that, and what the checks need on top of those.
PYTHON ?= python3
BIN := .venv/bin
PACKAGE := .venv/package
TESTS := .venv/tests
CHECKS := .venv/checks
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt

# two at a time: threads of one network would only wait for each other; and neither waits for the other's long ones
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --quiet --numprocesses 2 --dist worksteal

.PHONY: demo test test-all check bench docs clean

demo: $(PACKAGE)
	# networks this small gain nothing from threads, which would only wait for each other
	OMP_NUM_THREADS=1 $(BIN)/python examples/demo.py

test: $(TESTS)
	$(PYTEST) -m 'not slow'

# all of `make test`, then what takes long by its nature: trainings, long oracles, commands killed again and again
test-all: test
	$(PYTEST) -m 'slow and not exhaustive'

check: $(CHECKS)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(TESTS)
	$(PIP) --editable '.[peers]'
	$(BIN)/python -m benchmarks

docs: $(CHECKS)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

clean:
	rm -rf .venv build dist site

$(PACKAGE): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Pellucid needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) torch
	$(PIP) --editable .
	touch $@

$(TESTS): $(PACKAGE)
	$(PIP) --editable '.[test,world]'
	touch $@

$(CHECKS): $(TESTS)
	$(PIP) --editable '.[dev]'
	touch $@
