#!/usr/bin/env bash
# Renders every page of the window, light and dark, to PNG without a display, from finished runs of
# the demo presets. usage: docs/make_screenshots.sh [DATABASE]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
bin=$root/build/release/bin
database=${1:-}
if [ -z "$database" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  database=$work/runs.db
  "$bin/bulwark-cli" run --preset demo --db "$database" >/dev/null
  "$bin/bulwark-cli" run --preset demo-robust --db "$database" >/dev/null
fi
QT_QPA_PLATFORM=offscreen "$bin/bulwark" --db "$database" --screenshot "$root/docs/screenshots"
ls "$root/docs/screenshots"
