//! `Share`: a share with the songs it holds now, its options and how it was used.

use serde::Serialize;

use super::child::{Child, children};
use super::time::Time;
use crate::db::shares::{Counts, Share as Row};
use crate::db::songs::Song;
use crate::id::Id;

/// A share as the API shows it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    id: Id,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    username: String,
    created: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_visited: Option<Time>,
    visit_count: i64,
    downloadable: bool,
    live: bool,
    embed: bool,
    passphrase_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_plays: Option<i64>,
    play_count: i64,
    listener_count: i64,
    entry: Vec<Child>,
    play: Vec<Play>,
}

/// How often something of a share was played.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Play {
    id: Id,
    play_count: i64,
}

impl Share {
    /// A share with its songs, what of it was played, and what is not written yet of its use; `base`
    /// is what links begin with.
    pub fn of(
        row: Row,
        songs: Vec<Song>,
        plays: Vec<(Id, i64)>,
        pending: Counts,
        base: &str,
    ) -> Share {
        let played = pending.plays.iter().fold(0_i64, |sum, (_, count)| sum.saturating_add(*count));
        Share {
            id: Id::Share(row.id),
            url: format!("{base}/share/{}", row.token),
            passphrase_required: row.has_passphrase(),
            description: row.description,
            username: row.username,
            created: Time(row.created),
            expires: row.expires.map(Time),
            last_visited: row.last_visited.max(pending.last_visited).map(Time),
            visit_count: row.visit_count.saturating_add(pending.visits),
            downloadable: row.downloadable,
            live: row.live,
            embed: row.embed,
            max_plays: row.max_plays,
            play_count: row.play_count.saturating_add(played),
            listener_count: row.listener_count.saturating_add(pending.listeners),
            entry: children(songs),
            play: together(plays, pending.plays),
        }
    }
}

fn together(mut plays: Vec<(Id, i64)>, pending: Vec<(Id, i64)>) -> Vec<Play> {
    for (id, count) in pending {
        match plays.iter_mut().find(|(known, _)| *known == id) {
            Some((_, known)) => *known = known.saturating_add(count),
            None => plays.push((id, count)),
        }
    }
    plays.into_iter().map(|(id, play_count)| Play { id, play_count }).collect()
}
