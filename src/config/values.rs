//! How the value of each setting is spelt; a refusal is a sentence for the person who wrote it.

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::ops::RangeInclusive;
use std::time::Duration;

use hyper::http::Uri;
use tracing::Level;

use super::LogFormat;

/// The units of durations and their seconds.
const TIME_UNITS: [(&str, u64); 5] =
    [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400), ("w", 604_800)];

/// The units of sizes and their bytes.
const SIZE_UNITS: [(&str, u64); 8] = [
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
];

/// The longest a share may live by default: a hundred years, which any date can hold.
const LONGEST_EXPIRY: Duration = Duration::from_secs(36_525 * 86_400);

/// The caps of bandwidth that can be set, in bytes per second: from what plain speech needs to what
/// no home is connected with.
const RATES: RangeInclusive<u64> = 1 << 13..=1 << 30;

/// The most bytes of a base path.
const LONGEST_BASE_PATH: usize = 200;

/// By which name the server is found at home where no other is chosen.
pub const MDNS_NAME: &str = "kinglet";

/// Most letters of such a name: with the number that is put behind a taken one it must be a name.
const LONGEST_NAME: usize = 50;

/// An address with its port.
pub fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!(
            "`{text}` is no address with a port; write it like 0.0.0.0:4040 (every IPv4 address \
             of this machine), [::]:4040 (IPv6 too) or 127.0.0.1:4040 (this machine alone)"
        )
    })
}

/// The same; nothing where it is empty.
pub fn listen_if_any(text: &str) -> Result<Option<SocketAddr>, String> {
    if text.is_empty() { Ok(None) } else { listen(text).map(Some) }
}

/// The outside address of the server, without a slash at the end; nothing where it is empty.
pub fn public_url(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = |why: &str| {
        Err(format!(
            "`{text}` {why}; write the address people open, like https://music.example.org"
        ))
    };
    let Ok(uri) = text.parse::<Uri>() else {
        return wrong("is no web address");
    };
    let Some(authority) = uri.authority().filter(|authority| !authority.host().is_empty()) else {
        return wrong("is no full web address");
    };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return wrong("does not start with http:// or https://");
    }
    if authority.as_str().contains('@') {
        return wrong("holds a user name");
    }
    if text.contains(['?', '#']) {
        return wrong("has a `?` or `#` in it");
    }
    Ok(Some(text.trim_end_matches('/').to_owned()))
}

/// The path below which the server answers, without a slash at the end; nothing where it is empty,
/// and none where it is `/`.
pub fn base_path(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let path = text.strip_suffix('/').unwrap_or(text);
    match is_base_path(path) {
        true => Ok(Some(path.to_owned())),
        false => Err(format!(
            "`{text}` is no path for a server; write it like /music, of letters, digits and `-._~`, \
             and not beginning with /rest or /share, which stand behind it"
        )),
    }
}

/// The path of a public address, where the server can answer below it.
pub fn path_of(public_url: Option<&str>) -> String {
    let uri: Option<Uri> = public_url.and_then(|url| url.parse().ok());
    let path = uri.as_ref().map_or("", Uri::path).trim_end_matches('/');
    if is_base_path(path) { path.to_owned() } else { String::new() }
}

fn is_base_path(path: &str) -> bool {
    let Some(path) = path.strip_prefix('/') else { return path.is_empty() };
    let is_name = |name: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        !matches!(name, "" | "." | "..") && name.bytes().all(plain)
    };
    path.len() <= LONGEST_BASE_PATH
        && path.split('/').all(is_name)
        && !matches!(path.split('/').next(), Some("rest" | "share"))
}

/// The name by which the server is found at home; nothing where it is false.
pub fn mdns(text: &str) -> Result<Option<String>, String> {
    match flag(text) {
        Ok(true) => Ok(Some(MDNS_NAME.to_owned())),
        Ok(false) => Ok(None),
        Err(_) => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            let is_name = (1..=LONGEST_NAME).contains(&text.len())
                && text.bytes().all(plain)
                && !text.starts_with('-')
                && !text.ends_with('-');
            let name = is_name.then(|| Some(text.to_ascii_lowercase()));
            name.ok_or_else(|| {
                format!("`{text}` is neither true nor false nor a name like kinglet, of letters, digits and `-`")
            })
        }
    }
}

/// Yes or no.
pub fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(format!("`{text}` is neither true nor false")),
    }
}

/// A whole number within a range.
pub fn count(text: &str, range: RangeInclusive<usize>) -> Result<usize, String> {
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        format!("`{text}` is no whole number from {} to {}", range.start(), range.end())
    })
}

/// A size in bytes within a range: a number with a unit (`256MiB`), or bytes without one.
pub fn bytes(text: &str, range: RangeInclusive<u64>) -> Result<u64, String> {
    let size = with_unit(text, &SIZE_UNITS)
        .ok_or_else(|| format!("`{text}` is no size; write it like 64MB, 256MiB or 2GB"))?;
    within(size, &range).map_err(|side| {
        let [least, most] = [range.start(), range.end()].map(|bytes| bytes_text(*bytes));
        format!("`{text}` is too {side}: {least} to {most} are possible")
    })
}

/// The same for what is held in memory.
pub fn bytes_in_memory(text: &str, range: RangeInclusive<u64>) -> Result<usize, String> {
    usize::try_from(bytes(text, range)?).map_err(|error| error.to_string())
}

/// A cap of bandwidth as the size that may pass in a second (`512KiB`); nothing where it is 0.
pub fn rate(text: &str) -> Result<Option<NonZeroU64>, String> {
    if bytes(text, 0..=u64::MAX) == Ok(0) {
        return Ok(None);
    }
    bytes(text, RATES).map(NonZeroU64::new).map_err(|problem| format!("{problem}, or 0 for no cap"))
}

/// A duration within a range: a number with a unit (`90s`, `15m`, `12h`, `30d`, `2w`).
pub fn duration(text: &str, range: RangeInclusive<Duration>) -> Result<Duration, String> {
    let duration = with_unit(text, &TIME_UNITS).map(Duration::from_secs).ok_or_else(|| {
        format!("`{text}` is no duration; write it like 90s, 15m, 12h, 30d or 2w")
    })?;
    within(duration, &range).map_err(|side| {
        let [least, most] = [range.start(), range.end()].map(Duration::as_secs);
        format!("`{text}` is too {side}: {least}s to {most}s are possible")
    })
}

/// How long a share lives, or `never` for one without an end.
pub fn expiry(text: &str) -> Result<Option<Duration>, String> {
    duration_or_never(text, Duration::from_secs(1)..=LONGEST_EXPIRY)
}

/// A duration within a range, or `never`.
pub fn duration_or_never(
    text: &str,
    range: RangeInclusive<Duration>,
) -> Result<Option<Duration>, String> {
    if text.eq_ignore_ascii_case("never") {
        return Ok(None);
    }
    duration(text, range).map(Some).map_err(|problem| format!("{problem}, or `never`"))
}

/// Which messages are logged.
pub fn log_level(text: &str) -> Result<Level, String> {
    ["error", "warn", "info", "debug", "trace"]
        .iter()
        .any(|level| text.eq_ignore_ascii_case(level))
        .then(|| text.parse().ok())
        .flatten()
        .ok_or_else(|| format!("`{text}` is none of error, warn, info, debug and trace"))
}

/// The form of the log.
pub fn log_format(text: &str) -> Result<LogFormat, String> {
    match text.to_ascii_lowercase().as_str() {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("`{text}` is neither text nor json")),
    }
}

/// A password; an empty one stands for none. The value is never repeated in an error.
pub fn password(text: &str) -> Result<Option<String>, String> {
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// A whole number with a unit behind it, multiplied out.
fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(unit_at)?;
    let unit = unit.trim_start().to_ascii_lowercase();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// The value, or on which side of the range it lies.
fn within<T: PartialOrd>(value: T, range: &RangeInclusive<T>) -> Result<T, &'static str> {
    if value < *range.start() {
        Err("small")
    } else if value > *range.end() {
        Err("large")
    } else {
        Ok(value)
    }
}

/// A duration in seconds in the largest unit that leaves no rest: `30d`.
pub fn duration_text(seconds: u64) -> String {
    let units = TIME_UNITS.iter().rev().filter(|(unit, _)| *unit != "w");
    let unit = units.into_iter().find(|(_, length)| seconds > 0 && seconds.is_multiple_of(*length));
    let (unit, length) = unit.copied().unwrap_or(("s", 1));
    format!("{}{unit}", seconds / length)
}

/// A size in the largest unit that leaves no rest.
pub fn bytes_text(bytes: u64) -> String {
    for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] {
        if bytes > 0 && bytes.trailing_zeros() >= shift {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    bytes.to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_at_home_is_one_of_a_host() {
        let name = |name: &str| Ok(Some(name.to_owned()));
        assert_eq!(mdns("true"), name("kinglet"));
        assert_eq!(mdns("no"), Ok(None));
        assert_eq!(mdns("Living-Room"), name("living-room"));
        for text in ["", "-a", "a-", "a.b", "a b", "ü", &"x".repeat(51)] {
            assert!(mdns(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_base_path_is_a_path_of_plain_names() {
        assert_eq!(base_path(""), Ok(None));
        for (text, path) in
            [("/", ""), ("/music", "/music"), ("/music/", "/music"), ("/a/b", "/a/b")]
        {
            assert_eq!(base_path(text), Ok(Some(path.to_owned())), "{text}");
        }
        for text in
            ["music", "//", "/a//b", "/a/../b", "/.", "/rest", "/share/x", "/m%20", "/ü", "/a?b"]
        {
            assert!(base_path(text).is_err_and(|told| told.contains("/music")), "{text}");
        }
    }

    #[test]
    fn sizes_know_their_units() {
        let any = 0..=u64::MAX;
        for (text, size) in [
            ("0", 0),
            ("17", 17),
            ("17b", 17),
            ("64kB", 64_000),
            ("256MB", 256_000_000),
            ("256 MiB", 256 << 20),
            ("2gib", 2 << 30),
        ] {
            assert_eq!(bytes(text, any.clone()), Ok(size), "{text}");
        }
        for text in ["", "MB", "-1", "1.5GB", "1 XB", "99999999999GB", "1MBs"] {
            assert!(bytes(text, any.clone()).unwrap_err().contains("64MB"), "{text}");
        }
        let problem = bytes("1", 1 << 20..=1 << 30).unwrap_err();
        assert_eq!(problem, "`1` is too small: 1MiB to 1GiB are possible");
    }

    #[test]
    fn durations_need_a_unit() {
        let any = Duration::ZERO..=Duration::MAX;
        assert_eq!(duration("15m", any.clone()), Ok(Duration::from_secs(900)));
        assert_eq!(duration("2w", any.clone()), Ok(Duration::from_secs(14 * 86_400)));
        for text in ["", "15", "m", "15 minutes", "99999999999999999w"] {
            assert!(duration(text, any.clone()).is_err(), "{text}");
        }
        let problem = duration("2h", Duration::ZERO..=Duration::from_secs(60)).unwrap_err();
        assert_eq!(problem, "`2h` is too large: 0s to 60s are possible");
    }

    #[test]
    fn a_rate_is_a_size_or_no_cap() {
        assert_eq!(rate("0"), Ok(None));
        assert_eq!(rate("0MiB"), Ok(None));
        assert_eq!(rate("512KiB"), Ok(NonZeroU64::new(512 << 10)));
        assert_eq!(
            rate("1KiB").unwrap_err(),
            "`1KiB` is too small: 8KiB to 1GiB are possible, or 0 for no cap"
        );
        assert!(rate("").unwrap_err().ends_with("or 0 for no cap"));
    }

    #[test]
    fn a_share_may_live_for_ever() {
        assert_eq!(expiry("never"), Ok(None));
        for text in ["365d", "36h", "90s", "1m"] {
            let life = expiry(text).unwrap().unwrap();
            assert_eq!(duration_text(life.as_secs()), text);
        }
        assert_eq!(expiry("30d"), Ok(Some(Duration::from_secs(30 * 86_400))));
        assert!(expiry("0s").is_err());
        assert!(expiry("9000w").is_err());
        assert!(expiry("soon").unwrap_err().ends_with("or `never`"));
    }

    #[test]
    fn a_public_url_is_a_plain_web_address() {
        let good = |text: &str| public_url(text).unwrap();
        assert_eq!(good(""), None);
        assert_eq!(good("https://music.example.org/"), Some("https://music.example.org".into()));
        assert_eq!(good("http://[2001:db8::1]:4040"), Some("http://[2001:db8::1]:4040".into()));
        assert_eq!(good("https://example.org/music//"), Some("https://example.org/music".into()));
        for text in [
            "music.example.org",
            "ftp://example.org",
            "https://",
            "https:///share",
            "https://me@example.org",
            "https://example.org/?x=1",
            "https://example.org/#top",
            "https://exa mple.org",
            "/music",
        ] {
            assert!(public_url(text).unwrap_err().contains("https://music.example.org"), "{text}");
        }
    }

    #[test]
    fn words_are_read_in_any_case() {
        assert_eq!(flag("Yes"), Ok(true));
        assert_eq!(flag("OFF"), Ok(false));
        assert!(flag("").is_err());
        assert_eq!(log_level("Debug"), Ok(Level::DEBUG));
        assert!(log_level("3").is_err());
        assert_eq!(log_format("JSON"), Ok(LogFormat::Json));
        assert!(log_format("xml").is_err());
    }

    #[test]
    fn counts_keep_to_their_range() {
        assert_eq!(count("8", 1..=8), Ok(8));
        for text in ["0", "9", "-1", "1.0", ""] {
            assert_eq!(count(text, 1..=8), Err(format!("`{text}` is no whole number from 1 to 8")));
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_them_panic(text in ".*") {
            let _ = bytes(&text, 0..=u64::MAX);
            let _ = expiry(&text);
            let _ = rate(&text);
            let _ = public_url(&text);
            let _ = listen(&text);
            let _ = count(&text, 0..=9);
        }

        #[test]
        fn a_size_is_read_as_it_is_written(size: u64) {
            prop_assert_eq!(bytes(&bytes_text(size), 0..=u64::MAX), Ok(size));
        }

        #[test]
        fn a_public_url_never_ends_in_a_slash(text in "https?://[a-z.]{1,9}/{0,3}[a-z]{0,3}/{0,3}") {
            if let Ok(Some(url)) = public_url(&text) {
                prop_assert!(!url.ends_with('/'));
                prop_assert_eq!(public_url(&url), Ok(Some(url.clone())));
            }
        }
    }
}
