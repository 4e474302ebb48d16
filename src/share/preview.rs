//! What link previews read at the head of the page.

use std::fmt::Write;

use super::page::{Page, escape, facts};

/// What link previews read: Open Graph (ogp.me) and the one Twitter field that has no twin there.
pub fn tags(share: &Page, artist: Option<&str>) -> String {
    let mut out = String::new();
    let mut property = |name: &str, content: &str| {
        let _ = writeln!(out, "<meta property=\"{name}\" content=\"{}\">", escape(content));
    };
    let one = match share.tracks.as_slice() {
        [track] => Some(track),
        _ => None,
    };
    let album = share.tracks.first().and_then(|track| track.album.as_deref());
    let one_album =
        album.is_some() && share.tracks.iter().all(|track| track.album.as_deref() == album);
    property(
        "og:type",
        match (one, one_album) {
            (Some(_), _) => "music.song",
            (None, true) => "music.album",
            (None, false) => "music.playlist",
        },
    );
    property("og:site_name", "Kinglet");
    property("og:title", &share.title);
    let summary = share.description.clone().unwrap_or_else(|| {
        let facts = facts(&share.tracks);
        artist.map_or_else(|| facts.clone(), |artist| format!("{artist} · {facts}"))
    });
    property("og:description", &summary);
    property("og:url", &share.url);
    if let Some(cover) = &share.cover {
        property("og:image", &absolute(&share.url, &cover.preview));
        if let Some((width, height)) = cover.preview_size {
            property("og:image:width", &width.to_string());
            property("og:image:height", &height.to_string());
        }
        property("og:image:alt", &format!("Cover of {}", share.title));
    }
    if let Some(track) = one {
        property("og:audio", &absolute(&share.url, &track.src));
        property("og:audio:type", &track.content_type);
        property("music:duration", &(track.duration_ms / 1000).to_string());
    }
    out.push_str("<meta name=\"twitter:card\" content=\"summary\">\n");
    out
}

/// The absolute address of something that lies beside the page.
fn absolute(page: &str, relative: &str) -> String {
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/{relative}")
}
