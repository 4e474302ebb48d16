//! A server that nobody uses lets disks sleep.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::program::{Home, furnish};

/// Longer than the shortest of the jobs that come again and again: the visits of shares, each minute.
const SECONDS: u64 = 70;
const SONGS: u64 = 200;

/// How long the rest is and how many songs there are: `FAULTS_SECONDS=600 FAULTS_SONGS=10000`.
fn figure(name: &str, else_: u64) -> u64 {
    std::env::var(name).map_or(else_, |text| text.parse().unwrap())
}

/// When each file below a folder was last changed.
fn times(folder: &Path, found: &mut BTreeMap<String, SystemTime>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let metadata = entry.metadata().unwrap();
        found.insert(entry.path().display().to_string(), metadata.modified().unwrap());
        if metadata.is_dir() {
            times(&entry.path(), found);
        }
    }
}

#[test]
#[ignore = "takes long: more than a minute of rest"]
fn no_disk_is_woken() {
    let span = Duration::from_secs(figure("FAULTS_SECONDS", SECONDS));
    let songs = figure("FAULTS_SONGS", SONGS);
    let home = Home::new();
    home.fill(songs as u16);
    // As under systemd, whose watchdog has the database read.
    let socket = home.temp.path().join("notify");
    let _systemd = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
    let variables = [("NOTIFY_SOCKET", socket.to_str().unwrap()), ("WATCHDOG_USEC", "20000000")];
    let server = home.try_start(&variables).unwrap();
    furnish(&server);
    // Another is not due for a day.
    home.ok(&["backup"]);
    server.stop();
    let server = home.try_start(&variables).unwrap();
    server.wait_for("scanned: ");
    let share = server.call("getShares")["shares"]["share"][0]["url"].as_str().unwrap().to_owned();
    server.get(&format!("/share/{}", share.split_once("/share/").unwrap().1)).unwrap();
    // The visit is written, and threads without work have ended.
    thread::sleep(Duration::from_secs(62));
    let disk = || {
        let io = fs::read_to_string(format!("/proc/{}/io", server.id())).unwrap();
        let figure = |name: &str| -> u64 {
            let line = io.lines().find(|line| line.starts_with(name)).unwrap();
            line.rsplit(' ').next().unwrap().parse().unwrap()
        };
        (figure("read_bytes"), figure("write_bytes"))
    };
    let mut before = BTreeMap::new();
    times(home.temp.path(), &mut before);
    let (read, written) = disk();
    let trace = home.temp.path().join("trace");
    let traced = Command::new("strace")
        .args(["-f", "-y", "-qq", "-e", "trace=%file,read,pread64,readv,preadv,write,pwrite64,writev,fsync,fdatasync,ftruncate,getdents64,mmap"])
        .args(["-o", trace.to_str().unwrap(), "-p", &server.id().to_string()])
        .spawn();
    let is_traced = || {
        let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
        status.lines().any(|line| line.starts_with("TracerPid:") && !line.ends_with("\t0"))
    };
    let end = Instant::now() + Duration::from_secs(10);
    while traced.is_ok() && !is_traced() {
        assert!(Instant::now() < end, "strace may not look at the server");
        thread::sleep(Duration::from_millis(10));
    }
    thread::sleep(span);
    assert!(traced.is_err() || is_traced(), "strace ended early");
    let (read, written) = (disk().0 - read, disk().1 - written);
    let calls = match traced {
        Ok(mut strace) => {
            let id = rustix::process::Pid::from_child(&strace);
            rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
            strace.wait().unwrap();
            let text = fs::read_to_string(&trace).unwrap();
            fs::remove_file(&trace).unwrap();
            let [music, data] =
                [home.music(), home.data.clone()].map(|path| path.display().to_string());
            let on = |folder: &str| text.lines().filter(|line| line.contains(folder)).count();
            assert_eq!(on(&music), 0, "{text}");
            // What the watchdog has read of the database comes from memory: see above.
            let is_change = |line: &&str| {
                let name = line.split('(').next().unwrap_or_default();
                ["write", "sync", "truncate"].iter().any(|change| name.contains(change))
            };
            let changes: Vec<&str> =
                text.lines().filter(|line| line.contains(&data)).filter(is_change).collect();
            assert!(changes.is_empty(), "{changes:?}");
            format!("no call named the music, {} the data, none of these wrote", on(&data))
        }
        Err(_) => "calls not counted, strace is missing".to_owned(),
    };
    assert_eq!((read, written), (0, 0));
    let mut after = BTreeMap::new();
    times(home.temp.path(), &mut after);
    // The traces lay in the folder itself.
    let folder = home.temp.path().display().to_string();
    before.remove(&folder);
    after.remove(&folder);
    assert_eq!(before, after);
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let memory = status.lines().find(|line| line.starts_with("RssAnon")).unwrap();
    println!(
        "idle: {} s with {songs} songs, 0 bytes from and to disks, no file changed; {calls}; {memory}",
        span.as_secs()
    );
    server.stop();
}
