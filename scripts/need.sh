# What every script needs: sourced, from the root of the checkout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v cargo >/dev/null || {
    echo "cargo is missing: install Rust $(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml) or later" >&2
    exit 1
}
[ -d ../shared/golden ] || {
    echo "../shared is missing: put the shared folder (spec, golden, data) beside this checkout" >&2
    exit 1
}
