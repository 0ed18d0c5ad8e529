# Everything a person does with this project, by name. Each target sets itself up.
.DEFAULT_GOAL := help
.PHONY: help run manage test check bench faults reset lock setup setup-dev
python := .venv/bin/python

help: ## this list
	@echo "Safety Portal"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | \
		while IFS='|' read -r name text; do printf '%-15s %s\n' "$$name" "$$text"; done
	@echo "docs/running.md tells the rest."

run: setup ## start the portal with a demo district (PORT=8000 DB=sqlite|postgres DEMO=1)
	@exec $(python) -m safety_portal.supervisor

manage: setup ## a Django command beside a running portal: make manage ARGS="help"
	@exec $(python) -m safety_portal.supervisor manage $(ARGS)

test: setup-dev ## the whole suite on PostgreSQL, then what uses a database on SQLite
	@sh deploy/browser.sh
	$(python) -m pytest -q -n 2 -m "not stack"
	$(python) -m pytest -q -m stack
	PORTAL_TEST_DB=sqlite $(python) -m pytest -q -n 2 -m "django_db and not stack"

check: setup-dev ## style, types, templates, migrations, deployment settings
	@sh deploy/check.sh

bench: setup-dev ## measure sending; writes its report
	@exec $(python) -m tests.bench $(ARGS)

faults: setup-dev ## break every part while sending, and count what arrived
	@exec $(python) -m tests.faults $(ARGS)

reset: setup ## forget everything in var/ (not while it runs)
	@$(python) -m safety_portal.supervisor reset

lock: ## new versions into deploy/*.lock (needs uv)
	@sh deploy/lock.sh

setup:
	@sh deploy/setup.sh run

setup-dev:
	@sh deploy/setup.sh dev
