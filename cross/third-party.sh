#!/usr/bin/env bash
# Writes what the works of others that are part of a program ask to be handed on with it: who made
# them, and their licences.
#
#   cross/third-party.sh TARGET [FILE ...]     FILE: the licences of what else is linked in
#
# Of works under several licences that of MIT is taken, where it is one of them. Ends with an error
# where a work has none that could be found.
set -euo pipefail
cd "$(dirname "$0")/.."
. cross/versions.sh
export RUSTUP_TOOLCHAIN=$RUST

target=${1:?a target}
shift
registry=${CARGO_HOME:-$HOME/.cargo}/registry/src

# licences_of FOLDER: the files with a crate's licence, and with those of what it brings along.
licences_of() {
    local files
    case $1 in
    *-sys-*) find "$1" -mindepth 2 -maxdepth 4 -type f -iname 'licen[cs]e*' ;;
    esac
    files=$(find "$1" -maxdepth 1 -type f -iregex '.*/licen[cs]e[-_.]mit[^/]*' | head -1)
    [ -n "$files" ] || files=$(find "$1" -maxdepth 1 -type f \
        -iregex '.*/\(licen[cs]e\|copying\|unlicense\|notice\)[^/]*' | sort)
    echo "$files"
}

declare -A works=() texts=()
# add NAME TEXT-FILE: the same text stands there once, with all that it is for.
add() {
    local sum
    sum=$(tr -d '\r' <"$2" | sha256sum)
    works[$sum]+="${works[$sum]:+, }$1"
    texts[$sum]=$2
}

heads=$(mktemp -d)
trap 'rm -rf "$heads"' EXIT
while read -r name version _; do
    [ "$name" != kinglet ] || continue
    folder=$(compgen -G "$registry/*/$name-${version#v}" | head -1)
    files=$(licences_of "$folder")
    if [ -z "$files" ]; then
        # In the head of its source.
        files=$heads/$name
        sed '/\*\//q' "$folder/src/lib.rs" >"$files"
        grep -q 'Permission is hereby granted' "$files" || { echo "third-party: $name has no licence" >&2; exit 1; }
    fi
    while read -r file; do
        add "$name ${version#v}" "$file"
    done <<<"$files"
done < <(cargo tree --quiet --locked --edges normal,no-proc-macro --prefix none --no-dedupe --format '{p}' --target "$target" | sort -u)
add "the standard library of Rust, by the Rust project developers" "$(rustc --print sysroot)/share/doc/rust/licenses/MIT.txt"
add "Inter, the font of the pictures for previews" src/media/card/fonts/OFL.txt
for text in "$@"; do
    add "the C library" "$text"
done

echo "Kinglet is made with the works of others. Their sources are at https://crates.io/crates/NAME."
echo "SQLite, which is in it, is in the public domain."
for sum in "${!works[@]}"; do
    printf '%s\t%s\n' "${works[$sum]}" "$sum"
done | sort | while IFS=$'\t' read -r names sum; do
    printf '\n%s\n%s\n\n' "$(printf '=%.0s' {1..80})" "$names"
    tr -d '\r' <"${texts[$sum]}"
done
