//! `Share`: a share with the songs it holds now.

use serde::Serialize;

use super::child::{Child, children};
use super::time::Time;
use crate::db::shares::Share as Row;
use crate::db::songs::Song;
use crate::id::Id;
use crate::visits::Pending;

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
    entry: Vec<Child>,
}

impl Share {
    /// A share with its songs and the visits that are not written yet; `base` is what links begin
    /// with.
    pub fn of(row: Row, songs: Vec<Song>, pending: Pending, base: &str) -> Share {
        Share {
            id: Id::Share(row.id),
            url: format!("{base}/share/{}", row.token),
            description: row.description,
            username: row.username,
            created: Time(row.created),
            expires: row.expires.map(Time),
            last_visited: row.last_visited.max(pending.last).map(Time),
            visit_count: row.visit_count.saturating_add(pending.count),
            entry: children(songs),
        }
    }
}
