#!/usr/bin/env bash
# Installs what the other scripts here need, on Debian 12 or newer for x86-64; whatever is there
# already is left as it is.
#
#   cross/setup.sh [--packages] [--tests]    as root, or as a user who may use sudo
#
# --packages adds what Debian packages need, --tests what the programs are tried with. Rust comes by
# rustup, for the user who calls this; zig and cargo-zigbuild are fetched by cross/build.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
. cross/versions.sh

needed=(ca-certificates curl gcc git libc6-dev python3 python3-venv)
for word in "$@"; do
    case $word in
    --packages)
        needed+=(dpkg-dev xz-utils gcc-aarch64-linux-gnu libc6-dev-arm64-cross
            gcc-arm-linux-gnueabihf libc6-dev-armhf-cross)
        ;;
    --tests) needed+=(binutils qemu-user-static) ;;
    -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "cross/setup.sh: there is no flag $word; there are --packages and --tests" >&2; exit 2 ;;
    esac
done

say() { echo "setup: $*"; }

root=()
if [ "$(id -u)" -ne 0 ]; then
    root=(sudo)
fi
missing=()
for package in "${needed[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    say "installing Debian packages: ${missing[*]}"
    "${root[@]}" apt-get update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

export PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
if ! command -v rustup >/dev/null; then
    say "installing rustup"
    from=https://static.rust-lang.org/rustup/dist/x86_64-unknown-linux-gnu
    downloaded=$(mktemp -d)
    (
        cd "$downloaded"
        curl --proto '=https' --tlsv1.2 -fsSO "$from/rustup-init" -O "$from/rustup-init.sha256"
        echo "$(cut -c -64 rustup-init.sha256)  rustup-init" | sha256sum --quiet --check
        chmod +x rustup-init
        ./rustup-init -y --quiet --profile minimal --default-toolchain none
    )
    rm -r "$downloaded"
fi
if ! rustup toolchain list | grep -q "^$RUST"; then
    say "installing Rust $RUST"
    rustup toolchain install "$RUST" --profile minimal
fi
say "all is there"
