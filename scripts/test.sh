#!/usr/bin/env bash
# Everything: format, lints, docs, all tests, and that the benchmarks still build.
. "$(dirname "$0")/need.sh"

scripts/check.sh
cargo bench --workspace --no-run
cargo test --workspace
