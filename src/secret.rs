//! What must stay secret on the disk: passwords are encrypted, keys and tokens drawn by chance.
//!
//! The API's token sign-in needs the password itself, so hashing it is not possible: it is
//! encrypted with a key that lies beside the database, readable by its owner alone.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// Letters and digits of a share's link: 95 bits, which nobody finds by trying.
const SHARE_TOKEN_LETTERS: usize = 16;
/// Signs of a password that is made: 80 bits, in groups for whoever types it into a phone.
const PASSWORD_SIGNS: usize = 16;
/// What such a password is made of: 32, so that a byte's low bits choose fairly, and none that looks
/// like another one.
const SIGNS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Encrypts and decrypts passwords.
pub struct Vault {
    cipher: XChaCha20Poly1305,
}

impl Vault {
    /// Opens the key file; where it is not there, it is made if it may be: not where something was
    /// encrypted by another key before.
    ///
    /// # Errors
    /// Where the file cannot be read or made, or is no key.
    pub fn open(file: &Path, may_be_made: bool) -> Result<Vault> {
        let key = match OpenOptions::new().read(true).open(file) {
            Ok(open) => {
                let mut key = Vec::with_capacity(KEY_BYTES);
                open.take(KEY_BYTES as u64 + 1).read_to_end(&mut key).map_err(|cause| {
                    Error::caused(format!("cannot read {}", file.display()), cause)
                })?;
                key
            }
            Err(error) if error.kind() == ErrorKind::NotFound && may_be_made => make_key(file)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::new(format!(
                    "{file} is not there, the key that passwords are encrypted with: restore it \
                     from a backup; where it is a credential of the service, CREDENTIALS_DIRECTORY \
                     names the folder it lies in; where it is lost, make another by `head -c 32 \
                     /dev/urandom > {file}` and set every password anew with 'kinglet user passwd'",
                    file = file.display()
                )));
            }
            Err(cause) => {
                return Err(Error::caused(format!("cannot read {}", file.display()), cause));
            }
        };
        let cipher = XChaCha20Poly1305::new_from_slice(&key).map_err(|_| {
            Error::new(format!(
                "{} is damaged: restore it from a backup, or remove it and set every password anew \
                 with 'kinglet user passwd'",
                file.display()
            ))
        })?;
        Ok(Vault { cipher })
    }

    /// Encrypts a password; `user` is bound to it, so that rows cannot be exchanged.
    pub fn seal(&self, user: &str, password: &str) -> Result<Vec<u8>> {
        let nonce = random::<NONCE_BYTES>()?;
        let user = user.to_lowercase();
        let payload = Payload { msg: password.as_bytes(), aad: user.as_bytes() };
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Error::new("the password could not be encrypted"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts a password; `None` where it was sealed with another key or for another user.
    pub fn open_sealed(&self, user: &str, sealed: &[u8]) -> Option<String> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let user = user.to_lowercase();
        let payload = Payload { msg: sealed, aad: user.as_bytes() };
        let password = self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()?;
        String::from_utf8(password).ok()
    }
}

impl Vault {
    /// A text that proves until a moment (ms since 1970) what it is about, and that it was made
    /// here: no other one can be made of it.
    pub fn stamp(&self, about: &str, until: i64) -> Result<String> {
        let nonce = random::<NONCE_BYTES>()?;
        let (until, about) = (until.to_be_bytes(), stamped(about));
        let payload = Payload { msg: until.as_slice(), aad: about.as_slice() };
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Error::new("a stamp could not be made"))?;
        Ok(hex(&[nonce.as_slice(), &sealed].concat()))
    }

    /// Until when such a text holds; `None` where it is not of ours or about something else.
    pub fn stamped_until(&self, about: &str, stamp: &str) -> Option<i64> {
        let (stamp, about) = (from_hex(stamp)?, stamped(about));
        let (nonce, sealed) = stamp.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: about.as_slice() };
        let until = self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()?;
        Some(i64::from_be_bytes(until.try_into().ok()?))
    }
}

/// What a stamp is bound to. A user's name holds no such sign, so that a sealed password is no stamp.
fn stamped(about: &str) -> Vec<u8> {
    [b"stamp\0", about.as_bytes()].concat()
}

/// Bytes in hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Bytes from hex; `None` where it is none.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

fn make_key(file: &Path) -> Result<Vec<u8>> {
    let key = random::<KEY_BYTES>()?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    made.and_then(|mut open| {
        open.write_all(&key)?;
        open.sync_all()
    })
    .map_err(|cause| Error::caused(format!("cannot make {}", file.display()), cause))?;
    Ok(key.to_vec())
}

/// Bytes by chance from the operating system.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|cause| Error::caused("the system gives no random numbers", cause))?;
    Ok(bytes)
}

/// A word of letters and digits by chance: just under 6 bits each.
pub fn word(length: usize) -> Result<String> {
    let mut word = String::with_capacity(length);
    while word.len() < length {
        for byte in random::<64>()? {
            // Bytes past the last whole multiple of 62 would make some letters likelier.
            if byte < 248 && word.len() < length {
                word.extend(LETTERS.get(usize::from(byte % 62)).map(|letter| char::from(*letter)));
            }
        }
    }
    Ok(word)
}

/// The word of a new share's link.
pub fn share_token() -> Result<String> {
    word(SHARE_TOKEN_LETTERS)
}

/// A new password such as `k3ph-9amr-x7tw-b2nd`.
pub fn password() -> Result<String> {
    let mut text = String::with_capacity(PASSWORD_SIGNS / 4 * 5);
    for (place, byte) in random::<PASSWORD_SIGNS>()?.into_iter().enumerate() {
        if place > 0 && place % 4 == 0 {
            text.push('-');
        }
        text.extend(SIGNS.get(usize::from(byte % 32)).map(|sign| char::from(*sign)));
    }
    Ok(text)
}

/// What is kept of an API key: it is as long as the hash, so that a plain hash is enough.
pub fn key_hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// By what the word of a link is looked up: 95 bits by chance need no salt and no slow hash.
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_password_comes_back_for_its_user_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let sealed = Vault::open(&file, true).unwrap().seal("Ann", "sesame & ü").unwrap();
        let vault = Vault::open(&file, false).unwrap();
        assert_eq!(vault.open_sealed("ann", &sealed).as_deref(), Some("sesame & ü"));
        assert_eq!(vault.open_sealed("bob", &sealed), None);
        assert_eq!(vault.open_sealed("ann", b"short"), None);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&file, "damaged").unwrap();
        assert!(Vault::open(&file, true).is_err());
    }

    #[test]
    fn a_key_that_was_lost_is_not_made_anew_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let problem = Vault::open(&file, false).err().unwrap().to_string();
        assert!(problem.contains("from a backup") && !file.exists(), "{problem}");
    }

    #[test]
    fn a_stamp_is_bound_to_what_it_is_about() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(&folder.path().join("key"), true).unwrap();
        let stamp = vault.stamp("share 7", 99).unwrap();
        assert_eq!(vault.stamped_until("share 7", &stamp), Some(99));
        assert_eq!(vault.stamped_until("share 8", &stamp), None);
        let other = Vault::open(&folder.path().join("other"), true).unwrap();
        assert_eq!(other.stamped_until("share 7", &stamp), None);
        let password = vault.seal("share 7", "12345678").unwrap();
        for wrong in ["", "0", "zz", "é1", &stamp[..stamp.len() - 2], &hex(&password)] {
            assert_eq!(vault.stamped_until("share 7", wrong), None, "{wrong}");
        }
    }

    #[test]
    fn hex_comes_back() {
        assert_eq!(hex(&[0, 7, 255]), "0007ff");
        assert_eq!(from_hex("0007fF"), Some(vec![0, 7, 255]));
        assert_eq!((from_hex("0"), from_hex("+1"), from_hex("")), (None, None, Some(vec![])));
    }

    #[test]
    fn words_are_long_enough_and_never_the_same() {
        let (one, two) = (word(16).unwrap(), word(16).unwrap());
        assert_eq!(one.len(), 16);
        assert_ne!(one, two);
        assert!(word(200).unwrap().bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }

    #[test]
    fn passwords_that_are_made_differ() {
        let made = password().unwrap();
        assert_eq!(made.len(), PASSWORD_SIGNS + 3);
        assert!(made.split('-').all(|group| group.len() == 4));
        assert_ne!(made, password().unwrap());
    }
}
