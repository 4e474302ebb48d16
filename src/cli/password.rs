//! Asks for a password: without an echo on a terminal, else the first line of standard input.

use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::error::{Error, Result};
use crate::secret;

/// Most bytes of a password; more is a wrong file.
const MOST_BYTES: usize = 1024;

/// A password that a user is given.
pub struct Password {
    /// The password; never empty.
    pub text: String,
    /// Whether it was made here, and so has to be shown once.
    pub generated: bool,
}

impl Password {
    /// Asks whoever runs the program for the password of a user. On a terminal it is asked for
    /// twice; else it is the first line of standard input. An empty one makes a new one.
    ///
    /// # Errors
    /// The two differ, or it cannot be read.
    pub fn ask(user: &str) -> Result<Password> {
        let input = io::stdin();
        let text = if input.is_terminal() {
            let first = prompt(&format!("Password for {user} (empty: make one): "))?;
            if !first.is_empty() && prompt("The same again: ")? != first {
                return Err(Error::new("the two passwords differ; nothing was changed"));
            }
            first
        } else {
            first_line(input.lock())?
        };
        if text.is_empty() {
            return Ok(Password { text: secret::password()?, generated: true });
        }
        Ok(Password { text, generated: false })
    }
}

/// Asks on the terminal, which shows nothing of the answer.
fn prompt(question: &str) -> Result<String> {
    let failed = |cause: io::Error| Error::caused("the password cannot be read", cause);
    let input = io::stdin();
    let _ = io::stderr().write_all(question.as_bytes());
    let before = tcgetattr(&input).map_err(|errno| failed(errno.into()))?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&input, OptionalActions::Flush, &silent).map_err(|errno| failed(errno.into()))?;
    let line = first_line(input.lock());
    let restored = tcsetattr(&input, OptionalActions::Flush, &before);
    let _ = io::stderr().write_all(b"\n");
    restored.map_err(|errno| failed(errno.into()))?;
    line
}

/// The first line without its end; empty where there is none.
fn first_line(input: impl Read) -> Result<String> {
    let failed = |cause: io::Error| Error::caused("the password cannot be read", cause);
    let mut line = String::new();
    BufReader::with_capacity(1, input.take(MOST_BYTES as u64 + 1))
        .read_line(&mut line)
        .map_err(failed)?;
    let text = line.trim_end_matches(['\n', '\r']);
    if text.len() > MOST_BYTES {
        return Err(Error::new(format!("the password is longer than {MOST_BYTES} bytes")));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::new("the password holds a sign that no keyboard has"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_password_is_the_first_line() {
        assert_eq!(first_line(&b"sesame\nmore"[..]).unwrap(), "sesame");
        assert_eq!(first_line(&b" two words \r\n"[..]).unwrap(), " two words ");
        assert_eq!(first_line(&b"without end"[..]).unwrap(), "without end");
        assert_eq!(first_line(&b""[..]).unwrap(), "");
        assert_eq!(first_line(&b"\n"[..]).unwrap(), "");
    }

    #[test]
    fn a_wrong_file_is_no_password() {
        assert!(first_line(&[b'a'; MOST_BYTES + 1][..]).is_err());
        assert!(first_line(&[b'a'; MOST_BYTES][..]).is_ok());
        assert!(first_line(&b"\x7fELF\x00"[..]).is_err());
        assert!(first_line(&b"\xff\xfe"[..]).is_err());
    }
}
