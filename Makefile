# Everything happens in .venv, made by the first target that needs it. Nothing else has to be installed by hand.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python

.DEFAULT_GOAL := help
.PHONY: help demo test test-unit lint types contracts docs bench format lock clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | column -t -s "$$(printf '\t')"

demo: .make/package  ## the main job, for real; LIVE=1 asks Claude instead of the offline model
	$(RUN) -m channelcoder_lsp.cli.demo $(if $(LIVE),--live)

test: lint types contracts docs .make/interop  ## everything: style, types, layers, docs, all tests with the editors
	$(RUN) -m pytest

test-unit: .make/dev  ## the quick part of the tests
	$(RUN) -m pytest tests/unit tests/conformance

lint: .make/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .make/dev
	$(BIN)/mypy

contracts: .make/dev
	$(BIN)/lint-imports

docs: .make/dev  ## fail when docs/protocol.md or docs/settings.md are stale
	$(RUN) docs/generate.py --check

bench: .make/interop  ## the benchmarks; prints the tables of docs/performance.md
	$(RUN) -m benchmarks

format: .make/dev  ## bring the code into shape
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(RUN) docs/generate.py

lock: .make/dev  ## pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.10 --group pyproject.toml:dev pyproject.toml \
		--no-header --no-emit-index-url --no-annotate --quiet --output-file requirements/dev.txt

clean:  ## remove everything that was made
	rm -rf .venv .make tests/interop/node_modules

.make/venv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	mkdir -p .make && touch $@

.make/package: .make/venv pyproject.toml requirements/dev.txt
	$(RUN) -m pip install --quiet --constraint requirements/dev.txt --editable .
	touch $@

.make/dev: .make/package
	$(RUN) -m pip install --quiet --requirement requirements/dev.txt
	touch $@

.make/interop: .make/dev tests/interop/package-lock.json
	$(RUN) tests/interop/install.py
	touch $@
