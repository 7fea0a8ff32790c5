#!/usr/bin/env bash
# Executes presets and writes their results page. The attack pages take hours on two cores; a run
# that is interrupted goes on with `bulwark-cli queue retry`.
# usage: docs/make_results.sh demo|attacks|attractor|svdd [DATABASE]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cli=$root/build/release/bin/bulwark-cli
page=${1:?demo, attacks, attractor or svdd}
what=report
page_text=
seeds=()
case $page in
  demo) presets=(demo demo-robust) ;;
  attacks) presets=(attacks-mnist attacks-mnist-robust attacks-fashion-mnist
                    attacks-fashion-mnist-robust) ;;
  attractor)
    presets=(attractor-baseline-mnist attractor-control-mnist attractor-mnist
             attractor-iterated-baseline-mnist attractor-iterated-control-mnist
             attractor-iterated-mnist)
    what=seeds
    page_text=$root/docs/pages/attractor.json
    seeds=(0 1 2 3 4) ;;
  svdd)
    presets=(svdd-mnist svdd-oe-mnist svdd-pgd-mnist svdd-pgd-oe-mnist svdd-cifar10
             svdd-pgd-cifar10)
    what=seeds
    page_text=$root/docs/pages/svdd.json ;;
  *) echo "there is no page \"$page\"; there are demo, attacks, attractor and svdd" >&2; exit 2 ;;
esac
database=${2:-}
if [ -z "$database" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  database=$work/runs.db
fi
runs=()
for preset in "${presets[@]}"; do
  for seed in "${seeds[@]:-}"; do
    runs+=("$("$cli" run --preset "$preset" ${seed:+--set "seed=$seed"} --db "$database" --json |
      python3 -c 'import json, sys; print(json.load(sys.stdin)["run"])')")
  done
done
"$cli" export "${runs[@]}" --what "$what" ${page_text:+--page "$page_text"} --format md \
  --output "$root/docs/results/$page.md" --db "$database"
