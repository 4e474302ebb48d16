//! The files the share page loads, embedded in the program and named by their content.

use std::borrow::Cow;
use std::sync::LazyLock;

use bytes::Bytes;
use flate2::Compression;
use hyper::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, VARY,
};
use hyper::{Response as HttpResponse, StatusCode};
use rust_embed::Embed;

use crate::http::accepted::{Coding, coding, gzip};
use crate::http::body::{Body, Response};
use crate::http::range::has_copy;

/// The name tells the content, so a copy is good for a year, the most that caches promise.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Bytes of the content's SHA-256 in a name: enough that no two releases ever share one.
const HASH_BYTES: usize = 8;

/// The files, and each as brotli, as build.rs puts them together.
#[derive(Embed)]
#[folder = "$OUT_DIR/assets/"]
struct Files;

/// The names of the files with their content types.
const NAMES: [(&str, &str); 2] =
    [("share.js", "text/javascript; charset=utf-8"), ("icon.svg", "image/svg+xml")];

/// The drawing of pages without a cover; it stands in the page itself.
pub const ICON: &str = include_str!("assets/icon.svg");

/// A file ready to be sent.
struct Asset {
    name: &'static str,
    /// `share-0123456789abcdef.js`
    hashed: String,
    content_type: &'static str,
    /// The digits of the name.
    hash: String,
    plain: Bytes,
    gzip: Bytes,
    brotli: Bytes,
}

/// All of them; gzip is made once, at the first request: some kilobytes.
static ASSETS: LazyLock<Vec<Asset>> =
    LazyLock::new(|| NAMES.into_iter().filter_map(load).collect());

/// The address of an embedded file relative to a share page, such as
/// `assets/share-0123456789abcdef.js` for `share.js`; `assets/<name>`, which [`serve`] refuses,
/// for a name that is not embedded.
pub fn url(name: &str) -> String {
    let known = ASSETS.iter().find(|asset| asset.name == name);
    format!("assets/{}", known.map_or(name, |asset| &asset.hashed))
}

/// Answers `GET` or `HEAD` for the last segment of such an address; `None` (a 404) for a name that
/// is not ours or of another release.
pub fn serve(name: &str, headers: &HeaderMap) -> Option<Response> {
    let asset = ASSETS.iter().find(|asset| asset.hashed == name)?;
    let coding = coding(headers, &[Coding::Brotli, Coding::Gzip]);
    let bytes = match coding {
        Coding::Plain => &asset.plain,
        Coding::Gzip => &asset.gzip,
        Coding::Brotli => &asset.brotli,
    };
    // Strong tags tell codings apart.
    let tag = match coding.name() {
        None => format!("\"{}\"", asset.hash),
        Some(coding) => format!("\"{}-{coding}\"", asset.hash),
    };
    let mut response = HttpResponse::new(Body::empty());
    let answer = response.headers_mut();
    answer.insert(CACHE_CONTROL, CACHE);
    answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
    answer.insert(ETAG, HeaderValue::try_from(&tag).ok()?);
    if has_copy(headers, &tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Some(response);
    }
    answer.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    answer.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    if let Some(coding) = coding.name() {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    *response.body_mut() = Body::full(bytes.clone());
    Some(response)
}

fn load((name, content_type): (&'static str, &'static str)) -> Option<Asset> {
    let (stem, suffix) = name.rsplit_once('.')?;
    let (plain, brotli) = (Files::get(name)?, Files::get(&format!("{name}.br"))?);
    let digest = plain.metadata.sha256_hash();
    let hash: String = digest.iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect();
    Some(Asset {
        name,
        hashed: format!("{stem}-{hash}.{suffix}"),
        content_type,
        hash,
        gzip: Bytes::from(gzip(&plain.data, Compression::best()).ok()?),
        plain: embedded(plain.data),
        brotli: embedded(brotli.data),
    })
}

/// Bytes that are part of the program, without a copy.
fn embedded(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => Bytes::from(data),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use hyper::body::Body as _;
    use hyper::header::{ACCEPT_ENCODING, IF_NONE_MATCH};
    use std::io::Read as _;

    fn get(address: &str, tag: Option<&str>) -> Option<Response> {
        let mut headers = HeaderMap::new();
        if let Some(tag) = tag {
            headers.insert(IF_NONE_MATCH, tag.parse().unwrap());
        }
        serve(address.strip_prefix("assets/").unwrap(), &headers)
    }

    fn bytes(mut response: Response) -> Bytes {
        match response.body_mut() {
            Body::Full(bytes) => bytes.take().unwrap(),
            Body::Stream(_) => unreachable!(),
        }
    }

    #[test]
    fn every_file_is_served_under_the_name_its_address_tells() {
        for (name, content_type) in NAMES {
            let address = url(name);
            let response = get(&address, None).expect(&address);
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()[CONTENT_TYPE], content_type);
            assert_eq!(response.headers()[CACHE_CONTROL], CACHE);
            assert!(!response.headers().contains_key(CONTENT_ENCODING));
            assert!(bytes(response) == *Files::get(name).unwrap().data, "{name}");
        }
    }

    #[test]
    fn every_coding_is_the_same_file_with_a_tag_of_its_own() {
        for (file, _) in NAMES {
            let (address, mut tags) = (url(file), Vec::new());
            let name = address.strip_prefix("assets/").unwrap();
            for (accepted, coding) in [
                ("gzip, deflate, br, zstd", Some("br")),
                ("gzip, deflate", Some("gzip")),
                ("br;q=0.2, GZIP;q=0.5", Some("gzip")),
                ("gzip;q=0", None),
                ("zstd", None),
            ] {
                let headers = [(ACCEPT_ENCODING, accepted.parse().unwrap())].into_iter().collect();
                let response = serve(name, &headers).unwrap();
                let told =
                    response.headers().get(CONTENT_ENCODING).map(|told| told.to_str().unwrap());
                assert_eq!(told, coding, "{accepted}");
                assert_eq!(response.headers()[VARY], "accept-encoding");
                tags.push(response.headers()[ETAG].clone());
                let (body, mut plain) = (bytes(response), Vec::new());
                match coding {
                    Some("br") => {
                        brotli::Decompressor::new(&*body, 4096).read_to_end(&mut plain).unwrap();
                    }
                    Some(_) => {
                        flate2::read::GzDecoder::new(&*body).read_to_end(&mut plain).unwrap();
                    }
                    None => plain.extend(body),
                }
                assert!(plain == *Files::get(file).unwrap().data, "{file} {accepted}");
            }
            assert!(tags[0] != tags[1] && tags[1] == tags[2] && tags[2] != tags[3]);
        }
    }

    #[test]
    fn a_copy_that_is_still_good_is_not_sent_again() {
        let address = url("share.js");
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
            "share.js",
            "share-0000000000000000.js",
            "",
            ".",
            "-",
            "-.js",
            "../share.js",
            "x-y.html",
        ] {
            assert!(serve(name, &HeaderMap::new()).is_none(), "{name}");
        }
        assert!(url("missing.css").ends_with("/missing.css"));
    }
}
