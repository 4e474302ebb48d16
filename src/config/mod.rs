//! The settings of a server: file, environment and flags become one validated `Config`, read once at start.

mod folders;
mod nearest;
mod network;
mod reload;
mod sources;
mod table;
mod values;

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::Level;

pub use folders::{make_private, network_file_system};
pub use nearest::nearest;
pub use network::Network;
pub use reload::{Reader, Reloaded};
pub use sources::{File, Flags};
pub use table::{SETTINGS, Setting};
pub use values::{duration_text, expiry, flag};

use crate::error::{Error, Result};
use sources::Settings;

/// Most music folders a server can have: users are given folders by the bits of one 64-bit number.
pub const MOST_MUSIC_FOLDERS: usize = 60;

/// Files a connection may have open: its socket and the song it plays.
const FILES_PER_CONNECTION: u64 = 2;
/// Files that the program has open besides connections: database, log, scan.
const FILES_BESIDES: u64 = 64;

/// Every setting, checked; the rest of the program sees only this.
///
/// It has no `Debug`, so that the password cannot end up in a log.
#[derive(Clone, PartialEq)]
pub struct Config {
    /// The folders with music: absolute paths, none inside another, at most
    /// [`MOST_MUSIC_FOLDERS`]. May be empty, [`Config::check_folders`] refuses that.
    pub music: Vec<PathBuf>,
    /// The folder for the database, the keys and the scaled covers: an absolute path outside all
    /// music folders.
    pub data: PathBuf,
    /// The folder for the scaled covers: that which systemd keeps for the caches of the service,
    /// else the data folder.
    pub cache: PathBuf,
    /// The file of the key that encrypts passwords, where systemd gives it to the service as the
    /// credential `kinglet.key`; `None` where it lies in the data folder.
    pub key: Option<PathBuf>,
    /// The address and port of the server.
    pub listen: SocketAddr,
    /// The address and port on which the server tells its metrics to anybody; `None` to nobody.
    pub metrics_listen: Option<SocketAddr>,
    /// The address under which the world reaches the server, for share links: http or https,
    /// without a query and without a slash at the end. `None` takes it from each request.
    pub public_url: Option<String>,
    /// The path below which the server answers, like `/music`, as well as without it; empty for
    /// none. Where it is not set, it is the path of `public_url`.
    pub base_path: String,
    /// The files by which the server speaks https itself; `None` leaves that to a proxy.
    pub tls: Option<TlsFiles>,
    /// The name by which the server is found at home: `kinglet` is kinglet.local. `None` tells
    /// nobody.
    pub mdns: Option<String>,
    /// The reverse proxies whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// The folder for backups: an absolute path outside all music folders.
    pub backup_folder: PathBuf,
    /// How old the newest backup becomes before the server makes another; `None` makes none.
    pub backup_every: Option<Duration>,
    /// For how many days with backups one is kept.
    pub backup_keep: usize,
    /// Whether a scan starts with the server.
    pub scan_on_start: bool,
    /// How long a share lives whose maker named no end; `None` is for ever.
    pub share_expiry: Option<Duration>,
    /// Whether the files of a share may be kept whose maker does not say.
    pub share_downloadable: bool,
    /// Whether a share follows what it names whose maker does not say; else it is frozen.
    pub share_live: bool,
    /// Whether other sites may show the player of a share whose maker does not say.
    pub share_embed: bool,
    /// Words at the start of an artist's name that do not count for its place in the alphabet.
    pub ignored_articles: Vec<String>,
    /// How many covers are scaled at a time, 1 to 8.
    pub cover_workers: usize,
    /// Most bytes of scaled covers kept on the disk.
    pub cover_cache: u64,
    /// Most connections open at a time. A further one takes the place of one that waits for a
    /// request; where all are busy, it is refused.
    pub connections: usize,
    /// Most streams one user may have at a time.
    pub streams_per_user: usize,
    /// Most streams one share may have at a time.
    pub streams_per_share: usize,
    /// Most bytes per second of each stream, 8 KiB to 1 GiB; `None` is no cap.
    pub stream_rate: Option<NonZeroU64>,
    /// Most bytes per second of the songs of all shares together, 8 KiB to 1 GiB; `None` is no cap.
    pub share_rate: Option<NonZeroU64>,
    /// Most bytes of the head of a request: old clients send a large playlist in the address.
    pub header_size: usize,
    /// How long a client may take to send the head of a request.
    pub header_timeout: Duration,
    /// How long a connection is kept that brings no request: longer than reverse proxies keep
    /// theirs, which would else ask on one that is just being closed.
    pub idle_timeout: Duration,
    /// How long a client may take no byte of an answer before the connection is closed: longer
    /// than a pause in listening.
    pub stall_timeout: Duration,
    /// Most bytes of the body of a request.
    pub request_body: usize,
    /// How long running answers may take to end when the server stops.
    pub stop_timeout: Duration,
    /// The least important messages that are logged.
    pub log_level: Level,
    /// The form of the log.
    pub log_format: LogFormat,
    /// Password of the administrator that is made when there is no user yet.
    pub admin_password: Option<String>,
}

/// What the server shows who it is by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Its certificate and those above it, in PEM.
    pub certificate: PathBuf,
    /// The key of the certificate, in PEM.
    pub key: PathBuf,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

impl Config {
    fn defaults(data: PathBuf) -> Config {
        Config {
            music: Vec::new(),
            cache: data.clone(),
            key: None,
            backup_folder: data.join("backups"),
            data,
            backup_every: Some(24 * HOUR),
            backup_keep: 14,
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 4040)),
            metrics_listen: None,
            public_url: None,
            base_path: String::new(),
            tls: None,
            mdns: Some(values::MDNS_NAME.to_owned()),
            trusted_proxies: Vec::new(),
            scan_on_start: true,
            share_expiry: Some(365 * 24 * HOUR),
            share_downloadable: true,
            share_live: true,
            share_embed: false,
            ignored_articles: ["The", "El", "La", "Los", "Las", "Le", "Les"]
                .map(String::from)
                .to_vec(),
            cover_workers: 2,
            cover_cache: 256 * MIB,
            connections: 512,
            streams_per_user: 16,
            streams_per_share: 256,
            stream_rate: None,
            share_rate: None,
            header_size: 256 << 10,
            header_timeout: 10 * SECOND,
            idle_timeout: 180 * SECOND,
            stall_timeout: 15 * 60 * SECOND,
            request_body: 1 << 20,
            stop_timeout: 10 * SECOND,
            log_level: Level::INFO,
            log_format: LogFormat::Text,
            admin_password: None,
        }
    }

    /// Most files that a server with these settings has open at a time.
    pub fn open_files(&self) -> u64 {
        let connections = u64::try_from(self.connections).unwrap_or(u64::MAX);
        connections.saturating_mul(FILES_PER_CONNECTION).saturating_add(FILES_BESIDES)
    }

    /// The most connections for which this many open files are enough.
    pub fn connections_with(&self, files: u64) -> usize {
        let enough = files.saturating_sub(FILES_BESIDES) / FILES_PER_CONNECTION;
        usize::try_from(enough).unwrap_or(usize::MAX).min(self.connections)
    }

    /// These settings with those of others that a reload changes in a running server.
    pub fn reloaded(&self, new: &Config) -> Config {
        Config {
            public_url: new.public_url.clone(),
            base_path: new.base_path.clone(),
            trusted_proxies: new.trusted_proxies.clone(),
            share_expiry: new.share_expiry,
            share_downloadable: new.share_downloadable,
            share_live: new.share_live,
            share_embed: new.share_embed,
            streams_per_user: new.streams_per_user,
            streams_per_share: new.streams_per_share,
            stream_rate: new.stream_rate,
            share_rate: new.share_rate,
            log_level: new.log_level,
            ..self.clone()
        }
    }

    /// Whether the folders are there and fit for their use: at least one music folder, each a
    /// folder that can be listed, the data folder (made if need be) not on a network file system,
    /// and none inside another even after following links.
    pub fn check_folders(&self) -> Result<()> {
        stop_for(folders::problems(self))
    }

    /// The same for a server that was here before: music folders whose disk comes later do not
    /// stop it. Gives what is to be told of them.
    pub fn check_folders_again(&self) -> Result<Vec<String>> {
        let absent = folders::absent(self);
        if self.music.is_empty() || absent.is_empty() {
            return self.check_folders().map(|()| absent);
        }
        stop_for(folders::beside_absent(self, false)).map(|()| absent)
    }
}

/// Reads the settings of this process: flags over `KINGLET_*` variables over the file.
///
/// The file is the first of: `--config`, `KINGLET_CONFIG`, `kinglet.toml` in the data folder (as
/// flags and environment name it) and `/etc/kinglet/kinglet.toml`. The first two must exist.
///
/// # Errors
/// One error that names every problem found, each with its place and the way out.
pub fn read(flags: &Flags) -> Result<Config> {
    Ok(read_sources(flags, &sources::environment()?)?.0)
}

/// The same with this environment; gives the file too.
fn read_sources(flags: &Flags, environment: &[(String, String)]) -> Result<(Config, Option<File>)> {
    let file = sources::find_file(flags, environment)?;
    Ok((load(flags, environment, file.as_ref())?, file))
}

/// Reads the settings of a demo: flags alone, so that a real server's settings and data are left
/// alone.
///
/// # Errors
/// As for [`read`].
pub fn read_for_demo(flags: &Flags) -> Result<Config> {
    let environment = sources::of_the_person(sources::environment()?);
    load(flags, &environment, None)
}

/// The settings from given sources, later ones over earlier: file, environment, flags.
///
/// Relative folders count from the file's folder where they stand in the file, else from the
/// current one; `~/` is the home folder.
///
/// # Errors
/// One error that names every problem found, each with its place and the way out.
pub fn load(
    flags: &Flags,
    environment: &[(String, String)],
    file: Option<&File>,
) -> Result<Config> {
    let mut settings = Settings::gather(flags, environment, file);
    let mut config = Config::defaults(sources::default_data(environment).unwrap_or_default());
    let home = sources::variable(environment, "HOME").map(Path::new);

    settings.folders("music", home, &mut config.music);
    settings.folder("data", home, &mut config.data);
    config.key = sources::key(environment);
    config.cache = sources::cache(environment).unwrap_or_else(|| config.data.clone());
    config.backup_folder = config.data.join("backups");
    settings.folder("backup_folder", home, &mut config.backup_folder);
    settings.set("backup_every", &mut config.backup_every, |text| {
        values::duration_or_never(text, HOUR..=30 * 24 * HOUR)
    });
    settings.set("backup_keep", &mut config.backup_keep, |text| values::count(text, 1..=1000));
    settings.set("listen", &mut config.listen, values::listen);
    settings.set("public_url", &mut config.public_url, values::public_url);
    let mut base_path = None;
    settings.set("base_path", &mut base_path, values::base_path);
    config.base_path = base_path.unwrap_or_else(|| values::path_of(config.public_url.as_deref()));
    let (mut certificate, mut key) = (None, None);
    settings.file("tls_certificate", home, &mut certificate);
    settings.file("tls_key", home, &mut key);
    settings.set("mdns", &mut config.mdns, values::mdns);
    settings.list("trusted_proxies", &mut config.trusted_proxies, Network::parse);
    settings.set("scan_on_start", &mut config.scan_on_start, values::flag);
    settings.set("share_expiry", &mut config.share_expiry, values::expiry);
    settings.set("share_downloadable", &mut config.share_downloadable, values::flag);
    settings.set("share_live", &mut config.share_live, values::flag);
    settings.set("share_embed", &mut config.share_embed, values::flag);
    settings.list("ignored_articles", &mut config.ignored_articles, |word| Ok(word.to_owned()));
    settings.set("cover_workers", &mut config.cover_workers, |text| values::count(text, 1..=8));
    settings
        .set("cover_cache", &mut config.cover_cache, |text| values::bytes(text, MIB..=1024 * GIB));
    settings.set("connections", &mut config.connections, |text| values::count(text, 8..=65_536));
    settings.set("streams_per_user", &mut config.streams_per_user, |text| {
        values::count(text, 1..=4096)
    });
    settings.set("streams_per_share", &mut config.streams_per_share, |text| {
        values::count(text, 1..=4096)
    });
    settings.set("stream_rate", &mut config.stream_rate, values::rate);
    settings.set("share_rate", &mut config.share_rate, values::rate);
    settings.set("header_size", &mut config.header_size, |text| {
        values::bytes_in_memory(text, 8 * KIB..=MIB)
    });
    settings.set("header_timeout", &mut config.header_timeout, |text| {
        values::duration(text, SECOND..=300 * SECOND)
    });
    settings.set("idle_timeout", &mut config.idle_timeout, |text| {
        values::duration(text, SECOND..=HOUR)
    });
    settings.set("stall_timeout", &mut config.stall_timeout, |text| {
        values::duration(text, 10 * SECOND..=24 * HOUR)
    });
    settings.set("request_body", &mut config.request_body, |text| {
        values::bytes_in_memory(text, 64 * KIB..=64 * MIB)
    });
    settings.set("stop_timeout", &mut config.stop_timeout, |text| {
        values::duration(text, Duration::ZERO..=300 * SECOND)
    });
    settings.set("metrics_listen", &mut config.metrics_listen, values::listen_if_any);
    settings.set("log_level", &mut config.log_level, values::log_level);
    settings.set("log_format", &mut config.log_format, values::log_format);
    settings.set("admin_password", &mut config.admin_password, values::password);

    let mut problems = settings.problems;
    if config.data.as_os_str().is_empty() {
        problems.push(
            "data: there is no home folder to keep the data in; name a folder by --data".to_owned(),
        );
    }
    if config.music.len() > MOST_MUSIC_FOLDERS {
        problems.push(format!(
            "music: {} folders are more than the {MOST_MUSIC_FOLDERS} that are possible; \
             name a folder above some of them",
            config.music.len()
        ));
    }
    problems.extend(folders::overlaps(&config.music, &config.data));
    problems.extend(folders::backups_in_music(&config.music, &config.backup_folder));
    config.tls = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
        (None, None) => None,
        (Some(_), None) => {
            problems.push("tls_certificate: name the file of its key too, by tls_key".to_owned());
            None
        }
        (None, Some(_)) => {
            problems.push(
                "tls_key: name the file of its certificate too, by tls_certificate".to_owned(),
            );
            None
        }
    };
    stop_for(problems)?;
    Ok(config)
}

/// One error for all problems, or none for none.
fn stop_for(problems: Vec<String>) -> Result<()> {
    match problems.as_slice() {
        [] => Ok(()),
        [problem] => Err(Error::new(problem)),
        several => Err(Error::new(format!(
            "{} settings cannot be used:\n  {}",
            several.len(),
            several.join("\n  ")
        ))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const HOME: &str = "/home/anna";

    fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let home = [("HOME", HOME)];
        home.iter().chain(pairs).map(|(name, text)| ((*name).into(), (*text).into())).collect()
    }

    fn file(text: &str) -> File {
        File { path: "/etc/kinglet/kinglet.toml".into(), text: text.into() }
    }

    fn from_file(text: &str) -> Result<Config> {
        load(&Flags::default(), &environment(&[]), Some(&file(text)))
    }

    fn problem(result: Result<Config>) -> String {
        result.err().expect("this should have been refused").to_string()
    }

    #[test]
    fn without_any_source_the_defaults_hold() {
        let config = load(&Flags::default(), &environment(&[]), None).unwrap();
        assert!(config == Config::defaults("/home/anna/.local/share/kinglet".into()));
    }

    #[test]
    fn the_defaults_that_people_are_told_are_the_real_ones() {
        let mut text = String::new();
        for setting in &SETTINGS {
            text += &format!("{} = {}\n", setting.name, setting.default);
        }
        let mut expected = Config::defaults("/var/lib/kinglet".into());
        expected.music = vec!["/srv/music".into()];
        assert!(from_file(&text).unwrap() == expected);
    }

    #[test]
    fn flags_beat_the_environment_and_that_beats_the_file() {
        let file = file("listen = '1.1.1.1:1'\ndata = '/file'\nlog_level = 'warn'\nmusic = '/f'");
        let environment = environment(&[
            ("KINGLET_LISTEN", "2.2.2.2:2"),
            ("KINGLET_DATA", "/environment"),
            ("KINGLET_MUSIC", "/e1:/e2"),
        ]);
        let flags = Flags {
            listen: Some("3.3.3.3:3".into()),
            music: vec!["/with:colon".into()],
            ..Flags::default()
        };
        let config = load(&flags, &environment, Some(&file)).unwrap();
        assert_eq!(config.listen.to_string(), "3.3.3.3:3");
        assert_eq!(config.music, [PathBuf::from("/with:colon")]);
        assert_eq!(config.data, PathBuf::from("/environment"));
        assert_eq!(config.log_level, Level::WARN);
        let config = load(&Flags::default(), &environment, Some(&file)).unwrap();
        assert_eq!(config.music, [PathBuf::from("/e1"), PathBuf::from("/e2")]);
    }

    #[test]
    fn every_setting_can_come_from_the_environment() {
        let mut pairs = vec![("KINGLET_ADMIN_PASSWORD".to_owned(), "sesame".to_owned())];
        for setting in &SETTINGS {
            let text = setting.default.trim_matches(['"', '[', ']']);
            pairs.push((format!("KINGLET_{}", setting.name.to_uppercase()), text.to_owned()));
        }
        let mut expected = Config::defaults("/var/lib/kinglet".into());
        expected.music = vec!["/srv/music".into()];
        expected.admin_password = Some("sesame".into());
        assert!(load(&Flags::default(), &pairs, None).unwrap() == expected);
    }

    #[test]
    fn all_problems_are_told_together_each_with_its_place() {
        let file = file("musik = '/m'\n\nlisten = 'here'\ncover_workers = 9\n[share]\nexpiry = 1");
        let environment = environment(&[("KINGLET_LISTN", "x"), ("KINGLET_STALL_TIMEOUT", "1")]);
        let flags = Flags { log_format: Some("xml".into()), ..Flags::default() };
        let problem = problem(load(&flags, &environment, Some(&file)));
        let path = "/etc/kinglet/kinglet.toml";
        for part in [
            "7 settings cannot be used:",
            &format!("{path}, line 1: there is no setting `musik`; did you mean `music`?"),
            &format!("listen in {path}, line 3: `here` is no address with a port"),
            &format!("cover_workers in {path}, line 4: `9` is no whole number from 1 to 8"),
            &format!("{path}, line 5: settings are not grouped"),
            "KINGLET_LISTN: there is no such setting; did you mean KINGLET_LISTEN?",
            "KINGLET_STALL_TIMEOUT: `1` is no duration",
            "--log-format: `xml` is neither text nor json",
        ] {
            assert!(problem.contains(part), "{part}\n{problem}");
        }
    }

    #[test]
    fn a_broken_file_names_its_line() {
        let problem = problem(from_file("listen = '0.0.0.0:1'\ndata = \nconnections = 9\n"));
        assert!(
            problem.starts_with("/etc/kinglet/kinglet.toml, line 2: this is no TOML"),
            "{problem}"
        );
        let twice = self::problem(from_file("data = '/a'\ndata = '/b'"));
        assert!(twice.contains("line 2"), "{twice}");
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused() {
        for text in [
            "listen = ['0.0.0.0:1']",
            "data = ['/a', '/b']",
            "data = ''",
            "music = [1]",
            "cover_workers = 1.5",
            "scan_on_start = 2020-01-01",
            "connections = 99999999999999999999",
            "trusted_proxies = ['10.0.0.0/99']",
        ] {
            assert!(problem(from_file(text)).contains("kinglet.toml, line 1"), "{text}");
        }
    }

    #[test]
    fn the_password_comes_from_the_environment_alone_and_is_never_shown() {
        let told = problem(from_file("admin_password = 'sesame'"));
        assert!(told.contains("KINGLET_ADMIN_PASSWORD") && !told.contains("sesame"), "{told}");
        let environment =
            environment(&[("KINGLET_ADMIN_PASSWORD", "sesame"), ("KINGLET_DATA", "")]);
        assert!(!problem(load(&Flags::default(), &environment, None)).contains("sesame"));
    }

    #[test]
    fn folders_are_whole_paths() {
        let config =
            from_file("music = ['~/Music', 'more', '/srv/x']\ndata = '~/.kinglet'").unwrap();
        let expected = ["/home/anna/Music", "/etc/kinglet/more", "/srv/x"].map(PathBuf::from);
        assert_eq!(config.music, expected);
        assert_eq!(config.data, PathBuf::from("/home/anna/.kinglet"));
        let flags = Flags { music: vec!["here".into()], ..Flags::default() };
        let config = load(&flags, &environment(&[]), None).unwrap();
        assert_eq!(config.music, [std::env::current_dir().unwrap().join("here")]);
        let homeless = load(&Flags::default(), &[], Some(&file("music = '~/Music'")));
        let told = problem(homeless);
        assert!(told.contains("no home folder here") && told.contains("--data"), "{told}");
    }

    #[test]
    fn the_service_keeps_its_data_where_systemd_says() {
        let folder = tempfile::tempdir().unwrap();
        let credentials = folder.path().to_str().unwrap();
        let given =
            [("CACHE_DIRECTORY", "/var/cache/kinglet"), ("CREDENTIALS_DIRECTORY", credentials)];
        let from =
            |data| load(&Flags { data, ..Flags::default() }, &environment(&given), None).unwrap();
        let config = from(Some("/data".into()));
        assert_eq!((config.cache, config.key), ("/var/cache/kinglet".into(), None));
        let key = folder.path().join("kinglet.key");
        std::fs::write(&key, "").unwrap();
        assert_eq!(from(None).key, Some(key));

        let environment = environment(&[
            ("STATE_DIRECTORY", "/var/lib/kinglet:/var/lib/other"),
            ("XDG_DATA_HOME", "/xdg"),
        ]);
        let config = load(&Flags::default(), &environment, None).unwrap();
        assert_eq!(config.data, PathBuf::from("/var/lib/kinglet"));
        assert_eq!(config.cache, config.data);
        let config = load(&Flags::default(), &environment[..1], None).unwrap();
        assert_eq!(config.data, PathBuf::from("/home/anna/.local/share/kinglet"));
    }

    #[test]
    fn the_base_path_is_that_of_the_public_url_unless_it_is_set() {
        for (text, expected) in [
            ("public_url = 'https://a.b/music/'", "/music"),
            ("public_url = 'https://a.b'", ""),
            ("public_url = 'https://a.b/music'\nbase_path = '/inside'", "/inside"),
            ("public_url = 'https://a.b/music'\nbase_path = '/'", ""),
            ("public_url = 'https://a.b/share'", ""),
        ] {
            assert_eq!(from_file(text).unwrap().base_path, expected, "{text}");
        }
    }

    #[test]
    fn a_certificate_and_its_key_come_together() {
        let tls = from_file("tls_certificate = 'cert.pem'\ntls_key = '~/key.pem'").unwrap().tls;
        let files = TlsFiles {
            certificate: "/etc/kinglet/cert.pem".into(),
            key: "/home/anna/key.pem".into(),
        };
        assert_eq!(tls, Some(files));
        assert!(problem(from_file("tls_certificate = 'x'")).contains("tls_key"));
        assert!(problem(from_file("tls_key = 'x'")).contains("tls_certificate"));
        assert!(problem(from_file("tls_key = ['x']")).contains("one value"));
    }

    #[test]
    fn folders_inside_each_other_are_refused() {
        let told = problem(from_file("music = ['/m', '/m/jazz']\ndata = '/m/data'"));
        assert!(told.contains("`/m/jazz` lies inside `/m`"), "{told}");
        assert!(told.contains("`/m/data` lies inside the music folder `/m`"), "{told}");
        let many: Vec<String> = (0..=MOST_MUSIC_FOLDERS).map(|n| format!("'/m{n}'")).collect();
        let told = problem(from_file(&format!("music = [{}]", many.join(","))));
        assert!(told.contains("61 folders are more than the 60"), "{told}");
    }

    #[test]
    fn lists_can_be_words_too() {
        let config =
            from_file("trusted_proxies = '127.0.0.1, ::1'\nignored_articles = ''").unwrap();
        assert_eq!(config.trusted_proxies.len(), 2);
        assert!(config.ignored_articles.is_empty());
        let config = from_file("ignored_articles = ['The', 'Die Ärzte und']").unwrap();
        assert_eq!(config.ignored_articles, ["The", "Die Ärzte und"]);
    }

    proptest::proptest! {
        #[test]
        fn no_file_makes_it_panic(text in "([a-z_]{1,9} ?= ?|\\[|\\]|'|\"|[0-9]{1,3}|\n|,|.){0,30}") {
            let _ = from_file(&text);
        }
    }
}
