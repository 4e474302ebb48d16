//! The list of tracks of a share page.

use std::fmt::Write;

use super::document::{attribute, escape, filled};
use super::page::{Track, VideoFacts, artist_of_all, small_cover};
use super::player::icon;
use super::words::Words;

/// The list; `up` leads from the page to the folder of shares.
pub fn list(words: &Words, up: &str, tracks: &[Track]) -> String {
    let one_artist = artist_of_all(tracks).is_some();
    let album = tracks.first().and_then(|track| track.album.as_deref());
    let one_album = tracks.iter().all(|track| track.album.as_deref() == album);
    let cover = tracks.first().and_then(|track| track.cover.as_deref());
    let one_cover = tracks.iter().all(|track| track.cover.as_deref() == cover);
    // Safari does not take a list without markers for one, so the role says it.
    let mut out = String::from("<ol class=\"tracks\" role=\"list\">\n");
    for (number, track) in (1..).zip(tracks) {
        let title = escape(&track.title);
        let class = if track.missing { " class=\"missing\"" } else { "" };
        let _ = write!(
            out,
            "<li id=\"{number}\"{class}><div class=\"row\"><span class=\"n\">{number}</span>"
        );
        if !one_cover {
            out.push_str(&track.cover.as_ref().map_or_else(
                || String::from("<span class=\"thumb\"></span>"),
                |stem| small_cover(up, stem, " loading=\"lazy\" decoding=\"async\""),
            ));
        }
        let _ =
            write!(out, "<div class=\"name\"><span class=\"title\" dir=\"auto\">{title}</span>");
        let artist = Some(track.artist.as_str()).filter(|artist| !one_artist && !artist.is_empty());
        let album = track.album.as_deref().filter(|_| !one_album);
        let missing = track.missing.then_some(words.missing);
        if artist.is_some() || album.is_some() || missing.is_some() {
            out.push_str("<span class=\"more\">");
            let parts = [("artist", artist), ("album", album), ("word", missing)];
            let parts = parts.into_iter().filter_map(|(class, text)| Some((class, text?)));
            for (place, (class, text)) in parts.enumerate() {
                let between = if place > 0 { " · " } else { "" };
                let _ = write!(out, "{between}<bdi class=\"{class}\">{}</bdi>", escape(text));
            }
            out.push_str("</span>");
        }
        out.push_str("</div>");
        if !track.missing {
            playable(&mut out, words, up, track, &title);
        } else {
            out.push_str("</div>");
        }
        out.push_str("</li>\n");
    }
    out.push_str("</ol>\n");
    out
}

/// What a track has whose file is there: its length, its words, itself.
fn playable(out: &mut String, words: &Words, up: &str, track: &Track, title: &str) {
    if let Some(lyrics) = &track.lyrics {
        let _ = write!(
            out,
            "<a class=\"words\" href=\"{up}{}\" aria-label=\"{}\">{}</a>",
            escape(lyrics),
            filled(words.lyrics_of, "title", title),
            icon("words")
        );
    }
    if track.duration_ms > 0 {
        let _ = write!(out, "<span class=\"time\">{}</span>", clock(track.duration_ms));
    }
    if let Some(download) = &track.download {
        let _ = write!(
            out,
            "<a class=\"get\" href=\"{up}{}\" download aria-label=\"{}\">{}</a>",
            escape(download),
            filled(words.download, "title", title),
            icon("get")
        );
    }
    let src = escape(&track.src);
    out.push_str("</div>");
    match &track.video {
        None => {
            let _ = write!(
                out,
                "<audio controls preload=\"none\" src=\"{up}{src}\" aria-label=\"{title}\"></audio>"
            );
        }
        Some(video) => out.push_str(&of_video(video, up, &src, title)),
    }
}

fn of_video(video: &VideoFacts, up: &str, src: &str, title: &str) -> String {
    let mut out = format!("<video controls playsinline preload=\"none\" src=\"{up}{src}\"");
    if video.width > 0 && video.height > 0 {
        let _ = write!(out, " width=\"{}\" height=\"{}\"", video.width, video.height);
    }
    let _ = write!(out, " aria-label=\"{title}\">");
    for (number, caption) in (1..).zip(&video.captions) {
        let _ = write!(out, "<track kind=\"captions\" src=\"{up}{}\"", escape(&caption.src));
        if !caption.language.is_empty() {
            attribute(&mut out, "srclang", &caption.language);
        }
        let label =
            if caption.label.is_empty() { number.to_string() } else { caption.label.clone() };
        attribute(&mut out, "label", &label);
        out.push('>');
    }
    out.push_str("</video>");
    out
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(clock(0), "0:00");
        assert_eq!(clock(187_999), "3:07");
        assert_eq!(clock(3_723_000), "1:02:03");
    }
}
