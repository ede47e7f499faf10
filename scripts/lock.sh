#!/usr/bin/env bash
# Resolves pyproject.toml anew into the two lock files (docs/adr/0001).
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$(scripts/uv.sh)
compile() { "$uv" pip compile pyproject.toml --quiet --universal --generate-hashes --no-header --python-version 3.10 "$@" >/dev/null; }
compile -o requirements.lock
compile --extra dev -c requirements.lock -o requirements-dev.lock
