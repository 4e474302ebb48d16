//! Who asks, and under which address: behind a proxy the client is not the peer of the connection.

use std::net::{IpAddr, Ipv6Addr};

use hyper::header::{HOST, HeaderName};

use super::request::Request;

/// Where a request comes from and where answers to it can be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The client's address.
    pub address: IpAddr,
    /// What links begin with, without a slash at the end: `http://nas:4040`.
    pub base: String,
}

/// Tells the origin of a request. `trusted` says whose `X-Forwarded-*` headers are believed; a
/// configured public URL always wins over what the request says.
pub fn origin(
    request: &Request,
    public_url: Option<&str>,
    trusted: impl Fn(IpAddr) -> bool,
) -> Origin {
    let behind_proxy = trusted(request.peer);
    let forwarded = |name: &'static str| {
        let value = request.header(HeaderName::from_static(name)).filter(|_| behind_proxy)?;
        let first = value.split(',').next().unwrap_or_default().trim();
        (!first.is_empty()).then_some(first)
    };
    let address = if behind_proxy {
        // Each proxy appends the peer it saw: the last address that is no proxy of ours is true.
        let value = request.header(HeaderName::from_static("x-forwarded-for")).unwrap_or_default();
        let hops = value.rsplit(',').filter_map(|hop| hop.trim().parse().ok());
        hops.into_iter().find(|hop| !trusted(*hop)).unwrap_or(request.peer)
    } else {
        request.peer
    };
    let base = match public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => {
            let scheme = forwarded("x-forwarded-proto").filter(|scheme| *scheme == "https");
            let host = forwarded("x-forwarded-host").or_else(|| request.header(HOST));
            let host = host.filter(|host| is_host(host)).unwrap_or("localhost");
            format!("{}://{host}", scheme.unwrap_or("http"))
        }
    };
    Origin { address, base }
}

/// What one client has of the addresses: all of a /64 network of IPv6 is given to one.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

/// Whether a text is a host with or without a port: what is not ends in no link of ours.
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn request(headers: &[(&'static str, &'static str)]) -> Request {
        let mut request = Request::get("/share/x");
        for (name, value) in headers {
            request.headers.insert(*name, HeaderValue::from_static(value));
        }
        request
    }

    #[test]
    fn forwarded_headers_count_only_from_trusted_proxies() {
        let request = request(&[
            ("host", "nas:4040"),
            ("x-forwarded-for", "6.6.6.6, 198.51.100.7, 127.0.0.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "music.example"),
        ]);
        let believed = origin(&request, None, |peer| peer.is_loopback());
        assert_eq!(believed.base, "https://music.example");
        assert_eq!(believed.address.to_string(), "198.51.100.7");
        let not = origin(&request, None, |_| false);
        assert_eq!((not.base.as_str(), not.address), ("http://nas:4040", request.peer));
    }

    #[test]
    fn a_client_is_an_address_or_a_network_of_ipv6() {
        let same = |one: &str, other: &str| one.parse().map(network) == other.parse().map(network);
        assert!(same("192.0.2.1", "::ffff:192.0.2.1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
        assert!(same("2001:db8::1", "2001:db8::ffff:0:0:7"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
    }

    #[test]
    fn a_public_url_wins_and_no_host_can_break_a_link() {
        let request = request(&[("host", "nas/\"<script>")]);
        assert_eq!(origin(&request, None, |_| true).base, "http://localhost");
        assert_eq!(
            origin(&request, Some("https://a.b/music/"), |_| true).base,
            "https://a.b/music"
        );
    }
}
