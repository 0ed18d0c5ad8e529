#!/bin/sh
# Make the locks from pyproject.toml: every version with its hashes, for every system.
# uv does not read pip's configuration; give it UV_INDEX and the like where needed.
set -eu
cd -P -- "$(dirname -- "$0")/.."
uv=$(command -v .venv/bin/uv || command -v uv) || {
    echo "make lock needs uv: .venv/bin/python -m pip install uv" >&2
    exit 1
}
compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate \
        --custom-compile-command "make lock" "$@"
}
compile pyproject.toml -o deploy/requirements.lock
compile pyproject.toml --extra dev -c deploy/requirements.lock \
    -o deploy/requirements-dev.lock
