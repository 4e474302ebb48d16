//! The gate of a share: whether a request may have what its link leads to.
//!
//! Page, feeds, songs and covers all go through [`Guest::admit`], so that what ends, locks or limits
//! a share holds for all of it at once.

use rusqlite::Connection;

use super::refusal::Refusal;
use crate::app::App;
use crate::clock::now;
use crate::db::shares::{self, Share};
use crate::http::client::Origin;
use crate::http::request::Request;

/// Longest word of a link that is looked up.
const MOST_TOKEN_BYTES: usize = 64;

/// Who asks with a link, and what for.
#[derive(Clone, Copy)]
pub struct Guest<'a> {
    /// The server.
    pub app: &'a App,
    /// What is asked.
    pub request: &'a Request,
    /// Where it comes from, and what links begin with.
    pub origin: &'a Origin,
}

impl Guest<'_> {
    /// The share of a link, if this guest may have it now.
    pub fn admit(&self, token: &str) -> Result<Share, Refusal> {
        let found = |db: &Connection, token: &str| {
            Ok(shares::by_token(db, token)?.map(|share| (share, ())))
        };
        Ok(self.admit_to(token, found)?.0)
    }

    /// The same with what `find` looks up together with the share of the link.
    pub fn admit_to<T>(
        &self,
        token: &str,
        find: impl FnOnce(&Connection, &str) -> rusqlite::Result<Option<(Share, T)>>,
    ) -> Result<(Share, T), Refusal> {
        if !is_token(token) {
            return Err(Refusal::NoFile);
        }
        let (share, found) = self.app.db.read(|db| find(db, token))?.ok_or(Refusal::NoFile)?;
        match share.is_open(now()) {
            true => Ok((share, found)),
            false => Err(Refusal::EndedFile),
        }
    }
}

fn is_token(text: &str) -> bool {
    (1..=MOST_TOKEN_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
