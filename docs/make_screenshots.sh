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
  for preset in masked sound svdd-demo demo demo-robust; do  # the last one is what the pages show
    "$bin/bulwark-cli" run --preset "$preset" --db "$database" >/dev/null
  done
  # The costly checks of the masked and of the sound run.
  for run in 1 2; do
    "$bin/bulwark-cli" runs health "$run" --full --db "$database" >/dev/null
  done
fi
QT_QPA_PLATFORM=offscreen "$bin/bulwark" --db "$database" --screenshot "$root/docs/screenshots"
ls "$root/docs/screenshots"
