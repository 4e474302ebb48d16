#!/usr/bin/env bash
# Starts a program that was built for any machine, and sees that it scans, answers a call, serves a
# share page and part of a song.
#
#   cross/smoke.sh PROGRAM ...     target/cross/dist/kinglet-armv7
#
# A program for another machine is run by qemu-user. `skipped:` where that is not there.
set -euo pipefail

work=$(mktemp -d)
server=
finish() {
    status=$?
    [ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
    [ "$status" -eq 0 ] || cat "$work"/*.log >&2 || true
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
fail() { echo "smoke: $*" >&2; exit 1; }

# number LENGTH VALUE: a whole number in little-endian bytes.
number() {
    local value=$2
    for _ in $(seq "$1"); do
        printf "\\x$(printf %x $((value & 255)))"
        value=$((value >> 8))
    done
}

# A second of sound that is not silence, so that parts of it differ.
sound() {
    printf RIFF; number 4 $((88200 + 36)); printf 'WAVEfmt '; number 4 16
    number 2 1; number 2 1; number 4 44100; number 4 88200; number 2 2; number 2 16
    printf data; number 4 88200
    # Enough and to spare: whoever is left writing is no failure.
    { seq 20000 || true; } | head -c 88200
}

# runner_of PROGRAM: what runs it here; the machine stands in the head of the file.
runner_of() {
    case $(od -An -tu2 -j18 -N2 "$1" | tr -d ' ') in
    3 | 62) ;;
    40) echo "qemu-arm-static -L /usr/arm-linux-gnueabihf" ;;
    183) echo "qemu-aarch64-static -L /usr/aarch64-linux-gnu" ;;
    *) fail "$1 is for a machine that is not known here" ;;
    esac
}

try() {
    local program=$1 runner data=$work/data log=$work/serve.log port base link head
    runner=$(runner_of "$program")
    if [ -n "$runner" ] && ! command -v "${runner%% *}" >/dev/null; then
        echo "skipped: $program: there is no ${runner%% *}"
        return
    fi
    local -a kinglet
    read -ra kinglet <<<"$runner $program"
    rm -rf "$data"
    mkdir -p "$work/music/Album"
    sound >"$work/music/Album/Song.wav"

    local settings=(--music "$work/music" --data "$data")
    "${kinglet[@]}" scan "${settings[@]}" >"$work/scan.log" 2>&1
    grep -q '^1 songs: 1 new' "$work/scan.log" || fail "$program does not scan"
    port=$((20000 + RANDOM % 10000))
    base=http://127.0.0.1:$port
    KINGLET_ADMIN_PASSWORD=sesame "${kinglet[@]}" serve "${settings[@]}" --listen "127.0.0.1:$port" \
        >"$log" 2>&1 &
    server=$!
    call() { curl -fsS "$base/rest/$1?u=admin&p=sesame&v=1.16.1&c=smoke&f=json&${2:-}"; }
    for _ in $(seq 300); do
        call ping >"$work/ping.log" 2>&1 && break
        kill -0 "$server" 2>/dev/null || fail "$program ended"
        sleep 0.1
    done
    grep -q '"status":"ok"' "$work/ping.log" || fail "$program does not answer"
    call createShare id=so1 >"$work/share.log"
    link=$(grep -oE '/share/[A-Za-z0-9]{16}' "$work/share.log" | head -1)
    curl -fsS -o "$work/page" "$base$link"
    grep -q '<audio' "$work/page" || fail "$program serves no share page"
    curl -fsS -D "$work/head" -r 1000-1999 -o "$work/part" \
        "$base/rest/stream?id=so1&u=admin&p=sesame&v=1.16.1&c=smoke"
    head=$(head -1 "$work/head" | tr -d '\r')
    [ "$head" = "HTTP/1.1 206 Partial Content" ] || fail "$program answers a range by: $head"
    dd if="$work/music/Album/Song.wav" bs=1000 skip=1 count=1 status=none | cmp - "$work/part" || fail "$program sends wrong bytes"
    kill -TERM "$server"
    wait "$server" || fail "$program ended with $?"
    server=
    echo "served: $program${runner:+ by ${runner%% *}} ($("${kinglet[@]}" --version))"
}

for program in "$@"; do
    try "$program"
done
