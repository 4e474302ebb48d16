//! `kinglet share`: shows and ends shares, beside a running server too.

use std::fmt::Write;
use std::process::ExitCode;

use super::{ShareCommand, note, print};
use crate::app::App;
use crate::clock::{self, now};
use crate::db::shares::{self, Share};
use crate::db::users;
use crate::error::{Error, Result};
use crate::id::Id;

/// Runs one of the commands.
pub fn run(app: &App, command: &ShareCommand) -> Result<ExitCode> {
    match command {
        ShareCommand::List { name } => list(app, name.as_deref()),
        ShareCommand::Show { share } => show(app, share),
        ShareCommand::Revoke { share } => revoke(app, share),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn list(app: &App, name: Option<&str>) -> Result<()> {
    let user = match name {
        None => None,
        Some(name) => {
            let user = app.db.read(|db| users::by_name(db, name))?;
            let user = user.ok_or_else(|| {
                Error::new(format!("there is no user `{name}`; `kinglet user list` lists all"))
            })?;
            Some(user.id)
        }
    };
    let shares = app.db.read(|db| shares::of_user(db, user))?;
    if shares.is_empty() {
        note("There is no share yet; clients make them.");
    }
    let mut text = String::new();
    for share in &shares {
        let Share { visit_count, play_count, listener_count, .. } = share;
        let _ = writeln!(
            text,
            "{:6}  {}  by {}, {}: {visit_count} visits, {play_count} plays by {listener_count} listeners",
            Id::Share(share.id).to_string(),
            link(app, share),
            share.username,
            state(share),
        );
    }
    print(&text);
    Ok(())
}

fn show(app: &App, named: &str) -> Result<()> {
    let share = find(app, named)?;
    let (held, title, plays) = app.db.read(|db| {
        let entries = shares::entries(db, &share)?;
        let held = shares::held(db, &share, &entries, 0)?;
        let title = shares::title(db, &share, &entries, &held)?;
        Ok::<_, Error>((held, title, shares::plays(db, share.id)?))
    })?;
    let yes = |is: bool| if is { "yes" } else { "no" };
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:13} {}", one_line(value));
    };
    line("id", &Id::Share(share.id).to_string());
    line("link", &link(app, &share));
    line("title", title.as_deref().unwrap_or("-"));
    line("description", share.description.as_deref().unwrap_or("-"));
    line("by", &share.username);
    line("state", &state(&share));
    line("made", &clock::day(share.created));
    line("downloadable", yes(share.may_download()));
    line("live", yes(share.is_live()));
    line("embed", yes(share.may_embed()));
    line("passphrase", yes(share.has_passphrase()));
    line("max plays", &share.max_plays.map_or("-".to_owned(), |most| most.to_string()));
    line("visits", &share.visit_count.to_string());
    line("last visited", &share.last_visited.map_or("-".to_owned(), clock::day));
    line("listeners", &share.listener_count.to_string());
    line("plays", &share.play_count.to_string());
    let count = |of: Id| plays.iter().find(|(id, _)| *id == of).map_or(0, |(_, count)| *count);
    let songs = held.songs.iter().map(|song| (Id::Song(song.id), &song.artist, &song.title, ""));
    let missing = held.missing.iter();
    let missing = missing.map(|song| (song.id, &song.artist, &song.title, " (missing)"));
    for (id, artist, title, mark) in songs.chain(missing) {
        let (name, id_text) = (one_line(&format!("{artist} - {title}")), id.to_string());
        let _ = writeln!(text, "  {id_text:6} {:5}  {name}{mark}", count(id));
    }
    print(&text);
    Ok(())
}

fn revoke(app: &App, named: &str) -> Result<()> {
    let share = find(app, named)?;
    app.db.write(|db| shares::delete(db, share.id))?;
    print(&format!("Ended {}: its link leads nowhere any more.\n", Id::Share(share.id)));
    Ok(())
}

/// The share of an id or a link.
fn find(app: &App, named: &str) -> Result<Share> {
    let token = named.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let found = app.db.read(|db| match Id::parse(named) {
        Some(Id::Share(id)) => shares::by_id(db, id),
        _ => shares::by_token(db, token),
    })?;
    found.ok_or_else(|| {
        Error::new(format!("there is no share `{named}`; `kinglet share list` lists all"))
    })
}

fn link(app: &App, share: &Share) -> String {
    let base = app.config.public_url.as_deref().unwrap_or_default();
    format!("{base}/share/{}", share.token)
}

fn state(share: &Share) -> String {
    let now = now();
    match share.expires {
        Some(end) if end <= now => format!("ended on {}", clock::day(end)),
        _ if !share.is_open(now) => "closed, for the user may not share".to_owned(),
        _ if share.max_plays.is_some_and(|most| share.play_count >= most) => "used up".to_owned(),
        Some(end) => format!("open until {}", clock::day(end)),
        None => "open".to_owned(),
    }
}

/// A line break or an escape sequence in a name must not reach the terminal.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
