//! Types on the wire that more than one endpoint uses, made from the rows of the database.
//!
//! A field of OpenSubsonic that we support is always sent, empty where unknown, as the spec asks;
//! the older fields are left out where they would be empty.

pub mod album;
pub mod artist;
pub mod child;
pub mod playlist;
pub mod share;
pub mod time;
pub mod user;

use std::fmt;

use serde::{Serialize, Serializer};

use crate::db::Cover;
use crate::db::pack::{Named, NamedList, TextList};
use crate::id::{Id, LONGEST, hex_digit};

/// A name alone: a genre, a record label.
#[derive(Clone, Debug, Serialize)]
pub struct Name {
    /// The name.
    pub name: String,
}

/// An artist in a role of their own: id and name only.
#[derive(Clone, Debug, Serialize)]
pub struct ArtistRef {
    /// The artist's id.
    pub id: Id,
    /// The artist's name.
    pub name: String,
}

impl From<Named> for ArtistRef {
    fn from(artist: Named) -> Self {
        ArtistRef { id: Id::Artist(artist.id), name: artist.name }
    }
}

/// Names as the spec wants them, in objects of their own.
pub fn names(names: Vec<String>) -> Vec<Name> {
    names.into_iter().map(|name| Name { name }).collect()
}

/// Genres, each an object with a name.
#[derive(Clone, Debug)]
pub struct Genres(pub TextList);

impl Serialize for Genres {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Genre<'a> {
            name: &'a str,
        }
        serializer.collect_seq(self.0.iter().map(|name| Genre { name }))
    }
}

/// Artists as parts of a song or an album: ids and names only.
#[derive(Clone, Debug)]
pub struct ArtistRefs(pub NamedList);

impl Serialize for ArtistRefs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Artist<'a> {
            id: Id,
            name: &'a str,
        }
        let artists = self.0.iter().map(|(id, name)| Artist { id: Id::Artist(id), name });
        serializer.collect_seq(artists)
    }
}

/// What `explicitStatus` says of explicit words.
pub fn explicit_status(explicit: Option<bool>) -> &'static str {
    match explicit {
        Some(true) => "explicit",
        Some(false) => "clean",
        None => "",
    }
}

/// Milliseconds as whole seconds, rounded.
pub fn seconds(milliseconds: i64) -> i64 {
    (milliseconds + 500) / 1000
}

/// A number that is 0 where unknown, as a field that is left out then.
pub fn known(number: i64) -> Option<i64> {
    (number != 0).then_some(number)
}

/// The id of a picture, for `getCoverArt`: the thing it shows and the picture's stamp, so that a
/// new picture has a new id and no client shows the old one for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoverId(pub Cover);

impl CoverId {
    /// The thing whose picture an id of ours names, with or without a stamp.
    pub fn parse(text: &str) -> Option<Id> {
        let (id, stamp) = text.split_once('_').unwrap_or((text, ""));
        stamp.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| Id::parse(id))?
    }
}

impl fmt::Display for CoverId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Half of the stamp tells pictures apart well enough, and ids stay short.
        write!(f, "{}_{:08x}", self.0.of, self.0.stamp & 0xffff_ffff)
    }
}

impl Serialize for CoverId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const STAMP: usize = "_00000000".len();
        let mut text = [0; LONGEST + STAMP];
        let (id, stamp) = text.split_at_mut(LONGEST);
        let start = self.0.of.write_to_end(id);
        for (place, digit) in stamp.iter_mut().rev().zip(0..) {
            *place = hex_digit(u8::try_from(self.0.stamp >> (4 * digit) & 0xf).unwrap_or(0));
        }
        if let [underscore, ..] = stamp {
            *underscore = b'_';
        }
        let text = text.get(start..).unwrap_or_default();
        serializer.serialize_str(std::str::from_utf8(text).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_picture_names_what_it_shows() {
        let cover = CoverId(Cover { of: Id::Album(7), stamp: -2 });
        assert_eq!(serde_json::to_value(cover).ok(), Some("al7_fffffffe".into()));
        assert_eq!(cover.to_string(), "al7_fffffffe");
        assert_eq!(CoverId::parse("al7_fffffffe"), Some(Id::Album(7)));
        assert_eq!(CoverId::parse("so3"), Some(Id::Song(3)));
        assert_eq!(CoverId::parse("al7_xyz"), None);
        assert_eq!(CoverId::parse("000_00000000"), None);
    }
}
