//! Who calls: by password, by token and salt, or by API key.

use std::net::IpAddr;
use std::time::Instant;

use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use super::fail::{Fail, Result};
use super::params::Params;
use crate::app::App;
use crate::clock::now;
use crate::db::users::{self, User};
use crate::secret;

/// Tells the user of a call.
///
/// # Errors
/// 429 of HTTP where too many failed before; 10 where nothing to sign in with was sent, 40 where it is wrong, 43 where several ways of
/// signing in are mixed, 44 for an unknown API key.
pub fn sign_in(app: &App, params: &Params, from: IpAddr) -> Result<User> {
    let time = Instant::now();
    let (token, salt, password) = (params.text("t"), params.text("s"), params.text("p"));
    if let Some(key) = params.text("apiKey") {
        if params.text("u").is_some() || token.is_some() || password.is_some() {
            return Err(Fail::conflicting_auth());
        }
        let hash = secret::key_hash(key);
        let Some(user) = app.db.read(|db| users::by_key(db, &hash))? else {
            app.sign_ins.wrong_key(from, time).map_err(Fail::too_many_sign_ins)?;
            return Err(Fail::api_key());
        };
        app.key_uses.used(hash, now());
        app.sign_ins.succeeded(from, &user.name, time);
        return Ok(user);
    }
    let name = params.need_text("u")?;
    app.sign_ins.may_try(from, name, time).map_err(Fail::too_many_sign_ins)?;
    let known = app.known_users.find(&app.db, &app.vault, name)?;
    let (user, expected) = match known {
        Some(known) => (Some(known.user), known.password),
        None => (None, None),
    };
    let right = match (password, token, salt) {
        (Some(_), Some(_), _) => return Err(Fail::conflicting_auth()),
        (Some(password), None, _) => {
            plain(password).is_some_and(|given| same(given.as_bytes(), expected.as_deref()))
        }
        (None, Some(token), Some(salt)) => {
            let expected = expected.map(|password| hex(&Md5::digest(format!("{password}{salt}"))));
            same(token.to_ascii_lowercase().as_bytes(), expected.as_deref())
        }
        (None, Some(_), None) => return Err(Fail::missing("s")),
        (None, None, _) => return Err(Fail::missing("p")),
    };
    let Some(user) = user.filter(|_| right) else {
        app.sign_ins.failed(from, name, time);
        return Err(Fail::credentials());
    };
    app.sign_ins.succeeded(from, name, time);
    Ok(user)
}

/// A password as it was sent: plain, or `enc:` and its bytes in hex.
pub fn plain(sent: &str) -> Option<String> {
    let Some(digits) = sent.strip_prefix("enc:") else { return Some(sent.to_owned()) };
    let well_formed =
        digits.len() % 2 == 0 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let bytes: Option<Vec<u8>> = well_formed
        .then(|| (0..digits.len()).step_by(2))?
        .map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
        .collect();
    String::from_utf8(bytes?).ok()
}

/// Takes as long for a wrong first letter as for a wrong last one.
fn same(given: &[u8], expected: Option<&str>) -> bool {
    expected.is_some_and(|expected| given.ct_eq(expected.as_bytes()).into())
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_come_plain_or_in_hex() {
        assert_eq!(plain("sesame").as_deref(), Some("sesame"));
        assert_eq!(plain("enc:73C3BC").as_deref(), Some("sü"));
        for wrong in ["enc:7", "enc:zz", "enc:ff", "enc:+1"] {
            assert_eq!(plain(wrong), None, "{wrong}");
        }
    }
}
