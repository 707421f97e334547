# Everything works on a machine that has Python >= 3.11 (with venv) and make, and nothing else.
SHELL   := /bin/sh
VENV    := .venv
BIN     := $(VENV)/bin
PY      := $(BIN)/python
PIP     := $(PY) -m pip --quiet --disable-pip-version-check --no-input
UV      := uv==0.13.9

# The commune store that `make demo` leaves, which `make tui` opens.
TUI_ARGS ?= --store var/demo/xa1-tiepnhan

SEEDS   ?= 20
STEPS   ?= 200
SEED    ?=
WORKERS ?= 2
# A test waits for screens, processes and disks for a third of its time: three keep two processors busy.
TESTERS ?= 3
POINTS  ?= 1000
ARGS    ?=

export PIP_ROOT_USER_ACTION := ignore
# Compiled once, whatever the machine says of that: else each of some hundred commands compiles all again.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help venv demo tui test check format lint types imports simulate soak restores crash fuzz hostile network versions load year bench lock clean

help: ## show this help
	@echo "make TARGET:"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-12s %s\n", $$1, $$2}'

# ---------------------------------------------------------------- environment

$(PY):
	@for name in python3.13 python3.12 python3.11 python3; do \
	  if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    if ! "$$name" -c 'import ensurepip, venv' 2>/dev/null; then \
	      echo "make: $$name has no venv module; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; \
	    fi; \
	    echo "Making $(VENV) with $$("$$name" --version)"; \
	    exec "$$name" -m venv $(VENV); \
	  fi; \
	done; \
	echo "make: no Python >= 3.11 found (looked for python3.13, python3.12, python3.11, python3)" >&2; exit 1

# What runs: enough for the demo and the screen.
$(VENV)/.runtime: requirements.txt pyproject.toml | $(PY)
	@echo "Installing requirements.txt"
	@$(PIP) install --require-hashes --only-binary :all: -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

# And what tests it.
$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@echo "Installing requirements-dev.txt"
	@$(PIP) install --require-hashes --only-binary :all: -r requirements-dev.txt
	@touch $@

venv: $(VENV)/.dev ## make .venv with everything, pinned by hash

# ---------------------------------------------------------------- see it work

demo: $(VENV)/.runtime ## play the whole story with real processes, about a minute
	@$(PY) -m demo $(ARGS)

tui: $(VENV)/.runtime ## open the commune's screen on the store that the demo left
	@$(BIN)/onestop $(TUI_ARGS)

simulate: $(VENV)/.dev ## simulated network, disk and clock: SEEDS=n STEPS=m, or SEED=k to replay one
	@$(PY) -m onestop_sync.testing.simulate --seeds $(SEEDS) --steps $(STEPS) $(if $(SEED),--seed $(SEED)) $(ARGS)

soak: $(VENV)/.dev ## 20,000 long runs of it on all processors, going on where it stopped: ARGS="--seeds 100 --steps 300"
	@$(PY) -m onestop_sync.testing.soak $(ARGS)

fuzz: $(VENV)/.dev ## every decoder by coverage for 30 s each, bombs, the server by its OpenAPI document: ARGS="--seconds 300"
	@$(SHM) $(PY) -m tests.fuzz --workers $(WORKERS) $(ARGS)

hostile: $(VENV)/.dev ## the long runs of lies, rights and orders: ARGS="--what relay --packets 100"
	@$(SHM) $(PY) -m tests.hostile --workers $(WORKERS) $(ARGS)

network: $(VENV)/.dev ## the long runs over lines that fail, about half an hour: ARGS="--posts 100 --events 100"
	@$(SHM) $(PY) -m tests.network $(ARGS)

versions: $(VENV)/.dev ## another revision of the program and this one on one network, minutes: REVISION=v1.0
	@$(SHM) $(PY) -m tests.versions $(REVISION) $(ARGS)

load: $(VENV)/.dev ## several processes on one PostgreSQL, 300 communes at once: ARGS="--communes 50 --rounds 2"
	@$(SHM) $(PY) -m tests.load $(ARGS)

year: $(VENV)/.dev ## a year of two communes that merge, from intake to register and reports: ARGS="--dossiers 800 --seed 2"
	@$(SHM) $(PY) -m tests.year $(ARGS)

restores: $(VENV)/.dev ## restore a machine at 1,000 points of random days: POINTS=n for another number
	@$(SHM) ONESTOP_RESTORES=$(POINTS) $(PY) -m pytest -q -n $(WORKERS) tests/contract/test_restores.py $(ARGS)

crash: $(VENV)/.dev ## kill, EIO, ENOSPC and power cuts at every call to the disk, resumes, hours: ARGS="--minutes 20"
	@$(PY) -m tests.crash --workers $(WORKERS) --state var/crash.jsonl $(ARGS)

bench: $(VENV)/.dev ## measure and print figures
	@$(PY) -m benchmarks $(ARGS)

# ---------------------------------------------------------------- check it

# Databases spend most of a test waiting for the disk. Where there is room in memory, the tests' files go there:
# what they show is what a killed program leaves, not what a power cut does.
SHM := $(shell test -w /dev/shm && df -Pk /dev/shm 2>/dev/null | awk 'NR==2 && $$4 > 3000000 {print "TMPDIR=/dev/shm"}')

test: $(VENV)/.dev ## the tests, on SQLite and on PostgreSQL, which they start themselves
	@$(SHM) $(PY) -m pytest -q -n $(TESTERS) $(ARGS)

lint: $(VENV)/.dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(VENV)/.dev
	@$(BIN)/mypy

imports: $(VENV)/.dev
	@$(BIN)/lint-imports --no-logo

check: lint types imports test ## format, lint, strict types, import contracts, tests

format: $(VENV)/.dev ## format, and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# ---------------------------------------------------------------- upkeep

COMPILE = build/lock/bin/uv pip compile -q --universal --python-version 3.11 --only-binary :all: \
          --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
          --extra client --extra server --group build pyproject.toml

lock: ## resolve the requirements again: ARGS=--upgrade moves every pin
	@test -x build/lock/bin/uv || { python3 -m venv build/lock && build/lock/bin/pip install -q $(UV); }
	@$(COMPILE) $(ARGS) -o requirements.txt
	@$(COMPILE) $(ARGS) --extra dev -c requirements.txt -o requirements-dev.txt
	@set -e; for python in 3.11 3.12 3.13; do for platform in x86_64-manylinux_2_28 x86_64-pc-windows-msvc; do \
	  echo "wheels for Python $$python, $$platform"; \
	  build/lock/bin/uv pip compile -q --python-version $$python --python-platform $$platform \
	    --only-binary :all: requirements-dev.txt -o build/lock/$$python-$$platform.txt; \
	done; done

clean: ## remove the environment, caches and what the demo left
	@rm -rf $(VENV) var build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
