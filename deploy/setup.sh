#!/bin/sh
# Make .venv from the hashed locks. Use: deploy/setup.sh [run|dev]
# The second run only compares a stamp. pip reads its own configuration as always.
set -eu
unset CDPATH PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX 2>/dev/null || true
cd -P -- "$(dirname -- "$0")/.."
wanted=${1:-run}
venv=.venv
case $wanted in
    run) lock=deploy/requirements.lock ;;
    dev) lock=deploy/requirements-dev.lock ;;
    *) echo "use: deploy/setup.sh [run|dev]" >&2; exit 2 ;;
esac
# A moved or half-made .venv, or another lock, does not match.
stamp="$PWD $(cat deploy/requirements.lock deploy/requirements-dev.lock | cksum)"
for made in dev "$wanted"; do
    if [ -x $venv/bin/python ] && [ "$(cat "$venv/.made-$made" 2>/dev/null)" = "$stamp" ]
    then exit 0; fi
done

say() { printf '%s\n' "$*" >&2; }
new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for python in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11; do
        if new_enough "$python"; then return 0; fi
    done
    found=$(python3 --version 2>/dev/null || echo "no python3")
    say "Safety Portal needs Python 3.11 or newer; found: $found."
    say "Debian 12, Ubuntu 24.04 or newer have it: apt-get install python3 python3-venv"
    say "If it is elsewhere: make run PYTHON=/path/to/python3.12"
    exit 1
}

make_venv() {
    rm -rf $venv
    "$python" -m venv $venv >"$log" 2>&1 && return
    # Debian cuts ensurepip out of python3; each of these does without it.
    rm -rf $venv
    "$python" -m virtualenv -q $venv >>"$log" 2>&1 && return
    rm -rf $venv
    virtualenv -q -p "$python" $venv >>"$log" 2>&1 && return
    rm -rf $venv
    "$python" -m venv --without-pip $venv >>"$log" 2>&1 &&
        "$python" -m pip --python $venv/bin/python install -q pip >>"$log" 2>&1 && return
    rm -rf $venv
    uv venv -q --seed --python "$python" $venv >>"$log" 2>&1 && return
    rm -rf $venv
    say "Python is here, but it cannot make a virtual environment:"
    sed 's/^/    /' "$log" >&2
    say "Debian and Ubuntu: apt-get install python3-venv   (or: python3-virtualenv)"
    exit 1
}

log=$(mktemp 2>/dev/null || TMPDIR=/tmp mktemp)
trap 'rm -f "$log"' EXIT
if [ "$(cat $venv/.made-in 2>/dev/null || echo "$PWD")" != "$PWD" ] ||
    ! new_enough $venv/bin/python || ! $venv/bin/python -m pip --version >/dev/null 2>&1
then
    find_python
    say "Making $venv with $("$python" --version) ..."
    make_venv
fi
printf '%s\n' "$PWD" >$venv/.made-in
say "Installing what $lock lists (a minute or two, once) ..."
if ! PIP_USER=0 $venv/bin/python -m pip install -qq --disable-pip-version-check \
    --no-input --require-hashes -r $lock
then
    say "pip could not install $lock; its own words are above."
    exit 1
fi
printf '%s\n' "$stamp" >"$venv/.made-$wanted"
