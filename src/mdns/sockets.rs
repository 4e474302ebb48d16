//! The sockets of multicast DNS: one for IPv4, one for IPv6, each in the group on every network.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};
use tokio::net::UdpSocket;
use tokio::time::sleep;

use super::interfaces::Address;

/// The port of multicast DNS.
pub const PORT: u16 = 5353;
/// Its groups.
const GROUP4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const GROUP6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
/// How far messages go, by the rule: others see by it that they come from near.
const HOPS: u32 = 255;
/// After an error of a socket so long is waited.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(1);

/// Both sockets; a machine may have one kind of addresses alone.
pub struct Sockets {
    v4: Option<UdpSocket>,
    v6: Option<UdpSocket>,
}

impl Sockets {
    /// Takes the port beside others who have it, such as Avahi.
    ///
    /// # Errors
    /// It cannot be had for either kind of addresses.
    pub fn open() -> io::Result<Sockets> {
        let (v4, v6) = (open(AddressFamily::INET), open(AddressFamily::INET6));
        if let (Err(error), Err(_)) = (&v4, &v6) {
            return Err(io::Error::new(error.kind(), error.to_string()));
        }
        Ok(Sockets { v4: v4.ok(), v6: v6.ok() })
    }

    /// Joins the groups on the networks of these addresses; those that are joined already stay.
    pub fn join(&self, addresses: &[Address]) {
        for Address { interface, ip, .. } in addresses {
            let joined = match (ip, &self.v4, &self.v6) {
                (IpAddr::V4(ip), Some(socket), _) => {
                    sockopt::set_ip_add_membership_with_ifindex(socket, &GROUP4, ip, *interface)
                }
                (IpAddr::V6(_), _, Some(socket)) => {
                    sockopt::set_ipv6_add_membership(socket, &GROUP6, *interface)
                }
                _ => Ok(()),
            };
            if let Err(error) = joined
                && error != Errno::ADDRINUSE
            {
                tracing::debug!(%ip, %error, "no multicast here");
            }
        }
    }

    /// Receives a message by IPv4.
    pub async fn receive4(&self, block: &mut [u8]) -> (usize, SocketAddr) {
        receive(self.v4.as_ref(), block).await
    }

    /// Receives a message by IPv6.
    pub async fn receive6(&self, block: &mut [u8]) -> (usize, SocketAddr) {
        receive(self.v6.as_ref(), block).await
    }

    /// Sends to one; whoever does not hear it asks again.
    pub async fn send(&self, bytes: &[u8], to: SocketAddr) {
        let socket = if to.is_ipv4() { &self.v4 } else { &self.v6 };
        if let Some(socket) = socket
            && let Err(error) = socket.send_to(bytes, to).await
        {
            tracing::debug!(%to, %error, "an answer of multicast DNS cannot be sent");
        }
    }

    /// Sends to all on the network of an interface, by one kind of addresses, if it has such.
    pub async fn tell(&self, addresses: &[Address], interface: u32, v6: bool, bytes: &[u8]) {
        let here = addresses
            .iter()
            .find(|address| address.interface == interface && address.ip.is_ipv6() == v6);
        let to = match (here.map(|address| address.ip), &self.v4) {
            (Some(IpAddr::V4(ip)), Some(socket)) => {
                let chosen =
                    sockopt::set_ip_multicast_if_with_ifindex(socket, &GROUP4, &ip, interface);
                if let Err(error) = chosen {
                    tracing::debug!(%ip, %error, "no multicast here");
                    return;
                }
                SocketAddr::from((GROUP4, PORT))
            }
            (Some(IpAddr::V6(_)), _) => SocketAddrV6::new(GROUP6, PORT, 0, interface).into(),
            _ => return,
        };
        self.send(bytes, to).await;
    }
}

fn open(family: AddressFamily) -> io::Result<UdpSocket> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::DGRAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if family == AddressFamily::INET {
        sockopt::set_ip_multicast_ttl(&socket, HOPS)?;
        bind(&socket, &SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)))?;
    } else {
        sockopt::set_ipv6_v6only(&socket, true)?;
        sockopt::set_ipv6_multicast_hops(&socket, HOPS)?;
        bind(&socket, &SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT)))?;
    }
    UdpSocket::from_std(socket.into())
}

/// Waits for ever where there is no socket.
async fn receive(socket: Option<&UdpSocket>, block: &mut [u8]) -> (usize, SocketAddr) {
    let Some(socket) = socket else { return std::future::pending().await };
    loop {
        match socket.recv_from(block).await {
            Ok(received) => return received,
            Err(error) => {
                tracing::debug!(%error, "multicast DNS cannot be heard");
                sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
}
