#!/usr/bin/env bash
# Executes presets and writes their results page. The attack pages take hours on two cores; a run
# that is interrupted goes on with `bulwark-cli queue retry`.
# usage: docs/make_results.sh demo|attacks [DATABASE]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cli=$root/build/release/bin/bulwark-cli
page=${1:?demo or attacks}
case $page in
  demo) presets=(demo demo-robust) ;;
  attacks) presets=(attacks-mnist attacks-mnist-robust attacks-fashion-mnist
                    attacks-fashion-mnist-robust) ;;
  *) echo "there is no page \"$page\"; there are demo and attacks" >&2; exit 2 ;;
esac
database=${2:-}
if [ -z "$database" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  database=$work/runs.db
fi
runs=()
for preset in "${presets[@]}"; do
  runs+=("$("$cli" run --preset "$preset" --db "$database" --json |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["run"])')")
done
"$cli" export "${runs[@]}" --what report --format md --output "$root/docs/results/$page.md" \
  --db "$database"
