# `make reproduce` makes every table and figure; `make test` runs all checks. Both set up .venv where it is missing.
PYTHON ?= python3.11
CORES ?= $(shell nproc 2>/dev/null || echo 2)
TRIALS ?= 200
BIN := .venv/bin
READY := .venv/.ready

.PHONY: reproduce test test-unit test-cluster lint soak bench environment help

help:
	@echo "make reproduce     every table and figure of the paper, on embedded faces (CORES=$(CORES))"
	@echo "make test          formatting, lint, unit tests and a smoke run of the whole workflow"
	@echo "make soak          trainings killed at random moments and run again (TRIALS=$(TRIALS))"
	@echo "make test-cluster  the workflow on a SLURM of one node (root, Debian's packages)"
	@echo "make bench         the benchmarks"

environment: $(READY)

$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed; install Python 3.11 or set PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip<27"
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

reproduce: $(READY)
	$(BIN)/snakemake --cores $(CORES)
	@$(BIN)/fersnet show results/embedded

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow/Snakefile rules
	$(BIN)/snakemake --lint

test-unit: $(READY)
	$(BIN)/python -m pytest tests -m "not smoke and not cluster"

test: lint
	$(BIN)/python -m pytest tests

soak: $(READY)
	$(BIN)/python -m tests.soak.soak --trials $(TRIALS)

test-cluster: $(READY)
	tests/cluster/install
	$(BIN)/python -m pytest tests/cluster -m cluster

bench: $(READY)
	$(BIN)/python benchmarks/run_all.py
