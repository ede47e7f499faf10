#!/usr/bin/env bash
# Makes a virtual environment from a lock file; needs python3 and a package index, nothing else.
#   scripts/setup.sh LOCKFILE [VENV] [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/.."
lock=$1 venv=${2:-.venv} python=${3:-$(cat .python-version)}

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
fail() { printf '\033[31mpeyvand: %s\033[0m\n' "$*" >&2; exit 1; }

# Trust what the machine trusts: offices often sit behind a proxy with a certificate of its own.
export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-true} UV_NATIVE_TLS=${UV_NATIVE_TLS:-true}
uv=$(scripts/uv.sh)

say "setting up $venv from $lock (the first time this fetches about a gigabyte) …"
if [ ! -x "$venv/bin/python" ]; then
    "$uv" venv --quiet --python "$python" "$venv" \
        || fail "no Python $python was found or could be fetched; install it (Rasa runs on 3.10) and run this again"
fi
export VIRTUAL_ENV="$PWD/$venv"
# PYTHONDONTWRITEBYTECODE would leave every later start to compile Rasa anew
env -u PYTHONDONTWRITEBYTECODE "$uv" pip sync --compile-bytecode "$lock" >&2 \
    || fail "the packages could not be installed; check the connection to the package index (UV_DEFAULT_INDEX sets another) and the disk"
"$uv" pip install --quiet --no-deps --editable .
