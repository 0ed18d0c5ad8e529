#!/bin/sh
# `make check`: everything that can be judged without running the portal.
set -eu
cd -P -- "$(dirname -- "$0")/.."
python=.venv/bin/python
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Settings load only with these; nothing is written anywhere else.
SECRET_KEY=$($python -c 'import secrets; print(secrets.token_urlsafe(60))')
PORTAL_VAR=$scratch DATABASE_URL=sqlite://:memory: PUBLIC_URL=https://portal.example.org
export SECRET_KEY PORTAL_VAR DATABASE_URL PUBLIC_URL
unset DEMO

step() { printf '%s\n' "-- $*"; "$@"; }
step $python -m ruff check .
step $python -m ruff format --check .
printf '%s\n' "-- djade"
git ls-files -z -- '*.html' | xargs -0 .venv/bin/djade --target-version 5.2 --check
step $python -m mypy
step $python manage.py check
step $python manage.py makemigrations --check --dry-run
step $python manage.py check --deploy --fail-level WARNING
