//! Pages that show no music: what the matter is, and what to do.

use super::assets;
use super::document::{Document, Frames, Parts, document, escape};
use super::words::{Notice, Words};

/// What became of a try to open a share with a passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// None yet.
    First,
    /// It was another passphrase.
    Wrong,
    /// There were too many of them.
    TooMany,
}

impl Attempt {
    /// Another passphrase, or none yet.
    pub fn of(wrong: bool) -> Attempt {
        if wrong { Attempt::Wrong } else { Attempt::First }
    }
}

/// The page for a link that never was (404).
pub fn not_found(words: &'static Words) -> Document {
    notice(words, words.not_found, "", Frames::Nowhere)
}

/// The page for a share that has ended (410).
pub fn ended(words: &'static Words) -> Document {
    notice(words, words.ended, "", Frames::Nowhere)
}

/// The page for a share that was played as often as it may be (410).
pub fn used_up(words: &'static Words) -> Document {
    notice(words, words.used_up, "", Frames::Nowhere)
}

/// The page that asks for the passphrase of a share: a form that sends `passphrase` to the address it
/// was found at. The one for frames lies one folder deeper.
pub fn locked(words: &'static Words, attempt: Attempt, frames: Frames) -> Document {
    let trouble = match attempt {
        Attempt::First => None,
        Attempt::Wrong => Some(words.wrong),
        Attempt::TooMany => Some(words.too_many),
    };
    let (described, said) = trouble.map_or_else(Default::default, |trouble| {
        let said =
            format!("<p class=\"trouble\" id=\"trouble\" role=\"alert\">{}</p>\n", escape(trouble));
        (" aria-invalid=\"true\" aria-describedby=\"trouble\"", said)
    });
    // The name keeps managers of passwords from filling in another one.
    let form = format!(
        "<form method=\"post\">\n<label for=\"passphrase\">{}</label>\n\
         <input id=\"passphrase\" name=\"passphrase\" type=\"password\" autocomplete=\"off\" maxlength=\"1000\" \
         required autofocus{described}>\n{said}<button class=\"big\"><span>{}</span></button>\n</form>\n",
        escape(words.passphrase),
        escape(words.unlock)
    );
    notice(words, words.locked, &form, frames)
}

fn notice(words: &'static Words, notice: Notice, more: &str, frames: Frames) -> Document {
    let heading = escape(notice.heading);
    let body = format!(
        "<main class=\"lost\">\n<div class=\"bird\" aria-hidden=\"true\">{}</div>\n<h1>{heading}</h1>\n<p>{}</p>\n{more}</main>\n\
         <footer>\n<p>{}</p>\n</footer>\n",
        assets::ICON.trim(),
        escape(notice.text),
        escape(words.made_with)
    );
    document(&Parts {
        words,
        up: if frames == Frames::Everywhere { "../" } else { "" },
        title: &heading,
        head: "",
        attributes: "",
        body: &body,
        colours: None,
        frames,
    })
}
