//! Sharing: links that let anybody hear something without signing in.

use std::time::Duration;

use rusqlite::Connection;
use serde::Serialize;

use crate::clock::now;
use crate::db::items;
use crate::db::shares::{self, Changes, NewShare, Options, Share as Row};
use crate::db::users::Role;
use crate::id::Id;
use crate::passphrases;
use crate::secret;
use crate::subsonic::fail::{Fail, Result};
use crate::subsonic::types::share::Share;
use crate::subsonic::{Call, Reply};

/// Things one share may name: more than the longest sensible playlist.
const MOST_ENTRIES: usize = 5_000;
/// Bytes of a description: a letter, not a book.
const MOST_DESCRIPTION_BYTES: usize = 10_000;
/// The highest limit of plays.
const MOST_PLAYS: i64 = 1_000_000_000;

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
/// What is not said of it is as the user's defaults have it, else as the settings do. `expires=0` is
/// for ever.
pub fn create_share(call: &Call) -> Result<Reply> {
    let entries = call.params.ids("id")?;
    if entries.is_empty() {
        return Err(Fail::missing("id"));
    }
    if entries.len() > MOST_ENTRIES {
        return Err(Fail::parameter(format!("A share can hold {MOST_ENTRIES} things at most")));
    }
    let (created, config) = (now(), call.app.current());
    let defaults = call.app.db.read(|db| shares::defaults(db, call.user.id))?;
    let life = match defaults.expiry {
        Some(0) => None,
        Some(life) => Some(life),
        None => config.share_expiry.map(milliseconds),
    };
    let given = changes(call, created)?;
    let passphrase = given.passphrase.hash(call)?;
    let token = secret::share_token()?;
    let new = NewShare {
        token: &token,
        user: call.user.id,
        description: given.row.description.flatten(),
        created,
        expires: given.row.expires.unwrap_or(life.map(|life| created.saturating_add(life))),
        entries: &entries,
        options: Options {
            downloadable: (given.row.downloadable.or(defaults.downloadable))
                .unwrap_or(config.share_downloadable),
            live: given.row.live.or(defaults.live).unwrap_or(config.share_live),
            embed: given.row.embed.or(defaults.embed).unwrap_or(config.share_embed),
            passphrase: passphrase.as_ref().and_then(|hash| hash.as_deref()),
            max_plays: given.row.max_plays.flatten(),
        },
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

/// `updateShare`: changes what is given and nothing else. An empty description removes it, an empty
/// passphrase opens the share to all, and 0 removes the end and the limit of plays.
pub fn update_share(call: &Call) -> Result<Reply> {
    let id = call.params.need_id("id")?;
    let given = changes(call, now())?;
    // Looked at before the slow hash is made, too.
    call.app.db.read(|db| own(call, db, id))?;
    let passphrase = given.passphrase.hash(call)?;
    let passphrase = passphrase.as_ref().map(|hash| hash.as_deref());
    let changes = Changes { passphrase, ..given.row };
    call.app.db.write(|db| {
        let row = own(call, db, id)?;
        Ok::<_, Fail>(shares::update(db, &row, &changes)?)
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
fn own(call: &Call, db: &Connection, id: Id) -> Result<Row> {
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

fn show(call: &Call, db: &Connection, row: Row) -> Result<Share> {
    let held = shares::held(db, &row, &shares::entries(db, &row)?, call.user.id)?;
    let plays = shares::plays(db, row.id)?;
    let pending = call.app.visits.pending(row.id);
    Ok(Share::of(row, held.songs, plays, pending, &call.origin.base))
}

/// What the parameters say of a share.
struct Given<'a> {
    /// All but the passphrase.
    row: Changes<'a>,
    passphrase: Passphrase<'a>,
}

/// The parameter `passphrase`: absent, empty to remove it, or a new one.
struct Passphrase<'a>(Option<&'a str>);

impl Passphrase<'_> {
    /// Its slow hash.
    fn hash(&self, call: &Call) -> Result<Option<Option<String>>> {
        match self.0 {
            None => Ok(None),
            Some("") => Ok(Some(None)),
            Some(text) => Ok(Some(Some(call.app.passphrases.hash(text)?))),
        }
    }
}

/// The parameters that describe a share, all optional.
fn changes<'a>(call: &'a Call, now: i64) -> Result<Given<'a>> {
    refuse_transcoding(call)?;
    let passphrase = call.params.text("passphrase");
    if let Some(fault) = passphrase.filter(|text| !text.is_empty()).and_then(passphrases::fault) {
        return Err(Fail::parameter(format!("Parameter 'passphrase': {fault}")));
    }
    let row = Changes {
        description: description(call)?.map(|text| Some(text).filter(|text| !text.is_empty())),
        expires: end(call, now)?,
        downloadable: call.params.flag("downloadable")?,
        live: call.params.flag("live")?,
        embed: call.params.flag("embed")?,
        passphrase: None,
        max_plays: max_plays(call)?,
    };
    Ok(Given { row, passphrase: Passphrase(passphrase) })
}

/// A share sends files as they are: who asks for something else is told so.
fn refuse_transcoding(call: &Call) -> Result<()> {
    let refused = |name: &str, way_out: &str| {
        Err(Fail::parameter(format!(
            "Parameter '{name}': this server does not transcode, a share sends files as they are; \
             leave it out or send {way_out}"
        )))
    };
    match call.params.int("maxBitRate")? {
        None | Some(0) => {}
        Some(_) => return refused("maxBitRate", "0"),
    }
    match call.params.text("format") {
        None | Some("" | "raw") => Ok(()),
        Some(_) => refused("format", "'raw'"),
    }
}

/// The parameter `maxPlays`: absent, no limit (0), or a limit.
fn max_plays(call: &Call) -> Result<Option<Option<i64>>> {
    match call.params.int("maxPlays")? {
        None => Ok(None),
        Some(0) => Ok(Some(None)),
        Some(most @ 1..=MOST_PLAYS) => Ok(Some(Some(most))),
        Some(_) => Err(Fail::parameter(format!(
            "Parameter 'maxPlays' must be 1 to {MOST_PLAYS}, or 0 for no limit"
        ))),
    }
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

fn milliseconds(life: Duration) -> i64 {
    i64::try_from(life.as_millis()).unwrap_or(i64::MAX)
}
