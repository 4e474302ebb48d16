//! Users as the command line and the API make and change them.
//!
//! What a caller may do is for the caller to decide; the rules that hold for everybody are kept
//! here: names and passwords that can be typed, and never a server without an administrator.

use crate::app::App;
use crate::clock::now;
use crate::db::api_keys::{self, ApiKey, id_of};
use crate::db::users::{self, ALL_MUSIC_FOLDERS, ALL_ROLES, Role, User};
use crate::error::{Error, Result};
use crate::secret;

/// Most characters of a user's name.
const MOST_NAME_CHARACTERS: usize = 64;
/// Most bytes of a password.
const MOST_PASSWORD_BYTES: usize = 1024;
/// Letters and digits of an API key: 238 bits.
const API_KEY_LENGTH: usize = 40;
/// Most API keys of one user: a key for each program of a household, and far more.
const MOST_API_KEYS: usize = 100;
/// The name of the administrator that is made at the first start.
const FIRST_ADMINISTRATOR: &str = "admin";

/// What a member of the family may do: everything that concerns nobody else.
pub const FAMILY_ROLES: i64 = Role::Settings as i64
    | Role::Stream as i64
    | Role::Download as i64
    | Role::Playlist as i64
    | Role::CoverArt as i64
    | Role::Comment as i64
    | Role::Share as i64
    | Role::Scrobbling as i64;

/// A user to be made.
#[derive(Clone, Debug)]
pub struct NewUser<'a> {
    /// The name; see [`name_fault`].
    pub name: &'a str,
    /// The password; see [`password_fault`].
    pub password: &'a str,
    /// The e-mail address, may be empty.
    pub email: &'a str,
    /// Bits of `Role`.
    pub roles: i64,
    /// A bit for each visible music folder; `ALL_MUSIC_FOLDERS` for all.
    pub music_folders: i64,
}

/// What is to change of a user; the rest stays.
#[derive(Clone, Debug, Default)]
pub struct Change<'a> {
    /// The password; see [`password_fault`].
    pub password: Option<&'a str>,
    /// The e-mail address.
    pub email: Option<&'a str>,
    /// Bits of `Role` to be given.
    pub grant: i64,
    /// Bits of `Role` to be taken.
    pub revoke: i64,
    /// kbit/s a stream may have, 0 for any.
    pub max_bit_rate: Option<i64>,
    /// A bit for each visible music folder.
    pub music_folders: Option<i64>,
}

/// How a change of a user went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It is done.
    Done,
    /// There is no such user any more.
    NoUser,
    /// Refused: no administrator would be left.
    LastAdministrator,
}

/// What is wrong with a name for a user, in words; `None` for a good one.
pub fn name_fault(name: &str) -> Option<&'static str> {
    match name.chars().count() {
        0 => Some("a user's name cannot be empty"),
        1..=MOST_NAME_CHARACTERS if name.chars().any(char::is_control) => {
            Some("a user's name cannot hold control characters")
        }
        1..=MOST_NAME_CHARACTERS if name.trim() != name => {
            Some("a user's name cannot begin or end with a space")
        }
        1..=MOST_NAME_CHARACTERS => None,
        _ => Some("a user's name has 64 characters at most"),
    }
}

/// What is wrong with a password, in words; `None` for a good one.
pub fn password_fault(password: &str) -> Option<&'static str> {
    match password.len() {
        0 => Some("a password cannot be empty"),
        1..=MOST_PASSWORD_BYTES if password.chars().any(char::is_control) => {
            Some("a password cannot hold control characters")
        }
        1..=MOST_PASSWORD_BYTES => None,
        _ => Some("a password has 1024 bytes at most"),
    }
}

/// Makes a user; `None` where the name is taken.
///
/// # Errors
/// The name or the password has a fault, or the database fails.
pub fn create(app: &App, new: &NewUser) -> Result<Option<User>> {
    if let Some(fault) = name_fault(new.name).or_else(|| password_fault(new.password)) {
        return Err(Error::new(fault));
    }
    let mut user = User {
        id: 0,
        name: new.name.to_owned(),
        password: app.vault.seal(new.name, new.password)?,
        email: new.email.to_owned(),
        roles: new.roles & ALL_ROLES,
        max_bit_rate: 0,
        music_folders: new.music_folders,
        created: now(),
    };
    app.db.write(|db| {
        if users::by_name(db, new.name)?.is_some() {
            return Ok(None);
        }
        user.id = users::create(db, &user)?;
        Ok(Some(user))
    })
}

/// Changes a user. A new password ends the user's API keys: whoever changes it wants nobody to get
/// in who got in before.
///
/// # Errors
/// The password has a fault, or the database fails.
pub fn change(app: &App, id: i64, change: &Change) -> Result<Changed> {
    if let Some(fault) = change.password.and_then(password_fault) {
        return Err(Error::new(fault));
    }
    app.db.write(|db| {
        let Some(mut user) = users::by_id(db, id)? else { return Ok(Changed::NoUser) };
        let was_administrator = user.has(Role::Admin);
        user.roles = (user.roles & !change.revoke | change.grant) & ALL_ROLES;
        if was_administrator && !user.has(Role::Admin) && users::administrators(db)? <= 1 {
            return Ok(Changed::LastAdministrator);
        }
        if let Some(email) = change.email {
            user.email = email.to_owned();
        }
        user.max_bit_rate = change.max_bit_rate.unwrap_or(user.max_bit_rate);
        user.music_folders = change.music_folders.unwrap_or(user.music_folders);
        let old = app.vault.open_sealed(&user.name, &user.password);
        if let Some(new) = change.password.filter(|new| old.as_deref() != Some(*new)) {
            user.password = app.vault.seal(&user.name, new)?;
            api_keys::remove_all(db, id)?;
        }
        users::update(db, &user)?;
        Ok(Changed::Done)
    })
}

/// Removes a user with everything that was theirs: playlists, shares, stars, API keys.
pub fn remove(app: &App, id: i64) -> Result<Changed> {
    let removed = app.db.write(|db| {
        let Some(user) = users::by_id(db, id)? else { return Ok(Changed::NoUser) };
        if user.has(Role::Admin) && users::administrators(db)? <= 1 {
            return Ok(Changed::LastAdministrator);
        }
        users::delete(db, id)?;
        Ok::<_, Error>(Changed::Done)
    })?;
    if removed == Changed::Done {
        app.playing.forget(id);
    }
    Ok(removed)
}

/// What is wrong with a name for an API key, in words; `None` for a good one.
pub fn key_name_fault(name: &str) -> Option<&'static str> {
    match name.chars().count() {
        0..=MOST_NAME_CHARACTERS if name.chars().any(char::is_control) => {
            Some("the name of an API key cannot hold control characters")
        }
        0..=MOST_NAME_CHARACTERS => None,
        _ => Some("the name of an API key has 64 characters at most"),
    }
}

/// Makes an API key for a user; only its hash is kept, so it can be shown this once. The name tells
/// people which one it is, and may be empty.
///
/// # Errors
/// The name has a fault, the user has [`MOST_API_KEYS`] keys, or the database fails.
pub fn new_api_key(app: &App, user: &User, name: &str) -> Result<String> {
    if let Some(fault) = key_name_fault(name) {
        return Err(Error::new(fault));
    }
    app.db.write(|db| {
        let others = api_keys::of(db, user.id)?;
        if others.len() >= MOST_API_KEYS {
            return Err(Error::new(format!(
                "{} has {MOST_API_KEYS} API keys, the most there may be; end one by \
                 `kinglet user key revoke`",
                user.name
            )));
        }
        loop {
            let key = secret::word(API_KEY_LENGTH)?;
            let hash = secret::key_hash(&key);
            // A chance of one in millions, and still nobody should have to tell two apart.
            if others.iter().all(|other| other.id() != id_of(&hash)) {
                api_keys::add(db, user.id, &hash, name, now())?;
                return Ok(key);
            }
        }
    })
}

/// Ends an API key of a user, by its id; `None` where the user has none of this id.
pub fn revoke_api_key(app: &App, user: &User, id: &str) -> Result<Option<ApiKey>> {
    app.db.write(|db| {
        let keys = api_keys::of(db, user.id)?;
        let Some(key) = keys.into_iter().find(|key| key.id().eq_ignore_ascii_case(id)) else {
            return Ok(None);
        };
        api_keys::remove(db, &key.hash)?;
        Ok(Some(key))
    })
}

/// The administrator that was made at the first start.
#[derive(Clone, Debug)]
pub struct FirstAdministrator {
    /// The user's name.
    pub name: &'static str,
    /// The password, where it was made here and so has to be shown once.
    pub password: Option<String>,
}

/// Makes an administrator where there is no user yet, with the password of the settings or one by
/// chance; `None` where there are users.
///
/// # Errors
/// The password of the settings has a fault, or the database fails.
pub fn first_administrator(app: &App) -> Result<Option<FirstAdministrator>> {
    if !app.db.read(users::none)? {
        return Ok(None);
    }
    let made = match &app.config.admin_password {
        Some(_) => None,
        None => Some(secret::password()?),
    };
    let password = made.as_ref().or(app.config.admin_password.as_ref());
    let new = NewUser {
        name: FIRST_ADMINISTRATOR,
        password: password.map_or("", String::as_str),
        email: "",
        roles: ALL_ROLES,
        music_folders: ALL_MUSIC_FOLDERS,
    };
    let user = create(app, &new)
        .map_err(|cause| Error::caused("the first administrator cannot be made", cause))?;
    Ok(user.map(|_| FirstAdministrator { name: FIRST_ADMINISTRATOR, password: made }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_can_be_typed() {
        for name in ["anna", "Anna-Lena Müller", "山田", &"x".repeat(64)] {
            assert_eq!(name_fault(name), None, "{name}");
        }
        for name in ["", " anna", "anna ", "an\nna", "an\u{85}na", &"x".repeat(65)] {
            assert!(name_fault(name).is_some(), "{name:?}");
        }
        assert_eq!(password_fault(" sesame öffne dich "), None);
        for password in ["", "a\0b", &"x".repeat(1025)] {
            assert!(password_fault(password).is_some(), "{password:?}");
        }
    }
}
