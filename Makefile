# Everything happens in .venv, made by the first target that needs it. Nothing else has to be installed by hand.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python
EXTENSION := editors/vscode
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm --prefix $(EXTENSION) --loglevel error
LUA := PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm --prefix tests/editors/neovim_plugin --loglevel error

.DEFAULT_GOAL := help
.PHONY: help demo test test-vscode test-unit coverage soak release-check lint types contracts docs bench vsix format lock clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | column -t -s "$$(printf '\t')"

demo: .make/package  ## the main job, for real; LIVE=1 asks Claude instead of the offline model
	$(RUN) -m channelcoder_lsp.cli.demo $(if $(LIVE),--live)

test: lint types contracts docs .make/system .make/interop .make/vscode vsix  ## everything: style, types, layers, docs, all tests, the editors' too
	$(RUN) -m pytest --numprocesses 4 --dist loadfile

test-vscode: .make/vscode vsix  ## of them, those in a real window of VS Code, with Neovim beside it too
	$(RUN) -m pytest tests/editors/vscode tests/editors/both

test-unit: .make/dev  ## the quick part of the tests
	$(RUN) -m pytest --numprocesses 4 --dist loadfile tests/unit tests/conformance

coverage: .make/dev .make/system .make/interop  ## which branches the tests take that need no editor's window; names those that none does
	mkdir -p .make/coverage && $(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses 4 --dist loadfile --ignore tests/editors
	$(BIN)/coverage combine --quiet && $(BIN)/coverage report

soak: .make/dev  ## servers are killed a thousand times while people work, and sent twenty thousand messages; takes an hour or so
	CHANNELCODER_TEST_KILLS=1000 CHANNELCODER_TEST_MESSAGES=20000 $(RUN) -m pytest tests/faults

lint: .make/dev .make/extension .make/lua .make/system
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(NPM) run lint
	$(LUA) run lint

types: .make/dev .make/extension
	$(BIN)/mypy
	$(NPM) run types

contracts: .make/dev
	$(BIN)/lint-imports

docs: .make/dev  ## fail when docs/protocol.md or docs/settings.md are stale
	$(RUN) docs/generate.py --check

bench: .make/interop .make/vscode .make/system vsix  ## the benchmarks; prints the tables of docs/performance.md
	$(RUN) -m benchmarks

release-check: .make/vscode .make/extension  ## build what is released, install each in a clean environment, do the main job with it; it is in dist/
	$(RUN) tests/release.py

vsix: $(EXTENSION)/channelcoder.vsix  ## package the VS Code extension, once its own tests passed

format: .make/dev .make/extension .make/lua  ## bring the code into shape
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(RUN) docs/generate.py
	$(NPM) run format
	$(LUA) run format

lock: .make/dev  ## pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.10 --all-extras --group pyproject.toml:dev pyproject.toml \
		--no-header --no-emit-index-url --no-annotate --quiet --output-file requirements/dev.txt

clean:  ## remove everything that was made
	rm -rf .venv .make dist tests/interop/node_modules tests/editors/*/node_modules
	rm -rf $(EXTENSION)/node_modules $(EXTENSION)/dist $(EXTENSION)/channelcoder.vsix

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

.make/system: tests/system.py
	$(PYTHON) tests/system.py
	mkdir -p .make && touch $@

.make/interop: .make/dev tests/interop/package-lock.json
	$(RUN) tests/interop/install.py
	touch $@

.make/lua: .make/dev tests/editors/neovim_plugin/package-lock.json
	$(LUA) ci --ignore-scripts --no-audit --no-fund
	touch $@

.make/vscode: .make/dev tests/editors/vscode/install.py tests/editors/vscode/package-lock.json
	$(RUN) tests/editors/vscode/install.py
	touch $@

.make/extension: .make/dev $(EXTENSION)/package-lock.json
	$(NPM) ci --ignore-scripts --no-audit --no-fund
	touch $@

$(EXTENSION)/channelcoder.vsix: .make/extension $(wildcard $(EXTENSION)/*.json $(EXTENSION)/*.md $(EXTENSION)/src/* $(EXTENSION)/test/* $(EXTENSION)/media/* $(EXTENSION)/media/*/* $(EXTENSION)/images/*)
	$(NPM) test
	$(NPM) run package
