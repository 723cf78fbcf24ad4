# Every target makes the environment it needs, once. `make PYTHON=python3.12 test` picks a Python.

VENV   ?= .venv
JOBS   ?= 2
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python, \
            $(shell $(name) -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1)' \
                    >/dev/null 2>&1 && echo $(name))))

EXTRAS := dev,plot,data,raster,grib,hdf4,sensitivity,posterior,tune
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
# Unknown names are found by pyright in the package, whose axis lists ruff takes for some.
BESIDE := experiments tests benchmarks scripts docs
PINNED := pyproject.toml $(wildcard constraints/*.txt)

.DEFAULT_GOAL := help
.PHONY: help demo test test-exhaustive test-fast check format bench docs clean distclean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-16s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/.ready-dev  ## draw the demonstration into runs/demo
	$(BIN)/diffhydro demo --out runs/demo

test: $(VENV)/.ready-dev  ## run the test suite
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not exhaustive" $(ARGS)

test-exhaustive: $(VENV)/.ready-dev  ## run the many long tests that `make test` leaves to CI
	$(BIN)/python -m pytest -n $(JOBS) -m exhaustive $(ARGS)

test-fast: $(VENV)/.ready-dev  ## run the tests that take under two seconds each
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not slow" $(ARGS)

check: $(VENV)/.ready-dev  ## format, lint, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/ruff check --isolated --select F821 $(BESIDE)
	$(BIN)/pyright diffhydro
	$(BIN)/lint-imports

format: $(VENV)/.ready-dev  ## rewrite the source as `make check` wants it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.ready-bench  ## time against peers, as ratios
	$(BIN)/python -m benchmarks $(ARGS)

docs: $(VENV)/.ready-docs  ## build the documentation into build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir build/site

clean:  ## remove what was generated, but not the environment
	rm -rf runs build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean  ## clean, and remove the environment as well
	rm -rf $(VENV)

# An environment that works is kept; a missing or broken one is made.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "diffhydro needs Python 3.11 or newer; none was found. \
	Install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)

# $(call install,EXTRAS): with the exact versions for this Python's minor version, if we have them.
define install
	@pins=constraints/py$$($(BIN)/python -c 'import sys; print("%d%d" % sys.version_info[:2])').txt; \
	if [ -f "$$pins" ]; then pins="-c $$pins"; \
	else echo "no $$pins: installing the newest versions"; pins=; fi; \
	set -x; $(PIP) install --quiet --editable '.[$(1)]' $$pins
	@touch $@
endef

$(VENV)/.ready-dev: $(PINNED) | $(BIN)/python
	$(call install,$(EXTRAS))

$(VENV)/.ready-bench: $(PINNED) | $(VENV)/.ready-dev
	$(call install,bench)

$(VENV)/.ready-docs: $(PINNED) | $(VENV)/.ready-dev
	$(call install,docs)

