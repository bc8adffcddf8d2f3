# wheelwork: `make demo` shows it, `make test` checks it; both set up everything they need in .venv.

VENV    := .venv
BIN     := $(VENV)/bin
OUT     ?= out
PIP     := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
INSTALL := $(PIP) install --constraint constraints.txt

# Every test process has a processor of its own; its linear algebra must not ask for more.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

# The first Python on PATH that starts and is new enough; choose another by PYTHON=/path/to/python.
ifndef PYTHON
PYTHON := $(shell for python in python3.13 python3.12 python3.11 python3; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& { echo "$$python"; break; }; done)
endif

.DEFAULT_GOAL := help
.PHONY: help demo quick test coverage lint package bench clean

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/.installed  ## set up, run the flywheel, and say where the figure is
	$(BIN)/wheelwork run flywheel --out $(OUT)
	@echo "look at $(OUT)/flywheel.png"

test: lint  ## set up and run every check: ruff, mypy, import layers, pytest on all processors
	$(ONE_THREAD) $(BIN)/python -m pytest -n auto -m 'not slow'

# The shape of the code, what all machines promise, laws, exact solutions, references.
QUICK := tests/test_*.py tests/contracts $(foreach kind,laws exact reference,$(wildcard tests/*/test_*_$(kind).py))

quick: $(VENV)/.installed-dev  ## the contract, law and architecture tests alone: under a minute
	$(ONE_THREAD) $(BIN)/python -m pytest -n auto -m 'not slow' $(QUICK)

coverage: $(VENV)/.installed-dev  ## run the tests and show the lines they do not reach
	$(ONE_THREAD) $(BIN)/python -m pytest -n auto --cov --cov-report=term:skip-covered

lint: $(VENV)/.installed-dev  ## the static checks alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

package:  ## build sdist and wheel, check them, use the wheel alone, read-only and without a home
	PYTHON="$(PYTHON)" .ci/wheel

bench: $(VENV)/.installed-dev  ## run the slow tests, time the solvers, alone and against others (ten minutes)
	@mkdir -p .benchmarks
	$(ONE_THREAD) $(BIN)/python -m pytest -n auto -m slow
	$(BIN)/python -m pytest benchmarks --benchmark-only --benchmark-quiet \
		--benchmark-json=.benchmarks/latest.json
	@$(BIN)/python benchmarks/summary.py .benchmarks/latest.json

clean:  ## remove the environment and caches, keep results
	rm -rf $(VENV) build dist src/*.egg-info .coverage htmlcov
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .benchmarks
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@test -n "$(PYTHON)" || { \
		echo "make: no Python >= 3.11 found on PATH; install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; \
		exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "make: wheelwork needs Python >= 3.11, but PYTHON is $(PYTHON)" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' || { \
		echo "make: $(PYTHON) cannot make environments; install its venv package (python3-venv on Debian)" >&2; exit 1; }
	@echo "making $(VENV) with $(PYTHON)"
	@"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml constraints.txt
	@echo "installing wheelwork (a minute or two the first time)"
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.created pyproject.toml constraints.txt
	@echo "installing wheelwork and its checks (a minute or two the first time)"
	@$(INSTALL) --editable '.[dev,qutip]'
	@touch $@ $(VENV)/.installed
