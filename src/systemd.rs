//! What systemd and the service tell each other: how it is doing (`sd_notify`), and the sockets it is
//! given (`sd_listen_fds`). Does nothing where there is no systemd.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process;
use std::time::Duration;

use listenfd::ListenFd;
use rustix::time::{ClockId, clock_gettime};

/// A socket that systemd listens on for us.
pub struct Socket {
    /// Its name: `FileDescriptorName` of its unit, else the unit's own name.
    pub name: String,
    /// It takes connections already.
    pub listener: TcpListener,
}

/// Takes the sockets that were given to this process, once: they are gone from the environment
/// then. To be called before there are other threads.
///
/// # Errors
/// What was given is no TCP socket.
pub fn sockets() -> io::Result<Vec<Socket>> {
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut given = ListenFd::from_env();
    let mut names = names.split(':');
    let mut sockets = Vec::new();
    for at in 0..given.len() {
        let name = names.next().unwrap_or_default().to_owned();
        if let Some(listener) = given.take_tcp_listener(at)? {
            listener.set_nonblocking(true)?;
            sockets.push(Socket { name, listener });
        }
    }
    Ok(sockets)
}

/// The server answers requests from now on.
///
/// # Errors
/// As for all of these: systemd asked to be told, but its socket does not take the message.
pub fn ready() -> io::Result<()> {
    notify("READY=1")
}

/// The server has begun to read its settings again; [`ready`] tells the end of it.
///
/// # Errors
/// See [`ready`].
pub fn reloading() -> io::Result<()> {
    let now = clock_gettime(ClockId::Monotonic);
    let microseconds = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1000;
    notify(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}"))
}

/// The server has begun to stop.
///
/// # Errors
/// See [`ready`].
pub fn stopping() -> io::Result<()> {
    notify("STOPPING=1")
}

/// The server is alive: to be said once every [`watchdog_interval`].
///
/// # Errors
/// See [`ready`].
pub fn watchdog() -> io::Result<()> {
    notify("WATCHDOG=1")
}

/// What `systemctl status` shows in one line.
///
/// # Errors
/// See [`ready`].
pub fn status(text: &str) -> io::Result<()> {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    notify(&format!("STATUS={line}"))
}

/// Whether there is somebody to be told.
pub fn listens() -> bool {
    env::var_os("NOTIFY_SOCKET").is_some()
}

/// How often to say [`watchdog`]: half the time after which systemd restarts the service, so that
/// one late wake-up does no harm. `None` where nobody waits for it.
pub fn watchdog_interval() -> Option<Duration> {
    let text = |name| env::var(name).ok();
    interval(text("WATCHDOG_USEC").as_deref(), text("WATCHDOG_PID").as_deref(), process::id())
}

fn interval(microseconds: Option<&str>, for_process: Option<&str>, us: u32) -> Option<Duration> {
    if for_process.is_some_and(|process| process.parse() != Ok(us)) {
        return None;
    }
    let microseconds = microseconds?.parse().ok().filter(|time| *time > 0)?;
    Some(Duration::from_micros(microseconds) / 2)
}

fn notify(message: &str) -> io::Result<()> {
    match env::var_os("NOTIFY_SOCKET") {
        Some(address) => send(&address, message),
        None => Ok(()),
    }
}

/// Sends a message to a socket by its path; one that begins with `@` is an abstract name.
fn send(address: &OsStr, message: &str) -> io::Result<()> {
    let address = match address.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(address)?,
    };
    UnixDatagram::unbound()?.send_to_addr(message.as_bytes(), &address)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn received(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 100];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn a_message_reaches_the_socket_of_systemd() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        send(path.as_os_str(), "READY=1").unwrap();
        assert_eq!(received(&socket), "READY=1");
    }

    #[test]
    fn a_message_reaches_an_abstract_socket() {
        let name = format!("kinglet-test-{}", process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        send(OsStr::new(&format!("@{name}")), "STOPPING=1").unwrap();
        assert_eq!(received(&socket), "STOPPING=1");
    }

    #[test]
    fn a_socket_that_is_gone_is_an_error_and_no_more() {
        assert!(send(OsStr::new("/no/such/socket"), "READY=1").is_err());
        assert!(send(OsStr::new(&"x".repeat(500)), "READY=1").is_err());
    }

    #[test]
    fn the_watchdog_is_for_the_process_that_was_named() {
        let second = Some(Duration::from_millis(500));
        assert_eq!(interval(Some("1000000"), Some("7"), 7), second);
        assert_eq!(interval(Some("1000000"), None, 7), second);
        assert_eq!(interval(Some("1000000"), Some("8"), 7), None);
        assert_eq!(interval(Some("0"), None, 7), None);
        assert_eq!(interval(Some("soon"), None, 7), None);
        assert_eq!(interval(None, Some("7"), 7), None);
    }
}
