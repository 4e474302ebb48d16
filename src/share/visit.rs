//! Which requests for a page are visits of a person.

use hyper::Method;

use crate::http::request::Request;

/// Headers by which browsers say that nobody looks at the page yet.
const PURPOSES: [&str; 4] = ["sec-purpose", "purpose", "x-purpose", "x-moz"];
/// What they say then.
const NOT_YET: [&str; 3] = ["prefetch", "preview", "prerender"];
/// Words in the names of programs that make previews of links or search the web.
const ROBOTS: [&str; 20] = [
    "bot",
    "crawl",
    "spider",
    "preview",
    "facebookexternalhit",
    "facebookcatalog",
    "whatsapp",
    "embedly",
    "skypeuripreview",
    "slack-imgproxy",
    "vkshare",
    "pinterest/",
    "tumblr/",
    "mastodon",
    "pleroma",
    "misskey",
    "lemmy",
    "iframely",
    "signal-desktop",
    "google-read-aloud",
];

/// Whether a request that is answered with a page is a visit: a GET that is no preparation of a
/// browser and comes from no robot.
pub fn is_visit(request: &Request) -> bool {
    let says = |name: &'static str, words: &[&str]| {
        request.headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(|text| {
            let text = text.to_ascii_lowercase();
            words.iter().any(|word| text.contains(word))
        })
    };
    request.method == Method::GET
        && !PURPOSES.iter().any(|name| says(name, &NOT_YET))
        && !says("user-agent", &ROBOTS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn with(name: &'static str, value: &'static str) -> bool {
        let mut request = Request::get("/share/x");
        request.headers.insert(name, HeaderValue::from_static(value));
        is_visit(&request)
    }

    #[test]
    fn people_count_and_programs_do_not() {
        assert!(is_visit(&Request::get("/share/x")));
        assert!(with("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"));
        assert!(with("sec-fetch-dest", "document"));
        for robot in [
            "WhatsApp/2.2",
            "TelegramBot (like TwitterBot)",
            "Mozilla/5.0 (compatible; Googlebot/2.1)",
        ] {
            assert!(!with("user-agent", robot), "{robot}");
        }
        assert!(!with("sec-purpose", "prefetch;prerender"));
        assert!(!with("purpose", "prefetch"));
        assert!(!with("x-purpose", "preview"));
        assert!(!with("x-moz", "prefetch"));
    }

    #[test]
    fn a_head_is_no_visit() {
        let mut request = Request::get("/share/x");
        request.method = Method::HEAD;
        assert!(!is_visit(&request));
    }
}
