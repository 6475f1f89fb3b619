#!/usr/bin/env bash
# Real orders through all three models: see what a programme does before any customer does.
. "$(dirname "$0")/need.sh"

cargo build --release --package verdant
verdant=target/release/verdant
mkdir -p run

echo
echo "== 69 659 real orders (CDNOW, 1997-01 to 1998-06) become events in run/events.jsonl"
"$verdant" import ../shared/data/cdnow.csv --out run/events.jsonl --faults run/unusable-rows.csv 2>&1 | tail -n 2

# A journal is only ever added to: begin with an empty one, so that each run shows the same.
rm -rf run/data
for programme in wine packages; do
    echo
    echo "== examples/$programme.toml, journal in run/data, state in run/$programme.state.json"
    "$verdant" replay "examples/$programme.toml" run/events.jsonl --data run/data \
        --as "$programme" --state "run/$programme.state.json"
done

echo
echo "== every command of both journals again, every row, posting and balance compared"
"$verdant" verify --data run/data

echo
echo "== the newest lines of a customer's statement, each with the rule and the numbers behind it"
# head has seen enough before the statement ends: that is no failure.
"$verdant" export statement member/00004 --data run/data --programme wine \
    --format jsonl | head -n 3 || true
