//! Media annotation: stars, ratings, plays, and what is playing now.

use std::collections::HashMap;

use rusqlite::Transaction;
use serde::Serialize;

use crate::clock::now;
use crate::db::{annotations, songs};
use crate::id::Id;
use crate::playing::{Player, Report, State};
use crate::subsonic::fail::{Fail, Result};
use crate::subsonic::types::child::Child;
use crate::subsonic::{Call, Reply};

/// Milliseconds of a minute.
const MINUTE: i64 = 60_000;
/// The furthest position in ms, as the spec has it: `getNowPlaying` shows it to all users, whose
/// clients read an integer of 32 bits.
const FURTHEST: i64 = i32::MAX as i64;

/// `star`: stars songs, albums, artists and folders, any mix of them.
pub fn star(call: &Call) -> Result<Reply> {
    let now = now();
    each_named(call, |db, of| annotations::star(db, call.user.id, of, now))
}

/// `unstar`: takes stars away.
pub fn unstar(call: &Call) -> Result<Reply> {
    each_named(call, |db, of| annotations::unstar(db, call.user.id, of))
}

/// Does something with all that `id`, `albumId` and `artistId` name, or with none of them.
fn each_named(
    call: &Call,
    action: impl Fn(&Transaction, Id) -> rusqlite::Result<()>,
) -> Result<Reply> {
    let mut named = call.params.ids("id")?;
    named.extend(call.params.ids("albumId")?);
    named.extend(call.params.ids("artistId")?);
    if named.is_empty() {
        return Err(Fail::missing("id"));
    }
    call.app.db.write(|db| {
        for of in named {
            check_exists(call, db, of)?;
            action(db, of)?;
        }
        Ok::<_, Fail>(())
    })?;
    call.ok()
}

fn check_exists(call: &Call, db: &Transaction, of: Id) -> Result<()> {
    match annotations::exists(db, call.viewer(), of)? {
        true => Ok(()),
        false => Err(Fail::not_found(&format!("What id '{of}' names was"))),
    }
}

/// `setRating`: rates a song, an album, an artist or a folder from 1 to 5; 0 takes it back.
pub fn set_rating(call: &Call) -> Result<Reply> {
    let of = call.params.need_id("id")?;
    let rating = call.params.need_int("rating")?;
    if !(0..=5).contains(&rating) {
        return Err(Fail::parameter("Parameter 'rating' must be 0 to 5"));
    }
    call.app.db.write(|db| {
        check_exists(call, db, of)?;
        annotations::rate(db, call.user.id, of, (rating > 0).then_some(rating))?;
        Ok::<_, Fail>(())
    })?;
    call.ok()
}

/// `scrobble`: songs that were played, each with its time, or with `submission=false` the one that
/// plays now.
pub fn scrobble(call: &Call) -> Result<Reply> {
    let ids = call.params.songs("id")?;
    let times = call.params.ints("time")?;
    let Some(last) = ids.last().copied() else { return Err(Fail::missing("id")) };
    if times.iter().any(|time| *time < 0) {
        return Err(Fail::parameter("Parameter 'time' must be milliseconds since 1970"));
    }
    let now = now();
    if call.params.flag_or("submission", true)? {
        let times = times.into_iter().map(Some).chain(std::iter::repeat(None));
        call.app.db.write(|db| {
            call.check_songs(db, &ids)?;
            for (song, time) in ids.iter().zip(times) {
                // A client with a wrong clock must not put a play into the future.
                let time = time.unwrap_or(now).min(now);
                annotations::play(db, call.user.id, *song, time)?;
            }
            Ok::<_, Fail>(())
        })?;
    } else {
        call.app.db.read(|db| call.check_songs(db, &ids))?;
        let duration = duration(call, last)?;
        let report = Report {
            user: (call.user.id, call.user.name.clone()),
            client: call.client(),
            song: (last, duration),
            state: Some(State::Playing),
            position: 0,
            rate: 1.0,
            // Clients that call this send a submission too.
            uncounted: true,
        };
        call.app.playing.report(report, now);
    }
    call.ok()
}

/// How long a song is, in ms.
fn duration(call: &Call, id: i64) -> Result<i64> {
    let song = call.app.db.read(|db| songs::by_id(db, call.viewer(), id))?;
    Ok(song.ok_or_else(|| Fail::not_found("Song"))?.duration)
}

/// `reportPlayback` (extension playbackReport): what a player does. A play is counted when it ends,
/// where half of the song or four minutes of it were heard.
pub fn report_playback(call: &Call) -> Result<Reply> {
    let id = call.params.need_id("mediaId")?;
    match call.params.need_text("mediaType")? {
        "song" => {}
        "podcast" => return Err(Fail::not_found("Podcast episode")),
        _ => return Err(Fail::parameter("Parameter 'mediaType' must be song or podcast")),
    }
    let position = call.params.need_int("positionMs")?;
    if !(0..=FURTHEST).contains(&position) {
        return Err(Fail::parameter(format!("Parameter 'positionMs' must be 0 to {FURTHEST}")));
    }
    let state = match call.params.need_text("state")? {
        "starting" => Some(State::Starting),
        "playing" => Some(State::Playing),
        "paused" => Some(State::Paused),
        "stopped" => None,
        _ => {
            return Err(Fail::parameter(
                "Parameter 'state' must be starting, playing, paused or stopped",
            ));
        }
    };
    let rate = match call.params.text("playbackRate").map(str::parse::<f64>) {
        None => 1.0,
        Some(Ok(rate)) if (0.0..=16.0).contains(&rate) => rate,
        Some(_) => return Err(Fail::parameter("Parameter 'playbackRate' must be 0 to 16")),
    };
    let uncounted = call.params.flag_or("ignoreScrobble", false)?;
    let Id::Song(song) = id else { return Err(Fail::not_found("Song")) };
    let report = Report {
        user: (call.user.id, call.user.name.clone()),
        client: call.client(),
        song: (song, duration(call, song)?),
        state,
        position,
        rate,
        uncounted,
    };
    let now = now();
    if let Some(played) = call.app.playing.report(report, now) {
        call.app.db.write(|db| annotations::play(db, call.user.id, played, now))?;
    }
    call.ok()
}

#[derive(Serialize)]
struct NowPlaying {
    entry: Vec<NowPlayingEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NowPlayingEntry {
    #[serde(flatten)]
    song: Child,
    username: String,
    minutes_ago: i64,
    player_id: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    player_name: String,
    state: &'static str,
    position_ms: i64,
    playback_rate: f64,
}

/// `getNowPlaying`: what all users play, as far as the caller may see it.
pub fn get_now_playing(call: &Call) -> Result<Reply> {
    let now = now();
    let players = call.app.playing.now(now);
    let ids: Vec<i64> = players.iter().map(|player| player.song).collect();
    let songs = call.app.db.read(|db| songs::by_ids(db, call.viewer(), &ids))?;
    let songs: HashMap<i64, Child> = songs.into_iter().map(|song| (song.id, song.into())).collect();
    let entry = players
        .into_iter()
        .filter_map(|player| Some(entry(songs.get(&player.song)?.clone(), player, now)))
        .collect();
    call.answer("nowPlaying", &NowPlaying { entry })
}

fn entry(song: Child, player: Player, now: i64) -> NowPlayingEntry {
    NowPlayingEntry {
        song,
        minutes_ago: (now - player.began).max(0) / MINUTE,
        player_id: player.id,
        state: match player.state {
            State::Starting => "starting",
            State::Playing => "playing",
            State::Paused => "paused",
        },
        position_ms: player.position_at(now),
        playback_rate: player.rate,
        username: player.username,
        player_name: player.client,
    }
}
