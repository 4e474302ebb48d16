//! The files the share page loads, embedded in the program and named by their content.

use std::io::Write as _;
use std::sync::LazyLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    VARY,
};
use hyper::{Response as HttpResponse, StatusCode};
use rust_embed::Embed;

use crate::http::body::{Body, Response};
use crate::http::range::has_copy;

/// The name tells the content, so a copy is good for a year, the most that caches promise.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Bytes of the content's SHA-256 in a name: enough that no two releases ever share one.
const HASH_BYTES: usize = 8;

#[derive(Embed)]
#[folder = "src/share/assets/"]
struct Files;

/// A file ready to be sent.
struct Asset {
    /// `share.css`
    name: String,
    /// `share-0123456789abcdef.css`
    hashed: String,
    content_type: &'static str,
    /// The strong tag of the plain bytes.
    tag: String,
    plain: Bytes,
    /// The strong tag of the compressed bytes.
    gzip_tag: String,
    gzip: Bytes,
}

/// All of them, compressed once, at the first request: some tens of kilobytes.
static ASSETS: LazyLock<Vec<Asset>> =
    LazyLock::new(|| Files::iter().filter_map(|name| load(&name)).collect());

/// The address of an embedded file relative to a share page, such as
/// `assets/share-0123456789abcdef.css` for `share.css`; `assets/<name>`, which [`serve`] refuses,
/// for a name that is not embedded.
pub fn url(name: &str) -> String {
    let known = ASSETS.iter().find(|asset| asset.name == name);
    format!("assets/{}", known.map_or(name, |asset| &asset.hashed))
}

/// Answers `GET` or `HEAD` for the last segment of such an address; `None` (a 404) for a name that
/// is not ours or of another release.
pub fn serve(name: &str, headers: &HeaderMap) -> Option<Response> {
    let asset = ASSETS.iter().find(|asset| asset.hashed == name)?;
    let gzip = takes_gzip(headers);
    let (tag, bytes) =
        if gzip { (&asset.gzip_tag, &asset.gzip) } else { (&asset.tag, &asset.plain) };
    let mut response = HttpResponse::new(Body::empty());
    let answer = response.headers_mut();
    answer.insert(CACHE_CONTROL, CACHE);
    answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
    answer.insert(ETAG, HeaderValue::try_from(tag).ok()?);
    if has_copy(headers, tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Some(response);
    }
    answer.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    answer.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    if gzip {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    *response.body_mut() = Body::full(bytes.clone());
    Some(response)
}

fn load(name: &str) -> Option<Asset> {
    let file = Files::get(name)?;
    let (stem, suffix) = name.rsplit_once('.')?;
    let content_type = match suffix {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => return None,
    };
    let digest = file.metadata.sha256_hash();
    let hash: String = digest.iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&file.data).ok()?;
    Some(Asset {
        name: name.to_owned(),
        hashed: format!("{stem}-{hash}.{suffix}"),
        content_type,
        tag: format!("\"{hash}\""),
        plain: Bytes::from(file.data.into_owned()),
        gzip_tag: format!("\"{hash}-gzip\""),
        gzip: Bytes::from(encoder.finish().ok()?),
    })
}

/// Whether the client names gzip among what it takes (RFC 9110, 12.5.3), and not with a weight of 0.
fn takes_gzip(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).any(|list| {
        list.split(',').any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            let weight = weight.trim().trim_start_matches("q=").parse::<f32>();
            name.trim().eq_ignore_ascii_case("gzip") && weight != Ok(0.0)
        })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use hyper::body::Body as _;
    use hyper::header::IF_NONE_MATCH;
    use std::io::Read as _;

    fn get(address: &str, tag: Option<&str>) -> Option<Response> {
        let mut headers = HeaderMap::new();
        if let Some(tag) = tag {
            headers.insert(IF_NONE_MATCH, tag.parse().unwrap());
        }
        serve(address.strip_prefix("assets/").unwrap(), &headers)
    }

    #[test]
    fn every_file_is_served_under_the_name_its_address_tells() {
        for (name, content_type) in [
            ("share.css", "text/css; charset=utf-8"),
            ("share.js", "text/javascript; charset=utf-8"),
            ("icon.svg", "image/svg+xml"),
        ] {
            let address = url(name);
            let response = get(&address, None).expect(&address);
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()[CONTENT_TYPE], content_type);
            assert_eq!(response.headers()[CACHE_CONTROL], CACHE);
            assert!(!response.headers().contains_key(CONTENT_ENCODING));
            assert_eq!(bytes(response), Files::get(name).unwrap().data.into_owned());
        }
    }

    fn bytes(mut response: Response) -> Bytes {
        match response.body_mut() {
            Body::Full(bytes) => bytes.take().unwrap(),
            Body::Stream(_) => unreachable!(),
        }
    }

    #[test]
    fn those_who_take_gzip_get_the_same_bytes_compressed() {
        let name = ASSETS.iter().find(|asset| asset.name == "share.js").unwrap().hashed.as_str();
        for (accepted, gzip) in [
            ("gzip, deflate, br", true),
            ("br;q=1, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("br", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, accepted.parse().unwrap());
            let response = serve(name, &headers).unwrap();
            assert_eq!(response.headers().contains_key(CONTENT_ENCODING), gzip, "{accepted}");
            assert_eq!(response.headers()[VARY], "accept-encoding");
            assert_eq!(response.headers()[ETAG].to_str().unwrap().contains("-gzip"), gzip);
            let mut body = Vec::new();
            if gzip {
                flate2::read::GzDecoder::new(&*bytes(response)).read_to_end(&mut body).unwrap();
            } else {
                body.extend(bytes(response));
            }
            assert_eq!(body, *Files::get("share.js").unwrap().data);
        }
    }

    #[test]
    fn a_copy_that_is_still_good_is_not_sent_again() {
        let address = url("share.css");
        let tag = get(&address, None).unwrap().headers()[ETAG].to_str().unwrap().to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()]
        {
            let response = get(&address, Some(&known)).unwrap();
            assert_eq!(response.status(), 304, "{known}");
            assert_eq!(response.headers()[ETAG], tag.as_str());
            assert!(response.body().is_end_stream());
        }
        assert_eq!(get(&address, Some("\"other\"")).unwrap().status(), 200);
    }

    #[test]
    fn other_names_are_not_found() {
        for name in [
            "share.css",
            "share-0000000000000000.css",
            "",
            ".",
            "-",
            "-.css",
            "../share.css",
            "x-y.html",
        ] {
            assert!(serve(name, &HeaderMap::new()).is_none(), "{name}");
        }
        assert!(url("missing.css").ends_with("/missing.css"));
    }
}
