//! What people are told, each thing from one source: settings in the README, the sample file and the
//! manual from `config::SETTINGS`; commands and flags in the manual and the completions of shells from
//! `kinglet help`.
//!
//! `KINGLET_REGEN=1 cargo test --test told` writes all of it anew.

#![allow(clippy::unwrap_used)]

#[path = "support/program.rs"]
mod program;

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use kinglet::config::{Flags, SETTINGS, Setting};

/// Most columns of a comment in the sample file.
const WIDTH: usize = 100;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Holds a file against what it should be, or writes it so.
fn same(name: &str, expected: &str) {
    let path = path(name);
    if env::var_os("KINGLET_REGEN").is_some() {
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let at = found.lines().zip(expected.lines()).position(|(one, other)| one != other);
    let at = at.unwrap_or(found.lines().count().min(expected.lines().count()));
    assert!(
        found == expected,
        "{name} is out of date from line {}: `{}` should be `{}`; KINGLET_REGEN=1 cargo test --test \
         told writes it anew",
        at + 1,
        found.lines().nth(at).unwrap_or_default(),
        expected.lines().nth(at).unwrap_or_default(),
    );
}

/// A text in lines of a width, each behind a prefix.
fn wrapped(text: &str, prefix: &str, width: usize) -> String {
    let mut lines = vec![prefix.to_owned()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().unwrap();
        if line.chars().count() + 1 + word.chars().count() > width {
            lines.push(format!("{prefix} {word}"));
        } else {
            *line += &format!(" {word}");
        }
    }
    lines.join("\n") + "\n"
}

const SAMPLE_HEAD: &str = "\
# Settings of Kinglet.
#
# A line with a # before its name shows the default; take the # away to change it. Each setting can
# also be given by a variable (listen is KINGLET_LISTEN), and the first ones by a flag (--listen).
# A flag beats a variable, a variable beats this file. `kinglet check` tells what is wrong.
#
# `systemctl reload kinglet` has a running server read this file again. What needs a new start
# (`systemctl restart kinglet`) is told in the log.
";

#[test]
fn the_sample_file_tells_every_setting() {
    let mut text = SAMPLE_HEAD.to_owned();
    for Setting { name, default, comment, .. } in &SETTINGS {
        if !comment.is_empty() {
            text += "\n";
            text += &wrapped(comment, "#", WIDTH);
        }
        let sign = if matches!(*name, "music" | "data") { "" } else { "#" };
        writeln!(text, "{sign}{name} = {default}").unwrap();
    }
    same("systemd/kinglet.toml", &text);
}

#[test]
fn the_sample_file_can_be_used_as_it_is_and_with_every_line() {
    let sample = fs::read_to_string(path("systemd/kinglet.toml")).unwrap();
    let all: String = sample
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    let load = |text: String| {
        let file = kinglet::config::File { path: "/etc/kinglet/kinglet.toml".into(), text };
        kinglet::config::load(&Flags::default(), &[], Some(&file)).unwrap()
    };
    assert!(load(sample) == load(all));
}

#[test]
fn the_readme_tells_every_setting() {
    let readme = fs::read_to_string(path("README.md")).unwrap();
    let head = "| Setting | Default | Meaning |\n| --- | --- | --- |\n";
    let (before, after) = readme.split_once(head).unwrap();
    let (_, after) = after.split_once("\n## ").unwrap();
    let mut text = format!("{before}{head}");
    for Setting { name, default, meaning, .. } in &SETTINGS {
        let default = match *name {
            "music" => " ".to_owned(),
            "data" => " `~/.local/share/kinglet` ".to_owned(),
            "backup_folder" => " `backups` in `data` ".to_owned(),
            _ => format!(" `{default}` "),
        };
        writeln!(text, "| `{name}` |{default}| {meaning} |").unwrap();
    }
    let reload: Vec<String> = SETTINGS
        .iter()
        .filter(|setting| setting.reloads)
        .map(|setting| format!("`{}`", setting.name))
        .collect();
    let reload = format!(
        "`systemctl reload kinglet` (SIGHUP) has a running server read the file again. It goes on with \
         other values of {}; of the rest the log tells that they wait for the next start. A file with \
         a mistake changes nothing.",
        reload.join(", ")
    );
    text += "\n";
    text += wrapped(&reload, "", WIDTH + 1).replace("\n ", "\n").trim_start();
    same("README.md", &format!("{text}\n## {after}"));
}

fn help(topic: &str) -> String {
    let words = ["help", topic];
    let words = if topic.is_empty() { &words[..1] } else { &words[..] };
    let output = program::program().args(words).env_clear().output();
    String::from_utf8(output.unwrap().stdout).unwrap()
}

/// A word of the command line, and what it is for.
struct Word {
    word: String,
    about: String,
    /// What a flag is followed by, like `FOLDER`; empty where nothing is.
    value: String,
}

/// Whether it is to be typed as it stands, and no name or value.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

/// What `kinglet help` tells of.
struct Told {
    commands: Vec<Word>,
    /// Flags that every command takes.
    flags: Vec<Word>,
    /// What follows a command, by the command.
    words: Vec<(String, Vec<Word>)>,
    /// Flags of a command alone, by the words before them.
    own_flags: Vec<(String, Word)>,
}

/// The lines of a paragraph under a heading.
fn under<'a>(text: &'a str, heading: &str) -> impl Iterator<Item = &'a str> {
    let (_, rest) = text.split_once(&format!("\n{heading}:\n")).unwrap();
    rest.lines().take_while(|line| !line.is_empty())
}

fn told() -> Told {
    let general = help("");
    let commands: Vec<Word> = under(&general, "Commands")
        .map(|line| {
            let (word, about) = line.trim().split_once(' ').unwrap();
            let about = about.split(';').next().unwrap().trim().to_owned();
            Word { word: word.to_owned(), about, value: String::new() }
        })
        .collect();
    let mut flags: Vec<Word> = Vec::new();
    for line in under(&general, "Flags for every command") {
        let line = line.trim();
        let Some((flag, rest)) = line.find("--").map(|at| line[at..].split_once(' ').unwrap())
        else {
            continue;
        };
        let (value, about) = match rest.trim_start().split_once(' ') {
            Some((value, about)) if value.chars().all(|c| c.is_ascii_uppercase() || c == ':') => {
                (value.to_owned(), about.trim().to_owned())
            }
            _ => (String::new(), rest.trim().to_owned()),
        };
        flags.push(Word { word: flag.to_owned(), about, value });
    }
    let (mut words, mut own_flags) = (Vec::new(), Vec::new());
    for command in &commands {
        let mut next: Vec<Word> = Vec::new();
        let start = format!("  kinglet {} ", command.word);
        let text = help(&command.word);
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let Some(rest) = line.strip_prefix(&start) else { continue };
            let (usage, about) = rest.split_once("   ").unwrap_or_else(|| {
                // A long one tells what it is for further down, far to the right.
                let mut further = lines.clone().take_while(|line| line.starts_with("    "));
                let about = further.find(|line| line.starts_with(&" ".repeat(20)));
                (rest, about.unwrap_or_default().trim())
            });
            let mut before = command.word.clone();
            for word in usage.split(' ') {
                let bare = word.trim_matches(['[', ']']);
                if bare.starts_with("--") {
                    if !flags.iter().any(|flag| flag.word == bare) {
                        let (word, value) = (bare.to_owned(), String::new());
                        let about = about.split(';').next_back().unwrap().trim().to_owned();
                        own_flags.push((before.clone(), Word { word, about, value }));
                    }
                } else if before == command.word && is_word(bare) {
                    if !next.iter().any(|known| known.word == bare) {
                        let about = about.split(';').next().unwrap().trim().to_owned();
                        next.push(Word { word: bare.to_owned(), about, value: String::new() });
                    }
                    before = format!("{before} {bare}");
                }
            }
        }
        if command.word == "help" {
            next = commands
                .iter()
                .filter(|command| command.word != "help")
                .map(|command| Word {
                    word: command.word.clone(),
                    about: command.about.clone(),
                    value: String::new(),
                })
                .collect();
        }
        if !next.is_empty() {
            words.push((command.word.clone(), next));
        }
    }
    Told { commands, flags, words, own_flags }
}

fn names(words: &[Word]) -> String {
    words.iter().map(|word| word.word.as_str()).collect::<Vec<_>>().join(" ")
}

/// The words that may follow a flag, where they are known.
fn choices(flag: &Word) -> Option<&'static str> {
    match flag.value.as_str() {
        "LEVEL" => Some("error warn info debug trace"),
        "FORMAT" => Some("text json"),
        _ => None,
    }
}

const MADE: &str = "Made from `kinglet help` by the tests of Kinglet (tests/told.rs); do not edit.";

#[test]
fn bash_completes_every_command_and_flag() {
    let Told { commands, flags, words, own_flags } = told();
    let mut text = format!(
        "# {MADE}\n\n_kinglet() {{\n    local current=${{COMP_WORDS[COMP_CWORD]}} \
         previous=${{COMP_WORDS[COMP_CWORD - 1]}} words= command= verb= word\n    \
         COMPREPLY=()\n    case $previous in\n"
    );
    for flag in &flags {
        let Word { word, value, .. } = flag;
        let reply = match (value.as_str(), choices(flag)) {
            (_, Some(choices)) => format!("COMPREPLY=($(compgen -W '{choices}' -- \"$current\"))"),
            ("FOLDER", _) => {
                "compopt -o filenames; COMPREPLY=($(compgen -d -- \"$current\"))".into()
            }
            ("FILE", _) => "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$current\"))".into(),
            ("", _) => continue,
            _ => ":".into(),
        };
        writeln!(text, "    {word}) {reply}; return ;;").unwrap();
    }
    text += "    esac\n    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n        case $word in\n        \
             -*) ;;\n        *) if [ -z \"$command\" ]; then command=$word; elif [ -z \"$verb\" ]; then \
             verb=$word; fi ;;\n        esac\n    done\n    case \"$command $verb\" in\n";
    writeln!(text, "    ' ') words='{}' ;;", names(&commands)).unwrap();
    for (command, words) in &words {
        writeln!(text, "    '{command} ') words='{}' ;;", names(words)).unwrap();
    }
    for (before, flag) in &own_flags {
        writeln!(text, "    '{before}') words='{}' ;;", flag.word).unwrap();
    }
    writeln!(text, "    esac\n    [[ $current == -* ]] && words+=' {}'", names(&flags)).unwrap();
    text += "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}\ncomplete -F _kinglet kinglet\n";
    same("systemd/kinglet.bash", &text);
}

#[test]
fn zsh_completes_every_command_and_flag() {
    let Told { commands, flags, words, own_flags } = told();
    let quoted = |text: &str| text.replace('\'', "'\\''").replace('[', "\\[").replace(']', "\\]");
    let mut text = format!("#compdef kinglet\n# {MADE}\n\nlocal -a flags offers\nflags=(\n");
    for flag in &flags {
        let Word { word, about, value } = flag;
        let value = match (value.as_str(), choices(flag)) {
            (_, Some(choices)) => format!(":{}:({choices})", value.to_lowercase()),
            ("FOLDER", _) => ":folder:_directories".into(),
            ("FILE", _) => ":file:_files".into(),
            ("", _) => String::new(),
            (value, _) => format!(":{}: ", value.to_lowercase().replace(':', " and ")),
        };
        let many = if word == "--music" { "*" } else { "" };
        writeln!(text, "    '{many}{word}[{}]{value}'", quoted(about)).unwrap();
    }
    text += ")\n_kinglet_words() {\n    local -a before=(${${words[2,CURRENT-1]}:#-*})\n    case \"${before[1]} ${before[2]}\" in\n";
    for (before, flag) in &own_flags {
        let about = flag.about.replace('\'', "'\\''");
        writeln!(text, "    '{before}') offers=('{}:{about}') ;;", flag.word).unwrap();
    }
    let list = |words: &[Word]| -> String {
        words
            .iter()
            .map(|word| format!("\n        '{}:{}'", word.word, word.about.replace('\'', "'\\''")))
            .collect()
    };
    for (command, words) in &words {
        writeln!(text, "    '{command} '*) offers=({}) ;;", list(words)).unwrap();
    }
    writeln!(text, "    *) offers=() ;;\n    esac\n    _describe word offers\n}}").unwrap();
    writeln!(
        text,
        "_kinglet_commands() {{\n    offers=({})\n    _describe command offers\n}}",
        list(&commands)
    )
    .unwrap();
    text += "\
             _arguments -s $flags '1:command:_kinglet_commands' '*:word:_kinglet_words'\n";
    same("systemd/kinglet.zsh", &text);
}

#[test]
fn fish_completes_every_command_and_flag() {
    let Told { commands, flags, words, own_flags } = told();
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
    let mut text = format!("# {MADE}\n\ncomplete -c kinglet -f\n");
    for Word { word, about, .. } in &commands {
        writeln!(
            text,
            "complete -c kinglet -n __fish_use_subcommand -a {word} -d '{}'",
            quoted(about)
        )
        .unwrap();
    }
    for (command, words) in &words {
        for Word { word, about, .. } in words {
            writeln!(
                text,
                "complete -c kinglet -n '__fish_seen_subcommand_from {command}; and not \
                 __fish_seen_subcommand_from {}' -a {word} -d '{}'",
                words
                    .iter()
                    .map(|word| word.word.as_str())
                    .filter(|word| word != command)
                    .collect::<Vec<_>>()
                    .join(" "),
                quoted(about)
            )
            .unwrap();
        }
    }
    for (before, Word { word, about, .. }) in &own_flags {
        let condition: Vec<String> =
            before.split(' ').map(|word| format!("__fish_seen_subcommand_from {word}")).collect();
        writeln!(
            text,
            "complete -c kinglet -n '{}' -l {} -d '{}'",
            condition.join("; and "),
            &word[2..],
            quoted(about)
        )
        .unwrap();
    }
    for flag in &flags {
        let Word { word, about, value } = flag;
        let value = match (value.as_str(), choices(flag)) {
            (_, Some(choices)) => format!(" -x -a '{choices}'"),
            ("FOLDER", _) => " -x -a '(__fish_complete_directories)'".into(),
            ("FILE", _) => " -r -F".into(),
            ("", _) => String::new(),
            _ => " -x".into(),
        };
        writeln!(text, "complete -c kinglet -l {}{value} -d '{}'", &word[2..], quoted(about))
            .unwrap();
    }
    same("systemd/kinglet.fish", &text);
}

/// A text for the manual: what would be taken for a command of roff is not.
fn roff(text: &str) -> String {
    let mut escaped = String::new();
    for line in text.lines() {
        let line = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
        let guard = if line.starts_with('.') { "\\&" } else { "" };
        writeln!(escaped, "{guard}{line}").unwrap();
    }
    escaped
}

#[test]
fn the_manual_tells_every_command_flag_and_setting() {
    let Told { commands, .. } = told();
    let mut text = format!(
        ".\\\" {MADE}\n.TH KINGLET 1 \"\" \"Kinglet\" \"User Commands\"\n.SH NAME\nkinglet \\- a small music \
         server that speaks OpenSubsonic and shares by link\n.SH DESCRIPTION\n.nf\n"
    );
    text += &roff(help("").trim_end());
    text += ".fi\n";
    let mut told = String::new();
    for command in commands.iter().filter(|command| command.word != "help") {
        // Those that are explained together.
        if std::mem::replace(&mut told, help(&command.word)) == help(&command.word) {
            continue;
        }
        writeln!(text, ".SH {}", format!("kinglet {}", command.word).to_uppercase()).unwrap();
        text += &format!(".nf\n{}.fi\n", roff(help(&command.word).trim_end()));
    }
    text += ".SH SETTINGS\nSettings of the file, each with its default.\n";
    for Setting { name, default, comment, .. } in &SETTINGS {
        writeln!(text, ".TP\n\\fB{}\\fR", roff(&format!("{name} = {default}")).trim()).unwrap();
        text += &roff(if comment.is_empty() { "See the one before." } else { comment });
    }
    text += ".SH FILES\n.TP\n.I /etc/kinglet/kinglet.toml\nSettings.\n.TP\n.I /var/lib/kinglet\nDatabase and \
             key of the service, and backups of both.\n.TP\n.I /var/cache/kinglet\nScaled covers.\n.SH SIGNALS\n.TP\n\
             .B SIGTERM, SIGINT\nThe first lets running answers end, the second ends at once.\n.TP\n.B \
             SIGHUP\nReads the settings again, where standard input is no terminal.\n";
    same("systemd/kinglet.1", &text);
}

/// No flag, command or word of the help is forgotten by what is made from it.
#[test]
fn the_completions_know_what_the_help_names() {
    if env::var_os("KINGLET_REGEN").is_some() {
        return; // They are just being written.
    }
    let Told { commands, .. } = told();
    let all: String = [String::new()]
        .into_iter()
        .chain(commands.iter().map(|command| command.word.clone()))
        .map(|topic| help(&topic))
        .collect();
    for shell in ["bash", "zsh", "fish"] {
        let completions = fs::read_to_string(path(&format!("systemd/kinglet.{shell}"))).unwrap();
        let known = |word: &str| {
            let mut words = completions.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            words.any(|known| known == word)
        };
        for word in all.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
            if let Some(flag) = word.strip_prefix("--") {
                assert!(known(if shell == "fish" { flag } else { word }), "{shell}: {word}");
            }
        }
        for line in all.lines() {
            let mut words = line.trim_start_matches(['`', ' ']).split(' ');
            if words.next() == Some("kinglet") {
                for word in words.take_while(|word| is_word(word)) {
                    assert!(known(word) || word == "anna", "{shell}: {word} of `{line}`");
                }
            }
        }
    }
}
