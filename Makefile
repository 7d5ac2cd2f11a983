# `make reproduce` makes every table and figure; `make test` runs all checks. Both set up .venv where it is missing.
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
ifndef PYTHON
PYTHON := $(shell for name in python3.11 python3.12 python3.13 python3; do \
    $$name -c "$(SUPPORTED)" 2>/dev/null && echo $$name && break; done)
endif
CORES ?= $(shell nproc 2>/dev/null || echo 2)
TRIALS ?= 200
ENGINE ?= podman
BIN := .venv/bin
READY := .venv/.ready
# A worker has one thread (tests/conftest.py), and what a file's tests share is made once.
PARALLEL := --numprocesses $(CORES) --maxprocesses 8 --dist loadfile --timeout 1800

.DEFAULT_GOAL := help
.PHONY: reproduce test test-unit test-cluster lint soak bench docs environment image lock help

help:
	@echo "make reproduce     every table and figure of the paper, on embedded faces (CORES=$(CORES))"
	@echo "make test          formatting, lint, unit tests and a smoke run of the whole workflow"
	@echo "make lint          formatting and lint alone"
	@echo "make soak          trainings killed at random moments and run again (TRIALS=$(TRIALS))"
	@echo "make test-cluster  the workflow on a SLURM of one node (root, Debian's packages)"
	@echo "make bench         the benchmarks"
	@echo "make docs          the documentation as a site, in site/"
	@echo "make environment   .venv alone (PYTHON=$(PYTHON))"
	@echo "make image         fersnet.sif, in which jobs run with --sdm apptainer (ENGINE=$(ENGINE))"
	@echo "make lock          requirements.lock and environment.yml, from pyproject.toml"

environment: $(READY)

# What a bare system lacks is named in one line, with Debian's package.
$(READY): requirements.lock pyproject.toml
	@$(or $(PYTHON),false) -c "$(SUPPORTED)" || { \
	    echo "$(or $(PYTHON),nothing here) is not Python 3.11, 3.12 or 3.13: apt-get install python3 python3-venv," \
	        "or set PYTHON=..."; exit 1; }
	@$(PYTHON) -c "import venv, ensurepip" 2>/dev/null || { \
	    echo "$(PYTHON) has no venv module: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip<27"
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c "import cv2" 2>/dev/null || { \
	    echo "OpenCV finds no libGL or GLib on this system: apt-get install libgl1 libglib2.0-0"; exit 1; }
	@touch $@

# Pins that stand in the lock stay as they are; delete a line of it to let that package move.
lock: $(READY)
	$(BIN)/uv pip compile pyproject.toml --all-extras --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
	    --no-annotate --custom-compile-command "make lock" --output-file requirements.lock --quiet
	{ printf '%s\n' "# Written from requirements.lock by \`make lock\`." "name: fersnet" "channels: [conda-forge]" \
	    "dependencies:" "  - python=3.11" "  - pip" "  - pip:"; sed -n 's/^[^#]/      - &/p' requirements.lock; } \
	    >environment.yml

# The image that Containerfile describes, as one file beside it that Apptainer runs.
image:
	$(ENGINE) build --file Containerfile --tag fersnet .
	$(ENGINE) save --output fersnet.tar fersnet
	apptainer build --force fersnet.sif docker-archive:fersnet.tar
	rm fersnet.tar

reproduce: $(READY)
	$(BIN)/snakemake --cores $(CORES)
	@$(BIN)/fersnet show results/embedded

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow/Snakefile rules
	$(BIN)/snakemake --lint

test-unit: $(READY)
	$(BIN)/python -m pytest $(PARALLEL) -m "not smoke and not cluster" tests

# What is quick comes first; where it fails, the rest need not run.
test: lint test-unit
	$(BIN)/python -m pytest $(PARALLEL) -m smoke tests

soak: $(READY)
	$(BIN)/python -m tests.soak.soak --trials $(TRIALS)

test-cluster: $(READY)
	tests/cluster/install
	$(BIN)/python -m pytest tests/cluster -m cluster

bench: $(READY)
	$(BIN)/python benchmarks/run_all.py

# A link that leads nowhere, or a page that is in no menu, fails it; not with --quiet, which counts no warnings. The
# variable silences an announcement of the theme's.
docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build
	@echo "site/index.html; with its search: $(BIN)/python -m http.server --directory site"
