//! `kinglet user`: shows and changes users, beside a running server too.

use std::fmt::Write;
use std::process::ExitCode;

use super::{Password, UserCommand, note, print};
use crate::account::{self, Change, Changed, FAMILY_ROLES, NewUser};
use crate::app::App;
use crate::clock;
use crate::config;
use crate::db::api_keys;
use crate::db::shares::{self, Defaults};
use crate::db::users::{self, ALL_MUSIC_FOLDERS, ALL_ROLES, Role, User};
use crate::error::{Error, Result};

/// Runs one of the commands.
pub fn run(app: &App, command: UserCommand) -> Result<ExitCode> {
    match command {
        UserCommand::Add { name, admin } => add(app, &name, admin),
        UserCommand::List => list(app),
        UserCommand::Password { name } => set_password(app, &name),
        UserCommand::Remove { name } => remove(app, &name),
        UserCommand::Key { name, label } => new_key(app, &name, &label),
        UserCommand::ListKeys { name } => list_keys(app, &name),
        UserCommand::RevokeKey { name, id } => revoke_key(app, &name, &id),
        UserCommand::ShareDefaults { name, words } => share_defaults(app, &name, &words),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn add(app: &App, name: &str, admin: bool) -> Result<()> {
    if let Some(fault) = account::name_fault(name) {
        return Err(Error::new(fault));
    }
    // Looked up before the password is asked for, which would be in vain.
    if app.db.read(|db| users::by_name(db, name))?.is_some() {
        return Err(taken(name));
    }
    let password = Password::ask(name)?;
    let new = NewUser {
        name,
        password: &password.text,
        email: "",
        roles: if admin { ALL_ROLES } else { FAMILY_ROLES },
        music_folders: ALL_MUSIC_FOLDERS,
    };
    let user = account::create(app, &new)?.ok_or_else(|| taken(name))?;
    let rank = if admin { "administrator" } else { "user" };
    print(&format!("Made the {rank} {}.\n", user.name));
    show(&password);
    Ok(())
}

fn list(app: &App) -> Result<()> {
    let users = app.db.read(users::all)?;
    if users.is_empty() {
        note("There is no user yet; `kinglet user add NAME --admin` makes the first.");
    }
    let width = users.iter().map(|user| user.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for user in &users {
        let rank = if user.has(Role::Admin) { "administrator" } else { "user" };
        let since = clock::day(user.created);
        let _ = writeln!(text, "{:width$}  {rank:13}  since {since}", user.name);
    }
    print(&text);
    Ok(())
}

fn set_password(app: &App, name: &str) -> Result<()> {
    let user = find(app, name)?;
    let password = Password::ask(&user.name)?;
    let change = Change { password: Some(&password.text), ..Change::default() };
    check(account::change(app, user.id, &change)?, name)?;
    print(&format!("{} has a new password. API keys made before have ended.\n", user.name));
    show(&password);
    Ok(())
}

fn remove(app: &App, name: &str) -> Result<()> {
    let user = find(app, name)?;
    check(account::remove(app, user.id)?, name)?;
    print(&format!("Removed {}, with all playlists and shares of theirs.\n", user.name));
    Ok(())
}

fn new_key(app: &App, name: &str, label: &str) -> Result<()> {
    let user = find(app, name)?;
    let key = account::new_api_key(app, &user, label)?;
    // The key alone on standard output, for scripts.
    print(&format!("{key}\n"));
    note(&format!(
        "This is the only time the key of {} is shown. A new password ends it, and so does \
         `kinglet user key revoke`.",
        user.name
    ));
    Ok(())
}

fn list_keys(app: &App, name: &str) -> Result<()> {
    let user = find(app, name)?;
    let keys = app.db.read(|db| api_keys::of(db, user.id))?;
    if keys.is_empty() {
        note(&format!("{0} has no API key; `kinglet user key {0}` makes one.", user.name));
    }
    let mut text = String::new();
    for key in &keys {
        let (id, made) = (key.id(), clock::day(key.created));
        let used = key
            .last_used
            .map_or_else(|| "never used".to_owned(), |day| format!("used {}", clock::day(day)));
        let line = format!("{id}  made {made}  {used:15}  {}", key.name);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    print(&text);
    Ok(())
}

fn revoke_key(app: &App, name: &str, id: &str) -> Result<()> {
    let user = find(app, name)?;
    let key = account::revoke_api_key(app, &user, id)?.ok_or_else(|| {
        Error::new(format!(
            "{0} has no API key `{id}`; `kinglet user key list {0}` lists all",
            user.name
        ))
    })?;
    print(&format!("Ended the API key {} of {}.\n", key.id(), user.name));
    Ok(())
}

fn share_defaults(app: &App, name: &str, words: &[String]) -> Result<()> {
    let user = find(app, name)?;
    let mut chosen = app.db.read(|db| shares::defaults(db, user.id))?;
    for word in words {
        set_default(&mut chosen, word)?;
    }
    if !words.is_empty() {
        app.db.write(|db| shares::set_defaults(db, user.id, &chosen))?;
    }
    let config = &app.config;
    let flag = |chosen: Option<bool>, of_server: bool| {
        let word = if chosen.unwrap_or(of_server) { "yes" } else { "no" };
        (word.to_owned(), chosen.is_none())
    };
    let life = chosen.expiry.map(|life| u64::try_from(life).unwrap_or(0) / 1000);
    let life = life.unwrap_or(config.share_expiry.map_or(0, |life| life.as_secs()));
    let life = if life == 0 { "never".to_owned() } else { config::duration_text(life) };
    let mut text = format!("Shares of {}, where the client does not say:\n", user.name);
    for (name, (value, is_of_server)) in [
        ("downloadable", flag(chosen.downloadable, config.share_downloadable)),
        ("live", flag(chosen.live, config.share_live)),
        ("embed", flag(chosen.embed, config.share_embed)),
        ("expiry", (life, chosen.expiry.is_none())),
    ] {
        let origin = if is_of_server { "  (as the server has it)" } else { "" };
        let _ = writeln!(text, "  {name}={value}{origin}");
    }
    print(&text);
    Ok(())
}

/// Changes one default by a word like `live=no`.
fn set_default(chosen: &mut Defaults, word: &str) -> Result<()> {
    let wrong = |why: &str| Error::new(format!("share-defaults: `{word}` {why}"));
    let (name, value) = word.split_once('=').ok_or_else(|| wrong("is not like live=no"))?;
    let flag = || match value {
        "default" => Ok(None),
        _ => config::flag(value).map(Some).map_err(|_| wrong("is neither yes, no nor default")),
    };
    match name {
        "downloadable" => chosen.downloadable = flag()?,
        "live" => chosen.live = flag()?,
        "embed" => chosen.embed = flag()?,
        "expiry" if value == "default" => chosen.expiry = None,
        "expiry" => {
            let life =
                config::expiry(value).map_err(|why| wrong(&format!("will not do: {why}")))?;
            let life = life.map_or(0, |life| i64::try_from(life.as_millis()).unwrap_or(i64::MAX));
            chosen.expiry = Some(life);
        }
        _ => return Err(wrong("names none of downloadable, live, embed and expiry")),
    }
    Ok(())
}

fn find(app: &App, name: &str) -> Result<User> {
    app.db.read(|db| users::by_name(db, name))?.ok_or_else(|| unknown(name))
}

fn check(changed: Changed, name: &str) -> Result<()> {
    match changed {
        Changed::Done => Ok(()),
        Changed::NoUser => Err(unknown(name)),
        Changed::LastAdministrator => Err(Error::new(format!(
            "{name} is the last administrator; make another one first by \
             `kinglet user add NAME --admin`"
        ))),
    }
}

fn show(password: &Password) {
    if password.generated {
        print(&format!("Password: {}\n", password.text));
    }
}

fn unknown(name: &str) -> Error {
    Error::new(format!("there is no user `{name}`; `kinglet user list` lists all"))
}

fn taken(name: &str) -> Error {
    Error::new(format!(
        "there is a user `{name}` already; `kinglet user passwd {name}` gives another password"
    ))
}
