//! Who asks, and under which address: behind a proxy the client is not the peer of the connection.

use std::net::{IpAddr, Ipv6Addr};

use hyper::Uri;
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

/// What is known of the addresses of a server whatever a request says.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// What links begin with, where that was configured; it wins over all else.
    pub public_url: Option<&'a str>,
    /// The path below which the server answers, like `/music`; empty for none.
    pub base_path: &'a str,
    /// Whether the server itself speaks https.
    pub https: bool,
}

impl Site<'_> {
    /// An address as if there were no base path: a proxy may have taken it away before, or not.
    pub fn without_base_path(&self, uri: &mut Uri) {
        if self.base_path.is_empty() {
            return;
        }
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        let Some(rest) = path.strip_prefix(self.base_path) else { return };
        let inside = match rest.as_bytes().first() {
            Some(b'/') => rest.parse(),
            None | Some(b'?') => format!("/{rest}").parse(),
            // A longer name that begins alike.
            Some(_) => return,
        };
        // It was part of an address, so it is one.
        if let Ok(inside) = inside {
            *uri = inside;
        }
    }
}

/// Tells the origin of a request. `trusted` says whose `X-Forwarded-*` headers are believed.
pub fn origin(request: &Request, site: Site, trusted: impl Fn(IpAddr) -> bool) -> Origin {
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
    let base = match site.public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => {
            let https = site.https || forwarded("x-forwarded-proto") == Some("https");
            let host = forwarded("x-forwarded-host").or_else(|| request.header(HOST));
            let host = host.filter(|host| is_host(host)).unwrap_or("localhost");
            format!("{}://{host}{}", if https { "https" } else { "http" }, site.base_path)
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

    const PLAIN: Site = Site { public_url: None, base_path: "", https: false };

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
        let believed = origin(&request, PLAIN, |peer| peer.is_loopback());
        assert_eq!(believed.base, "https://music.example");
        assert_eq!(believed.address.to_string(), "198.51.100.7");
        let not = origin(&request, PLAIN, |_| false);
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
        assert_eq!(origin(&request, PLAIN, |_| true).base, "http://localhost");
        let site =
            Site { public_url: Some("https://a.b/music/"), base_path: "/inside", https: false };
        let origin = origin(&request, site, |_| true);
        assert_eq!(origin.base, "https://a.b/music");
    }

    #[test]
    fn links_carry_the_base_path_and_the_scheme() {
        let request = request(&[("host", "nas")]);
        for (base_path, https, base) in [
            ("", false, "http://nas"),
            ("/music", false, "http://nas/music"),
            ("/a/b", true, "https://nas/a/b"),
        ] {
            let origin = origin(&request, Site { public_url: None, base_path, https }, |_| false);
            assert_eq!(origin.base, base);
        }
    }

    #[test]
    fn a_base_path_may_be_there_or_not() {
        for (address, inside) in [
            ("/music/rest/ping?u=a", "/rest/ping?u=a"),
            ("/rest/ping?u=a", "/rest/ping?u=a"),
            ("/music", "/"),
            ("/music/", "/"),
            ("/music?x", "/?x"),
            ("/musical/rest/ping", "/musical/rest/ping"),
            ("/music/music/rest/ping", "/music/rest/ping"),
            ("http://nas:4040/music/share/x", "/share/x"),
            ("*", "*"),
        ] {
            let mut uri: Uri = address.parse().unwrap_or_default();
            Site { base_path: "/music", ..PLAIN }.without_base_path(&mut uri);
            assert_eq!(uri.to_string(), inside, "{address}");
        }
    }
}
