//! A share as HTML: complete without JavaScript, one player with it.
//!
//! All addresses in the page are relative to `<base>/share/`, where the page lies as `<token>` without
//! a slash behind it; so it works below any base path and any proxy. Only link previews get absolute
//! ones, because their readers want that.
//!
//! A link may say where to start, in its fragment, because apps drop or rewrite queries: `#3` or
//! `#track=3` is the third track, `#t=90`, `#t=1:30` or `#t=1:01:30` a time in it, `#track=3&t=90`
//! both. Without JavaScript `#3` still scrolls to the track and marks it.

use std::fmt::Write;

use super::assets;

/// The `Content-Security-Policy` the page is served with: nothing inline, nothing from elsewhere.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// That of the page with the form that takes a passphrase.
pub const LOCKED_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";

/// The same within a page of another site.
pub const LOCKED_EMBED_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
     base-uri 'none'; form-action 'self'; frame-ancestors *";

/// Everything a share page shows.
#[derive(Clone, Debug)]
pub struct Page {
    /// The absolute address of the page: `https://host/base/share/<token>`.
    pub url: String,
    /// The name of what is shared.
    pub title: String,
    /// What the sender wrote, with line breaks.
    pub description: Option<String>,
    /// Who shares.
    pub owner: String,
    /// The picture; `None` shows a drawing instead.
    pub cover: Option<Cover>,
    /// What is played, in order.
    pub tracks: Vec<Track>,
    /// The relative address of the M3U8 file.
    pub playlist: String,
    /// The relative address of one file with all tracks; `None` where nobody may download.
    pub archive: Option<String>,
    /// The day on which the link ends, in words; `None` where it does not.
    pub expires: Option<String>,
    /// What link previews read, in HTML: see `preview`.
    pub previews: String,
}

/// The picture of a share.
#[derive(Clone, Debug)]
pub struct Cover {
    /// The relative address of what the page shows, about 600 pixels wide.
    pub src: String,
}

/// One track of a share.
#[derive(Clone, Debug)]
pub struct Track {
    /// Its title.
    pub title: String,
    /// Who plays; empty where nobody knows.
    pub artist: String,
    /// The album it is from.
    pub album: Option<String>,
    /// How long it plays, in milliseconds; 0 where nobody knows.
    pub duration_ms: u64,
    /// The relative address of its sound: `<token>/so12.flac`.
    pub src: String,
    /// The content type of its sound.
    pub content_type: String,
    /// Whether the page offers to keep the file.
    pub download: bool,
    /// What it has where it is a video.
    pub video: Option<VideoFacts>,
}

/// What the page must know of a video.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VideoFacts {
    /// Pixels from left to right as it is shown; 0 where unknown.
    pub width: u32,
    /// Pixels from top to bottom as it is shown; 0 where unknown.
    pub height: u32,
    /// Its captions, the best first.
    pub captions: Vec<Caption>,
}

/// Captions of a video.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caption {
    /// Their language for `srclang` (`en`, `pt-BR`); empty where unknown.
    pub language: String,
    /// What a menu calls them (`Deutsch – forced`); empty where nothing is known of them.
    pub label: String,
    /// The relative address of the WebVTT file: `<token>/so12-0.vtt`.
    pub src: String,
}

/// What the script fills and shows; without it, it stays hidden.
const PLAYER: &str = r#"<section class="player" aria-label="Player" hidden>
<p class="words" role="status"></p>
<div class="line"><span class="at">0:00</span><input class="seek" type="range" min="0" step="any" value="0" aria-label="Position"><span class="length"></span><button class="link" aria-label="Link to this moment" title="Link to this moment"><svg aria-hidden="true" viewBox="0 0 24 24"><path d="M4 12a5 5 0 0 1 5-5h2v2H9a3 3 0 0 0 0 6h2v2H9a5 5 0 0 1-5-5zm5-1h6v2H9zm4-4h2a5 5 0 0 1 0 10h-2v-2h2a3 3 0 0 0 0-6h-2z"/></svg></button></div>
<div class="bar">
<p class="now"><b dir="auto"></b><span dir="auto"></span></p>
<div class="buttons">
<button class="previous" aria-label="Previous track"><svg aria-hidden="true" viewBox="0 0 24 24"><path d="M6 5h2v14H6zM19 5v14L9 12z"/></svg></button>
<button class="toggle" aria-label="Play"><svg class="play" aria-hidden="true" viewBox="0 0 24 24"><path d="M8 5v14l11-7z"/></svg><svg class="pause" aria-hidden="true" viewBox="0 0 24 24"><path d="M6 5h4v14H6zM14 5h4v14h-4z"/></svg></button>
<button class="next" aria-label="Next track"><svg aria-hidden="true" viewBox="0 0 24 24"><path d="M16 5h2v14h-2zM5 5v14l10-7z"/></svg></button>
</div>
<div class="extra">
<button class="mute" aria-label="Mute" aria-pressed="false"><svg aria-hidden="true" viewBox="0 0 24 24"><path d="M4 9v6h4l5 5V4L8 9zm11-1v8a5 5 0 0 0 0-8z"/></svg></button>
<input class="volume" type="range" max="1" step="0.05" aria-label="Volume">
</div>
</div>
</section>"#;

/// The single keys of the script, which can be switched off (WCAG 2.1.4).
const KEYS: &str = r#"<details class="keys" hidden><summary>Keyboard</summary>
<p><kbd>Space</kbd> or <kbd>K</kbd> play and pause, <kbd>←</kbd> <kbd>→</kbd> 5 seconds, <kbd>J</kbd> <kbd>L</kbd> 10 seconds, <kbd>P</kbd> <kbd>N</kbd> previous and next, <kbd>M</kbd> mute</p>
<label><input type="checkbox" checked> Use these keys</label></details>"#;

/// The page of a share that lives.
pub fn html(share: &Page) -> String {
    let artist = artist_of_all(&share.tracks);
    let title = escape(&share.title);
    let mut about = String::new();
    match &share.cover {
        Some(cover) => {
            let _ = write!(
                about,
                "<img class=\"cover\" src=\"{}\" width=\"600\" height=\"600\" alt=\"Cover of {title}\">",
                escape(&cover.src)
            );
        }
        None => {
            let _ = write!(
                about,
                "<img class=\"cover none\" src=\"{}\" width=\"600\" height=\"600\" alt=\"\">",
                assets::url("icon.svg")
            );
        }
    }
    let _ = write!(
        about,
        "\n<div>\n<p class=\"from\">Shared by <bdi>{}</bdi></p>\n<h1 dir=\"auto\">{title}</h1>\n",
        escape(&share.owner)
    );
    if let Some(artist) = artist {
        let _ = writeln!(about, "<p class=\"artist-of-all\" dir=\"auto\">{}</p>", escape(artist));
    }
    if let Some(description) = &share.description {
        let _ = writeln!(about, "<p class=\"note\" dir=\"auto\">{}</p>", escape(description));
    }
    let _ = write!(about, "<p class=\"facts\">{}", facts(&share.tracks));
    if let Some(expires) = &share.expires {
        let _ = write!(about, " · until {}", escape(expires));
    }
    let _ = write!(
        about,
        "</p>\n<p class=\"actions\"><button class=\"big\" hidden><svg class=\"play\" aria-hidden=\"true\" \
         viewBox=\"0 0 24 24\"><path d=\"M8 5v14l11-7z\"/></svg><svg class=\"pause\" aria-hidden=\"true\" \
         viewBox=\"0 0 24 24\"><path d=\"M6 5h4v14H6zM14 5h4v14h-4z\"/></svg><span>Play</span></button>\
         <a href=\"{}\">Open in a player</a>",
        escape(&share.playlist)
    );
    if let Some(archive) = &share.archive {
        let _ = write!(about, "<a href=\"{}\" download>Download all</a>", escape(archive));
    }
    about.push_str("</p>\n</div>");

    let haze = share.cover.as_ref().map_or_else(String::new, |cover| {
        format!("<div class=\"haze\"><img src=\"{}\" alt=\"\"></div>\n", escape(&cover.src))
    });
    let body = format!(
        "{haze}<main class=\"wide\">\n<header class=\"about\">\n{about}\n</header>\n\
         <section aria-labelledby=\"tracks\">\n<h2 class=\"unseen\" id=\"tracks\">Tracks</h2>\n{}</section>\n</main>\n\
         <footer>\n{KEYS}\n<p>Shared with Kinglet</p>\n</footer>\n{PLAYER}\n",
        tracks(&share.tracks, artist.is_some())
    );
    let name =
        artist.map_or_else(|| title.clone(), |artist| format!("{title} – {}", escape(artist)));
    let head = format!("{}<script src=\"{}\"></script>\n", share.previews, assets::url("share.js"));
    document(&name, &head, &body)
}

/// The page for a link that never was (404).
pub fn not_found() -> String {
    lost(
        "This link does not lead anywhere",
        "Perhaps a part of it got lost on the way. Copy the whole link once more, or ask whoever sent it.",
    )
}

/// The page for a share that has ended (410).
pub fn gone() -> String {
    lost(
        "This link has ended",
        "What was shared here is no longer open. Ask whoever sent it for a new link.",
    )
}

/// The page of a share that takes a passphrase (401). Its form goes to where it came from.
pub fn locked(wrong: bool) -> String {
    let heading = "This link takes a passphrase";
    let words = match wrong {
        true => "That was not the passphrase. Look at what you were sent once more.",
        false => "Whoever sent you the link knows it.",
    };
    let body = format!(
        "<main class=\"lost\">\n<img src=\"{}\" width=\"96\" height=\"96\" alt=\"\">\n<h1>{heading}</h1>\n\
         <p role=\"status\">{words}</p>\n<form method=\"post\">\n\
         <p><label for=\"passphrase\">Passphrase</label></p>\n\
         <p><input id=\"passphrase\" name=\"passphrase\" type=\"password\" required maxlength=\"256\" \
         autocomplete=\"current-password\" autofocus></p>\n\
         <p><button>Open</button></p>\n</form>\n</main>\n",
        assets::url("icon.svg")
    );
    document(heading, "", &body)
}

fn lost(heading: &str, text: &str) -> String {
    let body = format!(
        "<main class=\"lost\">\n<img src=\"{}\" width=\"96\" height=\"96\" alt=\"\">\n<h1>{heading}</h1>\n<p>{text}</p>\n</main>\n",
        assets::url("icon.svg")
    );
    document(heading, "", &body)
}

/// A whole document; everything given is HTML already.
fn document(title: &str, head: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1, viewport-fit=cover\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"theme-color\" content=\"#fbf9f5\" media=\"(prefers-color-scheme: light)\">\n\
         <meta name=\"theme-color\" content=\"#141511\" media=\"(prefers-color-scheme: dark)\">\n\
         <link rel=\"icon\" href=\"{}\" type=\"image/svg+xml\">\n<link rel=\"stylesheet\" href=\"{}\">\n{head}\
         </head>\n<body>\n{body}</body>\n</html>\n",
        assets::url("icon.svg"),
        assets::url("share.css")
    )
}

fn tracks(tracks: &[Track], one_artist: bool) -> String {
    let album = tracks.first().and_then(|track| track.album.as_deref());
    let one_album = tracks.iter().all(|track| track.album.as_deref() == album);
    let any_download = tracks.iter().any(|track| track.download);
    // Safari does not take a list without markers for one, so the role says it.
    let mut out = String::from("<ol class=\"tracks\" role=\"list\">\n");
    for (number, track) in (1..).zip(tracks) {
        let (title, src) = (escape(&track.title), escape(&track.src));
        let _ = write!(
            out,
            "<li id=\"{number}\"><div class=\"row\"><div class=\"name\"><span class=\"title\" dir=\"auto\">{title}</span>"
        );
        let artist = Some(track.artist.as_str()).filter(|artist| !one_artist && !artist.is_empty());
        let album = track.album.as_deref().filter(|_| !one_album);
        if artist.is_some() || album.is_some() {
            out.push_str("<span class=\"more\">");
            for (class, text) in [("artist", artist), ("album", album)] {
                if let Some(text) = text {
                    let _ =
                        write!(out, "<span class=\"{class}\" dir=\"auto\">{}</span>", escape(text));
                }
            }
            out.push_str("</span>");
        }
        let time = if track.duration_ms == 0 { String::new() } else { clock(track.duration_ms) };
        let _ = write!(out, "</div><span class=\"time\">{time}</span>");
        if track.download {
            let suffix = track.src.rsplit_once('.').map_or("", |(_, suffix)| suffix);
            let _ = write!(
                out,
                "<a class=\"get\" href=\"{src}\" download=\"{title}.{}\" aria-label=\"Download {title}\">\
                 <svg aria-hidden=\"true\"><use href=\"#get\"/></svg></a>",
                escape(suffix)
            );
        }
        let _ = writeln!(
            out,
            "</div><audio controls preload=\"none\" src=\"{src}\" aria-label=\"{title}\"></audio></li>"
        );
    }
    out.push_str("</ol>\n");
    if any_download {
        out.push_str(
            "<svg hidden><symbol id=\"get\" viewBox=\"0 0 24 24\">\
             <path d=\"M11 4h2v8l3-3 1 2-5 5-5-5 1-2 3 3zM5 18h14v2H5z\"/></symbol></svg>\n",
        );
    }
    out
}

/// Who plays all of it; `None` where that is not one.
fn artist_of_all(tracks: &[Track]) -> Option<&str> {
    let artist =
        tracks.first().map(|track| track.artist.as_str()).filter(|artist| !artist.is_empty())?;
    tracks.iter().all(|track| track.artist == artist).then_some(artist)
}

/// How much there is: `12 tracks · 1 h 3 min`.
pub(super) fn facts(tracks: &[Track]) -> String {
    let count = match tracks.len() {
        0 => "Nothing to play".to_owned(),
        1 => "1 track".to_owned(),
        many => format!("{many} tracks"),
    };
    let total = tracks.iter().fold(0_u64, |sum, track| sum.saturating_add(track.duration_ms));
    let (minutes, seconds) = (total.saturating_add(30_000) / 60_000, total / 1000);
    match (minutes, seconds) {
        (_, 0) => count,
        (_, 1..60) => format!("{count} · {seconds} s"),
        (0..60, _) => format!("{count} · {minutes} min"),
        _ => format!("{count} · {} h {} min", minutes / 60, minutes % 60),
    }
}

/// A duration as players show it: `3:07`, `1:02:03`. The script reads it back.
fn clock(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// Text as HTML, good between tags and within double or single quotes.
///
/// What HTML forbids in a document (control characters, U+FFFE and U+FFFF) becomes U+FFFD; the line
/// and paragraph separators U+2028 and U+2029 become line breaks.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\n' | '\t' => out.push(letter),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            control if control.is_control() => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;
    use std::path::Path;

    const TOKEN: &str = "4fGk29LmQx7RbT1z";

    fn track(number: u64, title: &str) -> Track {
        Track {
            title: title.to_owned(),
            artist: "The Goldcrests".to_owned(),
            album: Some("Songs from the Spruce".to_owned()),
            duration_ms: 151_000 + 13_700 * number,
            src: format!("{TOKEN}/so{number}.flac"),
            content_type: "audio/flac".to_owned(),
            download: true,
            video: None,
        }
    }

    fn album() -> Page {
        let titles = [
            "First Light",
            "Needle and Cone",
            "A Song of Five Grams",
            "Rain on the Window of the Last House before the Forest",
        ];
        Page {
            url: format!("https://music.example.org/kinglet/share/{TOKEN}"),
            title: "Songs from the Spruce".to_owned(),
            description: Some("The one I told you about.\nStart with the third!".to_owned()),
            owner: "Anna".to_owned(),
            cover: Some(Cover { src: format!("{TOKEN}/cover-600.jpg") }),
            tracks: (1..).zip(titles).map(|(number, title)| track(number, title)).collect(),
            playlist: format!("{TOKEN}/playlist.m3u8"),
            archive: Some(format!("{TOKEN}/all.zip")),
            expires: Some("3 March 2027".to_owned()),
            previews: "<meta property=\"og:title\" content=\"Songs from the Spruce\">\n".to_owned(),
        }
    }

    fn mix() -> Page {
        let mut page = album();
        page.title = "Für die Fahrt & <mehr>".to_owned();
        page.description = None;
        page.cover = None;
        page.archive = None;
        page.expires = None;
        for (track, (title, artist)) in page.tracks.iter_mut().zip([
            ("שיר לערב", "להקה"),
            ("Supercalifragilisticexpialidocious".repeat(3).as_str(), ""),
            ("\"Quoted\" & 'quoted'", "AT&T <live>"),
            ("夜の歌", "鶯"),
        ]) {
            track.title = title.to_owned();
            track.artist = artist.to_owned();
            track.album = (!artist.is_empty()).then(|| format!("Best of {artist}"));
            track.download = false;
        }
        page
    }

    fn song() -> Page {
        let mut page = album();
        page.title = "First Light".to_owned();
        page.tracks.truncate(1);
        page.archive = None;
        page
    }

    /// Compares with a file; `KINGLET_REGEN=1` writes it anew. The names of assets change with every
    /// change of theirs, so their hashes stay out.
    fn golden(name: &str, html: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/share").join(name);
        let mut html = html.to_owned();
        for asset in ["share.css", "share.js", "icon.svg"] {
            html = html.replace(&assets::url(asset), &format!("assets/{asset}"));
        }
        if std::env::var_os("KINGLET_REGEN").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &html).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            html == expected,
            "{name} has changed; look at it and set KINGLET_REGEN=1:\n{html}"
        );
    }

    #[test]
    fn the_pages_are_the_golden_ones() {
        golden("album.html", &html(&album()));
        golden("mix.html", &html(&mix()));
        golden("song.html", &html(&song()));
        golden("not_found.html", &not_found());
        golden("gone.html", &gone());
    }

    #[test]
    fn twenty_tracks_with_all_assets_stay_far_under_30_kilobytes() {
        let mut page = album();
        page.tracks = (1..=20).map(|number| track(number, "A Title of Common Length")).collect();
        let html = html(&page).len() as u64;
        let assets: u64 = ["share.css", "share.js", "icon.svg"].into_iter().map(asset_size).sum();
        assert!(html + assets <= 24_000, "page {html} bytes, assets {assets} bytes");
    }

    /// Bytes of an asset on the wire, for a client that takes gzip, as all browsers do.
    fn asset_size(name: &str) -> u64 {
        use hyper::body::Body as _;
        let headers =
            [(hyper::header::ACCEPT_ENCODING, "gzip".parse().unwrap())].into_iter().collect();
        let address = assets::url(name);
        let response = assets::serve(address.strip_prefix("assets/").unwrap(), &headers).unwrap();
        response.body().size_hint().exact().unwrap()
    }

    #[test]
    fn nothing_is_offered_to_keep_where_downloads_are_off() {
        assert!(html(&album()).contains(" download="));
        assert!(!html(&mix()).contains("download"));
    }

    #[test]
    fn a_share_without_tracks_says_so() {
        let mut page = album();
        page.tracks.clear();
        let html = html(&page);
        assert!(html.contains("Nothing to play") && !html.contains("<li "));
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(clock(0), "0:00");
        assert_eq!(clock(187_999), "3:07");
        assert_eq!(clock(3_723_000), "1:02:03");
        let of = |milliseconds| {
            let mut one = track(1, "x");
            one.duration_ms = milliseconds;
            facts(&[one])
        };
        assert_eq!(of(0), "1 track");
        assert_eq!(of(59_000), "1 track · 59 s");
        assert_eq!(of(3_569_999), "1 track · 59 min");
        assert_eq!(of(3_570_000), "1 track · 1 h 0 min");
        assert_eq!(of(u64::MAX), "1 track · 5124095576030 h 25 min");
    }

    #[test]
    fn hostile_text_is_only_text() {
        assert_eq!(
            escape("</title><script>alert('1')&\"\0\u{7f}\u{85}\u{ffff}"),
            "&lt;/title&gt;&lt;script&gt;alert(&#39;1&#39;)&amp;&quot;\u{fffd}\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(escape("a\u{2028}b\u{2029}c\nd\te"), "a\nb\nc\nd\te");
        assert_eq!(escape("naïve 夜 \u{200f}שיר 🎵"), "naïve 夜 \u{200f}שיר 🎵");
    }

    /// Start tags, end tags and the values of attributes, read as a browser reads them, which holds as
    /// long as every value is quoted; a `<` that starts no tag of ours fails.
    fn tags(html: &str) -> Vec<(String, Vec<(String, String)>)> {
        let mut rest = html;
        let mut tags = Vec::new();
        while let Some((_, tail)) = rest.split_once('<') {
            let end = tail.find([' ', '>']).unwrap();
            let name = &tail[..end];
            assert!(
                name.starts_with(|first: char| first.is_ascii_alphabetic() || "/!".contains(first)),
                "<{tail}"
            );
            rest = &tail[end..];
            let mut attributes = Vec::new();
            while !rest.starts_with('>') {
                rest = rest.trim_start_matches([' ', '/']);
                let end = rest.find(['=', ' ', '>']).unwrap();
                let attribute = rest[..end].to_owned();
                rest = &rest[end..];
                let mut value = String::new();
                if let Some(tail) = rest.strip_prefix("=\"") {
                    let (quoted, tail) = tail.split_once('"').unwrap();
                    value = quoted.to_owned();
                    rest = tail;
                }
                if !attribute.is_empty() {
                    attributes.push((attribute, value));
                }
            }
            tags.push((name.to_owned(), attributes));
        }
        tags
    }

    fn page_of(text: &str) -> Page {
        let mut page = album();
        page.url = format!("https://{text}/share/{TOKEN}");
        page.title = text.to_owned();
        page.description = Some(text.to_owned());
        page.owner = text.to_owned();
        page.expires = Some(text.to_owned());
        page.playlist = text.to_owned();
        page.archive = Some(text.to_owned());
        page.cover = Some(Cover { src: text.to_owned() });
        for (track, prefix) in page.tracks.iter_mut().zip(["a", "b", "c", "d"]) {
            track.title = text.to_owned();
            track.artist = format!("{prefix}{text}");
            track.album = Some(format!("{prefix}{text}"));
            track.src = text.to_owned();
            track.content_type = text.to_owned();
        }
        page
    }

    proptest! {
        #[test]
        fn no_text_changes_the_shape_of_a_page(text in r#"(\PC|[<>"'&/= \x00-\x1f\x{2028}]|</?(script|title|li)>){0,40}"#) {
            let shape = |html: &str| -> Vec<_> {
                tags(html)
                    .into_iter()
                    .map(|(name, attributes)| (name, attributes.into_iter().map(|(name, _)| name).collect::<Vec<_>>()))
                    .collect()
            };
            let hostile = html(&page_of(&text));
            prop_assert_eq!(shape(&hostile), shape(&html(&page_of("tame"))));
            let label = tags(&hostile).into_iter().find(|(name, _)| name == "audio").unwrap().1.pop().unwrap().1;
            prop_assert_eq!(label, escape(&text));
        }
    }
}
