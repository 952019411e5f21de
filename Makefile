# Every target works alone from a fresh clone: it makes .venv and installs what it needs, once.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
OLDEST := 3.11
# The first one that is new enough is taken; `make PYTHON=/path/to/python3 test` names another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
export PIP_NO_INPUT := 1

# One more than there are processors, four at most: tests wait for processes of their own.
WORKERS := $(shell n=$$(getconf _NPROCESSORS_ONLN); [ $$n -ge 3 ] && echo 4 || echo $$((n + 1)))

.PHONY: help demo test lint pictures bench bench-day bench-models bench-faults bench-mutations bench-night bench-scaling bench-selection clean

help:
	@echo 'make demo    simulate, train, score a night and show what its lists would have found (in demo/)'
	@echo 'make test    lint, format, types, import layers and every test'
	@echo 'make lint    the first four of these'
	@echo 'make bench   measure the choices that docs/decisions.md rests on'
	@echo 'make bench-day   time a night of two million lines, beside plain LightGBM and beside pandas (an hour on 2 cores)'
	@echo 'make bench-models   judge the models on simulated worlds and public data (hours on 2 cores; a killed run goes on)'
	@echo 'make bench-scaling   the law by which a night scales, and the workers of a national day (minutes, more for a large store)'
	@echo 'make bench-faults   kill a small night at 50 random moments and compare what its restart leaves (minutes)'
	@echo 'make bench-mutations   2,000 valid inputs with something wrong: told, and accounted for? (minutes)'
	@echo 'make bench-night   the documented night on a bare account whose server dies and whose store moves (minutes, as root)'
	@echo 'make bench-selection   26 weeks of nights in changing worlds: whole lists against a sort (hours on 2 cores; a killed run goes on)'
	@echo 'make pictures   draw the pictures of README and docs anew from what make demo made (needs Chromium)'
	@echo 'make clean   remove .venv, demo/ and every cache'

demo: $(STAMP)
	@$(BIN)/parcel-risk demo

# Most tests keep one core busy: their files are shared out over the cores there are. Threads of LightGBM that spin
# while they wait would take these cores from each other, and a training of seconds takes minutes.
test: lint
	@OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: $(STAMP)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo >$(VENV)/import-layers.txt || { cat $(VENV)/import-layers.txt; exit 1; }

pictures: $(STAMP)
	@$(BIN)/python -m benchmarks.pictures

bench: $(STAMP)
	@$(BIN)/python -m benchmarks

# OPTIONS='--lines 20e6 --skip-naive' or '--sizes 2e6,4e6,8e6': see benchmarks/national_day.py.
bench-day: $(STAMP)
	@$(BIN)/python -m benchmarks.national_day $(OPTIONS)

# OPTIONS='--fresh --parallel 2': see benchmarks/models.py. CatBoost is only compared with, so it may be missing.
bench-models: $(STAMP)
	@$(BIN)/python -m pip install -qq --constraint constraints.txt --editable '.[dev,bench]' \
		|| echo 'CatBoost cannot be installed here: its rows are left out' >&2
	@$(BIN)/python -m benchmarks.models $(OPTIONS)

# OPTIONS='--moments 5 --seed 1': see benchmarks/faults.py.
bench-faults: $(STAMP)
	@$(BIN)/python -m benchmarks.faults $(OPTIONS)

# OPTIONS='--store S --date D --configs DIR': see benchmarks/scaling.py.
bench-scaling: $(STAMP)
	@$(BIN)/python -m benchmarks.scaling $(OPTIONS)

# OPTIONS=--results, or '--cases 200 --kind csv --show': see benchmarks/mutations.py.
bench-mutations: $(STAMP)
	@$(BIN)/python -m benchmarks.mutations $(OPTIONS)

# OPTIONS=--short: see benchmarks/bare_night.py.
bench-night: $(STAMP)
	@$(BIN)/python -m benchmarks.bare_night $(OPTIONS)

# OPTIONS='--seeds 2 --weeks 4 --parcels 400': see benchmarks/selection.py.
bench-selection: $(STAMP)
	@$(BIN)/python -m benchmarks.selection $(OPTIONS)

clean:
	rm -rf $(VENV) demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	find configs features models pipelines tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A change of the pins or of the entry points installs again; an unchanged checkout starts at once.
$(STAMP): pyproject.toml constraints.txt
	@python='$(PYTHON)'; if ! "$${python:-false}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		echo "parcel-risk needs Python $(OLDEST) or newer; found: $$("$${python:-python3}" --version 2>&1 || true)." >&2; \
		echo "Install one, or name it: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; fi
	@if [ ! -x $(BIN)/python ] || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		echo "Making $(VENV) with $$($(PYTHON) --version)"; rm -rf $(VENV); \
		$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
			echo "The module venv does not work here; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }; fi
	@echo 'Installing the pinned packages, once (some minutes)'
	@$(BIN)/python -m pip install -qq --constraint constraints.txt --editable '.[dev]'
	@$(BIN)/python -c 'import lightgbm' 2>/dev/null || { \
		echo 'LightGBM does not load: it needs the OpenMP library; on Debian and Ubuntu: apt-get install libgomp1' >&2; exit 1; }
	@touch $@
