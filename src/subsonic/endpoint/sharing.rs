//! Sharing: links that let anybody hear something without signing in.

use std::time::Duration;

use serde::Serialize;

use crate::clock::now;
use crate::db::items;
use crate::db::shares::{self, NewShare, Share as Row};
use crate::db::users::Role;
use crate::id::Id;
use crate::secret;
use crate::subsonic::fail::{Fail, Result};
use crate::subsonic::types::share::Share;
use crate::subsonic::{Call, Reply};

/// Things one share may name: more than the longest sensible playlist.
const MOST_ENTRIES: usize = 5_000;
/// Bytes of a description: a letter, not a book.
const MOST_DESCRIPTION_BYTES: usize = 10_000;

#[derive(Serialize)]
struct Shares {
    share: Vec<Share>,
}

/// `getShares`: one's own; administrators see everybody's.
pub fn get_shares(call: &Call) -> Result<Reply> {
    let whose = (!call.user.has(Role::Admin)).then_some(call.user.id);
    let share = call.app.db.read(|db| {
        let rows = shares::of_user(db, whose)?;
        rows.into_iter().map(|row| show(call, db, row)).collect::<Result<_>>()
    })?;
    call.answer("shares", &Shares { share })
}

/// `createShare`: a link to songs, albums, artists, folders and playlists in any mix.
///
/// Without `expires` the share lives as long as the settings say; 0 is for ever.
pub fn create_share(call: &Call) -> Result<Reply> {
    let entries = call.params.ids("id")?;
    if entries.is_empty() {
        return Err(Fail::missing("id"));
    }
    if entries.len() > MOST_ENTRIES {
        return Err(Fail::parameter(format!("A share can hold {MOST_ENTRIES} things at most")));
    }
    let created = now();
    let default = call.app.config.share_expiry.map(|life| after(created, life));
    let expires = end(call, created)?.unwrap_or(default);
    let token = secret::share_token()?;
    let new = NewShare {
        token: &token,
        user: call.user.id,
        description: description(call)?.filter(|text| !text.is_empty()),
        created,
        expires,
        entries: &entries,
    };
    let id = call.app.db.write(|db| {
        for id in &entries {
            if !items::is_there(db, call.viewer(), *id)? {
                return Err(Fail::not_found(&format!("'{id}'")));
            }
        }
        Ok(shares::create(db, &new)?)
    })?;
    let share = call.app.db.read(|db| {
        let row = shares::by_id(db, id)?.ok_or_else(|| Fail::not_found("Share"))?;
        show(call, db, row)
    })?;
    call.answer("shares", &Shares { share: vec![share] })
}

/// `updateShare`: changes what is given and nothing else. An empty description removes it, and
/// `expires=0` the end.
pub fn update_share(call: &Call) -> Result<Reply> {
    let id = call.params.need_id("id")?;
    let (description, expires) = (description(call)?, end(call, now())?);
    call.app.db.write(|db| {
        let row = own(call, db, id)?;
        let description = match description {
            Some(text) => Some(text).filter(|text| !text.is_empty()),
            None => row.description.as_deref(),
        };
        Ok::<_, Fail>(shares::update(db, row.id, description, expires.unwrap_or(row.expires))?)
    })?;
    call.ok()
}

/// `deleteShare`: ends a link at once, with everything behind it.
pub fn delete_share(call: &Call) -> Result<Reply> {
    let id = call.params.need_id("id")?;
    call.app.db.write(|db| {
        let row = own(call, db, id)?;
        Ok::<_, Fail>(shares::delete(db, row.id)?)
    })?;
    call.ok()
}

/// A share that the caller may change: their own, or any for administrators.
fn own(call: &Call, db: &rusqlite::Connection, id: Id) -> Result<Row> {
    let row = match id {
        Id::Share(id) => shares::by_id(db, id)?,
        _ => None,
    };
    let row = row.ok_or_else(|| Fail::not_found("Share"))?;
    match row.user_id == call.user.id || call.user.has(Role::Admin) {
        true => Ok(row),
        false => Err(Fail::forbidden("change a share of somebody else")),
    }
}

fn show(call: &Call, db: &rusqlite::Connection, row: Row) -> Result<Share> {
    let held = shares::held(db, &row, &shares::entries(db, &row)?, call.user.id)?;
    let pending = call.app.visits.pending(row.id);
    Ok(Share::of(row, held.songs, pending, &call.origin.base))
}

/// The parameter `description`; an empty one counts.
fn description<'a>(call: &'a Call) -> Result<Option<&'a str>> {
    let text = call.params.text("description");
    match text.is_some_and(|text| text.len() > MOST_DESCRIPTION_BYTES) {
        true => Err(Fail::parameter(format!(
            "Parameter 'description' is longer than {MOST_DESCRIPTION_BYTES} bytes"
        ))),
        false => Ok(text),
    }
}

/// The parameter `expires`: absent, never (0), or a moment to come in ms since 1970.
fn end(call: &Call, now: i64) -> Result<Option<Option<i64>>> {
    match call.params.int("expires")? {
        None => Ok(None),
        Some(0) => Ok(Some(None)),
        Some(moment) if moment > now => Ok(Some(Some(moment))),
        Some(_) => Err(Fail::parameter(
            "Parameter 'expires' must be a moment to come, in milliseconds since 1970, or 0 for never; \
             deleteShare ends a share at once",
        )),
    }
}

fn after(moment: i64, life: Duration) -> i64 {
    moment.saturating_add(i64::try_from(life.as_millis()).unwrap_or(i64::MAX))
}
