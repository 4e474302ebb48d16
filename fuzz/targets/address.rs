//! Paths of both doors, and ids: each path is of one kind, each id has one spelling.

#![no_main]

use hyper::Uri;
use kinglet::http::client::Site;
use kinglet::id::Id;
use kinglet::{share, subsonic};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    if let Some(id) = Id::parse(data) {
        assert_eq!(id.to_string(), data);
    }
    for path in [data.to_owned(), format!("/share/{data}"), format!("/rest/{data}")] {
        let kind = share::KINDS[share::kind_of(&path)];
        assert!(kind != "song" || share::sends_song(&path), "{path}");
        if let Some(endpoint) = subsonic::endpoint_of(&path) {
            assert!(endpoint < subsonic::ENDPOINTS);
        }
        subsonic::sends_song(&path);
        let Ok(mut uri) = path.parse::<Uri>() else { continue };
        let before = uri.clone();
        let site = Site { public_url: None, base_path: "/music", https: false };
        site.without_base_path(&mut uri);
        assert!(uri == before || before.path().starts_with("/music"), "{before} {uri}");
        assert_eq!(uri.query(), before.query(), "{before}");
    }
});
