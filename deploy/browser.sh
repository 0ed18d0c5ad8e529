#!/bin/sh
# A Chromium for the browser journeys: the one on the PATH, Debian's, or Playwright's.
set -eu
cd -P -- "$(dirname -- "$0")/.."
for name in chromium chromium-browser google-chrome; do
    if command -v $name >/dev/null; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing chromium for the browser tests ..." >&2
    export DEBIAN_FRONTEND=noninteractive
    if apt-get install -qq -y --no-install-recommends chromium >/dev/null 2>&1 ||
        { apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium; } \
            >/dev/null
    then
        if command -v chromium >/dev/null; then exit 0; fi
    fi
fi
echo "Fetching Playwright's own Chromium for the browser tests ..." >&2
if .venv/bin/python -m playwright install chromium; then exit 0; fi
echo "The browser tests need a Chromium and there is none. Install one, for example:" >&2
echo "    Debian, Ubuntu: sudo apt-get install chromium" >&2
echo "    elsewhere:      .venv/bin/python -m playwright install --with-deps chromium" >&2
exit 1
