#!/usr/bin/env bash
# Makes Debian packages for Debian 12 and Raspberry Pi OS 12 or newer.
#
#   cross/package.sh [--quick] [--revision N] [ARCHITECTURE ...]    arm64, armhf, amd64; without one: all
#
# armhf is for the Raspberry Pi 2 and newer: the first one and the Zero are ARMv6. `cross/setup.sh
# --packages` installs what is needed, on Debian 12: programs built on a newer one would ask for its
# C library. The packages are put into target/cross/dist; --quick and the rest as cross/build.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
. cross/versions.sh

quick=()
revision=1
architectures=()
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=(--quick) ;;
    --revision) shift; revision=${1:?} ;;
    -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
    arm64 | armhf | amd64) architectures+=("$1") ;;
    *) echo "cross/package.sh: $1 is none of: --quick --revision arm64 armhf amd64" >&2; exit 2 ;;
    esac
    shift
done
[ ${#architectures[@]} -gt 0 ] || architectures=(arm64 armhf amd64)

export RUSTUP_TOOLCHAIN=$RUST
cross=$(mkdir -p "${CARGO_TARGET_DIR:-target}/cross" && cd "${CARGO_TARGET_DIR:-target}/cross" && pwd)
tools=$cross/tools-deb$CARGO_DEB
if [ ! -x "$tools/bin/cargo-deb" ]; then
    rustup toolchain list | grep -q "^$RUST" || rustup toolchain install "$RUST" --profile minimal
    # Without its own xz: that of the system does as well. Not optimised: it runs for a second.
    CARGO_TARGET_DIR=$cross/build-deb cargo install --quiet --debug --locked --no-default-features \
        --version "$CARGO_DEB" --root "$tools" cargo-deb
    rm -rf "$cross/build-deb"
fi
export PATH=$tools/bin:$PATH
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.lock)
export SOURCE_DATE_EPOCH

for architecture in "${architectures[@]}"; do
    case $architecture in
    arm64) target=aarch64-unknown-linux-gnu ;;
    armhf) target=armv7-unknown-linux-gnueabihf ;;
    amd64) target=x86_64-unknown-linux-gnu ;;
    esac
    cross/build.sh "${quick[@]}" "$target"
    package=$(CARGO_TARGET_DIR=$cross/build cargo deb --quiet --no-build --no-strip --locked \
        --target "$target" --deb-revision "$revision" --output "$cross/dist/")
    echo "packaged: $package ($(stat -c %s "$package") bytes)"
done
