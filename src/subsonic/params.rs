//! The parameters of a call, read with one grammar of names.
//!
//! `text`, `int`, `flag`, `id`: the value, if it is there. `need_*`: it must be there. `*_or`: with
//! a default. `*s`: all values of a repeated parameter, in order. A value of the wrong kind is an
//! error that names the parameter; an id that is no id of ours names nothing, so it is not found.

use super::fail::{Fail, Result};
use crate::http::form::{self, Parameter};
use crate::http::request::Request;
use crate::id::Id;

/// Items an answer holds at most, whatever is asked for: keeps a careless client from filling the
/// memory of a small machine.
pub const MOST_ITEMS: i64 = 20_000;

/// The parameters of one call.
#[derive(Clone, Debug, Default)]
pub struct Params<'a>(Vec<Parameter<'a>>);

impl<'a> Params<'a> {
    /// The parameters of the query and of a form in the body.
    pub fn of(request: &'a Request) -> Params<'a> {
        Params(form::parameters(request))
    }

    /// The first value of a parameter; an empty one counts.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts(name).next()
    }

    /// All values of a parameter.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_ref())
    }

    /// The first value of a required parameter.
    pub fn need_text(&self, name: &str) -> Result<&str> {
        self.text(name).ok_or_else(|| Fail::missing(name))
    }

    /// A whole number; an empty value counts as absent, as some clients send it.
    pub fn int(&self, name: &str) -> Result<Option<i64>> {
        match self.text(name).map(str::trim) {
            None | Some("") => Ok(None),
            Some(text) => whole_number(name, text).map(Some),
        }
    }

    /// A required whole number.
    pub fn need_int(&self, name: &str) -> Result<i64> {
        self.int(name)?.ok_or_else(|| Fail::missing(name))
    }

    /// All values of a repeated whole number.
    pub fn ints(&self, name: &str) -> Result<Vec<i64>> {
        self.texts(name).map(|text| whole_number(name, text.trim())).collect()
    }

    /// How many items are asked for: at least 0, at most `MOST_ITEMS`.
    pub fn count_or(&self, name: &str, default: i64) -> Result<i64> {
        Ok(self.int(name)?.unwrap_or(default).clamp(0, MOST_ITEMS))
    }

    /// After how many items the answer begins: at least 0.
    pub fn offset(&self, name: &str) -> Result<i64> {
        Ok(self.int(name)?.unwrap_or(0).max(0))
    }

    /// A yes or no.
    pub fn flag(&self, name: &str) -> Result<Option<bool>> {
        match self.text(name).map(str::trim) {
            None | Some("") => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") || text == "1" => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") || text == "0" => Ok(Some(false)),
            Some(_) => Err(Fail::parameter(format!("Parameter '{name}' must be true or false"))),
        }
    }

    /// A yes or no with a default.
    pub fn flag_or(&self, name: &str, default: bool) -> Result<bool> {
        Ok(self.flag(name)?.unwrap_or(default))
    }

    /// An id.
    pub fn id(&self, name: &str) -> Result<Option<Id>> {
        self.text(name).map(|text| read_id(name, text)).transpose()
    }

    /// A required id.
    pub fn need_id(&self, name: &str) -> Result<Id> {
        self.id(name)?.ok_or_else(|| Fail::missing(name))
    }

    /// A required id of a song.
    pub fn need_song(&self, name: &str) -> Result<i64> {
        match self.need_id(name)? {
            Id::Song(song) => Ok(song),
            _ => Err(Fail::not_found("Song")),
        }
    }

    /// All values of a repeated id.
    pub fn ids(&self, name: &str) -> Result<Vec<Id>> {
        self.texts(name).map(|text| read_id(name, text)).collect()
    }

    /// All values of a repeated id of songs.
    pub fn songs(&self, name: &str) -> Result<Vec<i64>> {
        let song = |id| match id {
            Id::Song(song) => Ok(song),
            other => Err(Fail::not_found(&format!("Song {other}"))),
        };
        self.ids(name)?.into_iter().map(song).collect()
    }
}

fn whole_number(name: &str, text: &str) -> Result<i64> {
    text.parse().map_err(|_| Fail::parameter(format!("Parameter '{name}' must be a whole number")))
}

fn read_id(name: &str, text: &str) -> Result<Id> {
    Id::parse(text).ok_or_else(|| Fail::not_found(&format!("What parameter '{name}' names was")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> Params<'_> {
        Params(form_urlencoded::parse(query.as_bytes()).collect())
    }

    #[test]
    fn values_are_read_or_the_parameter_is_named() {
        let params = params("id=so1&id=al2&size=7&bad=x&yes=true&no=0&empty=&maybe=perhaps");
        assert_eq!(params.ids("id"), Ok(vec![Id::Song(1), Id::Album(2)]));
        assert_eq!(params.int("size"), Ok(Some(7)));
        assert_eq!(params.int("empty"), Ok(None));
        assert_eq!(params.flag("yes"), Ok(Some(true)));
        assert_eq!(params.flag_or("no", true), Ok(false));
        assert_eq!(params.need_int("absent").map_err(|fail| fail.code), Err(10));
        assert!(params.int("bad").is_err_and(|fail| fail.message.contains("'bad'")));
        assert!(params.flag("maybe").is_err_and(|fail| fail.code == 10));
        assert!(params.id("bad").is_err_and(|fail| fail.code == 70));
        assert!(params.songs("id").is_err_and(|fail| fail.code == 70));
    }

    #[test]
    fn counts_stay_within_bounds() {
        let params = params("a=-5&b=99999999&c=9223372036854775807");
        assert_eq!(params.count_or("a", 10), Ok(0));
        assert_eq!(params.count_or("b", 10), Ok(MOST_ITEMS));
        assert_eq!(params.count_or("none", 10), Ok(10));
        assert_eq!(params.offset("a"), Ok(0));
        assert_eq!(params.offset("c"), Ok(i64::MAX));
    }
}
