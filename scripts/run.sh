#!/usr/bin/env bash
# Real orders through all three models: see what a programme does before any customer does.
. "$(dirname "$0")/need.sh"

cargo build --release --package verdant
verdant=target/release/verdant
mkdir -p run

echo
echo "== 69 659 real orders (CDNOW, 1997-01 to 1998-06) become events in run/events.jsonl"
"$verdant" import ../shared/data/cdnow.csv --out run/events.jsonl --faults run/unusable-rows.csv 2>&1 | tail -n 2

for programme in wine packages; do
    echo
    echo "== examples/$programme.toml, state in run/$programme.state.json"
    "$verdant" replay "examples/$programme.toml" run/events.jsonl --state "run/$programme.state.json"
done
