//! The addresses of this machine and news of them, from the kernel (rtnetlink(7)).

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recv, send, socket_with,
};
use tokio::net::UnixDatagram;
use tokio::time::sleep;

/// Groups of news: addresses of IPv4 and IPv6.
const ADDRESS_NEWS: u32 = 0x10 | 0x100;
/// Kinds of messages.
const NEW_ADDRESS: u16 = 20;
const GET_ADDRESSES: u16 = 22;
const DONE: u16 = 3;
const ERROR: u16 = 2;
/// A request for all there are.
const REQUEST_ALL: u16 = 0x301;
/// Attributes of an address: that of the other end or ours, ours, more flags.
const ADDRESS: u16 = 1;
const LOCAL: u16 = 2;
const FLAGS: u16 = 8;
/// Flags of addresses that nobody should be told: temporary or secondary, not settled, going.
const NOT_TOLD: u32 = 0x01 | 0x08 | 0x20 | 0x40;
/// Addresses of the machine itself have this scope and above.
const HOST_SCOPE: u8 = 254;
/// Addresses that are told at most.
const MOST_ADDRESSES: usize = 64;
/// Messages of one answer of the kernel at most.
const MOST_READS: usize = 64;

/// Several addresses change at once when a network comes.
const SETTLING: Duration = Duration::from_secs(1);

/// An address of this machine and the network it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The number of its interface.
    pub interface: u32,
    /// The address.
    pub ip: IpAddr,
    /// How many of its bits all of its network have.
    pub prefix: u8,
}

impl Address {
    /// Whether another address is of the same network.
    pub fn is_near(&self, other: IpAddr) -> bool {
        match (self.ip, other) {
            (IpAddr::V4(ip), IpAddr::V4(other)) => {
                let shift = 32_u32.saturating_sub(self.prefix.into());
                (ip.to_bits() ^ other.to_bits()).checked_shr(shift).unwrap_or(0) == 0
            }
            (IpAddr::V6(ip), IpAddr::V6(other)) => {
                let shift = 128_u32.saturating_sub(self.prefix.into());
                (ip.to_bits() ^ other.to_bits()).checked_shr(shift).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// A socket on which the kernel tells whenever addresses come and go.
pub struct News(UnixDatagram);

impl News {
    /// Asks the kernel to tell.
    ///
    /// # Errors
    /// It does not.
    pub fn open() -> io::Result<News> {
        // Not that of a Unix socket, but datagrams are received from it in the same way.
        let socket = open(ADDRESS_NEWS, SocketFlags::NONBLOCK)?;
        Ok(News(UnixDatagram::from_std(socket.into())?))
    }

    /// Waits for news; nothing is lost where the waiting is broken off.
    pub async fn wait(&self) -> io::Result<()> {
        let mut block = [0; 512];
        take(self.0.recv(&mut block).await)
    }

    /// Waits for what belongs to it.
    pub async fn settle(&self) -> io::Result<()> {
        let mut block = [0; 512];
        sleep(SETTLING).await;
        loop {
            match self.0.try_recv(&mut block) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                taken => take(taken)?,
            }
        }
    }
}

fn take(taken: io::Result<usize>) -> io::Result<()> {
    match taken {
        // So much came that some was lost: there is news.
        Err(error) if Errno::from_io_error(&error) == Some(Errno::NOBUFS) => Ok(()),
        taken => taken.map(|_| ()),
    }
}

/// All addresses that can be told to others, in order.
pub fn addresses() -> io::Result<Vec<Address>> {
    let socket = open(0, SocketFlags::empty())?;
    // A header (length, kind, flags, number, sender) and the family: any.
    let mut request = Vec::new();
    request.extend(24_u32.to_ne_bytes());
    request.extend(GET_ADDRESSES.to_ne_bytes());
    request.extend(REQUEST_ALL.to_ne_bytes());
    request.extend(1_u32.to_ne_bytes());
    request.extend([0; 12]);
    send(&socket, &request, SendFlags::empty())?;
    let (mut found, mut block) = (Vec::new(), vec![0; 32_768]);
    for _ in 0..MOST_READS {
        let (count, _) = recv(&socket, block.as_mut_slice(), RecvFlags::empty())?;
        if read(block.get(..count).unwrap_or_default(), &mut found) {
            break;
        }
    }
    found.sort_unstable();
    found.dedup();
    found.truncate(MOST_ADDRESSES);
    Ok(found)
}

fn open(groups: u32, more: SocketFlags) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | more;
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
    bind(&socket, &SocketAddrNetlink::new(0, groups))?;
    Ok(socket)
}

/// Reads messages of the kernel; whether the last one was among them.
fn read(mut messages: &[u8], found: &mut Vec<Address>) -> bool {
    while let Some(length) = number(messages, 0) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(message) = messages.get(..length).filter(|message| message.len() >= 16) else {
            return true;
        };
        match message.get(4..6).and_then(short) {
            Some(NEW_ADDRESS) => found.extend(message.get(16..).and_then(address)),
            Some(DONE | ERROR) => return true,
            _ => {}
        }
        messages = messages.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    false
}

/// An address as the kernel tells it; nothing where others cannot use it.
fn address(message: &[u8]) -> Option<Address> {
    let [_, prefix, flags, scope] = *message.first_chunk()?;
    let interface = number(message, 4)?;
    let (mut own, mut other, mut flags) = (None, None, u32::from(flags));
    let mut attributes = message.get(8..)?;
    while let Some((length, kind)) =
        attributes.get(..2).and_then(short).zip(attributes.get(2..4).and_then(short))
    {
        let length = usize::from(length);
        let value = attributes.get(4..length)?;
        match kind {
            ADDRESS => other = ip(value),
            LOCAL => own = ip(value),
            FLAGS => flags = number(value, 0)?,
            _ => {}
        }
        attributes = attributes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    let ip = own.or(other)?;
    let told = flags & NOT_TOLD == 0 && scope < HOST_SCOPE && !ip.is_loopback();
    told.then_some(Address { interface, ip, prefix })
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => Some(Ipv4Addr::from(*bytes.first_chunk::<4>()?).into()),
        16 => Some(Ipv6Addr::from(*bytes.first_chunk::<16>()?).into()),
        _ => None,
    }
}

fn short(bytes: &[u8]) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.first_chunk()?))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_addresses_of_this_machine_can_be_had() {
        let found = addresses().unwrap();
        assert!(found.iter().all(|address| !address.ip.is_loopback() && address.interface > 0));
        assert!(found.iter().all(|address| address.is_near(address.ip)));
    }

    #[test]
    fn a_network_ends_where_its_bits_do() {
        let address = |ip: &str, prefix| Address { interface: 1, ip: ip.parse().unwrap(), prefix };
        for (own, prefix, other, near) in [
            ("192.168.1.7", 24, "192.168.1.250", true),
            ("192.168.1.7", 24, "192.168.2.7", false),
            ("192.168.1.7", 32, "192.168.1.7", true),
            ("10.0.0.1", 0, "203.0.113.1", true),
            ("fd00::1", 64, "fd00::ffff:1", true),
            ("fd00::1", 64, "fd00:1::1", false),
            ("fd00::1", 64, "10.0.0.1", false),
        ] {
            assert_eq!(address(own, prefix).is_near(other.parse().unwrap()), near, "{own} {other}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_the_kernel_could_say_makes_it_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..120),
            length in 0..140_u32,
        ) {
            let mut found = Vec::new();
            read(&bytes, &mut found);
            let head = [length.to_ne_bytes(), [20, 0, 0, 0], [0; 4], [0; 4]].concat();
            read(&[head, bytes].concat(), &mut found);
        }
    }
}
