//! Proxies before a server: nginx and Caddy, with what a bench or a test has them do.

use std::fs;
use std::io::BufReader;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{Connection, free};

/// A running proxy; ended when dropped.
pub struct Proxy {
    process: Child,
    address: SocketAddr,
}

/// Whether this machine has a proxy of this name.
pub fn is_there(name: &str) -> bool {
    // What it answers is of no interest.
    Command::new(name).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

impl Proxy {
    /// Starts nginx with a folder of its own, which is made, and with what `http` says is to stand
    /// in its `http` block for this address; waits until it listens there.
    pub fn nginx(own: &Path, http: impl FnOnce(SocketAddr) -> String) -> Proxy {
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
        Proxy::start(Command::new("nginx").args([Path::new("-c"), &file]), address)
    }

    /// Starts Caddy in the same way, with the sites that `sites` says.
    pub fn caddy(own: &Path, sites: impl FnOnce(SocketAddr) -> String) -> Proxy {
        fs::create_dir(own).expect("a folder");
        let address = free();
        let file = own.join("Caddyfile");
        let sites = sites(address);
        fs::write(&file, format!("{{\n    admin off\n    auto_https off\n}}\n{sites}"))
            .expect("settings");
        let mut caddy = Command::new("caddy");
        caddy.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file);
        Proxy::start(caddy.env("HOME", own).stderr(Stdio::null()), address)
    }

    fn start(command: &mut Command, address: SocketAddr) -> Proxy {
        let mut proxy = Proxy { process: command.spawn().expect("a running proxy"), address };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = proxy.process.try_wait().expect("a state");
            assert!(ended.is_none() && began.elapsed() < Duration::from_secs(20), "no proxy");
            thread::sleep(Duration::from_millis(10));
        }
        proxy
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection to it.
    pub fn connect(&self) -> Connection {
        Connection(BufReader::new(TcpStream::connect(self.address).expect("a connection")))
    }

    /// The processes of nginx that work; its first has others work.
    pub fn processes(&self) -> Vec<u32> {
        let first = self.process.id();
        let children = fs::read_to_string(format!("/proc/{first}/task/{first}/children"));
        let workers = children.expect("a list").split_whitespace().map(str::parse).collect();
        Result::expect(workers, "numbers of processes")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Killed, nginx would leave those that work for it.
        let process = rustix::process::Pid::from_child(&self.process);
        let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
        let _ = self.process.wait();
    }
}
