# make book | test | lab | serve | clean
# Each makes the environment it needs first. README.md has the same commands for Windows.

PYTHON ?= python3
VENV   ?= .venv
PORT   ?= 8001
BIN    := $(VENV)/bin

# JupyterLab wants to be told when it runs as root, as it does in many containers
ALLOW_ROOT := $(if $(filter 0,$(shell id -u 2>/dev/null)),--allow-root)

# an older Python gets one line that says what to do
CHECK_PYTHON = 'import sys; v = sys.version_info[:2]; v >= (3, 11) or sys.exit( \
    "This course needs Python 3.11 or newer, and $(PYTHON) is Python %d.%d. " % v + \
    "Name a newer one, for example: make $(MAKECMDGOALS) PYTHON=python3.13")'

# What failed is run once more, by itself: hundreds of programs start and stop in this suite, and a
# busy machine can be late for one of them. Whatever fails again has failed.
define pytest
$(BIN)/python -m pytest $(1) $(2) || { [ $$? = 1 ] && echo "Once more, one at a time:" && \
    $(BIN)/python -m pytest -v $(2) --last-failed --last-failed-no-failures none; }
endef

.DEFAULT_GOAL := help
.PHONY: help book serve lab test lint bench lock pins clean

help:  ## show this list
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):[^#]*## */  make \1\t/' | expand -t 16

book: $(VENV)/.ready  ## execute every notebook and build _build/html
	@$(BIN)/python -m helpers.programs || true
	@$(BIN)/python -m helpers.frameworks || true
	@$(BIN)/python -m live_book.build

serve: book  ## build the book and show it on 127.0.0.1
	@$(BIN)/python -m live_book.serve --port $(PORT)

lab: $(VENV)/.ready  ## open the chapters in JupyterLab
	@$(BIN)/jupyter lab --ServerApp.ip=127.0.0.1 $(ALLOW_ROOT) chapters

test: $(VENV)/.ready-dev  ## run the whole test suite
	@$(BIN)/python -m helpers.programs
	@$(BIN)/python -m helpers.frameworks
	@$(call pytest,-n 2,-m "not alone")
	@$(call pytest,,-m alone)

lint: $(VENV)/.ready-dev  ## check style and that notebooks carry no outputs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/nbstripout --verify --keep-id chapters/*.ipynb

bench: $(VENV)/.ready-dev  ## measure; the figures are written to benchmarks/
	@$(BIN)/python -m benchmarks

lock: $(VENV)/.ready-dev  ## choose the newest versions within the bounds
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	    --no-emit-package backend-fundamentals --custom-compile-command "make lock" \
	    requirements-dev.txt --output-file requirements.lock

pins: $(VENV)/.ready-dev  ## choose the newest Python packages for the page
	@$(BIN)/python -m live_book.runtime pin

clean:  ## remove what was built; keep the environment and downloads
	rm -rf _build .cache/live_book/runtime .cache/live_book/compiled .cache/python* .cache/node_tools .pytest_cache .ruff_cache .hypothesis .schemathesis .coverage

$(VENV)/.ready: requirements.txt requirements.lock pyproject.toml
	@$(PYTHON) -c $(CHECK_PYTHON)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	    echo "Making the environment in $(VENV)"; $(PYTHON) -m venv --clear $(VENV); }
	@echo "Installing what the book needs (a minute or two, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --constraint requirements.lock -r requirements.txt
	@touch $@

$(VENV)/.ready-dev: requirements-dev.txt $(VENV)/.ready
	@echo "Installing what the tests need (a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --constraint requirements.lock -r requirements-dev.txt
	@touch $@
