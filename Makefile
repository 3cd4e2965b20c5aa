# `make demo` and `make test` do all of their own set-up; Python 3.11 or newer, make and pip are all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Nothing of the caller's environment may reach the tests: no AWS profile, no proxy, no token.
CLEAN := env -u AWS_PROFILE -u AWS_CA_BUNDLE -u AWS_ENDPOINT_URL -u HTTP_PROXY -u HTTPS_PROXY -u http_proxy -u https_proxy

.PHONY: help demo test format benchmark replay simulate mutants wheel lambda lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# One line instead of a resolver's, and a new environment if the old one is of another Python.
VERSION := $(shell $(PYTHON) -c 'import sys; print("python-%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none)
$(VENV)/$(VERSION):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Python: expected 3.11 or newer, got $$($(PYTHON) --version 2>&1): install one, or name it: make PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python: expected the module venv, and $(PYTHON) has none: install its package, such as python3-venv" >&2; exit 1; }
	@ls $(BIN)/$(subst python-,python,$(VERSION)) >/dev/null 2>&1 || { rm -rf $(VENV) && $(PYTHON) -m venv $(VENV); }
	@touch $@

$(VENV)/runtime: requirements.txt $(VENV)/$(VERSION)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-deps -r requirements.txt
	@touch $@

$(VENV)/dev: requirements-dev.txt $(VENV)/runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-deps -r requirements-dev.txt
	@touch $@

# Beside the tests' own requirements an old release of the emulator would be picked, one that accepts what it must refuse.
build/emulator/ready: requirements-emulator.txt
	$(PYTHON) -m venv build/emulator
	build/emulator/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-deps -r requirements-emulator.txt
	@touch $@

# The README's lines are tried with the real command line of AWS.
build/cli/ready: requirements-cli.txt
	$(PYTHON) -m venv build/cli
	build/cli/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-deps -r requirements-cli.txt
	@touch $@

# The Action installs these in a runner's job; the tests give it no way to a registry.
build/wheels/ready: requirements.txt requirements-uv.txt $(VENV)/runtime
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-deps -r requirements.txt -d build/wheels
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-deps -r requirements-uv.txt -d build/wheels
	@touch $@

# What Lambda's Python brings along and nothing else, and AWS's own emulator of the runtime's interface.
build/runtime/ready: requirements-runtime.txt requirements-rie.txt $(VENV)/runtime
	$(PYTHON) -m venv build/runtime
	build/runtime/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-deps -r requirements-runtime.txt
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-deps -r requirements-rie.txt -d build/rie
	$(BIN)/python -m zipfile -e build/rie/aws_sam_cli-*.whl build/rie
	chmod +x build/rie/samcli/local/rapid/aws-lambda-rie-*
	@touch $@

# GitHub's own description of its API judges our stand-in. Without npm those tests say that they are skipped; CI fails.
DESCRIPTION := tests/github_description
$(DESCRIPTION)/node_modules/.installed: $(DESCRIPTION)/package-lock.json
	@if command -v npm >/dev/null; then \
	  npm ci --prefix $(DESCRIPTION) --ignore-scripts --no-audit --no-fund --silent && touch $@; \
	else echo "npm is not installed: GitHub's description will not judge the stand-in"; fi

demo: $(VENV)/runtime ## sixty days of an invented repository, collected for real: no account, no network
	rm -rf ghtraffic-demo
	$(BIN)/python -m ghtraffic_action demo

test: $(VENV)/dev $(DESCRIPTION)/node_modules/.installed build/emulator/ready build/wheels/ready build/runtime/ready build/cli/ready ## format check, lint, types and all tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m docs.tables --check
	$(BIN)/actionlint
	$(BIN)/zizmor --quiet --persona=pedantic --offline .
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml
	$(BIN)/cfn-lint infra/*.yaml
	$(CLEAN) $(BIN)/python -m pytest -n auto

format: $(VENV)/dev ## format, fix what can be fixed, generate the README's tables
	$(BIN)/python -m docs.tables
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

benchmark: $(VENV)/dev build/emulator/ready ## measure against the article's algorithm, and print tables
	$(CLEAN) $(BIN)/python -m benchmarks

STORE ?= both
replay: $(VENV)/dev build/emulator/ready ## collect over a recording, FILE=recording.jsonl.gz, and compare every day
	$(CLEAN) $(BIN)/python -m benchmarks.replay $(FILE) --store $(STORE)

SEEDS ?= 500
DAYS ?= 60
FIRST ?= 0
WHERE ?= both
simulate: $(VENV)/dev ## years of runs with faults at every request, in virtual time (SEEDS=500 DAYS=60)
	$(CLEAN) $(BIN)/python -m tests.simulation --seeds $(SEEDS) --days $(DAYS) --first $(FIRST) --where $(WHERE)

mutants: $(VENV)/dev ## plant defects one at a time: the simulation has to catch each
	$(CLEAN) $(BIN)/python -m tests.simulation.mutants

wheel: $(VENV)/dev ## build dist/ghtraffic-*.whl
	$(BIN)/python -m hatchling build -t wheel -d dist

# The modules are compiled by the interpreter that runs the build: it has to be of the Lambda runtime's version.
LAMBDA_PYTHON ?= python3.13
ARCH ?= arm64
lambda: ## build dist/ghtraffic-lambda.zip (ARCH=x86_64 for the other kind; needs Python 3.13)
	$(LAMBDA_PYTHON) -m infra.package --arch $(ARCH)
	@$(LAMBDA_PYTHON) -m infra.measure dist/ghtraffic-lambda.zip

lock: ## lock the requirements again (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -q -U pyproject.toml -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -q -U requirements.txt requirements-dev.in -o requirements-dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -q -U requirements-uv.in -o requirements-uv.txt

clean: ## remove what make has made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache ghtraffic-demo $(DESCRIPTION)/node_modules
