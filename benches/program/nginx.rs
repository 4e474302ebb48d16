//! nginx, with what a bench or a test has it do.

use std::fs;
use std::io::BufReader;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{Connection, free};

/// A running nginx; ended when dropped.
pub struct Nginx {
    process: Child,
    address: SocketAddr,
}

impl Nginx {
    /// Whether there is one on this machine.
    pub fn is_there() -> bool {
        Command::new("nginx").arg("-v").stderr(Stdio::null()).status().is_ok()
    }

    /// Starts it with a folder of its own, which is made, and with what `http` says is to stand in
    /// its `http` block for this address; waits until it listens there.
    pub fn start(own: &Path, http: impl FnOnce(SocketAddr) -> String) -> Nginx {
        fs::create_dir(own).expect("a folder");
        let address = free();
        let http = http(address);
        let file = own.join("nginx.conf");
        let own = own.display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("{kind}_temp_path {own}/temp;\n"))
            .collect();
        // As many processes as we have threads for connections. The user is the one who made the
        // folder.
        let user = if rustix::process::getuid().is_root() { "user root;" } else { "" };
        let settings = format!(
            "daemon off; {user} worker_processes 2; worker_rlimit_nofile 8192;\n\
             pid {own}/pid; error_log {own}/error.log;\n\
             events {{ worker_connections 4096; }}\n\
             http {{\naccess_log off;\n{temporary}{http}\n}}\n",
        );
        fs::write(&file, settings).expect("settings");
        let process = Command::new("nginx").args([Path::new("-c"), &file]).spawn();
        let mut nginx = Nginx { process: process.expect("a running nginx"), address };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = nginx.process.try_wait().expect("a state");
            assert!(ended.is_none() && began.elapsed() < Duration::from_secs(20), "no nginx");
            thread::sleep(Duration::from_millis(10));
        }
        nginx
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection to it.
    pub fn connect(&self) -> Connection {
        Connection(BufReader::new(TcpStream::connect(self.address).expect("a connection")))
    }

    /// The processes that work; its first has others work.
    pub fn processes(&self) -> Vec<u32> {
        let first = self.process.id();
        let children = fs::read_to_string(format!("/proc/{first}/task/{first}/children"));
        let workers = children.expect("a list").split_whitespace().map(str::parse).collect();
        Result::expect(workers, "numbers of processes")
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Killed, it would leave those that work for it.
        let process = rustix::process::Pid::from_child(&self.process);
        let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
        let _ = self.process.wait();
    }
}
