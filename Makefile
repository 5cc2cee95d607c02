SHELL := /bin/sh
BOOT := $(or $(PYTHON),$(shell command -v python3 || command -v python3.12 || command -v python3.11 || command -v python3.13 || echo python3))
RUN := .venv/bin/python
PORT ?= 8000
HOST ?= 127.0.0.1
export PORT HOST

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast bench-ingest bench-feed bench-memory bench-trust bench-vouches faults-import faults-talk browser venv lint format types check lock shell psql clean clean-data

help: ## List what make can do
	@grep -hE '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z%-]+):.*## /\1|/' | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

venv: ## Make .venv from requirements.lock, if it is not up to date
	@$(BOOT) bzpeer/run/venv.py

demo: venv ## Run everything on this machine: make demo PORT=8000 HOST=127.0.0.1
	@$(RUN) -m bzpeer.run

test: venv browser ## Run all tests with servers of their own; ARGS="-k name" narrows them, DATA=path adds real files
	@DATA="$(DATA)" $(RUN) -m pytest -n 2 -rs $(ARGS)

test-fast: venv ## Run the tests that need no browser
	@$(RUN) -m pytest -n 2 -m "not browser" $(ARGS)

bench-ingest: venv ## Time imports beside COPY and bulk_create: make bench-ingest DATA=folder
	@DATA="$(DATA)" $(RUN) -m tests.bench.ingest

bench-feed: venv ## Time the feed of 1,000 follows over SIZE=1000000 works beside the page without follows
	@SIZE="$(SIZE)" $(RUN) -m tests.bench.feed

bench-memory: venv ## Import a generated file of SIZE=2000 MB and measure memory
	@SIZE="$(SIZE)" $(RUN) -m tests.bench.memory

bench-vouches: venv ## Time the nightly flow of vouches among SIZE=20000 people
	@SIZE="$(SIZE)" $(RUN) -m tests.bench.vouches

bench-trust: venv ## Rescore SIZE=1000000 authors at once and through the ORM, and time one claim
	@SIZE="$(SIZE)" $(RUN) -m tests.bench.trust

faults-import: venv ## Kill imports and compare what they leave: make faults-import KILLS=100 DATA=folder
	@DATA="$(DATA)" KILLS="$(or $(KILLS),100)" $(RUN) -m tests.faults.imports

faults-talk: venv ## Kill the site while 2,000 messages are sent: make faults-talk KILLS=20
	@KILLS="$(or $(KILLS),20)" $(RUN) -m tests.faults.talk

browser: venv ## Find Chromium, or install it where apt and root allow
	@$(RUN) -m bzpeer.run.browser

lint: venv ## Check style and formatting
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .

format: venv ## Format the code
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .

types: venv ## Check type annotations
	@$(RUN) -m bzpeer.run.checks types

check: venv ## Check for missing migrations and for unsafe production settings
	@$(RUN) -m bzpeer.run.checks django

lock: venv ## Write requirements.lock anew from pyproject.toml
	@$(RUN) -m bzpeer.run.checks lock

shell: venv ## Open a Django shell
	@$(RUN) manage.py shell

psql: venv ## Open psql on the database
	@$(RUN) manage.py dbshell

clean: ## Remove caches and .venv; the demo's data stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
	@if [ -d var ]; then echo "The demo's data in var/ stay: 'make clean-data' deletes them."; fi

clean-data: venv ## Delete the demo's data, after a question
	@$(RUN) -m bzpeer.run.checks clean-data
