//! Takes an address to listen on, one that the network has yet to bring too.

use std::io;
use std::net::{SocketAddr, TcpListener};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Takes an address. One that is not this machine's is taken all the same: a network may come
/// after the server, and connections come as soon as it is there. The second value says so.
///
/// # Errors
/// The address is in use, or the system refuses it.
pub fn take(address: SocketAddr) -> io::Result<(TcpListener, bool)> {
    match TcpListener::bind(address) {
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
            Ok((take_unborn(address)?, true))
        }
        bound => Ok((bound?, false)),
    }
}

fn take_unborn(address: SocketAddr) -> io::Result<TcpListener> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    match address {
        SocketAddr::V4(_) => sockopt::set_ip_freebind(&socket, true)?,
        SocketAddr::V6(_) => sockopt::set_ipv6_freebind(&socket, true)?,
    }
    bind(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_not_there_yet_is_taken() {
        for address in ["203.0.113.1:0", "[2001:db8::1]:0"] {
            let address: SocketAddr = address.parse().unwrap();
            match take(address) {
                Ok((listener, unborn)) => {
                    assert!(unborn);
                    assert_eq!(listener.local_addr().unwrap().ip(), address.ip());
                }
                // A machine without IPv6.
                Err(error) => assert!(address.is_ipv6(), "{error}"),
            }
        }
    }

    #[test]
    fn one_in_use_is_refused() {
        let (first, unborn) = take("127.0.0.1:0".parse().unwrap()).unwrap();
        assert!(!unborn);
        let error = take(first.local_addr().unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
