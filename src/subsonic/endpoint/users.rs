//! User management: who there is, what they may do, and their passwords.

use rusqlite::Connection;
use serde::Serialize;

use crate::account::{self, Change, Changed, NewUser};
use crate::db::users::{self, ALL_MUSIC_FOLDERS, Role, User as Row};
use crate::db::{Viewer, folders};
use crate::subsonic::auth::plain;
use crate::subsonic::fail::{Fail, Result};
use crate::subsonic::types::user::User;
use crate::subsonic::{Call, Reply};

/// The parameters that give rights, with what `createUser` gives where they are absent.
const ROLES: [(&str, Role, bool); 12] = [
    ("adminRole", Role::Admin, false),
    ("settingsRole", Role::Settings, true),
    ("streamRole", Role::Stream, true),
    ("jukeboxRole", Role::Jukebox, false),
    ("downloadRole", Role::Download, false),
    ("uploadRole", Role::Upload, false),
    ("playlistRole", Role::Playlist, false),
    ("coverArtRole", Role::CoverArt, false),
    ("commentRole", Role::Comment, false),
    ("podcastRole", Role::Podcast, false),
    ("shareRole", Role::Share, false),
    ("videoConversionRole", Role::VideoConversion, false),
];

/// What `maxBitRate` may be, in kbit/s; 0 is any.
const BIT_RATES: [i64; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];

/// Every music folder, for those who manage what others see.
const EVERYTHING: Viewer = Viewer { user: 0, scope: ALL_MUSIC_FOLDERS };

/// `getUser`: oneself; administrators see anybody.
pub fn get_user(call: &Call) -> Result<Reply> {
    let row = named(call, |_| true, "see other users")?;
    let configured = call.app.db.read(music_folders)?;
    call.answer("user", &User::of(row, &configured))
}

#[derive(Serialize)]
struct Users {
    user: Vec<User>,
}

/// `getUsers`: everybody.
pub fn get_users(call: &Call) -> Result<Reply> {
    let (rows, configured) =
        call.app.db.read(|db| Ok::<_, Fail>((users::all(db)?, music_folders(db)?)))?;
    let user = rows.into_iter().map(|row| User::of(row, &configured)).collect();
    call.answer("users", &Users { user })
}

/// `createUser`: a new user with the rights given, or the defaults of the spec. Scrobbling, which
/// the spec has no parameter for, comes with it.
pub fn create_user(call: &Call) -> Result<Reply> {
    let (name, password) = (call.params.need_text("username")?, new_password(call)?);
    let password = password.ok_or_else(|| Fail::missing("password"))?;
    let email = call.params.need_text("email")?;
    if let Some(fault) = account::name_fault(name) {
        return Err(Fail::parameter(format!("Parameter 'username': {fault}")));
    }
    refuse_ldap(call)?;
    let mut roles = Role::Scrobbling as i64;
    for (parameter, role, default) in ROLES {
        if call.params.flag_or(parameter, default)? {
            roles |= role as i64;
        }
    }
    let music_folders = music_folder_bits(call)?.unwrap_or(ALL_MUSIC_FOLDERS);
    let new = NewUser { name, password: &password, email, roles, music_folders };
    match account::create(call.app, &new)? {
        Some(_) => call.ok(),
        None => Err(Fail::generic(format!("There is a user '{name}' already"))),
    }
}

/// `updateUser`: changes what is given and nothing else.
pub fn update_user(call: &Call) -> Result<Reply> {
    let row = anybody(call)?;
    let password = new_password(call)?;
    refuse_ldap(call)?;
    let mut change = Change {
        password: password.as_deref(),
        email: call.params.text("email"),
        max_bit_rate: call.params.int("maxBitRate")?,
        music_folders: music_folder_bits(call)?,
        ..Change::default()
    };
    if change.max_bit_rate.is_some_and(|rate| !BIT_RATES.contains(&rate)) {
        return Err(Fail::parameter(
            "Parameter 'maxBitRate' must be 0 for any, or one of 32, 40, 48, 56, 64, 80, 96, 112, 128, \
             160, 192, 224, 256 and 320",
        ));
    }
    for (parameter, role, _) in ROLES {
        match call.params.flag(parameter)? {
            Some(true) => change.grant |= role as i64,
            Some(false) => change.revoke |= role as i64,
            None => {}
        }
    }
    finish(call, account::change(call.app, row.id, &change)?)
}

/// `deleteUser`: removes a user and what is theirs; not oneself, and not the last administrator.
pub fn delete_user(call: &Call) -> Result<Reply> {
    let row = anybody(call)?;
    if row.id == call.user.id {
        return Err(Fail::generic("Nobody can remove themselves; ask another administrator"));
    }
    finish(call, account::remove(call.app, row.id)?)
}

/// `changePassword`: one's own with the settings right; administrators change anybody's.
pub fn change_password(call: &Call) -> Result<Reply> {
    let password = new_password(call)?.ok_or_else(|| Fail::missing("password"))?;
    let row = named(call, |user| user.has(Role::Settings), "change this password")?;
    let change = Change { password: Some(&password), ..Change::default() };
    finish(call, account::change(call.app, row.id, &change)?)
}

/// The user of the parameter `username`: anybody for administrators, else oneself under a condition.
fn named(call: &Call, condition: fn(&Row) -> bool, what: &str) -> Result<Row> {
    let name = call.params.need_text("username")?;
    if call.user.has(Role::Admin) {
        return anybody(call);
    }
    // Who may not look is told the same whether there is such a user or not.
    match call.user.name.eq_ignore_ascii_case(name) && condition(&call.user) {
        true => Ok(call.user.clone()),
        false => Err(Fail::forbidden(what)),
    }
}

/// The user of the parameter `username`.
fn anybody(call: &Call) -> Result<Row> {
    let name = call.params.need_text("username")?;
    let row = call.app.db.read(|db| users::by_name(db, name))?;
    row.ok_or_else(|| Fail::not_found(&format!("User '{name}'")))
}

/// The parameter `password`, plain or in hex.
fn new_password(call: &Call) -> Result<Option<String>> {
    let Some(sent) = call.params.text("password") else { return Ok(None) };
    let password = plain(sent).ok_or_else(|| {
        Fail::parameter("Parameter 'password': after 'enc:' must come the hex digits of UTF-8 text")
    })?;
    match account::password_fault(&password) {
        Some(fault) => Err(Fail::parameter(format!("Parameter 'password': {fault}"))),
        None => Ok(Some(password)),
    }
}

fn refuse_ldap(call: &Call) -> Result<()> {
    match call.params.flag_or("ldapAuthenticated", false)? {
        true => Err(Fail::parameter(
            "This server knows no LDAP: leave parameter 'ldapAuthenticated' out",
        )),
        false => Ok(()),
    }
}

/// The music folders of the parameters `musicFolderId`, if there are any, as bits.
fn music_folder_bits(call: &Call) -> Result<Option<i64>> {
    let named = call.params.ints("musicFolderId")?;
    if named.is_empty() {
        return Ok(None);
    }
    let configured = call.app.db.read(music_folders)?;
    named
        .into_iter()
        .try_fold(0, |bits, folder| match configured.contains(&folder) {
            true => Ok(bits | 1 << folder),
            false => Err(Fail::not_found(&format!("Music folder {folder}"))),
        })
        .map(Some)
}

fn music_folders(db: &Connection) -> rusqlite::Result<Vec<i64>> {
    Ok(folders::music_folders(db, EVERYTHING)?.into_iter().map(|folder| folder.id).collect())
}

fn finish(call: &Call, changed: Changed) -> Result<Reply> {
    match changed {
        Changed::Done => call.ok(),
        Changed::NoUser => Err(Fail::not_found("User")),
        Changed::LastAdministrator => {
            Err(Fail::generic("This is the last administrator; make another one first"))
        }
    }
}
