# `make run` starts the product, `make test` runs all tests; both set up what they need first.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
# With this set, every start would compile Rasa and its dependencies anew.
unexport PYTHONDONTWRITEBYTECODE
export RASA_TELEMETRY_ENABLED = false

.PHONY: help run train test lint format bench bench-stock soak vectors lock setup setup-dev

help:  ## show these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: setup  ## set up, migrate, train if needed and start everything (Ctrl-C stops)
	@exec .venv/bin/peyvand up

train: setup  ## train a model if what it is made from has changed; a worse one is not used
	@.venv/bin/peyvand train

test: setup-dev  ## set up and run all tests, and most of them on the newest Python, too
	@scripts/chromium.sh
	@PEYVAND_DATA_DIR=$$(mktemp -d) .venv/bin/peyvand train   # the model of these files, whatever is in use here
	$(PY) -m pytest -n 3 --dist loadfile
	@scripts/newest-python.sh

lint: setup-dev  ## ruff, mypy, import-linter
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

format: setup-dev  ## let ruff put the code in order
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: setup-dev  ## measure; one JSON object per line on standard output
	@$(PY) -m tests.bench

bench-stock: setup-dev  ## measure the stock pipeline of `rasa init` again (half an hour)
	@$(PY) -m tests.bench.stock

soak: setup-dev  ## the long versions: crashes, random changes of points and hand-overs, a year of surveys
	$(PY) -m pytest tests/e2e -m rasa --soak
	$(PY) -m pytest tests/crm_store/test_ledger_soak.py tests/crm_store/test_ledger_model.py tests/crm_store/test_survey_year.py tests/crm_store/handoff/test_handoff_model.py --soak -s

vectors: setup  ## bring the shipped sentence vectors up to date with data/ (optional; training makes what is missing)
	@$(PY) -m bot.nlu.vectors

lock: setup  ## resolve the dependencies anew
	@scripts/lock.sh

setup: .venv/.run
setup-dev: .venv/.dev

.venv/.run: requirements.lock pyproject.toml
	@[ -e .venv/.dev ] && [ .venv/.dev -nt requirements-dev.lock ] && [ .venv/.dev -nt pyproject.toml ] || scripts/setup.sh requirements.lock
	@touch $@

.venv/.dev: requirements-dev.lock pyproject.toml
	@scripts/setup.sh requirements-dev.lock
	@touch $@ .venv/.run
