//! Streams of songs that are not in memory, by a program that may use little of it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use rustix::fs::{Advice, fadvise};

use crate::figures::Times;
use crate::music::{self, Stream};
use crate::program::Server;

/// What the program may use: its own memory, the windows it maps, the files it reads and, where the
/// kernel counts so, what it has sent and nobody has read.
const LIMIT: u64 = 64 << 20;
const STREAMS: usize = 64;
const MIB: f64 = 1024.0 * 1024.0;

/// Runs it, or says why not.
pub fn little(work: &Path, folder: &Path, files: &[Vec<u8>]) {
    let group = match Group::make(LIMIT) {
        Ok(group) => group,
        Err(reason) => {
            println!("memory skipped: {reason}");
            return;
        }
    };
    println!(
        "{STREAMS} streams from the disk in {} MiB of memory ({})",
        LIMIT >> 20,
        group.version
    );
    let data = work.join("data-memory");
    let mut server = Server::start(folder, &data, &music::settings(&[]));
    let ids = music::ids(&server, music::FILES);
    group.take(server.id()).expect("a process in the group");
    for number in 0..files.len() {
        forget(&folder.join(format!("{number:03}.wav"))).expect("a file out of memory");
    }
    let over = AtomicBool::new(false);
    let (began, cpu) = (Instant::now(), server.cpu());
    let ping = thread::scope(|scope| {
        let ping = scope.spawn(|| Times::of(&server, &music::call("ping", ""), &over));
        let readers: Vec<_> = (0..STREAMS)
            .map(|number| number % files.len())
            .map(|number| {
                let (server, id, file) = (&server, &ids[number], &files[number]);
                scope.spawn(move || {
                    let mut stream = Stream::ask(server, id, file);
                    stream.begin();
                    while stream.read() {}
                    assert!(stream.is_whole(), "a stream ends after {} bytes", stream.at());
                })
            })
            .collect();
        readers.into_iter().for_each(|reader| reader.join().expect("a whole stream"));
        over.store(true, Ordering::SeqCst);
        ping.join().expect("times")
    });
    let (took, cpu) = (began.elapsed().as_secs_f64(), (server.cpu() - cpu).as_secs_f64());
    let read = STREAMS as f64 * music::LENGTH as f64 / MIB;
    ping.tell("ping meanwhile", 250.0);
    println!("    {read:.0} MiB in {took:.1} s, every byte right; {cpu:.1} s of CPU time");
    println!("    {}", group.most());
    assert!(server.is_running(), "the server ended");
    let kills = group.kills();
    assert_eq!(kills, 0, "the kernel killed for want of memory");
    println!("    nothing was killed");
}

/// Lets the kernel forget what it holds of a file, so that it must be fetched from the disk.
fn forget(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    file.sync_all()?;
    Ok(fadvise(&file, 0, None, Advice::DontNeed)?)
}

/// A cgroup with a limit on memory, in either version of these; gone when dropped.
struct Group {
    folder: PathBuf,
    version: &'static str,
    names: Names,
}

/// What its files are called.
struct Names {
    limit: &'static str,
    most: &'static str,
    events: &'static str,
}

const FIRST: Names = Names {
    limit: "memory.limit_in_bytes",
    most: "memory.max_usage_in_bytes",
    events: "memory.oom_control",
};
const SECOND: Names = Names { limit: "memory.max", most: "memory.peak", events: "memory.events" };

impl Group {
    /// Makes one; the error is the reason why it cannot be.
    fn make(limit: u64) -> Result<Group, String> {
        let mounts = fs::read_to_string("/proc/self/mounts").map_err(|error| error.to_string())?;
        let mounts = mounts.lines().filter_map(|line| {
            let mut fields = line.split(' ');
            Some((fields.nth(1)?, fields.next()?, fields.next()?))
        });
        let mut root = None;
        for (folder, system, options) in mounts {
            let folder = Path::new(folder);
            if system == "cgroup" && options.split(',').any(|option| option == "memory") {
                root = Some((folder.to_owned(), "cgroup v1", FIRST));
            } else if system == "cgroup2" && controllers(folder, "cgroup.controllers") {
                if !controllers(folder, "cgroup.subtree_control") {
                    fs::write(folder.join("cgroup.subtree_control"), "+memory").map_err(
                        |error| {
                            format!("cgroups below {} have no memory: {error}", folder.display())
                        },
                    )?;
                }
                root = Some((folder.to_owned(), "cgroup v2", SECOND));
            }
        }
        let (root, version, names) = root.ok_or("no cgroups for memory are mounted")?;
        let folder = root.join(format!("kinglet-bench-{}", process::id()));
        fs::create_dir(&folder).map_err(|error| format!("no cgroup can be made: {error}"))?;
        let group = Group { folder, version, names };
        fs::write(group.folder.join(group.names.limit), limit.to_string())
            .map_err(|error| format!("no limit can be set: {error}"))?;
        Ok(group)
    }

    /// Takes a process in; what it uses from now on is counted.
    fn take(&self, process: u32) -> io::Result<()> {
        fs::write(self.folder.join("cgroup.procs"), process.to_string())
    }

    /// How often the kernel has killed in it.
    fn kills(&self) -> u64 {
        let events = self.read(self.names.events);
        let line = events.lines().find_map(|line| line.strip_prefix("oom_kill "));
        line.and_then(|count| count.trim().parse().ok()).expect("a count of kills")
    }

    /// The most memory it has used.
    fn most(&self) -> String {
        match self.read(self.names.most).trim().parse::<u64>() {
            Ok(most) => format!("{:.1} MiB were used at most", most as f64 / MIB),
            // Linux before 5.19 does not tell in version 2.
            Err(_) => "what was used at most is not told".to_owned(),
        }
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The kernel lets it go a moment after its last process.
        for _ in 0..100 {
            if fs::remove_dir(&self.folder).is_ok() {
                return;
            }
            thread::sleep(std::time::Duration::from_millis(50));
        }
        eprintln!("{} is left", self.folder.display());
    }
}

fn controllers(folder: &Path, name: &str) -> bool {
    let list = fs::read_to_string(folder.join(name)).unwrap_or_default();
    list.split_whitespace().any(|controller| controller == "memory")
}
