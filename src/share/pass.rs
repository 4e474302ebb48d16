//! The lock of a share with a passphrase: a form that sets a cookie for people, HTTP Basic
//! authentication for players and podcast apps.
//!
//! The cookie is bound to the link and to the hash of the passphrase: with another passphrase, or
//! for another share, it opens nothing.

use hyper::StatusCode;
use hyper::header::{
    AUTHORIZATION, CACHE_CONTROL, COOKIE, HeaderMap, HeaderValue, LOCATION, SET_COOKIE,
};

use super::gate::Guest;
use super::refusal::{CACHE_PAGE, Refusal, text};
use crate::clock::now;
use crate::db::shares::Share;
use crate::http::body::Response;
use crate::http::client::network;
use crate::http::form;
use crate::passphrases::{Lock, MOST_BYTES, Try};

/// The cookie's name; its path tells shares apart.
const COOKIE_NAME: &str = "kinglet_share";
/// How long a cookie opens its share, in seconds.
const COOKIE_SECONDS: i64 = 30 * 24 * 60 * 60;
/// Most bytes of what stands in an `Authorization` field: a passphrase in base64 behind a name.
const MOST_CREDENTIALS_BYTES: usize = 2 * MOST_BYTES;

/// Lets a guest through who has shown the passphrase of a share, or shows it with this request.
pub fn check(guest: &Guest, share: &Share) -> Result<(), Refusal> {
    let Some(hash) = share.passphrase.as_deref() else { return Ok(()) };
    let cookies = guest.request.headers.get_all(COOKIE).iter();
    let is_open = cookies
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(';'))
        .filter_map(|cookie| cookie.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='))
        .filter_map(|stamp| guest.app.vault.stamped_until(&about(share, hash), stamp))
        .any(|until| now() < until);
    if is_open {
        return Ok(());
    }
    match basic_password(&guest.request.headers) {
        Some(given) => tried(guest, share, hash, &given),
        None => Err(Refusal::Locked { ask: !is_part_of_page(&guest.request.headers) }),
    }
}

/// Answers the form of a locked page: the way back to the page with the cookie that opens it.
/// `embedded` is for the page within another site, where only a cookie of that place is kept.
pub fn enter(guest: &Guest, share: &Share, embedded: bool) -> Result<Response, Refusal> {
    let mut response = text(StatusCode::SEE_OTHER, "");
    let page = if embedded { "embed" } else { share.token.as_str() };
    if let Ok(page) = HeaderValue::from_str(page) {
        response.headers_mut().insert(LOCATION, page);
    }
    if let Some(hash) = share.passphrase.as_deref() {
        let fields = form::parameters(guest.request);
        let given = fields.iter().rev().find(|(name, _)| name == "passphrase");
        let given = given.map_or("", |(_, value)| value.as_ref());
        tried(guest, share, hash, given)?;
        let until = now().saturating_add(COOKIE_SECONDS * 1000);
        let stamp = guest.app.vault.stamp(&about(share, hash), until)?;
        let cookie = cookie(&stamp, &share.token, &guest.origin.base, embedded);
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(SET_COOKIE, cookie);
        }
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(CACHE_PAGE));
    Ok(response)
}

/// Whether a browser asks for a part of a page: its people are not to be asked by a window.
fn is_part_of_page(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_some_and(|what| what != "document")
}

fn tried(guest: &Guest, share: &Share, hash: &str, given: &str) -> Result<(), Refusal> {
    let lock = Lock { share: share.id, hash };
    match guest.app.passphrases.try_at(lock, network(guest.origin.address), given) {
        Try::Right => Ok(()),
        Try::Wrong => Err(Refusal::Wrong),
        Try::TooMany => Err(Refusal::TooManyTries),
        Try::Busy => Err(Refusal::Busy),
    }
}

/// What a cookie proves.
fn about(share: &Share, hash: &str) -> String {
    format!("share {} {hash}", share.token)
}

fn cookie(stamp: &str, token: &str, base: &str, embedded: bool) -> String {
    let (scheme, rest) = base.split_once("://").unwrap_or_default();
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default();
    let site = match (scheme == "https", embedded) {
        // Browsers keep it for a page within another site only so.
        (true, true) => "; Secure; SameSite=None; Partitioned",
        (true, false) => "; Secure; SameSite=Lax",
        (false, _) => "; SameSite=Lax",
    };
    format!(
        "{COOKIE_NAME}={stamp}; Path={path}/share/{token}; Max-Age={COOKIE_SECONDS}; HttpOnly{site}"
    )
}

/// The password of HTTP Basic authentication (RFC 7617); the user's name does not count.
fn basic_password(headers: &HeaderMap) -> Option<String> {
    let (scheme, credentials) =
        headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    let credentials = credentials.trim();
    if !scheme.eq_ignore_ascii_case("basic") || credentials.len() > MOST_CREDENTIALS_BYTES {
        return None;
    }
    let text = String::from_utf8(from_base64(credentials)?).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}

/// Bytes from base64 with or without padding; `None` where it is none.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for digit in text.trim_end_matches('=').bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        (bits, count) = (bits << 6 | u32::from(value), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.extend(u8::try_from(bits >> count & 0xff));
        }
    }
    Some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn password(field: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(field).unwrap());
        basic_password(&headers)
    }

    #[test]
    fn any_user_may_bring_the_passphrase() {
        assert_eq!(password("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").unwrap(), "open sesame");
        assert_eq!(password("basic OnNlc2FtZQ").unwrap(), "sesame");
        assert_eq!(password("Basic dTphOmI=").unwrap(), "a:b");
        for wrong in ["Bearer dTphOmI=", "Basic", "Basic ?", "Basic dQ==", "Basic dTr/"] {
            assert_eq!(password(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_cookie_is_bound_to_the_place_of_its_share() {
        let plain = cookie("s", "abc", "http://nas:4040", false);
        assert_eq!(
            plain,
            "kinglet_share=s; Path=/share/abc; Max-Age=2592000; HttpOnly; SameSite=Lax"
        );
        let secure = cookie("s", "abc", "https://a.b/music", false);
        assert!(
            secure.contains("Path=/music/share/abc;") && secure.ends_with("Secure; SameSite=Lax")
        );
        let embedded = cookie("s", "abc", "https://a.b", true);
        assert!(embedded.ends_with("HttpOnly; Secure; SameSite=None; Partitioned"), "{embedded}");
        assert!(cookie("s", "abc", "http://a.b", true).ends_with("SameSite=Lax"));
    }

    proptest! {
        #[test]
        fn no_field_makes_it_panic(field in "(Basic )?[ -~]{0,40}") {
            let _ = password(&field);
        }
    }
}
