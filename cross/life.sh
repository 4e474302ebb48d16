# What cross/try-package.sh does inside the system of its own, as root.
set -euxo pipefail
cd /life

ok() { echo "ok: $*"; }
fail() { echo "FAILED: $*"; journalctl -u kinglet --no-pager | tail -30 >&2; exit 1; }

# The first person on a fresh system, who may use sudo and has some music.
useradd --create-home --shell /bin/bash pi
echo 'pi ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/pi
home=/home/pi
mkdir -p "$home/Music/Album"
{
    printf 'RIFF\xb4\x58\x01\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x44\xac\x00\x00\x88\x58\x01\x00\x02\x00\x10\x00data\x88\x58\x01\x00'
    { seq 20000 || true; } | head -c 88200
} >"$home/Music/Album/Song.wav"
cp kinglet_old.deb "$home/kinglet_0_amd64.deb"
chown -R pi: "$home"

password=
address=http://127.0.0.1:4040
call() { curl -fsS "$address/rest/$1?u=anna&p=$password&v=1.16.1&c=life&f=json&${2:-}"; }
# answers ADDRESS: within the time that a start may take.
answers() {
    address=$1
    for _ in $(seq 200); do
        call ping >ping 2>/dev/null && grep -q '"status":"ok"' ping && return
        sleep 0.1
    done
    fail "no answer from $address: $(cat ping 2>/dev/null)"
}
told() { journalctl -u kinglet --no-pager -o cat | grep -qF "$1" || fail "the log does not tell: $1"; }
version() { dpkg-query -W -f '${Version}' kinglet; }
main_process() { systemctl show -P MainPID kinglet; }

# The steps of the README, word for word.
sudo -u pi bash -euxo pipefail -c "cd; . /life/steps" </dev/null >steps.log 2>steps.trace \
    || { cat steps.log steps.trace >&2; fail "the steps of the README"; }
grep -q 'not started yet' steps.log || fail "a package without music does not say what to do"
password=$(grep -oE '([a-z2-9]{4}-){3}[a-z2-9]{4}' steps.log | head -1)
[ -n "$password" ] || fail "no password in: $(cat steps.log)"
ok "the steps of the README: $(wc -l <steps) commands"

grep -q 'SQLite' /usr/share/doc/kinglet/THIRD-PARTY || fail "nothing tells of the works of others"

answers http://127.0.0.1:4040
systemctl is-enabled kinglet >/dev/null || fail "it would not start with the machine"
for _ in $(seq 100); do
    [ "$(systemctl show -P StatusText kinglet)" = "serving 1 files" ] && break
    sleep 0.2
done
ok "systemctl status: $(systemctl show -P StatusText kinglet)"
call createShare id=so1 >share
link=$(grep -oE '/share/[A-Za-z0-9]{16}' share | head -1)
[ -n "$link" ] || fail "no link in: $(cat share)"
page() { curl -fsS "$address$link" >page && grep -q '<audio' page || fail "no share page"; }
page
curl -fsS -r 1000-1999 -o part "$address/rest/stream?id=so1&u=anna&p=$password&v=1.16.1&c=life"
dd if="$home/Music/Album/Song.wav" bs=1000 skip=1 count=1 status=none | cmp - part || fail "wrong bytes"
ok "it plays: a call, a share page, part of a song"

systemd-analyze verify --man=no kinglet.service kinglet.socket kinglet-backup.service kinglet-backup.timer 2>verify || fail "verify: $(cat verify)"
! grep -q kinglet verify || fail "verify: $(cat verify)"
for unit in kinglet kinglet-backup; do
    exposure=$(systemd-analyze security --no-pager $unit.service | sed -n "s/.*level for $unit.service: \\([0-9.]*\\).*/\\1/p")
    [ "$(echo "$exposure" | tr -d .)" -le 15 ] || fail "exposure of $unit.service: $exposure is above 1.5"
    ok "systemd-analyze: verify finds nothing, exposure of $unit.service: $exposure"
done

# Root owns what kinglet must not write to; its own folders are nobody else's.
[ "$(stat -c '%U %a' /var/lib/kinglet)" = 'kinglet 700' ] || fail "the data folder is $(stat -c '%U %a' /var/lib/kinglet)"
grep -q "$password" <(journalctl --no-pager) && fail "the journal knows the password"

sed -i 's|^#public_url.*|public_url = "https://music.example.org"|' /etc/kinglet/kinglet.toml
systemctl reload kinglet
sleep 1
told 'read the settings again: changed public_url'
call createShare id=so1 | grep -q 'https://music.example.org/share/' || fail "a reload changes nothing"
ok "a reload"

! systemctl is-enabled kinglet-backup.timer >/dev/null || fail "the timer is on by itself"
systemctl enable --now kinglet-backup.timer
[ -n "$(systemctl show -P NextElapseUSecRealtime kinglet-backup.timer)" ] || fail "the timer waits for nothing"
systemctl start kinglet-backup.service || fail "no backup: $(journalctl -u kinglet-backup --no-pager -o cat)"
backup=$(echo /var/lib/kinglet/backups/kinglet-*.db)
[ "$(stat -c '%U %a' "$backup")" = 'kinglet 600' ] || fail "the backup is $(stat -c '%U %a' "$backup")"
systemctl disable --now kinglet-backup.timer
systemctl stop kinglet
sudo -u kinglet kinglet restore newest >restored || fail "restore: $(cat restored)"
systemctl start kinglet
answers http://127.0.0.1:4040
page
ok "a backup by its timer, beside the server, and back: $(head -1 restored)"

# A process that hangs tells the watchdog nothing.
mkdir -p /run/systemd/system/kinglet.service.d
printf '[Service]\nWatchdogSec=4\nRestartSec=1\n' >/run/systemd/system/kinglet.service.d/hurry.conf
systemctl daemon-reload
systemctl restart kinglet
answers http://127.0.0.1:4040
sleep 6
[ "$(systemctl show -P NRestarts kinglet)" = 0 ] || fail "it was started anew without need"
hung=$(main_process)
kill -STOP "$hung"
for _ in $(seq 300); do
    [ "$(systemctl show -P NRestarts kinglet)" = 0 ] || break
    sleep 0.1
done
answers http://127.0.0.1:4040
[ "$(main_process)" != "$hung" ] || fail "the process that hung is still there"
ok "a server that hangs is started anew"
rm -r /run/systemd/system/kinglet.service.d
systemctl daemon-reload

systemctl stop kinglet
systemctl enable --now kinglet.socket
answers http://127.0.0.1:80
answers http://127.0.0.1:4040
[ "$(ps -o user= -p "$(main_process)")" = kinglet ] || fail "it runs as $(ps -o user= -p "$(main_process)")"
ok "port 80 by its socket, and the port of the settings"
systemctl disable --now kinglet.socket
systemctl restart kinglet

install -d -m 700 /etc/credstore
mv /var/lib/kinglet/kinglet.key /etc/credstore/
systemctl restart kinglet
answers http://127.0.0.1:4040
[ ! -e /var/lib/kinglet/kinglet.key ] || fail "another key was made"
sudo -u kinglet kinglet user passwd anna </dev/null && fail "a password was encrypted without the key"
systemd-run -P -q -p User=kinglet -p LoadCredential=kinglet.key kinglet user passwd anna <<<"$password" >/dev/null
answers http://127.0.0.1:4040
mv /etc/credstore/kinglet.key /var/lib/kinglet/
ok "a key that is kept apart"

old=$(version)
before=$(main_process)
DEBIAN_FRONTEND=noninteractive apt-get install -y ./kinglet_new.deb >upgrade.log 2>&1 || fail "upgrade: $(cat upgrade.log)"
[ "$(version)" != "$old" ] || fail "still $old"
answers http://127.0.0.1:4040
[ "$(main_process)" != "$before" ] || fail "the old program goes on"
page
grep -q '^public_url = "https://music.example.org"' /etc/kinglet/kinglet.toml || fail "the settings are lost"
ok "an upgrade from $old to $(version) keeps users, shares and settings"

apt-get remove -y kinglet >remove.log 2>&1 || fail "remove: $(cat remove.log)"
[ ! -e /usr/bin/kinglet ] && ! pgrep -x kinglet || fail "something is left of it"
[ -s /var/lib/kinglet/kinglet.db ] && [ -s /etc/kinglet/kinglet.toml ] || fail "removal takes what users made"
apt-get install -y ./kinglet_old.deb >again.log 2>&1 || fail "again: $(cat again.log)"
answers http://127.0.0.1:4040
page
ok "removed and installed again, all is there; it started by itself"

apt-get purge -y kinglet >purge.log 2>&1 || fail "purge: $(cat purge.log)"
for left in /var/lib/kinglet /var/cache/kinglet /etc/kinglet /etc/systemd/system/multi-user.target.wants/kinglet.service; do
    [ ! -e "$left" ] && [ ! -L "$left" ] || fail "a purge leaves $left"
done
[ -s /srv/music/Album/Song.wav ] || fail "a purge takes music"
ok "purged: nothing is left but the music"
echo "the end"
