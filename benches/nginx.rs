//! Streams beside nginx, which sends the same files by `sendfile`: one stream, 64 of them and small
//! ranges, with the CPU time of both servers for each GB.
//!
//! `cargo bench --bench nginx -- [ROUNDS] [SECONDS]`; takes nginx and wrk. Both servers run all the
//! time and are asked in turns, so that what else the machine does falls on both: what counts is the
//! median of the ratios of the rounds. Figures are only printed; an answer of another status or a
//! connection that breaks ends the program.

#![allow(clippy::expect_used, clippy::unwrap_used)]

#[path = "streams/music.rs"]
#[allow(dead_code)]
mod music;
mod program;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use program::Server;
use program::proxy::Proxy;

/// A task both servers are given.
struct Task {
    name: &'static str,
    connections: usize,
    /// Length of the ranges asked for; whole songs without.
    range: Option<usize>,
    /// At least so many times what nginx does.
    promised: f64,
}

const TASKS: [Task; 3] = [
    Task { name: "1 stream", connections: 1, range: None, promised: 1.0 },
    Task { name: "64 streams", connections: 64, range: None, promised: 0.9 },
    Task { name: "ranges of 64 KiB", connections: 32, range: Some(64 << 10), promised: 0.8 },
];

/// What wrk does: it asks for each path in turn, or for ranges that begin anywhere in them.
const SCRIPT: &str = r#"
local requests, at = {}, 0
function init(args)
  local range, length = tonumber(args[2]), tonumber(args[3])
  for path in io.lines(args[1]) do
    if range == 0 then requests[#requests + 1] = wrk.format("GET", path) end
    for _ = 1, range > 0 and 32 or 0 do
      local first = math.random(0, length - range)
      local field = string.format("bytes=%d-%d", first, first + range - 1)
      requests[#requests + 1] = wrk.format("GET", path, { Range = field })
    end
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary)
  local e = summary.errors
  local broken = e.connect + e.read + e.write + e.timeout
  io.write(string.format("RESULT %d %d %d %d %d\n",
    summary.requests, summary.bytes, summary.duration, e.status, broken))
end
"#;

/// A server with songs: where it listens, its processes and the paths of the songs.
struct Side {
    address: SocketAddr,
    processes: Vec<u32>,
    paths: Vec<String>,
}

/// What a server did in one round.
#[derive(Clone, Copy)]
struct Figures {
    /// Bytes a second.
    rate: f64,
    /// Requests a second.
    requests: f64,
    /// CPU seconds for each GB.
    cpu: f64,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let mut numbers = words.iter().filter_map(|word| word.parse::<u64>().ok());
    let (rounds, seconds) = (numbers.next().unwrap_or(7), numbers.next().unwrap_or(3));
    for (program, asks) in [("nginx", "-v"), ("wrk", "-v")] {
        if Command::new(program)
            .arg(asks)
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .is_err()
        {
            println!("nginx skipped: no {program}");
            return;
        }
    }
    let work = tempfile::tempdir().expect("a temporary folder");
    let folder = work.path().join("music");
    drop(music::make(&folder, music::FILES, music::LENGTH));

    let server = Server::start(&folder, &work.path().join("data"), &music::settings(&[]));
    let ids = music::ids(&server, music::FILES);
    let ours = Side {
        address: server.address(),
        processes: vec![server.id()],
        paths: ids.iter().map(|id| music::call("stream", &format!("id={id}"))).collect(),
    };
    let nginx = start_nginx(work.path(), &folder);
    let theirs = side_of(&nginx);
    let script = work.path().join("wrk.lua");
    fs::write(&script, SCRIPT).expect("a script");

    for task in TASKS {
        let ask = |side: &Side| measure(&task, side, &script, seconds);
        let pairs: Vec<_> = (0..rounds).map(|_| (ask(&ours), ask(&theirs))).collect();
        tell(&task, &pairs);
    }
}

/// Lets wrk ask one server for some seconds.
fn measure(task: &Task, side: &Side, script: &Path, seconds: u64) -> Figures {
    let list = script.with_file_name("paths");
    fs::write(&list, side.paths.join("\n")).expect("a list of paths");
    let used = || side.processes.iter().map(|process| program::cpu(*process)).sum::<Duration>();
    let before = used();
    let output = Command::new("wrk")
        .args(["-t", &task.connections.min(2).to_string()])
        .args(["-c", &task.connections.to_string(), "-d", &format!("{seconds}s")])
        .args(["--timeout", "30s"])
        .args([Path::new("-s"), script])
        .args([&format!("http://{}", side.address), "--", list.to_str().expect("a path of text")])
        .args([task.range.unwrap_or(0).to_string(), music::LENGTH.to_string()])
        .output()
        .expect("wrk");
    let cpu = (used() - before).as_secs_f64();
    let said = String::from_utf8_lossy(&output.stdout);
    let result = said.lines().find_map(|line| line.strip_prefix("RESULT ")).expect("a result");
    let numbers: Vec<f64> = result.split(' ').map(|word| word.parse().expect("a number")).collect();
    let &[requests, bytes, took, refused, broken] = numbers.as_slice() else {
        panic!("not five figures: {result}")
    };
    assert_eq!((refused, broken), (0.0, 0.0), "{} of {}: {said}", task.name, side.address);
    let took = took / 1e6;
    Figures { rate: bytes / took, requests: requests / took, cpu: cpu / (bytes / 1e9) }
}

/// Prints what both did and how it stands to what is promised.
fn tell(task: &Task, pairs: &[(Figures, Figures)]) {
    let figure = |figures: &Figures| match task.range {
        Some(_) => figures.requests,
        None => figures.rate / 1e6,
    };
    let unit = if task.range.is_some() { "requests/s" } else { "MB/s" };
    let ratios = pairs.iter().map(|(ours, theirs)| figure(ours) / figure(theirs));
    let ratio = median(ratios);
    let verdict = if ratio >= task.promised { "kept" } else { "NOT KEPT" };
    println!("{}: {ratio:.2} of nginx (at least {}: {verdict})", task.name, task.promised);
    let ours: Vec<_> = pairs.iter().map(|pair| pair.0).collect();
    let theirs: Vec<_> = pairs.iter().map(|pair| pair.1).collect();
    for (name, side) in [("kinglet", ours), ("nginx", theirs)] {
        println!(
            "    {name:<8} {:>8.0} {unit}, {:.2} s of CPU time for each GB",
            median(side.iter().map(figure)),
            median(side.iter().map(|figures| figures.cpu)),
        );
    }
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// nginx as a server of the songs in a folder. No bound on requests of one connection, since we have
/// none.
fn start_nginx(work: &Path, folder: &Path) -> Proxy {
    Proxy::nginx(&work.join("nginx"), |address| {
        let folder = folder.display();
        format!(
            "sendfile on; keepalive_requests 1000000000;\nserver {{ listen {address}; root {folder}; }}"
        )
    })
}

fn side_of(nginx: &Proxy) -> Side {
    let paths = (0..music::FILES).map(|number| format!("/{number:03}.wav")).collect();
    Side { address: nginx.address(), processes: nginx.processes(), paths }
}
