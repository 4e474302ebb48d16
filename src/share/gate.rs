//! The gate of a share: whether a request may have what its link leads to.
//!
//! Page, feeds, songs and covers all go through [`Guest::admit`], so that what ends, locks or limits
//! a share holds for all of it at once.

use std::sync::Arc;
use std::time::Instant;

use rusqlite::Connection;

use super::pass;
use super::refusal::Refusal;
use crate::app::App;
use crate::clock::now;
use crate::db::shares::{self, Share};
use crate::http::client::{Origin, network};
use crate::http::request::Request;

/// Longest word of a link that is looked up.
const MOST_TOKEN_BYTES: usize = 64;

/// Who asks with a link, and what for.
#[derive(Clone, Copy)]
pub struct Guest<'a> {
    /// The server.
    pub app: &'a App,
    /// What is asked.
    pub request: &'a Arc<Request>,
    /// Where it comes from, and what links begin with.
    pub origin: &'a Origin,
}

impl Guest<'_> {
    /// The share of a link, if this guest may have it now.
    pub fn admit(&self, token: &str) -> Result<Share, Refusal> {
        Ok(self.admit_to(token, alone)?.0)
    }

    /// The same with what `find` looks up together with the share of the link.
    pub fn admit_to<T>(
        &self,
        token: &str,
        find: impl FnOnce(&Connection, &str) -> rusqlite::Result<Option<(Share, T)>>,
    ) -> Result<(Share, T), Refusal> {
        let (share, found) = self.admit_listener(token, find)?;
        Ok((self.not_used_up(share)?, found))
    }

    /// The same for a song, which somebody may be in the middle of when the plays are used up:
    /// `Plays::begin` tells whether they are.
    pub fn admit_listener<T>(
        &self,
        token: &str,
        find: impl FnOnce(&Connection, &str) -> rusqlite::Result<Option<(Share, T)>>,
    ) -> Result<(Share, T), Refusal> {
        let (share, found) = self.open(token, find)?;
        pass::check(self, &share)?;
        Ok((share, found))
    }

    /// The share of a link that is open, though it may be locked for this guest: to unlock it.
    pub fn at_the_door_of(&self, token: &str) -> Result<Share, Refusal> {
        let (share, ()) = self.open(token, alone)?;
        self.not_used_up(share)
    }

    fn not_used_up(&self, share: Share) -> Result<Share, Refusal> {
        match self.app.plays.is_used_up(&share) {
            true => Err(Refusal::UsedUp),
            false => Ok(share),
        }
    }

    fn open<T>(
        &self,
        token: &str,
        find: impl FnOnce(&Connection, &str) -> rusqlite::Result<Option<(Share, T)>>,
    ) -> Result<(Share, T), Refusal> {
        let (network, began) = (network(self.origin.address), Instant::now());
        // Whoever tries links is answered alike whether one leads somewhere.
        if self.app.misses.is_used_up(&network, began) {
            return Err(Refusal::TooManyMisses);
        }
        let found = match is_token(token) {
            true => self.app.db.read(|db| find(db, token))?,
            false => None,
        };
        match found {
            Some((share, found)) if share.is_open(now()) => Ok((share, found)),
            Some(_) => Err(Refusal::EndedFile),
            None => {
                self.app.misses.take(&network, began);
                if self.app.misses.is_used_up(&network, began) {
                    tracing::warn!(
                        "somebody tries links that lead nowhere and is not answered for a minute; where \
                         this is all that comes through a reverse proxy, name it in trusted_proxies"
                    );
                }
                Err(Refusal::NoFile)
            }
        }
    }
}

fn alone(db: &Connection, token: &str) -> rusqlite::Result<Option<(Share, ())>> {
    Ok(shares::by_token(db, token)?.map(|share| (share, ())))
}

fn is_token(text: &str) -> bool {
    (1..=MOST_TOKEN_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
