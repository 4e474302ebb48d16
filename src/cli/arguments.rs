//! From the words of the command line to a command and its flags.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};

use super::usage::{self, Topic};
use crate::config::{Flags, nearest};
use crate::error::{Error, Result};

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Serve until told to stop.
    Serve,
    /// Serve a small album that comes with the program.
    Demo,
    /// Scan the music folders once.
    Scan,
    /// Copy what users made into a file; `None` is one in the folder of the settings.
    Backup(Option<PathBuf>),
    /// Put such a copy in the place of the database; `None` asks which there are.
    Restore(Option<PathBuf>),
    /// Show or change users.
    User(UserCommand),
    /// Show or end shares.
    Share(ShareCommand),
    /// Look whether everything is set up well.
    Check,
    /// Tell how a command is used.
    Help(Topic),
    /// Tell the version.
    Version,
}

/// What to do with users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserCommand {
    /// Make a user.
    Add {
        /// The new user's name.
        name: String,
        /// Whether the user may change everything.
        admin: bool,
    },
    /// List all users.
    List,
    /// Give a user another password.
    Password {
        /// The user's name.
        name: String,
    },
    /// Remove a user and what belongs to the user alone.
    Remove {
        /// The user's name.
        name: String,
    },
    /// Make an API key for a user.
    Key {
        /// The user's name.
        name: String,
        /// What the key is called; empty for nothing.
        label: String,
    },
    /// List the API keys of a user.
    ListKeys {
        /// The user's name.
        name: String,
    },
    /// End an API key of a user.
    RevokeKey {
        /// The user's name.
        name: String,
        /// The key's id.
        id: String,
    },
    /// Show or change what a user's shares are unless their maker says otherwise.
    ShareDefaults {
        /// The user's name.
        name: String,
        /// What is to change, like `downloadable=no`.
        words: Vec<String>,
    },
}

/// What to do with shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareCommand {
    /// List the shares of a user, or of all.
    List {
        /// The user's name.
        name: Option<String>,
    },
    /// Show one share, with what of it was played.
    Show {
        /// Its id or its link.
        share: String,
    },
    /// End a share.
    Revoke {
        /// Its id or its link.
        share: String,
    },
}

/// A command line that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// What to do.
    pub command: Command,
    /// The settings given.
    pub flags: Flags,
}

/// The commands by their names.
const COMMANDS: [(&str, Topic); 9] = [
    ("serve", Topic::Serve),
    ("demo", Topic::Demo),
    ("scan", Topic::Scan),
    ("user", Topic::User),
    ("share", Topic::Share),
    ("backup", Topic::Backup),
    ("restore", Topic::Backup),
    ("check", Topic::Check),
    ("help", Topic::General),
];

/// The names of what `user` can do.
const USER_COMMANDS: [&str; 6] = ["add", "list", "passwd", "remove", "key", "share-defaults"];

/// The names of what `share` can do.
const SHARE_COMMANDS: [&str; 3] = ["list", "show", "revoke"];

/// The flags that every command takes.
const COMMON_FLAGS: [&str; 9] = [
    "--config",
    "--music",
    "--data",
    "--listen",
    "--public-url",
    "--log-level",
    "--log-format",
    "--help",
    "--version",
];

/// The flag of `user add`.
const ADMIN: &str = "--admin";
/// The flag of `user key`.
const LABEL: &str = "--label";

/// Reads the arguments, without the program's name.
///
/// # Errors
/// What was not understood, with the nearest word that would have been.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Arguments> {
    let mut parser = Parser::from_args(arguments);
    let mut flags = Flags::default();
    let mut words: Vec<String> = Vec::new();
    let (mut admin, mut help, mut version) = (false, false, false);
    let mut label = None;
    while let Some(argument) = parser.next().map_err(unclear)? {
        match argument {
            Arg::Long("config") => {
                flags.config = Some(PathBuf::from(parser.value().map_err(unclear)?));
            }
            Arg::Long("music") => flags.music.push(text(&mut parser)?),
            Arg::Long("data") => flags.data = Some(text(&mut parser)?),
            Arg::Long("listen") => flags.listen = Some(text(&mut parser)?),
            Arg::Long("public-url") => flags.public_url = Some(text(&mut parser)?),
            Arg::Long("log-level") => flags.log_level = Some(text(&mut parser)?),
            Arg::Long("log-format") => flags.log_format = Some(text(&mut parser)?),
            Arg::Long("admin") => admin = true,
            Arg::Long("label") => label = Some(text(&mut parser)?),
            Arg::Long("help") | Arg::Short('h') => help = true,
            Arg::Long("version") | Arg::Short('V') => version = true,
            Arg::Value(word) => words.push(word.string().map_err(unclear)?),
            Arg::Long(flag) => {
                return Err(unknown(
                    "flag",
                    &format!("--{flag}"),
                    COMMON_FLAGS.into_iter().chain([ADMIN, LABEL]),
                ));
            }
            Arg::Short(letter) => return Err(unknown("flag", &format!("-{letter}"), COMMON_FLAGS)),
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut command = match words.as_slice() {
        _ if version => Command::Version,
        [] => Command::Help(Topic::General),
        ["help"] => Command::Help(Topic::General),
        ["help", name, ..] => Command::Help(topic(name)?),
        [name, ..] if help => Command::Help(topic(name)?),
        [name, rest @ ..] => command(name, topic(name)?, rest, admin)?,
    };
    let takes_admin = matches!(
        command,
        Command::User(UserCommand::Add { .. }) | Command::Help(_) | Command::Version
    );
    if let Some(label) = label {
        match &mut command {
            Command::User(UserCommand::Key { label: of, .. }) => *of = label,
            Command::Help(_) | Command::Version => {}
            _ => return Err(Error::new("--label goes with `kinglet user key NAME` alone")),
        }
    }
    if admin && !takes_admin {
        return Err(Error::new("--admin goes with `kinglet user add NAME` alone"));
    }
    if command == Command::Demo
        && (flags.config.is_some() || flags.data.is_some() || !flags.music.is_empty())
    {
        return Err(Error::new(
            "the demo brings its own music and settings; leave --music, --data and --config out, \
             or start your own server by `kinglet serve`",
        ));
    }
    Ok(Arguments { command, flags })
}

fn command(name: &str, topic: Topic, rest: &[&str], admin: bool) -> Result<Command> {
    let command = match topic {
        Topic::Serve => Command::Serve,
        Topic::Demo => Command::Demo,
        Topic::Scan => Command::Scan,
        Topic::Check => Command::Check,
        Topic::General => Command::Help(Topic::General),
        Topic::User => return user_command(rest, admin).map(Command::User),
        Topic::Share => return share_command(rest).map(Command::Share),
        Topic::Backup => {
            let file = rest.first().map(PathBuf::from);
            let command =
                if name == "restore" { Command::Restore(file) } else { Command::Backup(file) };
            return match rest.get(1) {
                None => Ok(command),
                Some(word) => Err(surplus(word)),
            };
        }
    };
    match rest.first() {
        None => Ok(command),
        Some(word) => Err(surplus(word)),
    }
}

fn user_command(words: &[&str], admin: bool) -> Result<UserCommand> {
    let (verb, name) = match words {
        ["list"] => return Ok(UserCommand::List),
        ["list", word, ..] => return Err(surplus(word)),
        ["key", rest @ ..] => return key_command(rest),
        [] => {
            return Err(Error::new(
                "user: say what to do, like `kinglet user add anna`; `kinglet user --help` lists all",
            ));
        }
        [verb] if USER_COMMANDS.contains(verb) => {
            return Err(Error::new(format!(
                "user {verb}: the user's name is missing, like `kinglet user {verb} anna`"
            )));
        }
        ["share-defaults", name, words @ ..] => {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            return Ok(UserCommand::ShareDefaults { name: (*name).to_owned(), words });
        }
        [verb, name] if USER_COMMANDS.contains(verb) => (*verb, (*name).to_owned()),
        [verb, _, word, ..] if USER_COMMANDS.contains(verb) => {
            return Err(match *verb {
                "add" | "passwd" => Error::new(format!(
                    "user {verb}: `{word}` is one word too many; a password is asked for, or read \
                     from standard input, never given here where others can see it"
                )),
                _ => surplus(word),
            });
        }
        [verb, ..] => {
            let known = USER_COMMANDS.map(|verb| format!("user {verb}"));
            let known = known.iter().map(String::as_str);
            return Err(unknown("command", &format!("user {verb}"), known));
        }
    };
    Ok(match verb {
        "add" => UserCommand::Add { name, admin },
        "passwd" => UserCommand::Password { name },
        _ => UserCommand::Remove { name },
    })
}

fn share_command(words: &[&str]) -> Result<ShareCommand> {
    match words {
        ["list"] => Ok(ShareCommand::List { name: None }),
        ["list", name] => Ok(ShareCommand::List { name: Some((*name).to_owned()) }),
        ["show", share] => Ok(ShareCommand::Show { share: (*share).to_owned() }),
        ["revoke", share] => Ok(ShareCommand::Revoke { share: (*share).to_owned() }),
        [] => Err(Error::new(
            "share: say what to do, like `kinglet share list`; `kinglet share --help` lists all",
        )),
        [verb] if SHARE_COMMANDS.contains(verb) => Err(Error::new(format!(
            "share {verb}: say which share, like `kinglet share {verb} sh7`; `kinglet share list` \
             tells their ids"
        ))),
        [verb, .., word] if SHARE_COMMANDS.contains(verb) => Err(surplus(word)),
        [verb, ..] => {
            let known = SHARE_COMMANDS.map(|verb| format!("share {verb}"));
            let known = known.iter().map(String::as_str);
            Err(unknown("command", &format!("share {verb}"), known))
        }
    }
}

/// What stands after `user key`.
fn key_command(words: &[&str]) -> Result<UserCommand> {
    match words {
        ["list", name] => Ok(UserCommand::ListKeys { name: (*name).to_owned() }),
        ["revoke", name, id] => {
            Ok(UserCommand::RevokeKey { name: (*name).to_owned(), id: (*id).to_owned() })
        }
        ["revoke", name] => Err(Error::new(format!(
            "user key revoke: the id of the key is missing; `kinglet user key list {name}` tells it"
        ))),
        [verb @ ("list" | "revoke")] => Err(Error::new(format!(
            "user key {verb}: the user's name is missing, like `kinglet user key {verb} anna`"
        ))),
        ["list", _, word, ..] | ["revoke", _, _, word, ..] => Err(surplus(word)),
        [] => Err(Error::new("user key: the user's name is missing, like `kinglet user key anna`")),
        [name] => Ok(UserCommand::Key { name: (*name).to_owned(), label: String::new() }),
        [_, word, ..] => Err(surplus(word)),
    }
}

fn topic(name: &str) -> Result<Topic> {
    COMMANDS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, topic)| *topic)
        .ok_or_else(|| unknown("command", name, COMMANDS.map(|(known, _)| known)))
}

fn text(parser: &mut Parser) -> Result<String> {
    parser.value().and_then(|value| value.string()).map_err(unclear)
}

fn unknown<'a>(what: &str, word: &str, known: impl IntoIterator<Item = &'a str>) -> Error {
    match nearest(word, known) {
        Some(known) => Error::new(format!("there is no {what} `{word}`; did you mean `{known}`?")),
        None => Error::new(format!("there is no {what} `{word}`; {}", usage::SEE_HELP)),
    }
}

fn surplus(word: &str) -> Error {
    Error::new(format!("`{word}` is one word too many; {}", usage::SEE_HELP))
}

fn unclear(error: lexopt::Error) -> Error {
    Error::new(format!("{error}; {}", usage::SEE_HELP))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::ffi::OsStringExt;

    fn read(line: &str) -> Result<Arguments> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn command(line: &str) -> Command {
        read(line).unwrap().command
    }

    fn problem(line: &str) -> String {
        read(line).unwrap_err().to_string()
    }

    #[test]
    fn every_command_is_understood() {
        let name = || "anna".to_owned();
        assert_eq!(command("serve"), Command::Serve);
        assert_eq!(command("demo --listen 127.0.0.1:1"), Command::Demo);
        assert_eq!(command("scan"), Command::Scan);
        assert_eq!(command("check"), Command::Check);
        assert_eq!(command("user list"), Command::User(UserCommand::List));
        let add = |admin| Command::User(UserCommand::Add { name: name(), admin });
        assert_eq!(command("user add anna"), add(false));
        assert_eq!(command("user --admin add anna"), add(true));
        assert_eq!(
            command("user passwd anna"),
            Command::User(UserCommand::Password { name: name() })
        );
        assert_eq!(
            command("user remove anna"),
            Command::User(UserCommand::Remove { name: name() })
        );
        let key = |label: &str| UserCommand::Key { name: name(), label: label.to_owned() };
        assert_eq!(command("user key anna"), Command::User(key("")));
        assert_eq!(command("user key anna --label phone"), Command::User(key("phone")));
        let list = UserCommand::ListKeys { name: name() };
        assert_eq!(command("user key list anna"), Command::User(list));
        let revoke = UserCommand::RevokeKey { name: name(), id: "0a1b2c3d".to_owned() };
        assert_eq!(command("user key revoke anna 0a1b2c3d"), Command::User(revoke));
        let defaults = |words: &[&str]| {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            Command::User(UserCommand::ShareDefaults { name: name(), words })
        };
        assert_eq!(command("user share-defaults anna"), defaults(&[]));
        assert_eq!(
            command("user share-defaults anna live=no expiry=30d"),
            defaults(&["live=no", "expiry=30d"])
        );
        assert_eq!(command("share list"), Command::Share(ShareCommand::List { name: None }));
        let list = ShareCommand::List { name: Some(name()) };
        assert_eq!(command("share list anna"), Command::Share(list));
        let share = || "sh7".to_owned();
        let show = ShareCommand::Show { share: share() };
        assert_eq!(command("share show sh7"), Command::Share(show));
        let revoke = ShareCommand::Revoke { share: share() };
        assert_eq!(command("share revoke sh7"), Command::Share(revoke));
        for line in ["", "help", "--help", "-h", "help help"] {
            assert_eq!(command(line), Command::Help(Topic::General), "{line}");
        }
        for line in ["help user", "user --help", "user add --help", "--help user add anna"] {
            assert_eq!(command(line), Command::Help(Topic::User), "{line}");
        }
        assert_eq!(command("--version"), Command::Version);
        assert_eq!(command("serve -V"), Command::Version);
    }

    #[test]
    fn flags_may_stand_before_and_after_the_command() {
        let expected = Flags {
            config: Some("/c".into()),
            music: vec!["/a".into(), "/b".into()],
            data: Some("/d".into()),
            listen: Some("1.1.1.1:1".into()),
            public_url: Some("http://x".into()),
            log_level: Some("warn".into()),
            log_format: Some("json".into()),
        };
        let line = "--config /c --music /a serve --music=/b --data /d --listen 1.1.1.1:1 \
                    --public-url http://x --log-level warn --log-format json";
        assert_eq!(read(line).unwrap(), Arguments { command: Command::Serve, flags: expected });
    }

    #[test]
    fn what_is_not_understood_names_the_nearest() {
        assert_eq!(problem("sreve"), "there is no command `sreve`; did you mean `serve`?");
        assert_eq!(
            problem("serve --musik x"),
            "there is no flag `--musik`; did you mean `--music`?"
        );
        assert_eq!(
            problem("user ad anna"),
            "there is no command `user ad`; did you mean `user add`?"
        );
        for line in
            ["xylophone", "serve -x", "serve now", "user", "user list all", "help xylophone"]
        {
            assert!(problem(line).contains("kinglet"), "{line}");
        }
    }

    #[test]
    fn a_name_that_is_missing_is_asked_for() {
        for verb in ["add", "passwd", "remove", "key", "share-defaults"] {
            assert!(problem(&format!("user {verb}")).contains("name is missing"), "{verb}");
        }
        for verb in ["key list", "key revoke"] {
            assert!(problem(&format!("user {verb}")).contains("name is missing"), "{verb}");
        }
        assert!(problem("user key revoke anna").contains("`kinglet user key list anna`"));
    }

    #[test]
    fn a_share_that_is_missing_is_asked_for() {
        for verb in ["show", "revoke"] {
            assert!(problem(&format!("share {verb}")).contains("say which share"), "{verb}");
        }
        assert!(problem("share").contains("share list"));
        assert!(problem("share shwo sh7").contains("did you mean `share show`?"));
        assert!(problem("share revoke sh7 sh8").contains("`sh8` is one word too many"));
    }

    #[test]
    fn a_password_is_no_argument() {
        assert!(problem("user add anna secret").contains("never given here"));
        assert!(problem("user passwd anna secret").contains("never given here"));
    }

    #[test]
    fn a_flag_without_its_use_is_refused() {
        assert!(problem("serve --admin").contains("user add"));
        assert!(problem("user key list anna --label x").contains("user key NAME"));
        assert!(problem("demo --music /m").contains("own music"));
        assert!(problem("serve --listen").contains("--listen"));
        assert!(problem("serve --admin=yes").contains("admin"));
    }

    #[test]
    fn words_that_are_not_unicode_are_refused() {
        let word = OsString::from_vec(vec![0xff]);
        assert!(parse([word.clone()]).is_err());
        assert!(parse(["--music".into(), word]).is_err());
    }

    proptest! {
        #[test]
        fn no_words_make_it_panic(words in proptest::collection::vec("-{0,2}[a-z=-]{0,8}", 0..6)) {
            let _ = parse(words.into_iter().map(OsString::from));
        }
    }
}
