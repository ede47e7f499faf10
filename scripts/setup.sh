#!/usr/bin/env bash
# Makes .venv from a lock file; needs python3 and a package index, nothing else.
#   scripts/setup.sh LOCKFILE [VENV] [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/.."
lock=$1 venv=${2:-.venv} python=${3:-$(cat .python-version)}

# Trust what the machine trusts: offices often sit behind a proxy with a certificate of its own.
export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-true} UV_NATIVE_TLS=${UV_NATIVE_TLS:-true}

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
fail() { printf '\033[31mpeyvand: %s\033[0m\n' "$*" >&2; exit 1; }

# uv: the machine's own, else one in .uv that touches nothing outside this folder
uv=$(command -v uv || true)
if [ -z "$uv" ]; then
    uv=.uv/bin/uv
    if [ ! -x "$uv" ]; then
        say "fetching uv …"
        python3 -m venv .uv 2>/dev/null \
            || fail "python3 cannot make virtual environments; install python3-venv (or uv) and run this again"
        .uv/bin/python -m pip install --quiet --disable-pip-version-check uv \
            || fail "uv could not be fetched; check the connection to the package index (PIP_INDEX_URL sets another)"
    fi
fi

say "setting up $venv from $lock …"
if [ ! -x "$venv/bin/python" ]; then
    "$uv" venv --quiet --python "$python" "$venv" \
        || fail "no Python $python was found or could be fetched; install it (Rasa runs on 3.10) and run this again"
fi
# PYTHONDONTWRITEBYTECODE would leave every later start to compile Rasa anew
env -u PYTHONDONTWRITEBYTECODE VIRTUAL_ENV="$PWD/$venv" "$uv" pip sync --quiet --compile-bytecode "$lock" \
    || fail "the packages could not be installed; check the connection to the package index (UV_DEFAULT_INDEX sets another) and the disk"
VIRTUAL_ENV="$PWD/$venv" "$uv" pip install --quiet --no-deps --editable .
