#!/usr/bin/env bash
# Builds programs for the Raspberry Pi and other Linux machines, from x86-64 Linux.
#
#   cross/build.sh [--quick] [TARGET ...]      without a target: the three downloads
#
# The downloads are static and run on any Linux: aarch64-unknown-linux-musl, x86_64-unknown-linux-musl
# and armv7-unknown-linux-musleabihf; i686-unknown-linux-musl shows on a PC what 32 bits do. Those for
# Debian packages use the C library of the system, which has to be that of Debian 12 or newer:
# aarch64-unknown-linux-gnu, armv7-unknown-linux-gnueabihf and x86_64-unknown-linux-gnu.
#
# cross/setup.sh installs what is needed. The programs are put into target/cross/dist, each with a list
# of the works of others in it, to be handed on together; the same commit gives the same bytes,
# wherever it is built. --quick leaves out the slow optimisation of whole
# programs: to see that everything builds, not to give the result to anybody.
set -euo pipefail
cd "$(dirname "$0")/.."
. cross/versions.sh

DOWNLOADS=(aarch64-unknown-linux-musl armv7-unknown-linux-musleabihf x86_64-unknown-linux-musl)
PACKAGED=(aarch64-unknown-linux-gnu armv7-unknown-linux-gnueabihf x86_64-unknown-linux-gnu)
KNOWN=("${DOWNLOADS[@]}" i686-unknown-linux-musl "${PACKAGED[@]}")

quick=no
targets=()
for word in "$@"; do
    case $word in
    --quick) quick=yes ;;
    -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "cross/build.sh: there is no flag $word; there is --quick" >&2; exit 2 ;;
    *) targets+=("$word") ;;
    esac
done
[ ${#targets[@]} -gt 0 ] || targets=("${DOWNLOADS[@]}")
for target in "${targets[@]}"; do
    case " ${KNOWN[*]} " in
    *" $target "*) ;;
    *) echo "cross/build.sh: $target is none of: ${KNOWN[*]}" >&2; exit 2 ;;
    esac
done

export RUSTUP_TOOLCHAIN=$RUST
cross=$(mkdir -p "${CARGO_TARGET_DIR:-target}/cross" && cd "${CARGO_TARGET_DIR:-target}/cross" && pwd)
export CARGO_TARGET_DIR=$cross/build
rustup toolchain list | grep -q "^$RUST" || rustup toolchain install "$RUST" --profile minimal
rustup target add "${targets[@]}"

case " ${targets[*]} " in
*-musl*)
    tools=$cross/tools-zig$ZIG-zigbuild$ZIGBUILD
    if [ ! -x "$tools/bin/cargo-zigbuild" ]; then
        python3 -m venv "$tools"
        "$tools/bin/pip" install --quiet "ziglang==$ZIG" "cargo-zigbuild==$ZIGBUILD"
    fi
    export PATH=$tools/bin:$PATH
    # cargo-zigbuild finds zig through this Python.
    export CARGO_ZIGBUILD_PYTHON_PATH=$tools/bin/python3
    musl=$(compgen -G "$tools/lib/python*/site-packages/ziglang/lib/libc/musl/COPYRIGHT")
    ;;
esac
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_LINKER=arm-linux-gnueabihf-gcc
export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc
export CC_armv7_unknown_linux_gnueabihf=arm-linux-gnueabihf-gcc

# Where this machine keeps things must not be seen in the programs.
cargo fetch --quiet --locked
map() {
    RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$1=$2"
    CFLAGS="${CFLAGS:-} -ffile-prefix-map=$1=$2"
}
for registry in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/; do
    map "${registry%/}" /crates
done
map "$PWD" /kinglet
map "$CARGO_TARGET_DIR" /build
export RUSTFLAGS CFLAGS
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.lock)
export SOURCE_DATE_EPOCH

if [ "$quick" = yes ]; then
    export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
fi

# programs_of FILE: which other programs it needs to be started: a loader and a C library.
loader_of() { LC_ALL=C grep -aoE '/lib[0-9]*/ld-[a-z0-9.-]+' "$1" | head -1; }

mkdir -p "$cross/dist"
for target in "${targets[@]}"; do
    case $target in
    *-musl*) build=zigbuild name=kinglet-${target%%-*} linked=("$musl") ;;
    *) build=build name=kinglet-${target%%-*}-gnu linked=() ;;
    esac
    cargo "$build" --release --locked --target "$target"
    built=$CARGO_TARGET_DIR/$target/release/kinglet
    loader=$(loader_of "$built" || true)
    # A program that asks for a loader would not start on a system with another C library.
    case $build-$loader in
    zigbuild-?*) echo "cross/build.sh: $built is not static: it asks for $loader" >&2; exit 1 ;;
    build-) echo "cross/build.sh: $built asks for no loader" >&2; exit 1 ;;
    esac
    cross/third-party.sh "$target" "${linked[@]}" >"${built%/*}/THIRD-PARTY"
    cp "$built" "$cross/dist/$name"
    cp "${built%/*}/THIRD-PARTY" "$cross/dist/$name.THIRD-PARTY"
    echo "built: $cross/dist/$name ($(stat -c %s "$built") bytes)"
done
