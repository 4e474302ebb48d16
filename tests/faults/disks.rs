//! The disk of the data folder is full or becomes read-only while the server runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::chance::Chance;
use super::program::{Home, Server, everything, furnish, names};

/// A file system mounted on a folder; unmounted when dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// `None` where this machine does not let us mount.
    fn new(words: &[&str], folder: &Path) -> Option<Mounted> {
        fs::create_dir_all(folder).unwrap();
        let output = Command::new("mount").args(words).arg(folder).output().ok()?;
        output.status.success().then(|| Mounted(folder.to_owned()))
    }

    fn resize(&self, bytes: u64) -> bool {
        let size = format!("remount,size={bytes}");
        let output = Command::new("mount").args(["-o", &size]).arg(&self.0).output().unwrap();
        output.status.success()
    }

    /// Leaves this much room; a scan may be writing meanwhile.
    fn leave(&self, room: u64) {
        while !self.resize(self.used() + room) {}
    }

    fn used(&self) -> u64 {
        let system = rustix::fs::statvfs(&self.0).unwrap();
        (system.f_blocks - system.f_bfree) * system.f_frsize
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

const MIB: u64 = 1 << 20;

/// Writes until a write is refused, or often enough; gives what was acknowledged, and what was said.
fn write_until_refused(server: &Server, round: u64) -> (BTreeSet<String>, Option<String>) {
    let mut acknowledged = BTreeSet::new();
    for number in 0..200 {
        let name = format!("{round}.{number}");
        let songs = "&songId=so1".repeat(100);
        let answer = server.try_call(&format!("createPlaylist?name={name}{songs}")).unwrap();
        match answer["status"].as_str() {
            Some("ok") => acknowledged.insert(name),
            _ => return (acknowledged, answer["error"]["message"].as_str().map(String::from)),
        };
    }
    (acknowledged, None)
}

/// Playing, pages of shares and covers go on.
#[track_caller]
fn plays_on(server: &Server, round: u64) {
    let words = "u=admin&p=sesame&v=1.16.1&c=faults";
    let (status, song) = server.get(&format!("/rest/stream?id=so2&{words}")).unwrap();
    assert!(status == 200 && song.len() > 4000, "{status}");
    let size = 20 + round;
    let (status, cover) =
        server.get(&format!("/rest/getCoverArt?id=so2&size={size}&{words}")).unwrap();
    assert!(status == 200 && cover.starts_with(b"\xff\xd8"), "{status}");
    let shares = server.call("getShares");
    let url = shares["shares"]["share"][0]["url"].as_str().unwrap();
    let (_, token) = url.split_once("/share/").unwrap();
    assert_eq!(server.get(&format!("/share/{token}")).unwrap().0, 200);
}

fn full(rounds: u64) {
    let home = Home::new();
    let Some(disk) = Mounted::new(&["-t", "tmpfs", "-o", "size=64m", "faults"], &home.data) else {
        println!("full disk: skipped, nothing can be mounted here");
        return;
    };
    furnish(&home.start());
    let mut chance = Chance::new(2);
    let mut acknowledged = BTreeSet::new();
    let (mut refused, mut killed) = (0, 0);
    for round in 0..rounds {
        assert!(disk.resize(64 * MIB));
        home.song(200 + round as u16);
        let server = home.start();
        if chance.below(2) == 0 {
            server.wait_for("scanned: ");
        }
        disk.leave(4096 * chance.below(256));
        let (written, message) = write_until_refused(&server, round);
        acknowledged.extend(written);
        if let Some(message) = &message {
            refused += 1;
            assert!(message.contains("disk is full"), "round {round}: {message}");
            plays_on(&server, round);
            for _ in 0..50 {
                let _ = server.try_call("createPlaylist?name=never&songId=so1");
            }
            let log = server.log();
            assert!(log.matches("disk is full").count() <= 4, "the log floods: {log}");
        }
        if round % 3 == 0 {
            killed += 1;
            server.kill();
            continue;
        }
        assert!(disk.resize(64 * MIB));
        let name = format!("{round}.again");
        server.call(&format!("createPlaylist?name={name}&songId=so1"));
        acknowledged.insert(name);
        let log = server.stop();
        assert!(!log.contains("damaged"), "round {round}: {log}");
    }
    assert!(disk.resize(64 * MIB));
    let server = home.start();
    let there = names(&server.call("getPlaylists"), "playlists.playlist", "name");
    let missing: Vec<_> = acknowledged.difference(&there).collect();
    assert!(missing.is_empty(), "lost {missing:?}");
    assert!(!home.data.join("kinglet.db.damaged").exists());
    let songs = server.call("search3?query=\"\"&songCount=500");
    server.call("startScan");
    server.wait_for("scanned: ");
    let songs = songs["searchResult3"]["song"].as_array().unwrap().len();
    println!(
        "full disk: {rounds} times, {refused} of them refused a change and played on, {killed} killed \
         then; {} acknowledged writes, none lost; {songs} songs",
        acknowledged.len()
    );
    server.stop();
}

#[test]
fn a_full_disk_refuses_changes_and_plays_on() {
    full(3);
}

#[test]
#[ignore = "takes long: 50 full disks"]
fn fifty_full_disks() {
    full(50);
}

#[test]
fn a_server_starts_on_a_full_disk() {
    let home = Home::new();
    let Some(disk) = Mounted::new(&["-t", "tmpfs", "-o", "size=128m", "faults"], &home.data) else {
        println!("full disk: skipped, nothing can be mounted here");
        return;
    };
    let server = home.start();
    furnish(&server);
    let before = everything(&server);
    server.kill();
    disk.leave(0);
    let server = home.start();
    assert!(server.log().contains("is full"), "{}", server.log());
    plays_on(&server, 0);
    assert_eq!(everything(&server), before);
    let (_, message) = write_until_refused(&server, 0);
    assert!(message.unwrap().contains("disk is full"));
    plays_on(&server, 1);
    assert!(disk.resize(128 * MIB));
    server.call("createPlaylist?name=again");
    server.stop();
}

#[test]
fn a_damaged_database_waits_for_room_to_be_made_anew() {
    let home = Home::new();
    let Some(disk) = Mounted::new(&["-t", "tmpfs", "-o", "size=128m", "faults"], &home.data) else {
        println!("full disk: skipped, nothing can be mounted here");
        return;
    };
    let server = home.start();
    furnish(&server);
    let lists = names(&server.call("getPlaylists"), "playlists.playlist", "name");
    server.stop();
    let mut bytes = fs::read(home.database()).unwrap();
    let page = bytes.chunks_exact_mut(4096).rposition(|page| page.iter().any(|byte| *byte != 0));
    bytes[page.unwrap() * 4096..][..4096].fill(0xa5);
    fs::write(home.database(), &bytes).unwrap();
    let files = || -> BTreeSet<String> {
        let entries = fs::read_dir(&home.data).unwrap().flatten();
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
    };
    fs::write(home.data.join("database.lock"), "damaged").unwrap();
    // The room that is kept back would be enough for so small a database.
    fs::remove_file(home.data.join("reserve")).unwrap();
    let before = files();
    for _ in 0..2 {
        disk.leave(64 << 10);
        let Err(log) = home.try_start(&[]) else { panic!("it starts") };
        assert!(log.contains("No space left") || log.contains("disk is full"), "{log}");
        assert_eq!(files(), before);
        assert!(fs::read(home.database()).unwrap() == bytes, "it is changed");
    }
    assert!(disk.resize(128 * MIB));
    let (server, _) = home.start_again();
    assert!(server.log().contains("making it anew"), "{}", server.log());
    assert_eq!(names(&server.call("getPlaylists"), "playlists.playlist", "name"), lists);
    server.stop();
}

#[test]
fn a_backup_that_finds_no_room_leaves_nothing_behind() {
    let home = Home::new();
    let folder = home.temp.path().join("small");
    let Some(_disk) = Mounted::new(&["-t", "tmpfs", "-o", "size=100k", "faults"], &folder) else {
        println!("full disk: skipped, nothing can be mounted here");
        return;
    };
    let server = home.start();
    furnish(&server);
    let output = home.run(&["backup", folder.join("copy.db").to_str().unwrap()]);
    assert!(!output.status.success());
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(complaint.contains("full"), "{complaint}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    plays_on(&server, 0);
}

/// A file system that Linux no longer trusts: it makes it read-only while files are open.
#[test]
#[ignore = "needs loop devices"]
fn a_disk_that_becomes_read_only_plays_on() {
    let home = Home::new();
    let image = home.temp.path().join("disk");
    fs::File::create(&image).unwrap().set_len(64 * MIB).unwrap();
    let made = Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image).status();
    let options = ["-o", "loop,errors=remount-ro", image.to_str().unwrap()];
    let disk = match made {
        Ok(made) if made.success() => Mounted::new(&options, &home.data),
        _ => None,
    };
    let Some(disk) = disk else {
        println!("read-only disk: skipped, no file system can be made and mounted here");
        return;
    };
    let device = fs::read_to_string("/proc/mounts").unwrap();
    let device = device.lines().find(|line| line.contains(home.data.to_str().unwrap())).unwrap();
    let device = device.split(' ').next().unwrap().trim_start_matches("/dev/").to_owned();
    let server = home.start();
    furnish(&server);
    let (before, _) = (everything(&server), plays_on(&server, 0));
    fs::write(format!("/sys/fs/ext4/{device}/trigger_fs_error"), "1").unwrap();
    let mut refused = 0;
    for number in 0..30 {
        let answer = server.try_call(&format!("createPlaylist?name={number}&songId=so1")).unwrap();
        assert_eq!(answer["status"], "failed", "{answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains("read-only"), "{message}");
        refused += 1;
    }
    plays_on(&server, 1);
    assert_eq!(everything(&server), before);
    assert!(server.log().matches("read-only").count() <= 4, "{}", server.log());
    server.kill();
    drop(disk);
    let checked = Command::new("e2fsck").args(["-f", "-y"]).arg(&image).output().unwrap();
    assert!(checked.status.code().is_some_and(|code| code < 4), "{checked:?}");
    let _disk = Mounted::new(&options, &home.data).unwrap();
    let server = home.start();
    assert_eq!(everything(&server), before);
    server.call("createPlaylist?name=again&songId=so1");
    println!("read-only disk: {refused} changes refused, played on, nothing lost after a repair");
    server.stop();
}
