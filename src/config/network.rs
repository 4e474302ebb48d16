//! An address or a range of addresses, such as those of trusted proxies.

use std::net::IpAddr;

/// All addresses that begin with the same bits: `10.0.0.0/8`, `fd00::/8`, or one address alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Reads an address or a range in CIDR notation.
    ///
    /// # Errors
    /// A sentence for the person who wrote it.
    pub fn parse(text: &str) -> Result<Network, String> {
        let wrong =
            || format!("`{text}` is no address or range; write it like 192.168.1.2 or 10.0.0.0/8");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let bits = bits_of(address).1;
        let prefix = match prefix {
            Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
                digits.parse().ok().filter(|prefix| *prefix <= bits).ok_or_else(wrong)?
            }
            Some(_) => return Err(wrong()),
            None => bits,
        };
        Ok(Network { address, prefix })
    }

    /// Whether an address lies in the range; an IPv4 address that came through an IPv6 socket
    /// (`::ffff:10.0.0.1`) counts as the IPv4 address it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (ours, bits) = bits_of(self.address);
        let (theirs, their_bits) = bits_of(address.to_canonical());
        let differing = (ours ^ theirs).checked_shr(bits - self.prefix).unwrap_or(0);
        bits == their_bits && differing == 0
    }
}

/// The address as a number, and how many bits an address of its kind has.
fn bits_of(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (address.to_bits().into(), u32::BITS),
        IpAddr::V6(address) => (address.to_bits(), u128::BITS),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn contains(network: &str, address: &str) -> bool {
        Network::parse(network).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn a_range_holds_its_own_addresses_only() {
        assert!(contains("10.0.0.0/8", "10.255.0.1"));
        assert!(!contains("10.0.0.0/8", "11.0.0.1"));
        assert!(contains("192.168.1.2", "192.168.1.2"));
        assert!(!contains("192.168.1.2", "192.168.1.3"));
        assert!(contains("0.0.0.0/0", "203.0.113.9"));
        assert!(contains("fd00::/8", "fdff::1"));
        assert!(!contains("fd00::/8", "fe80::1"));
        assert!(contains("::/0", "2001:db8::1"));
        assert!(contains("::1/128", "::1"));
    }

    #[test]
    fn the_kinds_of_addresses_are_not_mixed_up() {
        assert!(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(!contains("::/0", "10.0.0.1"));
        assert!(!contains("0.0.0.0/0", "::1"));
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in
            ["", "/", "10.0.0.0/", "10.0.0.0/33", "::1/129", "10.0.0/8", "1.2.3.4/+8", "proxy"]
        {
            assert!(Network::parse(text).unwrap_err().contains("10.0.0.0/8"), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[0-9a-f.:/]{0,40}", address: IpAddr) {
            if let Ok(network) = Network::parse(&text) {
                network.contains(address);
            }
        }

        #[test]
        fn a_range_agrees_with_counting(a: u32, b: u32, prefix in 0..=32_u32) {
            let network = Network::parse(&format!("{}/{prefix}", std::net::Ipv4Addr::from(a))).unwrap();
            let same = prefix == 0 || a >> (32 - prefix) == b >> (32 - prefix);
            prop_assert_eq!(network.contains(IpAddr::from(std::net::Ipv4Addr::from(b))), same);
        }
    }
}
