# run: the whole product on this machine. test: every test this machine can run. lint: style, types, layers.
# bench: the figures, as a table. screenshots: pictures of every page, in screenshots/.
# Each sets itself up in .venv.

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python

.PHONY: run test lint bench screenshots

run: .venv/runtime
	@$(BIN)/python manage.py up

test: .venv/tests
	@$(BIN)/python -m tests $(ARGS)

lint: .venv/tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/djade --check --target-version 5.2 $$(git ls-files 'templates/*.html')
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy
	$(BIN)/python -m tests.architecture.sizes

screenshots: .venv/tests
	@SCREENSHOTS=screenshots $(BIN)/python -m pytest -q tests/e2e/test_every_page.py

bench: .venv/tests
	@$(BIN)/python -m tests.bench $(ARGS)

.venv/bin/uv: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Launchpad needs Python 3.11 or newer; choose one with PYTHON=…")'
	@echo "Making .venv …"
	@$(PYTHON) -m venv .venv || { echo "Python's venv module is missing (on Debian: apt install python3-venv)."; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements.txt)"
	@touch $@

.venv/runtime: .venv/bin/uv requirements.txt
	@echo "Installing what requirements.txt names …"
	@$(UV) -r requirements.txt
	@touch $@

.venv/tests: .venv/runtime tests/requirements.txt tests/package.json
	@echo "Installing what tests/requirements.txt and tests/package.json name …"
	@$(UV) -r tests/requirements.txt
	@mkdir -p .venv/npm && cp tests/package.json .venv/npm/
	@if command -v npm >/dev/null; then npm install --prefix .venv/npm --silent --no-audit --no-fund --no-package-lock; fi
	@touch $@
