#!/usr/bin/env bash
# The whole life of the amd64 package in a Debian 12 system of its own, made by debootstrap and booted
# by systemd-nspawn: the steps of the README as they stand, serving, a reload, a hang, a port below
# 1024, a key kept apart, an upgrade, removal and purge.
#
#   cross/try-package.sh PACKAGE NEWER-PACKAGE     as root; `skipped:` with the reason where it cannot
#
# The system is kept in target/cross/debian-12 and used again.
set -euo pipefail
cd "$(dirname "$0")/.."

SUITE=bookworm
INCLUDED=systemd,systemd-sysv,dbus,procps,sudo,curl,hostname,init-system-helpers
# Longer than all of it takes on a slow machine.
PATIENCE=600

skip() { echo "skipped: $*"; exit 0; }
fail() { echo "try-package: $*" >&2; exit 1; }

package=$(realpath "${1:?a package}")
newer=$(realpath "${2:?a newer package}")
[ "$(id -u)" -eq 0 ] || skip "only root can make a system"
for program in debootstrap systemd-nspawn; do
    command -v "$program" >/dev/null || skip "there is no $program"
done

cross=$(mkdir -p "${CARGO_TARGET_DIR:-target}/cross" && cd "${CARGO_TARGET_DIR:-target}/cross" && pwd)
base=$cross/debian-12
if [ ! -e "$base.done" ]; then
    rm -rf "$base"
    debootstrap --variant=minbase --include="$INCLUDED" "$SUITE" "$base" >"$base.log" 2>&1 \
        || skip "debootstrap: $(grep -E '^E:' "$base.log" | head -1)"
    touch "$base.done"
fi

root=$(mktemp -d "$cross/life.XXXXXX")
trap 'rm -rf "$root"' EXIT
cp -a "$base/." "$root"
mkdir "$root/life"
cp cross/life.sh "$root/life/"
cp "$package" "$root/life/kinglet_old.deb"
cp "$newer" "$root/life/kinglet_new.deb"
sed -n '/^<!-- The steps/,/^<!-- To here/p' README.md | sed -n '/^ *```$/,/^ *```$/p' | sed '/^ *```$/d; s/^ *//' >"$root/life/steps"
[ "$(wc -l <"$root/life/steps")" -ge 5 ] || fail "the README has no steps"
cat >"$root/etc/systemd/system/life.service" <<'UNIT'
[Unit]
After=multi-user.target
SuccessAction=poweroff
FailureAction=poweroff
[Service]
Type=oneshot
ExecStart=/bin/bash /life/life.sh
StandardOutput=file:/life/log
StandardError=file:/life/trace
[Install]
WantedBy=default.target
UNIT
mkdir -p "$root/etc/systemd/system/default.target.wants"
ln -s ../life.service "$root/etc/systemd/system/default.target.wants/life.service"

# Its network is its own: nothing here can be in its way.
timeout "$PATIENCE" systemd-nspawn --quiet --register=no --keep-unit --private-network --boot -D "$root" \
    </dev/null >"$root/life/console" 2>&1 || true
if [ ! -e "$root/life/log" ]; then
    skip "systemd-nspawn does not boot here: $(tail -1 "$root/life/console")"
fi
cat "$root/life/log"
if ! grep -qx 'the end' "$root/life/log"; then
    tail -40 "$root/life/trace" >&2
    fail "the package's life ended early"
fi
