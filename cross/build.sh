#!/usr/bin/env bash
# Builds static programs for the Raspberry Pi and other Linux machines, from x86-64 Linux.
#
#   cross/build.sh [--quick] [TARGET ...]      without a target: all three that people run
#
# Needs rustup, and Python 3 with venv: zig, which links and compiles C for each target, comes as a
# Python package and is kept in target/cross. The programs are put into target/cross/dist.
# --quick leaves out the slow optimisation of whole programs: to see that everything builds, not to
# give the result to anybody.
set -euo pipefail
cd "$(dirname "$0")/.."

# The newest Rust whose standard library for 32-bit ARM with musl can be had.
TOOLCHAIN=1.92.0
ZIG=0.17.1
ZIGBUILD=0.24.0
ALL=(aarch64-unknown-linux-musl armv7-unknown-linux-musleabihf x86_64-unknown-linux-musl)
# Runs on an x86-64 machine too, and shows there what 32 bits do.
KNOWN=("${ALL[@]}" i686-unknown-linux-musl)

quick=no
targets=()
for word in "$@"; do
    case $word in
    --quick) quick=yes ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "cross/build.sh: there is no flag $word; there is --quick" >&2; exit 2 ;;
    *) targets+=("$word") ;;
    esac
done
[ ${#targets[@]} -gt 0 ] || targets=("${ALL[@]}")
for target in "${targets[@]}"; do
    case " ${KNOWN[*]} " in
    *" $target "*) ;;
    *) echo "cross/build.sh: $target is none of: ${KNOWN[*]}" >&2; exit 2 ;;
    esac
done

export RUSTUP_TOOLCHAIN=$TOOLCHAIN
cross=$(mkdir -p "${CARGO_TARGET_DIR:-target}/cross" && cd "${CARGO_TARGET_DIR:-target}/cross" && pwd)
export CARGO_TARGET_DIR=$cross/build

rustup toolchain list | grep -q "^$TOOLCHAIN" || rustup toolchain install "$TOOLCHAIN" --profile minimal
rustup target add "${targets[@]}"

tools=$cross/tools-zig$ZIG-zigbuild$ZIGBUILD
if [ ! -x "$tools/bin/cargo-zigbuild" ]; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet "ziglang==$ZIG" "cargo-zigbuild==$ZIGBUILD"
fi
export PATH=$tools/bin:$PATH
# cargo-zigbuild finds zig through this Python.
export CARGO_ZIGBUILD_PYTHON_PATH=$tools/bin/python3

if [ "$quick" = yes ]; then
    export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
fi

mkdir -p "$cross/dist"
for target in "${targets[@]}"; do
    cargo zigbuild --release --locked --target "$target"
    built=$CARGO_TARGET_DIR/$target/release/kinglet
    # A program that asks for a loader would not start on a system with another C library.
    if LC_ALL=C grep -qa -e '/ld-linux' -e '/ld-musl' "$built"; then
        echo "cross/build.sh: $built is not static" >&2
        exit 1
    fi
    cp "$built" "$cross/dist/kinglet-${target%%-*}"
    echo "built: $cross/dist/kinglet-${target%%-*} ($(stat -c %s "$built") bytes)"
done
