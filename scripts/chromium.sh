#!/usr/bin/env bash
# The browser tests drive a real Chromium: find one, or install it where we may.
set -euo pipefail
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing Chromium for the browser tests …" >&2
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-core >/dev/null
    exit 0
fi
echo "peyvand: the browser tests need Chromium; install it (Debian: apt-get install chromium fonts-noto-core)" >&2
exit 1
