#!/usr/bin/env bash
# Prints where uv is: the machine's own, else one in .uv that touches nothing outside this folder.
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { printf '\033[31mpeyvand: %s\033[0m\n' "$*" >&2; exit 1; }

if command -v uv; then exit 0; fi
if [ ! -x .uv/bin/uv ]; then
    printf '\033[1mfetching uv …\033[0m\n' >&2
    python3 -m venv .uv >/dev/null 2>&1 \
        || fail "python3 cannot make virtual environments; install python3-venv (or uv) and run this again"
    .uv/bin/python -m pip install --quiet --disable-pip-version-check uv >&2 \
        || fail "uv could not be fetched; check the connection to the package index (PIP_INDEX_URL sets another)"
fi
echo "$PWD/.uv/bin/uv"
