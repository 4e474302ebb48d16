#!/usr/bin/env bash
# Builds a program twice, at different places on the disk, and sees that the bytes are the same.
#
#   cross/same-bytes.sh [--quick] [TARGET]      without a target: x86_64-unknown-linux-musl
#
# What is compared is the last commit: what is not committed is left out.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=()
[ "${1:-}" != --quick ] || { quick=(--quick); shift; }
target=${1:-x86_64-unknown-linux-musl}

cross=$(mkdir -p "${CARGO_TARGET_DIR:-target}/cross" && cd "${CARGO_TARGET_DIR:-target}/cross" && pwd)
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT
commit=$(git rev-parse HEAD)
# build NAME: what a clone in a folder of that name, with its own target folder, is built to.
build() {
    mkdir "$there/built-of-$1"
    git clone --quiet --no-checkout . "$there/$1"
    git -C "$there/$1" checkout --quiet --detach "$commit"
    (
        cd "$there/$1"
        # Its tools are no part of what is compared.
        mkdir -p target-of-its-own/cross
        for tools in "$cross"/tools-zig*; do
            [ ! -d "$tools" ] || ln -s "$tools" target-of-its-own/cross/
        done
        CARGO_TARGET_DIR=target-of-its-own cross/build.sh "${quick[@]}" "$target" >"$there/log" 2>&1 \
            || { tail -20 "$there/log" >&2; exit 1; }
        mv target-of-its-own/cross/dist/kinglet-* "$there/built-of-$1/"
    )
    rm -rf "${there:?}/$1"
}
build one
build another-with-a-longer-name
if ! diff -rq "$there"/built-of-* >&2; then
    echo "same-bytes: two builds of $target differ" >&2
    exit 1
fi
sum=$(find "$there/built-of-one" -type f ! -name '*.THIRD-PARTY' -exec sha256sum {} +)
echo "same bytes: $target (${sum%% *})"
