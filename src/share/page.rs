//! A share as HTML: complete without JavaScript, one player with it.
//!
//! All addresses in the page are relative to `<base>/share/`, where the page lies as `<token>` without
//! a slash behind it; so it works below any base path and any proxy. Only link previews get absolute
//! ones, because their readers want that.
//!
//! A link may say where to start, in its fragment, because apps drop or rewrite queries: `#t=3,90` is
//! the third track after 90 seconds. `#3` or `#track=3` is the third track, `#t=90`, `#t=1:30` or
//! `#t=1:01:30` a time in the first, `#track=3&t=90` both. Without JavaScript `#3` still scrolls to the
//! track and marks it.

use std::fmt::Write;

use super::assets;
use super::document::{Document, Frames, Parts, attribute, document, escape, filled};
use super::player;
use super::tracks;
use super::words::Words;
use crate::media::cover::colours::Colours;

/// Sides in pixels of the pictures a page shows: in the list, on small and on large screens.
pub const COVER_SIZES: [u32; 4] = [96, 300, 600, 1200];

/// Everything a share page shows.
#[derive(Clone, Debug)]
pub struct Page {
    /// The language.
    pub words: &'static Words,
    /// The word in the link.
    pub token: String,
    /// The name of what is shared.
    pub title: String,
    /// What the sender wrote, with line breaks.
    pub description: Option<String>,
    /// The picture; `None` shows a drawing instead.
    pub cover: Option<Cover>,
    /// The colours of the picture.
    pub colours: Option<Colours>,
    /// What is played, in order.
    pub tracks: Vec<Track>,
    /// The relative address of the M3U8 file.
    pub playlist: String,
    /// The relative address of the podcast feed.
    pub feed: String,
    /// The relative address of the link as a picture.
    pub qr: String,
    /// The relative address of one file with all tracks; `None` where nobody may download.
    pub archive: Option<String>,
    /// When the link ends, ms since 1970; `None` where it does not.
    pub expires: Option<i64>,
    /// Whether it may be played only so often, so that nothing is fetched that is not heard.
    pub counted: bool,
    /// What link previews read, in HTML: see `preview`.
    pub previews: String,
}

/// The picture of a share.
#[derive(Clone, Debug)]
pub struct Cover {
    /// What its relative addresses begin with: `<token>/al3`.
    pub stem: String,
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
    /// What the addresses of its picture begin with; `None` where it has none.
    pub cover: Option<String>,
    /// The relative address of its words; `None` where it has none.
    pub lyrics: Option<String>,
    /// The relative address of its file to be kept; `None` where that is not offered.
    pub download: Option<String>,
    /// Whether its file is not there at the moment.
    pub missing: bool,
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

/// The page of a share that is open.
pub fn page(share: &Page) -> Document {
    let words = share.words;
    let artist = artist_of_all(&share.tracks);
    let title = escape(&share.title);
    let body = format!(
        "<main class=\"wide\">\n<header class=\"about\">\n{}\n</header>\n\
         <section class=\"list\" aria-labelledby=\"tracks\">\n<h2 class=\"unseen\" id=\"tracks\">{}</h2>\n\
         <div class=\"stage\" hidden></div>\n{}</section>\n</main>\n\
         <footer>\n{}<p>{}</p>\n</footer>\n{}",
        about(share, artist),
        escape(words.tracks),
        tracks::list(words, "", &share.tracks),
        player::keys(words),
        escape(words.made_with),
        player::player(words, share.cover.as_ref(), ""),
    );
    let name =
        artist.map_or_else(|| title.clone(), |artist| format!("{title} – {}", escape(artist)));
    let head =
        format!("{}<script defer src=\"{}\"></script>\n", share.previews, assets::url("share.js"));
    document(&Parts {
        words,
        up: "",
        title: &name,
        head: &head,
        attributes: &for_script(share),
        body: &body,
        colours: share.colours,
        frames: Frames::Nowhere,
    })
}

/// What the script is told of a share, as attributes of the body.
fn for_script(share: &Page) -> String {
    let mut attributes = String::new();
    attribute(&mut attributes, "data-share", &share.token);
    if share.counted {
        attribute(&mut attributes, "data-counted", "");
    }
    attributes
}

/// The player for frames of other sites: the same list and player, with little around it. It lies one
/// folder deeper than the page.
pub fn embed(share: &Page) -> Document {
    let words = share.words;
    let artist = artist_of_all(&share.tracks);
    let title = escape(&share.title);
    let mut about = String::new();
    match &share.cover {
        Some(cover) => about.push_str(&small_cover("../", &cover.stem, "")),
        None => about.push_str(assets::ICON),
    }
    let _ = write!(
        about,
        "\n<div>\n<h1 dir=\"auto\"><a href=\"../{}\" target=\"_blank\" rel=\"noopener\" title=\"{}\">{title}</a></h1>\n",
        escape(&share.token),
        escape(words.open_page)
    );
    let said = artist.map(str::to_owned).into_iter().chain([facts(words, &share.tracks)]);
    let _ = write!(
        about,
        "<p class=\"facts\">{}</p>\n</div>\n{}",
        escape(&said.collect::<Vec<_>>().join(" · ")),
        player::big(words)
    );
    let body = format!(
        "<main>\n<header class=\"about\">\n{about}\n</header>\n\
         <section class=\"list\" aria-labelledby=\"tracks\">\n<h2 class=\"unseen\" id=\"tracks\">{}</h2>\n\
         <div class=\"stage\" hidden></div>\n{}</section>\n</main>\n{}",
        escape(words.tracks),
        tracks::list(words, "../", &share.tracks),
        player::player(words, share.cover.as_ref(), "../"),
    );
    let attributes = format!(" class=\"embed\"{}", for_script(share));
    let head = format!("<script defer src=\"../{}\"></script>\n", assets::url("share.js"));
    document(&Parts {
        words,
        up: "../",
        title: &title,
        head: &head,
        attributes: &attributes,
        body: &body,
        colours: share.colours,
        frames: Frames::Everywhere,
    })
}

/// What is shared, by whom, and what can be done with it.
fn about(share: &Page, artist: Option<&str>) -> String {
    let words = share.words;
    let title = escape(&share.title);
    let mut about = String::new();
    match &share.cover {
        Some(cover) => {
            let stem = escape(&cover.stem);
            let _ = write!(
                about,
                "<img class=\"cover\" src=\"{stem}-600.jpg\" srcset=\"{stem}-300.jpg 300w, {stem}-600.jpg 600w, \
                 {stem}-1200.jpg 1200w\" sizes=\"(min-width: 64rem) 21rem, (min-width: 44rem) 18rem, 22rem\" \
                 width=\"600\" height=\"600\" fetchpriority=\"high\" alt=\"{}\">",
                filled(words.cover_of, "title", &title)
            );
        }
        None => {
            let _ = write!(
                about,
                "<div class=\"cover none\" aria-hidden=\"true\">{}</div>",
                assets::ICON.trim()
            );
        }
    }
    let _ = write!(
        about,
        "\n<div>\n<p class=\"from\">{}</p>\n<h1 dir=\"auto\">{title}</h1>\n",
        escape(words.shared)
    );
    if let Some(artist) = artist {
        let _ = writeln!(about, "<p class=\"artist-of-all\" dir=\"auto\">{}</p>", escape(artist));
    }
    if let Some(description) = &share.description {
        let _ = writeln!(about, "<p class=\"note\" dir=\"auto\">{}</p>", escape(description));
    }
    if share.tracks.iter().all(|track| track.missing) {
        let nothing = words.nothing;
        let _ = write!(
            about,
            "<div class=\"nothing\">\n<h2>{}</h2>\n<p>{}</p>\n</div>\n",
            escape(nothing.heading),
            escape(nothing.text)
        );
        about.push_str("</div>");
        return about;
    }
    let _ = write!(about, "<p class=\"facts\">{}", escape(&facts(words, &share.tracks)));
    if let Some(expires) = share.expires {
        let _ = write!(about, " · {}", filled(words.until, "day", &escape(&words.date(expires))));
    }
    let _ = write!(about, "</p>\n<div class=\"actions\">{}", player::big(words));
    let _ = write!(
        about,
        "<button class=\"quiet share\" hidden>{}{}</button>",
        player::icon("share"),
        escape(words.share)
    );
    if let Some(archive) = &share.archive {
        let _ = write!(
            about,
            "<a class=\"quiet\" href=\"{}\" download>{}{}</a>",
            escape(archive),
            player::icon("get"),
            escape(words.download_all)
        );
    }
    let _ = write!(about, "</div>\n{}\n</div>", more(share));
    about
}

/// The other ways to listen, folded away.
fn more(share: &Page) -> String {
    let words = share.words;
    // A lazy picture in what is folded away is not fetched before it is opened.
    format!(
        "<details class=\"more-ways\"><summary>{}</summary>\n<ul role=\"list\">\n<li><a href=\"{}\">{}</a></li>\n\
         <li><a href=\"{}\">{}</a></li>\n</ul>\n\
         <img class=\"qr\" src=\"{}\" width=\"192\" height=\"192\" loading=\"lazy\" alt=\"{}\">\n</details>",
        escape(words.more),
        escape(&share.playlist),
        escape(words.open_in_player),
        escape(&share.feed),
        escape(words.podcast),
        escape(&share.qr),
        escape(words.qr)
    )
}

/// A picture in a list, with the text that stands for it.
pub(super) fn small_cover(up: &str, stem: &str, lazy: &str) -> String {
    format!(
        "<img class=\"thumb\" src=\"{up}{}-96.jpg\" width=\"48\" height=\"48\"{lazy} alt=\"\">",
        escape(stem)
    )
}

/// Who plays all of it; `None` where that is not one.
pub(super) fn artist_of_all(tracks: &[Track]) -> Option<&str> {
    let artist =
        tracks.first().map(|track| track.artist.as_str()).filter(|artist| !artist.is_empty())?;
    tracks.iter().all(|track| track.artist == artist).then_some(artist)
}

/// How much there is to hear: `12 tracks · 1 h 3 min`.
pub(super) fn facts(words: &Words, tracks: &[Track]) -> String {
    let there = || tracks.iter().filter(|track| !track.missing);
    let count = words.counted(there().count() as u64, &words.count);
    let total = there().fold(0_u64, |sum, track| sum.saturating_add(track.duration_ms));
    if total < 1000 { count } else { format!("{count} · {}", words.length(total)) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::document::{self, Document};
    use super::super::notice;
    use super::*;
    use hyper::StatusCode;
    use hyper::body::Body as _;
    use hyper::header::{ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_ENCODING, HeaderMap};
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
            cover: Some(format!("{TOKEN}/al3")),
            lyrics: (number == 2).then(|| format!("{TOKEN}/so2.lyrics")),
            download: Some(format!("{TOKEN}/get/so{number}.flac")),
            missing: false,
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
            words: english(),
            token: TOKEN.to_owned(),
            title: "Songs from the Spruce".to_owned(),
            description: Some("The one I told you about.\nStart with the third!".to_owned()),
            cover: Some(Cover { stem: format!("{TOKEN}/al3") }),
            tracks: (1..).zip(titles).map(|(number, title)| track(number, title)).collect(),
            colours: Some(Colours { hue: 264, chroma: 120, other: 29 }),
            playlist: format!("{TOKEN}/playlist.m3u8"),
            feed: format!("{TOKEN}/feed.rss"),
            qr: format!("{TOKEN}/qr.svg"),
            archive: Some(format!("{TOKEN}/tracks.zip")),
            expires: Some(1_804_032_000_000),
            counted: false,
            previews: "<meta property=\"og:title\" content=\"Songs from the Spruce\">\n".to_owned(),
        }
    }

    fn english() -> &'static Words {
        Words::wanted(&HeaderMap::new())
    }

    fn words_of(language: &str) -> &'static Words {
        let headers = [(ACCEPT_LANGUAGE, language.parse().unwrap())].into_iter().collect();
        Words::wanted(&headers)
    }

    /// The page alone.
    fn html(share: &Page) -> String {
        page(share).html
    }

    fn mix() -> Page {
        let mut page = album();
        page.words = words_of("ar");
        page.colours = None;
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
            track.download = None;
            track.cover = (!artist.is_empty()).then(|| track.src.replace(".flac", ""));
        }
        let [_, _, gone, video] = page.tracks.as_mut_slice() else { unreachable!() };
        (gone.missing, gone.cover) = (true, None);
        let captions = ["en", ""].map(|language| Caption {
            language: language.to_owned(),
            label: language.to_uppercase(),
            src: format!("{TOKEN}/so4-{}.vtt", language.len()),
        });
        video.video = Some(VideoFacts { width: 640, height: 360, captions: captions.into() });
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
        for asset in ["share.js", "icon.svg"] {
            html = html.replace(&assets::url(asset), &format!("assets/{asset}"));
        }
        let (before, style) = html.split_once("</style>\n<style>").unwrap();
        let (_, after) = style.split_once("</style>").unwrap();
        let html = format!("{before}</style>\n<style>...</style>{after}");
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
        golden("embed.html", &embed(&album()).html);
        golden("not_found.html", &notice::not_found(english()).html);
        golden("ended.html", &notice::ended(words_of("de")).html);
        golden("used_up.html", &notice::used_up(words_of("ja")).html);
        golden(
            "locked.html",
            &notice::locked(english(), notice::Attempt::First, Frames::Nowhere).html,
        );
        golden(
            "wrong.html",
            &notice::locked(words_of("fr"), notice::Attempt::Wrong, Frames::Everywhere).html,
        );
        golden(
            "too_many.html",
            &notice::locked(words_of("es"), notice::Attempt::TooMany, Frames::Nowhere).html,
        );
    }

    #[test]
    fn twenty_tracks_with_all_assets_stay_far_under_30_kilobytes() {
        let mut page = album();
        page.tracks = (1..=20).map(|number| track(number, "A Title of Common Length")).collect();
        let takes = [(ACCEPT_ENCODING, "gzip, br".parse().unwrap())].into_iter().collect();
        let html = document::respond(StatusCode::OK, super::page(&page), &takes);
        let address = assets::url("share.js");
        let script = assets::serve(address.strip_prefix("assets/").unwrap(), &takes).unwrap();
        let [html, script] = [html, script].map(|response| {
            assert!(response.headers().contains_key(CONTENT_ENCODING));
            response.body().size_hint().exact().unwrap()
        });
        assert!(html + script <= 24_000, "page {html} bytes, script {script} bytes");
        assert!(script <= 14_000, "script {script} bytes");
    }

    #[test]
    fn a_policy_allows_the_two_styles_of_its_page_and_nothing_inline_else() {
        for (document, frames) in
            [(page(&album()), "'none'"), (page(&mix()), "'none'"), (embed(&album()), "*")]
        {
            let Document { html, policy } = document;
            let styles: Vec<_> = html.split("<style>").skip(1).collect();
            assert_eq!((styles.len(), policy.matches("'sha256-").count()), (2, 2));
            assert!(!html.contains(" style=") && !html.contains("javascript:"));
            let inline =
                html.matches("<script").count() - html.matches("<script defer src=").count();
            assert_eq!(inline, html.matches("<script type=\"application/json\"").count());
            assert!(
                policy.contains("default-src 'none'") && !policy.contains("unsafe"),
                "{policy}"
            );
            assert!(policy.ends_with(&format!("frame-ancestors {frames}")), "{policy}");
        }
    }

    #[test]
    fn what_previews_read_stands_before_everything_that_is_long() {
        let html = html(&album());
        assert!(html.find("og:title").unwrap() < html.find("<style>").unwrap());
    }

    #[test]
    fn nothing_is_offered_to_keep_where_downloads_are_off() {
        assert!(html(&album()).contains("/get/so1.flac\" download "));
        assert!(!html(&mix()).contains("download"));
    }

    #[test]
    fn what_is_missing_is_told_and_cannot_be_played() {
        let mix = html(&mix());
        let (_, row) = mix.split_once("<li id=\"3\" class=\"missing\">").unwrap();
        let (row, _) = row.split_once("</li>").unwrap();
        assert!(
            row.contains("غير موجود حاليًا") && !row.contains("<audio") && !row.contains("href"),
            "{row}"
        );
    }

    #[test]
    fn a_share_without_tracks_says_so() {
        let mut page = album();
        page.tracks.clear();
        let none = html(&page);
        assert!(
            none.contains("Nothing is left here")
                && !none.contains("<li ")
                && !none.contains("class=\"big\"")
        );
        page.tracks = vec![Track { missing: true, ..track(1, "Gone") }];
        assert!(html(&page).contains("Nothing is left here"));
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
        page.title = text.to_owned();
        page.description = Some(text.to_owned());
        page.token = text.to_owned();
        page.feed = text.to_owned();
        page.qr = text.to_owned();
        page.playlist = text.to_owned();
        page.archive = Some(text.to_owned());
        page.cover = Some(Cover { stem: text.to_owned() });
        for (track, prefix) in page.tracks.iter_mut().zip(["a", "b", "c", "d"]) {
            track.title = text.to_owned();
            track.artist = format!("{prefix}{text}");
            track.album = Some(format!("{prefix}{text}"));
            track.src = text.to_owned();
            track.cover = Some(format!("{prefix}{text}"));
            track.lyrics = Some(text.to_owned());
            track.download = Some(text.to_owned());
        }
        let caption = Caption {
            language: format!("a{text}"),
            label: format!("a{text}"),
            src: text.to_owned(),
        };
        page.tracks[3].video =
            Some(VideoFacts { captions: vec![caption], ..VideoFacts::default() });
        page.tracks[2].missing = true;
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
            let framed = [text.as_str(), "tame"].map(|text| shape(&embed(&page_of(text)).html));
            prop_assert_eq!(&framed[0], &framed[1]);
            let label = tags(&hostile).into_iter().find(|(name, _)| name == "audio").unwrap().1.pop().unwrap().1;
            prop_assert_eq!(label, escape(&text));
        }
    }
}
