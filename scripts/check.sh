#!/usr/bin/env bash
# What a reviewer should not have to say: format and lints, everything a warning is an error.
. "$(dirname "$0")/need.sh"

cargo fmt --all --check
cargo clippy --workspace --all-targets -- --deny warnings
RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --document-private-items --quiet
