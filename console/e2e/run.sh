#!/usr/bin/env bash
# Drives the real program in a real browser: console/e2e/run.sh [SCENARIO…]
#   SUAN_BIN   the program (build/dev/suan), built after `npm run build`
#   CHROMIUM   the browser (/usr/bin/chromium)
#   CONSOLE_DIST   show this console (dist) instead of the one in the program: nothing to rebuild
# Screenshots are left in console/test-results/.
set -euo pipefail
cd "$(dirname "$0")/.."
export SUAN_BIN=${SUAN_BIN:-../build/dev/suan}
export CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
[[ -x $SUAN_BIN ]] || { echo "e2e: no program at $SUAN_BIN; build it or set SUAN_BIN" >&2; exit 2; }
[[ -x $CHROMIUM ]] || { echo "e2e: no browser at $CHROMIUM; install chromium or set CHROMIUM" >&2; exit 2; }
[[ -d node_modules/playwright-core ]] || npm ci
exec node e2e/main.mjs "$@"
