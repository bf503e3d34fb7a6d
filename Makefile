# Everything that people and CI do. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# More than half of a test's time is waiting: five run at a time on two processors (ADR 0066). WORKERS=0: one after the other.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(8, os.cpu_count() * 5 // 2))')
# What was compiled and rewritten once is not compiled by each of them and by each process that they start (ADR 0087).
unexport PYTHONDONTWRITEBYTECODE
TESTS = $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
UNIT = tests/unit tests/architecture
CORE = tests/unit/domain tests/unit/application
PROCESSES = tests/integration/processes $(addprefix tests/e2e/test_,life_cycle.py told_while_starting.py paused_scheduler.py)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# The locks are complete, so nothing is resolved: old pips look for the newest release of a requirement with an extra,
# which has no hash. `pip check` says afterwards whether what is there fits together.
PINNED := $(PIP) install --no-deps --require-hashes

.PHONY: help install run test test-unit test-changed test-contract test-integration test-e2e test-openapi test-busy lint format types test-faults test-kill contracts check bench-search bench-sync bench-mapped bench-ingest bench-pipeline bench-workers bench-providers bench-journal bench-stats bench-import bench-export bench-expiry bench-start bench-start-index coverage house structure findings pictures tracker client-tools lock wheels sbom clean

help: ## List what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit("marquee needs Python 3.11 or later; this is " + sys.version.split()[0] + " (make PYTHON=python3.12 chooses another)") if sys.version_info < (3, 11) else None'
	@echo "building the environment in $(VENV) (once, about half a minute)"
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/.python
	$(PINNED) -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@$(PIP:--quiet=) check
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(PINNED) -r requirements-dev.lock
	@$(PIP:--quiet=) check
	@touch $@

install: $(VENV)/.installed-dev ## Build the environment, with the tools for development

run: $(VENV)/.installed ## Run everything: Redis, the demo provider's sync, the API (Ctrl-C ends it all)
	@$(BIN)/marquee --config config.yaml run

test: $(VENV)/.installed-dev ## Run all tests but the long ones of `make test-faults`
	$(TESTS) -m "not faults"
	@echo "not run: the long tests of failovers, crowds, backups and other servers (make test-faults)"

test-faults: $(VENV)/.installed-dev ## Run the long tests of failovers, crowds and other servers (CI runs them too)
	$(TESTS) -m faults

test-unit: $(VENV)/.installed-dev ## Run the tests that need no process, file or socket
	$(TESTS) $(UNIT)

test-changed: $(VENV)/.installed-dev ## Run the tests of what was changed since BEFORE (main), the nearest first, to the first failure
	$(BIN)/python -m tests.support.changed $(or $(BEFORE),main)

test-contract: $(VENV)/.installed-dev ## Run the tests of every port over all its adapters
	$(TESTS) -m "not faults" tests/contract

test-integration: $(VENV)/.installed-dev ## Run the tests of single parts with files, sockets and servers
	$(TESTS) -m "not faults" tests/integration

test-e2e: $(VENV)/.installed-dev ## Run the tests of the whole service as its users meet it
	$(TESTS) -m "not faults" tests/e2e

test-openapi: $(VENV)/.installed-dev ## Ask whatever the OpenAPI document allows; by a seed at random, which it prints
	@seed=$${MARQUEE_SCHEMATHESIS_SEED:-$$($(BIN)/python -c 'import secrets; print(secrets.randbits(32))')}; \
	  echo "MARQUEE_SCHEMATHESIS_SEED=$$seed"; MARQUEE_SCHEMATHESIS_SEED=$$seed $(BIN)/pytest tests/e2e/test_openapi.py

test-busy: $(VENV)/.installed-dev ## Run everything beside four busy loops, and the tests of processes five times
	@loops=; for loop in 1 2 3 4; do timeout 4h sh -c 'while :; do :; done' & loops="$$loops $$!"; done; trap "kill $$loops" EXIT; \
	  $(MAKE) test && for round in 1 2 3 4 5; do $(TESTS) -m "not faults" $(PROCESSES) || exit 1; done

test-kill: $(VENV)/.installed-dev ## kill -9 everything 100 times at random and compare every figure (10 times in `make check`)
	MARQUEE_KILLS=100 $(BIN)/pytest tests/e2e/test_killed_pipeline.py

.PHONY: coverage-all
COVERAGE_ALL = $(BIN)/coverage $(1) --rcfile=.ci/coverage.toml
coverage-all: $(VENV)/.installed-dev ## Run all tests, count every process of all of app, and compare with the floor (takes 1.5 times as long)
	$(call COVERAGE_ALL,erase)
	$(call COVERAGE_ALL,run) -m $(TESTS:$(BIN)/%=%) tests/unit tests/architecture
	$(call COVERAGE_ALL,combine) --quiet
	$(call COVERAGE_ALL,report) --include "app/domain/*,app/application/*" --show-missing --fail-under 100
	$(call COVERAGE_ALL,run) -m $(TESTS:$(BIN)/%=%) -m "not faults" --ignore=tests/unit --ignore=tests/architecture
	$(call COVERAGE_ALL,combine) --append --quiet
	$(call COVERAGE_ALL,report)

coverage: $(VENV)/.installed-dev ## Demand of their own tests 100% of domain and application, by branch
	$(TESTS) $(CORE) --cov --cov-report=term-missing

lint: $(VENV)/.installed-dev ## Check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.installed-dev ## Mend style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.installed-dev ## Check types
	$(BIN)/mypy

contracts: $(VENV)/.installed-dev ## Check which layer imports which
	$(BIN)/lint-imports

.PHONY: static
static: lint types contracts

check: $(VENV)/.installed-dev ## What CI runs
	@$(MAKE) -j 2 static coverage
	$(TESTS) -m "not faults" $(addprefix --ignore=,$(CORE))

bench-search: $(VENV)/.installed-dev ## Requests per second of /search beside a bare uvicorn application and a bare protocol
	$(BIN)/python -m bench.search

bench-sync: $(VENV)/.installed-dev ## Syncs of 89 MB, all or little of it new, beside a bare iterparse; a million small bases
	$(BIN)/python -m bench.sync

bench-mapped: $(VENV)/.installed-dev ## 89 MB through a mapping, XML and JSON, beside a bare iterparse
	$(BIN)/python -m bench.mapped

bench-ingest: $(VENV)/.installed-dev ## Activities per second of the door beside bare XADD and FastAPI; BEFORE=DIR or a commit: in turns with it
	$(BIN)/python -m bench.ingest $(if $(BEFORE),--before $(BEFORE))

bench-pipeline: $(VENV)/.installed-dev ## 20,000 activities/s for a minute; DATABASE=postgresql://... (an empty one) measures there; BEFORE as above; HIGHEST=1: searched
	$(BIN)/python -m bench.pipeline $(if $(DATABASE),--database $(DATABASE)) $(if $(BEFORE),--before $(BEFORE)) $(if $(HIGHEST),--highest)

bench-workers: $(VENV)/.installed-dev ## A backlog stored in PostgreSQL by one worker and by two; SERVER=postgresql://... where a database is made
	$(BIN)/python -m bench.workers $(if $(SERVER),--server $(SERVER))

bench-providers: $(VENV)/.installed-dev ## 10, 100 and 1,000 providers: ready, connections, idle CPU; BEFORE=DIR: beside an older build
	$(BIN)/python -m bench.providers $(if $(BEFORE),--before $(BEFORE))

bench-journal: $(VENV)/.installed-dev ## Changes per second from Redis to the journal beside an older build; DATABASE=postgresql://... measures there; BEFORE as above
	$(BIN)/python -m bench.journal $(if $(BEFORE),--before $(BEFORE)) $(if $(DATABASE),--database $(DATABASE))

bench-stats: $(VENV)/.installed-dev ## The questions over 1 and 10 million activities (takes some minutes)
	$(BIN)/python -m bench.stats

bench-import: $(VENV)/.installed-dev ## Rows per second from CSV to counted; BEFORE=DIR or a commit: in turns with it
	$(BIN)/python -m bench.imports $(if $(BEFORE),--before $(BEFORE))

bench-export: $(VENV)/.installed-dev ## Activities per second of `marquee export`; DATABASE=postgresql://... (an empty one) measures there
	$(BIN)/python -m bench.exports $(if $(DATABASE),--database $(DATABASE))

bench-expiry: $(VENV)/.installed-dev ## A month of 10 million activities leaves; DATABASE=postgresql://... (an empty one) measures there
	$(BIN)/python -m bench.expiry $(if $(DATABASE),--database $(DATABASE))

bench-start: $(VENV)/.installed-dev ## A start, its memory and `--help` beside an older build; BEFORE=DIR is one with its .venv, else one is made
	$(BIN)/python -m bench.start $(if $(BEFORE),--before $(BEFORE))

bench-start-index: $(VENV)/.installed-dev ## A million plans: a start without Redis, memory of four processes, a change; BEFORE=DIR or a commit (b8d7efd)
	$(BIN)/python -m bench.start_index $(if $(BEFORE),--before $(BEFORE)) $(if $(ALONE),--alone)

house: $(VENV)/.installed-dev ## Lines, rooms, arrows and circles of the code; BEFORE=COMMIT: beside an older one
	$(BIN)/python -m bench.house $(if $(BEFORE),--before $(BEFORE))

structure: $(VENV)/.installed-dev ## Draw doc/structure.md anew from the imports of the code
	$(BIN)/python -m bench.structure

findings: ## See whether what surprised us of others' tools still is so (outside CI; needs a package index)
	@for finding in findings/*.sh; do echo "$$finding"; sh $$finding || { echo "$$finding: no longer so"; failed=1; }; done; exit $${failed:-0}

pictures: $(VENV)/.installed-dev ## Take the pictures of the dashboard anew (needs a Chromium)
	$(BIN)/python -m tests.support.pictures

TRACKER = app/adapters/inbound/http/tracker/script
tracker: ## Make the tracker that browsers load anew, from its source (needs `make client-tools`)
	.tools/node_modules/.bin/terser $(TRACKER)/tracker.js --ecma 2020 --compress passes=3,unsafe_arrows=true --mangle --output $(TRACKER)/marquee.js

client-tools: $(VENV)/.installed-dev ## Install what makes clients of the OpenAPI document, and judges it, into .tools
	$(PYTHON) -m venv --clear .tools/python
	.tools/python/bin/python -m pip --disable-pip-version-check --quiet install -r tests/data/clients/requirements.txt
	cp tests/data/clients/package.json .tools/
	cd .tools && npm install --silent --no-audit --no-fund --no-package-lock --ignore-scripts

lock: $(VENV)/.installed-dev ## Pin the dependencies anew, with hashes and without addresses
	$(PIP) install uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --upgrade --extra build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --extra build --extra telemetry --extra nats --extra sqs --extra parquet --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	@$(MAKE) wheels

wheels: $(VENV)/.installed-dev ## See that every pin has a wheel for every Python and machine that Marquee runs on
	$(PIP) install uv
	@for python in 3.11 3.12 3.13 3.14; do for machine in x86_64-manylinux_2_28 aarch64-manylinux_2_28 aarch64-apple-darwin; do \
	  for lock in requirements.lock requirements-dev.lock; do \
	    $(BIN)/uv pip install -q --dry-run --no-deps --require-hashes --only-binary :all: --python-platform $$machine --python-version $$python \
	      --target .marquee/none -r $$lock || { echo "$$lock: not whole for Python $$python on $$machine"; exit 1; }; \
	  done; done; done; echo "every pin has a wheel: Python 3.11 to 3.14, Linux (glibc 2.28) on x86_64 and arm64, macOS on arm64"

sbom: $(VENV)/.installed ## Write what a release is made of, from the pins, into .marquee/sbom.json (CycloneDX)
	$(PYTHON) -m venv --clear .tools/sbom
	.tools/sbom/bin/python -m pip --disable-pip-version-check --quiet install cyclonedx-bom==7.5.0
	@mkdir -p .marquee
	.tools/sbom/bin/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application --output-reproducible -o .marquee/sbom.json requirements.lock

clean: ## Remove the environment and the data
	rm -rf $(VENV) .tools .marquee .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage *.egg-info
