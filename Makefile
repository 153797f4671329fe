# `make demo` and `make test` do everything; the rest is for those who work on it.
.DEFAULT_GOAL := help
PY := .venv/bin/python
export DEBUG ?= 1
ARGS ?=
NAME ?=

.PHONY: help install demo test check bench css css-check lock test-postgres test-broker test-browser \
	test-slow screens clean

help:  ## What there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install:  ## A virtual environment with everything, from hash-locked requirements
	@scripts/venv dev

demo:  ## The main job on SQLite with the sandbox providers; ARGS=--once plays, checks and ends
	@scripts/venv base
	@$(PY) -m tallystick.demo $(ARGS)

test: install  ## All tests but the slow ones, in a few minutes; what needs a server says so and is skipped
	@$(PY) -m pytest -q -n auto -m "not slow or postgres" $(ARGS)

test-postgres: install  ## The same suite, and what is PostgreSQL's alone, on PostgreSQL
	@DATABASE_URL=$${POSTGRES_URL:-postgres:///test} $(PY) -m pytest -q -n auto \
		-m "not slow and not browser and not broker" $(ARGS)

test-slow: install  ## Kill, fault and concurrency suites, on PostgreSQL
	@DATABASE_URL=$${POSTGRES_URL:-postgres:///test} $(PY) -m pytest -q -n 2 -m slow $(ARGS)

test-broker: install  ## Celery on Redis and RabbitMQ
	@DATABASE_URL=$${POSTGRES_URL:-postgres:///test} $(PY) -m pytest -q -m "broker and not slow" $(ARGS)

test-browser: install  ## A real browser: pays an invoice, checks accessibility
	@$(PY) -m pytest -q -m browser $(ARGS)

check: install  ## Lint, types, import contracts, migrations
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .
	@.venv/bin/mypy tallystick tests benchmarks
	@.venv/bin/lint-imports
	@$(PY) manage.py makemigrations --check --dry-run

bench: install  ## One benchmark: NAME=p7_issue; results belong in benchmarks/RESULTS.md
	@$(PY) -m benchmarks.$(NAME) $(ARGS)

screens: install  ## Screenshots of every page into docs/screens/
	@$(PY) -m tests.browser.screens

css:  ## Compile the style sheet and fonts (needs Node); the result is committed
	@cd frontend && npm install --no-save --silent && npm run --silent build

css-check:  ## Compile again and compare with what is committed
	@cd frontend && npm install --no-save --silent && npm run --silent check

lock:  ## Compile requirements/*.in to hash-locked requirements/*.txt (needs uv)
	@for name in base dev bench; do uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header requirements/$$name.in -o requirements/$$name.txt; done

clean:  ## Forget the demo, caches and compiled files
	@rm -rf .demo .cache .pytest_cache .mypy_cache .ruff_cache staticfiles
