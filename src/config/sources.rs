//! Where settings come from: gathers file, environment and flags, each value with its place.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf, absolute};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{SETTINGS, nearest};
use crate::error::{Error, Result};

/// What the names of our environment variables begin with.
const PREFIX: &str = "KINGLET_";

/// The setting that only the environment can give, so that no file or process list shows it.
const PASSWORD: &str = "admin_password";

/// The variable that names the file; it is no setting of the file.
const FILE_VARIABLE: &str = "KINGLET_CONFIG";

/// The file of a server that is installed for a whole machine.
const SYSTEM_FILE: &str = "/etc/kinglet/kinglet.toml";

/// The file's name in the data folder.
const FILE_NAME: &str = "kinglet.toml";

/// Most bytes of a settings file: far above any real one, so that a wrong name (a song, a device)
/// does not fill the memory.
const MOST_FILE_BYTES: u64 = 1 << 20;

/// The settings that the command line gave, as they were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--config FILE`.
    pub config: Option<PathBuf>,
    /// `--music FOLDER`, once or more often.
    pub music: Vec<String>,
    /// `--data FOLDER`.
    pub data: Option<String>,
    /// `--listen ADDRESS:PORT`.
    pub listen: Option<String>,
    /// `--public-url URL`.
    pub public_url: Option<String>,
    /// `--log-level LEVEL`.
    pub log_level: Option<String>,
    /// `--log-format FORMAT`.
    pub log_format: Option<String>,
}

/// A settings file that was read.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path, for messages and as the base of relative folders.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// A value before its setting has looked at it.
#[derive(Debug, PartialEq)]
enum Value {
    /// A string, or a number or truth value as it is spelt.
    Text(String),
    /// Several strings.
    List(Vec<String>),
}

/// A value and where it stands.
struct Given {
    value: Value,
    /// For messages: `listen in /etc/kinglet/kinglet.toml, line 3`.
    place: String,
    /// The folder that relative paths count from; `None` is the current one.
    base: Option<PathBuf>,
}

/// The settings as given, the strongest source for each, and all that is wrong with them.
pub struct Settings {
    given: HashMap<String, Given>,
    /// What is wrong, each with its place and the way out.
    pub problems: Vec<String>,
}

impl Settings {
    /// Takes in all sources, the weakest first.
    pub fn gather(
        flags: &Flags,
        environment: &[(String, String)],
        file: Option<&File>,
    ) -> Settings {
        let mut settings = Settings { given: HashMap::new(), problems: Vec::new() };
        if let Some(file) = file {
            settings.take_file(file);
        }
        settings.take_environment(environment);
        settings.take_flags(flags);
        settings
    }

    /// The names of the settings that are given otherwise here than there.
    pub fn differing(&self, other: &Settings) -> Vec<&'static str> {
        let differs = |name: &&str| {
            let [ours, others] = [self, other].map(|settings| settings.given.get(*name));
            ours.map(|given| &given.value) != others.map(|given| &given.value)
        };
        SETTINGS.iter().map(|setting| setting.name).filter(differs).collect()
    }

    fn take_file(&mut self, file: &File) {
        let path = file.path.display();
        let line = |start: usize| {
            let before = file.text.get(..start).unwrap_or(&file.text);
            1 + before.bytes().filter(|byte| *byte == b'\n').count()
        };
        let (table, errors) = DeTable::parse_recoverable(&file.text);
        let broken: Vec<(usize, &str)> = errors
            .iter()
            .map(|error| (line(error.span().map_or(0, |span| span.start)), error.message()))
            .collect();
        for (line, message) in &broken {
            self.problems.push(format!("{path}, line {line}: this is no TOML: {message}"));
        }
        for (key, value) in table.get_ref() {
            let name = key.get_ref().as_ref();
            let line = line(key.span().start);
            // What is left of a line that could not be read would only be complained of twice.
            if broken.iter().any(|(broken, _)| *broken == line) {
                continue;
            }
            if let Some(problem) = unknown_key(name, value) {
                self.problems.push(format!("{path}, line {line}: {problem}"));
                continue;
            }
            let place = format!("{name} in {path}, line {line}");
            match plain(value) {
                Ok(value) => {
                    let base = file.path.parent().map(Path::to_path_buf);
                    self.given.insert(name.to_owned(), Given { value, place, base });
                }
                Err(problem) => self.problems.push(format!("{place}: {problem}")),
            }
        }
    }

    fn take_environment(&mut self, environment: &[(String, String)]) {
        let known = || SETTINGS.iter().map(|setting| setting.name).chain([PASSWORD]);
        for (variable, text) in environment {
            let Some(name) = variable.strip_prefix(PREFIX) else { continue };
            if variable == FILE_VARIABLE {
                continue;
            }
            let name = name.to_ascii_lowercase();
            if !known().any(|known| variable_of(known) == *variable) {
                let hint = nearest(&name, known()).map_or_else(
                    || "unset it".to_owned(),
                    |known| format!("did you mean {}?", variable_of(known)),
                );
                self.problems.push(format!("{variable}: there is no such setting; {hint}"));
                continue;
            }
            let value = match name.as_str() {
                "music" => Value::List(
                    text.split(':').filter(|path| !path.is_empty()).map(String::from).collect(),
                ),
                _ => Value::Text(text.clone()),
            };
            self.given.insert(name, Given { value, place: variable.clone(), base: None });
        }
    }

    fn take_flags(&mut self, flags: &Flags) {
        let single = [
            ("data", "--data", &flags.data),
            ("listen", "--listen", &flags.listen),
            ("public_url", "--public-url", &flags.public_url),
            ("log_level", "--log-level", &flags.log_level),
            ("log_format", "--log-format", &flags.log_format),
        ];
        let mut take = |name: &str, flag: &str, value| {
            let given = Given { value, place: flag.to_owned(), base: None };
            self.given.insert(name.to_owned(), given);
        };
        for (name, flag, text) in single {
            if let Some(text) = text {
                take(name, flag, Value::Text(text.clone()));
            }
        }
        if !flags.music.is_empty() {
            take("music", "--music", Value::List(flags.music.clone()));
        }
    }

    /// Sets a field from a setting of one value, where it is given.
    pub fn set<T>(
        &mut self,
        name: &str,
        field: &mut T,
        parse: impl Fn(&str) -> std::result::Result<T, String>,
    ) {
        let Some(given) = self.given.get(name) else { return };
        let parsed = match &given.value {
            Value::Text(text) => parse(text),
            Value::List(_) => Err("this takes one value, not a list".to_owned()),
        };
        match parsed {
            Ok(value) => *field = value,
            Err(problem) => self.problems.push(format!("{}: {problem}", given.place)),
        }
    }

    /// Sets a field from a setting of several values: a list, or words with spaces or commas
    /// between them.
    pub fn list<T>(
        &mut self,
        name: &str,
        field: &mut Vec<T>,
        parse: impl Fn(&str) -> std::result::Result<T, String>,
    ) {
        let Some(given) = self.given.get(name) else { return };
        let words: Vec<&str> = match &given.value {
            Value::Text(text) => text
                .split(|c: char| c == ',' || c.is_whitespace())
                .filter(|word| !word.is_empty())
                .collect(),
            Value::List(words) => words.iter().map(String::as_str).collect(),
        };
        field.clear();
        for word in words {
            match parse(word) {
                Ok(value) => field.push(value),
                Err(problem) => self.problems.push(format!("{}: {problem}", given.place)),
            }
        }
    }

    /// Sets a field from a setting that is one folder.
    pub fn folder(&mut self, name: &str, home: Option<&Path>, field: &mut PathBuf) {
        let mut folders = Vec::new();
        let one = |given: &Given| matches!(&given.value, Value::Text(_));
        if self.given.get(name).is_some_and(one) {
            self.folders(name, home, &mut folders);
        } else {
            self.set(name, &mut folders, |_| Ok(Vec::new()));
        }
        if let Some(folder) = folders.pop() {
            *field = folder;
        }
    }

    /// Sets a field from a setting that is a file; an empty name is none.
    pub fn file(&mut self, name: &str, home: Option<&Path>, field: &mut Option<PathBuf>) {
        let base = self.given.get(name).and_then(|given| given.base.clone());
        self.set(name, field, |text| match text {
            "" => Ok(None),
            text => resolve(text, home, base.as_deref()).map(Some),
        });
    }

    /// Sets a field from a setting that is one or several folders.
    pub fn folders(&mut self, name: &str, home: Option<&Path>, field: &mut Vec<PathBuf>) {
        let Some(given) = self.given.get(name) else { return };
        let texts = match &given.value {
            Value::Text(text) => std::slice::from_ref(text),
            Value::List(texts) => texts.as_slice(),
        };
        field.clear();
        for text in texts {
            match resolve(text, home, given.base.as_deref()) {
                Ok(folder) => field.push(folder),
                Err(problem) => self.problems.push(format!("{}: {problem}", given.place)),
            }
        }
    }
}

/// The absolute path of a folder as somebody wrote it.
fn resolve(
    text: &str,
    home: Option<&Path>,
    base: Option<&Path>,
) -> std::result::Result<PathBuf, String> {
    let from_home = text.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let path = match (from_home, home) {
        _ if text.is_empty() => return Err("a folder's name cannot be empty".to_owned()),
        (Some(rest), Some(home)) => home.join(rest.trim_start_matches('/')),
        (Some(_), None) => {
            return Err(format!("`{text}`: there is no home folder here; write the whole path"));
        }
        (None, _) => base.unwrap_or(Path::new("")).join(text),
    };
    absolute(&path).map_err(|error| format!("`{text}` cannot be made a whole path: {error}"))
}

/// What is wrong with the name of a key in the file, if anything.
fn unknown_key(name: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
    if SETTINGS.iter().any(|setting| setting.name == name) {
        return None;
    }
    if name == PASSWORD {
        return Some(format!(
            "{PASSWORD} is never read from a file; set the variable {} for the first start",
            variable_of(PASSWORD)
        ));
    }
    if value.get_ref().is_table() {
        return Some(format!(
            "settings are not grouped; take the heading `{name}` away and leave what is under it"
        ));
    }
    let hint = nearest(name, SETTINGS.iter().map(|setting| setting.name)).map_or_else(
        || "take the line away".to_owned(),
        |known| format!("did you mean `{known}`?"),
    );
    Some(format!("there is no setting `{name}`; {hint}"))
}

/// A value of the file as text.
fn plain(value: &Spanned<DeValue<'_>>) -> std::result::Result<Value, String> {
    match value.get_ref() {
        DeValue::String(text) => Ok(Value::Text(text.to_string())),
        DeValue::Boolean(truth) => Ok(Value::Text(truth.to_string())),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(|number| Value::Text(number.to_string()))
            .map_err(|_| "the number is too large".to_owned()),
        DeValue::Array(items) => items
            .iter()
            .map(|item| item.get_ref().as_str().map(String::from))
            .collect::<Option<Vec<String>>>()
            .map(Value::List)
            .ok_or_else(|| "a list holds texts in quotes, like [\"one\", \"two\"]".to_owned()),
        other => Err(format!("a {} is no value of this setting", other.type_str())),
    }
}

/// The environment variable of a setting.
fn variable_of(name: &str) -> String {
    format!("{PREFIX}{}", name.to_ascii_uppercase())
}

/// The value of a variable that is set and not empty.
pub fn variable<'a>(environment: &'a [(String, String)], name: &str) -> Option<&'a str> {
    environment
        .iter()
        .find(|(variable, text)| variable == name && !text.is_empty())
        .map(|(_, text)| text.as_str())
}

/// The data folder where nothing names one: what systemd keeps for the service, else the place
/// for programs' data in the home folder.
pub fn default_data(environment: &[(String, String)]) -> Option<PathBuf> {
    let whole = |name| variable(environment, name).map(Path::new).filter(|path| path.is_absolute());
    if let Some(state) = variable(environment, "STATE_DIRECTORY") {
        return state.split(':').next().map(PathBuf::from);
    }
    whole("XDG_DATA_HOME")
        .map(Path::to_path_buf)
        .or_else(|| whole("HOME").map(|home| home.join(".local/share")))
        .map(|data| data.join("kinglet"))
}

/// The folder that systemd keeps for the caches of the service.
pub fn cache(environment: &[(String, String)]) -> Option<PathBuf> {
    let folders = variable(environment, "CACHE_DIRECTORY")?;
    folders.split(':').next().map(PathBuf::from)
}

/// The file of the key, where systemd gives it to the service.
pub fn key(environment: &[(String, String)]) -> Option<PathBuf> {
    let key = Path::new(variable(environment, "CREDENTIALS_DIRECTORY")?).join("kinglet.key");
    key.exists().then_some(key)
}

/// The environment of this process. Variables of others that are not Unicode are left out.
///
/// # Errors
/// A variable of ours that is not Unicode.
pub fn environment() -> Result<Vec<(String, String)>> {
    let mut environment = Vec::new();
    for (name, text) in env::vars_os() {
        match (name.into_string(), text.into_string()) {
            (Ok(name), Ok(text)) => environment.push((name, text)),
            (Ok(name), Err(_)) if name.starts_with(PREFIX) => {
                return Err(Error::new(format!("{name}: this is not Unicode text")));
            }
            _ => {}
        }
    }
    Ok(environment)
}

/// The environment without settings of a server: what remains tells where the home folder is.
pub fn of_the_person(mut environment: Vec<(String, String)>) -> Vec<(String, String)> {
    const SERVICE: [&str; 3] = ["STATE_DIRECTORY", "CACHE_DIRECTORY", "CREDENTIALS_DIRECTORY"];
    environment.retain(|(name, _)| !name.starts_with(PREFIX) && !SERVICE.contains(&name.as_str()));
    environment
}

/// Finds and reads the settings file; `None` where there is none.
///
/// # Errors
/// A file that was asked for but is not there, or one that cannot be read.
pub fn find_file(flags: &Flags, environment: &[(String, String)]) -> Result<Option<File>> {
    if let Some(path) = &flags.config {
        return read_file(path).map(Some).map_err(|error| unreadable("--config ", path, error));
    }
    if let Some(path) = variable(environment, FILE_VARIABLE).map(Path::new) {
        let prefix = format!("{FILE_VARIABLE} ");
        return read_file(path).map(Some).map_err(|error| unreadable(&prefix, path, error));
    }
    let named = flags.data.as_deref().or_else(|| variable(environment, "KINGLET_DATA"));
    let data = named.map(PathBuf::from).or_else(|| default_data(environment));
    for path in data.map(|data| data.join(FILE_NAME)).into_iter().chain([SYSTEM_FILE.into()]) {
        match read_file(&path) {
            Ok(file) => return Ok(Some(file)),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(unreadable("", &path, error)),
        }
    }
    Ok(None)
}

fn read_file(path: &Path) -> std::io::Result<File> {
    let mut text = String::new();
    fs::File::open(path)?.take(MOST_FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_FILE_BYTES {
        return Err(std::io::Error::other("it is far too large for a settings file"));
    }
    Ok(File { path: path.to_owned(), text })
}

fn unreadable(prefix: &str, path: &Path, error: std::io::Error) -> Error {
    let path = path.display();
    Error::caused(format!("{prefix}{path}: the settings file cannot be read"), error)
}
