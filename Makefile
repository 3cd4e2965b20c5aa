# `make demo` and `make test` do all of their own set-up; Python 3.11 or newer, make and pip are all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Nothing of the caller's environment may reach the tests: no AWS profile, no proxy, no token. Compiled tests are kept.
CLEAN := env -u PYTHONDONTWRITEBYTECODE -u AWS_PROFILE -u AWS_CA_BUNDLE -u AWS_ENDPOINT_URL -u HTTP_PROXY -u HTTPS_PROXY -u http_proxy -u https_proxy

.PHONY: help demo report-demo pictures test check unit format benchmark replay fleet branch-size simulate mutants wheel sbom lambda dist lock clean

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

# GitHub's own description of its API judges our fake of GitHub. Without npm those tests say that they are skipped; CI fails.
DESCRIPTION := tests/github_description
$(DESCRIPTION)/node_modules/.installed: $(DESCRIPTION)/package-lock.json
	@if command -v npm >/dev/null; then \
	  npm ci --prefix $(DESCRIPTION) --ignore-scripts --no-audit --no-fund --loglevel=error && touch $@; \
	else echo "npm is not installed: GitHub's description will not judge the fake of GitHub"; fi

WORDS := *.in *.toml *.py Makefile README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md action.yml .github docs examples infra benchmarks ghtraffic_action tests
# What checks the report page's script, style and accessibility; the browser is Debian's chromium.
PAGE := tests/page
$(PAGE)/node_modules/.installed: $(PAGE)/package-lock.json
	@if command -v npm >/dev/null; then \
	  npm ci --prefix $(PAGE) --ignore-scripts --no-audit --no-fund --loglevel=error && touch $@; \
	else echo "npm is not installed: the report page's script will not be checked"; fi

# What checks the definition of the fleet's state machine.
STATES := tests/state_machine
$(STATES)/node_modules/.installed: $(STATES)/package-lock.json
	@if command -v npm >/dev/null; then \
	  npm ci --prefix $(STATES) --ignore-scripts --no-audit --no-fund --loglevel=error && touch $@; \
	else echo "npm is not installed: asl-validator will not check the state machine"; fi

demo: $(VENV)/runtime ## sixty days of an invented repository, collected for real: no account, no network
	rm -rf ghtraffic-demo
	$(BIN)/python -m ghtraffic_action demo --open

report-demo: $(VENV)/runtime ## the report page of eight invented repositories
	rm -rf ghtraffic-demo
	$(BIN)/python -m ghtraffic_action demo --fleet --days 90 --open

test: check $(DESCRIPTION)/node_modules/.installed $(PAGE)/node_modules/.installed build/emulator/ready build/wheels/ready build/runtime/ready build/cli/ready ## all checks and all tests, with branch coverage
	$(CLEAN) $(BIN)/python -m pytest -n auto --cov --cov-report=
	$(BIN)/coverage report --include='ghtraffic_action/traffic/*' --fail-under=100
	$(BIN)/coverage report --fail-under=95

unit: $(VENV)/dev build/wheels/ready ## the tests without programs and emulators, for every change of a line
	$(CLEAN) $(BIN)/python -m pytest -n auto --dist worksteal -m "not e2e"

check: $(VENV)/dev $(STATES)/node_modules/.installed ## format, lint, types, layers, dependencies, words, workflows and templates
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry ghtraffic_action
	$(BIN)/codespell
	$(BIN)/codespell --config docs/words.cfg $(WORDS)
	$(BIN)/python -m docs.tables --check
	$(BIN)/actionlint examples/*.yml .github/workflows/*.yml
	$(BIN)/zizmor --quiet --persona=pedantic --offline . examples/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/problem.yml .github/ISSUE_TEMPLATE/idea.yml
	$(BIN)/pre-commit validate-config .pre-commit-config.yaml
	$(BIN)/cfn-lint infra/*.yaml
	$(CLEAN) $(BIN)/python -m pytest tests/infra/test_fleet_definition.py

pictures: $(VENV)/dev ## the README's pictures of the report page, by Debian's chromium
	$(CLEAN) $(BIN)/python -m docs.pictures

format: $(VENV)/dev ## format, fix what can be fixed, generate the README's tables
	$(BIN)/python -m docs.tables
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

benchmark: $(VENV)/dev ## measure against the article's algorithm, and print tables
	$(CLEAN) $(BIN)/python -m benchmarks

STORE ?= local
replay: $(VENV)/dev build/emulator/ready ## collect over recordings, FILE=recording.jsonl.gz, every 1, 3, 7 and 13 days, and judge every export
	$(CLEAN) $(BIN)/python -m benchmarks.replay $(FILE) --store $(STORE)

fleet: $(VENV)/dev build/emulator/ready build/runtime/ready build/wheels/ready ## run the state machine over 4 credentials with 250 repositories each, at the real pace
	$(CLEAN) $(BIN)/python -m benchmarks.state_machine

branch-size: $(VENV)/dev ## measure a clone of a data branch after five years of daily commits
	$(CLEAN) $(BIN)/python -m benchmarks.data_branch

SEEDS ?= 500
DAYS ?= 60
FIRST ?= 0
WHERE ?= both
simulate: $(VENV)/dev ## years of runs with faults at every request, in virtual time (SEEDS=500 DAYS=60)
	$(CLEAN) $(BIN)/python -m tests.simulation --seeds $(SEEDS) --days $(DAYS) --first $(FIRST) --where $(WHERE)

mutants: $(VENV)/dev ## plant defects one at a time: the simulation has to catch each
	$(CLEAN) $(BIN)/python -m tests.simulation.mutants

wheel: $(VENV)/dev ## build dist/ghtraffic-*.whl and dist/ghtraffic-*.tar.gz
	$(BIN)/python -m hatchling build -t sdist -t wheel -d dist

sbom: $(VENV)/dev ## list what is locked in dist/ghtraffic.cdx.json (CycloneDX)
	@mkdir -p dist
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible -o dist/ghtraffic.cdx.json requirements.txt

# The modules are compiled by the interpreter that runs the build: it has to be of the Lambda runtime's version.
LAMBDA_PYTHON ?= python3.13
ARCH ?= arm64
lambda: ## build dist/ghtraffic-lambda.zip (ARCH=x86_64 for the other kind; needs Python 3.13)
	$(LAMBDA_PYTHON) -m infra.package --arch $(ARCH)
	@$(LAMBDA_PYTHON) -m infra.measure dist/ghtraffic-lambda.zip

dist: wheel sbom ## build all that a release has (needs Python 3.13)
	$(LAMBDA_PYTHON) -m infra.package --arch arm64 --target dist/ghtraffic-lambda-arm64.zip
	$(LAMBDA_PYTHON) -m infra.package --arch x86_64 --target dist/ghtraffic-lambda-x86_64.zip

# Universal, with hashes and without index addresses. Each environment of its own has a file of its own.
LOCK = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
lock: $(VENV)/dev ## lock all requirements again
	$(LOCK) pyproject.toml -o requirements.txt
	$(LOCK) requirements.txt requirements-dev.in -o requirements-dev.txt
	$(LOCK) requirements-emulator.in -o requirements-emulator.txt
	$(LOCK) requirements-cli.in -o requirements-cli.txt
	$(LOCK) requirements-runtime.in -o requirements-runtime.txt
	$(LOCK) --no-deps requirements-rie.in -o requirements-rie.txt
	$(LOCK) requirements-uv.in -o requirements-uv.txt

clean: ## remove what make has made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage* ghtraffic-demo $(DESCRIPTION)/node_modules $(PAGE)/node_modules $(STATES)/node_modules
