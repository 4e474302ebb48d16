//! `kinglet check`: what a server would start with, what is wrong with it and how to mend that.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use hyper::http::Uri;
use rustix::fs::{Access, access, statvfs};
use rustix::process::{Resource, getrlimit};

use super::print;
use crate::clock::day;
use crate::config::{Config, network_file_system};
use crate::db::check::{self, Depth};
use crate::db::copy;
use crate::http::tls::{self, PLAIN_HTTP, Tls};
use crate::keeping::{database, lock, nightly, report};
use crate::media::send::{Mode, Sender};

/// Free space in the data folder below which a server is not worth starting: a few writes of the
/// database would already fail.
const LEAST_FREE: u64 = 32 << 20;

/// Free space in the data folder that is enough for the database of a large library beside the
/// covers.
const GOOD_FREE: u64 = 256 << 20;

/// An address the server listens on.
struct Listening {
    setting: &'static str,
    /// What gives it another address.
    remedy: &'static str,
    /// An address that every machine has, and what it is good for.
    instead: (&'static str, &'static str),
    /// What a running server is asked for there.
    path: &'static str,
    /// What it answers and no other program does.
    sign: &'static str,
}

/// Where clients and friends come to.
const DOORS: Listening = Listening {
    setting: "listen",
    remedy: "--listen",
    instead: ("0.0.0.0", "listens on all of them"),
    path: "/rest/ping?f=json",
    sign: "\"type\":\"kinglet\"",
};

/// Where metrics are told.
const METRICS: Listening = Listening {
    setting: "metrics_listen",
    remedy: "this setting",
    instead: ("127.0.0.1", "listens for this machine alone"),
    path: "/metrics",
    sign: "kinglet_build_info",
};

/// How long whoever listens on our address may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// Most bytes read of that answer.
const MOST_ANSWER: u64 = 4096;

/// What was found about one thing.
#[derive(Debug, PartialEq)]
enum Finding {
    /// It is as it should be.
    Good(String),
    /// A server can start, but somebody should know this.
    Odd(String),
    /// A server cannot start, or not serve.
    Bad(String),
}
use Finding::{Bad, Good, Odd};

/// Looks at everything, prints what was found and changes nothing. The code is a failure where a
/// server could not start.
pub fn run(config: &Config) -> ExitCode {
    let findings = look(config);
    for finding in &findings {
        print(&match finding {
            Good(text) => format!("ok    {text}\n"),
            Odd(text) => format!("note  {text}\n"),
            Bad(text) => format!("FAIL  {text}\n"),
        });
    }
    let bad = findings.iter().filter(|finding| matches!(finding, Bad(_))).count();
    if bad > 0 {
        print(&format!("\n{bad} to mend before a server can start.\n"));
        return ExitCode::FAILURE;
    }
    print("\nA server can start with this.\n");
    ExitCode::SUCCESS
}

fn look(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    if config.music.is_empty() {
        findings.push(Bad(
            "music: no music folder is named. Name one by --music FOLDER or in the settings file."
                .to_owned(),
        ));
    }
    findings.extend(config.music.iter().map(|folder| music(folder)));
    findings.extend(data(config));
    findings.extend(keeping(config));
    // Held until the end: a server needs both addresses at a time.
    let doors = match config.tls {
        None => DOORS,
        Some(_) => Listening { sign: PLAIN_HTTP.trim_ascii_end(), ..DOORS },
    };
    let (finding, _listener) = listen(&doors, config.listen);
    findings.push(finding);
    if let Some(files) = &config.tls {
        findings.push(match Tls::open(&files.certificate, &files.key, tls::LOOK_EVERY) {
            Ok(_) => Good("tls: the certificate and its key can be used".to_owned()),
            Err(error) => Bad(error.to_string()),
        });
    }
    if let Some(address) = config.metrics_listen {
        findings.extend(metrics(address));
    }
    findings.push(open_files(config, getrlimit(Resource::Nofile).maximum));
    findings.push(public_url(config.public_url.as_deref()));
    findings
}

fn music(folder: &Path) -> Finding {
    let name = format!("music: `{}`", folder.display());
    match fs::metadata(folder) {
        Err(error) => {
            return Bad(format!("{name} is not there ({error}). Is its disk mounted?"));
        }
        Ok(found) if !found.is_dir() => {
            return Bad(format!("{name} is no folder. Name the folder the music lies in."));
        }
        Ok(_) => {}
    }
    match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Err(error) => Bad(format!(
            "{name} cannot be read ({error}). Let this user read it: `chmod -R a+rX`, or put the \
             user into the folder's group."
        )),
        Ok(false) => Odd(format!("{name} is empty. Is its disk mounted?")),
        Ok(true) => match Sender::new(Mode::Mapped).check(folder) {
            Ok(Mode::Mapped) => {
                Good(format!("{name} can be read; songs are sent from memory maps"))
            }
            Ok(Mode::Read) => Odd(format!(
                "{name} can be read; memory maps do not work here, so songs are read, which takes \
                 more memory"
            )),
            Err(error) => Bad(format!("{name} cannot be looked at ({error})")),
        },
    }
}

fn data(config: &Config) -> Vec<Finding> {
    let name = format!("data: `{}`", config.data.display());
    // A folder that is still to be made is judged by the one it will be made in.
    let Some(there) = config.data.ancestors().find(|folder| folder.exists()) else {
        return vec![Bad(format!("{name} has no folder above it"))];
    };
    if !there.is_dir() {
        return vec![Bad(format!(
            "{name} cannot be made, `{}` is a file. Name another folder by --data.",
            there.display()
        ))];
    }
    if let Some(system) = network_file_system(there) {
        return vec![Bad(format!(
            "{name} lies on a network file system ({system}), where the database can be damaged. \
             Name a folder on a disk of this machine by --data; music may stay where it is."
        ))];
    }
    if let Err(error) = access(there, Access::WRITE_OK | Access::EXEC_OK) {
        return vec![Bad(format!(
            "{name}: this user may not write to `{}` ({error}). Give it to the user by `chown`, \
             or name another folder by --data.",
            there.display()
        ))];
    }
    vec![Good(format!("{name} can be written to")), space(&name, there, config.cover_cache)]
}

/// What was saved, what was lost, and whether there are backups.
fn keeping(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in report::all(&config.data) {
        let text = text.trim_end().replace('\n', "\n        ");
        findings.push(Odd(format!(
            "data: {text}\n      This was reported in {}; remove that file once it is read.",
            path.display()
        )));
    }
    if !database(&config.data).exists() {
        return findings;
    }
    // A server that runs keeps watch itself, and what it has open is not as it was closed.
    if !lock::is_served(&config.data) {
        findings.push(sound(&database(&config.data)));
    }
    let folder = config.backup_folder.display();
    findings.push(match (nightly::last(config), config.backup_every) {
        (Some(created), _) => {
            Good(format!("backup_folder: the newest backup in {folder} is of {}", day(created)))
        }
        (None, Some(_)) => Odd(format!(
            "backup_folder: there is no backup in {folder} yet; a server makes one, or `kinglet \
             backup`"
        )),
        (None, None) => Odd(
            "backup_every: no backups are made. Set it to 24h, or run `kinglet backup` each night."
                .to_owned(),
        ),
    });
    findings
}

/// Whether the database is sound. Nothing is changed by looking.
fn sound(file: &Path) -> Finding {
    // SQLite would bring the log into the file, as far as it can read it.
    if copy::has_log(file) {
        return Good(
            "data: the database was not closed; the next start looks through it".to_owned(),
        );
    }
    match check::examine(file, Depth::All) {
        Ok(damage) if damage.is_none() => Good("data: the database is sound".to_owned()),
        Ok(damage) if damage.is_of_rows_alone() => Odd(format!(
            "data: another program or the disk changed the database: {}. The next start takes it as \
             it is; `kinglet restore` brings back an earlier state.",
            damage.in_words()
        )),
        Ok(damage) => Odd(format!(
            "data: the database is damaged: {}. The next start moves it aside and makes it anew of \
             what can be read and the newest backup.",
            damage.in_words()
        )),
        Err(error) => Bad(format!("data: {error}")),
    }
}

fn space(name: &str, folder: &Path, covers: u64) -> Finding {
    let free = match statvfs(folder) {
        Ok(system) => system.f_bavail.saturating_mul(system.f_frsize),
        Err(error) => return Odd(format!("{name}: the free space cannot be told ({error})")),
    };
    judge_space(name, free, covers)
}

fn judge_space(name: &str, free: u64, covers: u64) -> Finding {
    let megabytes = format!("{name} has {} MiB of free space", free >> 20);
    if free < LEAST_FREE {
        Bad(format!("{megabytes}, at least {} are needed. Make room.", LEAST_FREE >> 20))
    } else if free < GOOD_FREE.saturating_add(covers) {
        Odd(format!(
            "{megabytes}: little for the database of a large library and up to {} MiB of covers \
             (cover_cache)",
            covers >> 20
        ))
    } else {
        Good(megabytes)
    }
}

/// Tries to listen on an address; gives the listener too where that can be done.
fn listen(what: &Listening, address: SocketAddr) -> (Finding, Option<TcpListener>) {
    let Listening { setting, remedy, instead: (ip, good_for), .. } = what;
    let error = match TcpListener::bind(address) {
        Ok(listener) => return (Good(format!("{setting}: {address} is free")), Some(listener)),
        Err(error) => error,
    };
    let finding = match error.kind() {
        io::ErrorKind::AddrInUse if is_kinglet(what, address) => {
            Good(format!("{setting}: Kinglet is running on {address}"))
        }
        io::ErrorKind::AddrInUse => Bad(format!(
            "{setting}: {address} is taken by another program. Stop that, or choose another port \
             by {remedy}."
        )),
        io::ErrorKind::AddrNotAvailable => Bad(format!(
            "{setting}: {address} is no address of this machine. {ip}:{} {good_for}.",
            address.port()
        )),
        io::ErrorKind::PermissionDenied => Bad(format!(
            "{setting}: this user may not use port {}. Choose one above 1023, and let a reverse \
             proxy serve ports 80 and 443.",
            address.port()
        )),
        _ => Bad(format!(
            "{setting}: {address} cannot be used ({error}). Choose another by {remedy}."
        )),
    };
    (finding, None)
}

fn metrics(address: SocketAddr) -> Vec<Finding> {
    let (finding, _) = listen(&METRICS, address);
    let open = Odd(format!(
        "metrics_listen: whoever reaches {address} can read the metrics. 127.0.0.1:{} is for this \
         machine alone.",
        address.port()
    ));
    [finding].into_iter().chain((!is_at_home(address.ip())).then_some(open)).collect()
}

/// Whether an address can be reached from this machine or its network alone.
fn is_at_home(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_private() || address.is_loopback() || address.is_link_local()
        }
        IpAddr::V6(address) => {
            address.is_unique_local() || address.is_loopback() || address.is_unicast_link_local()
        }
    }
}

/// Whether the program that listens on an address answers as Kinglet does.
fn is_kinglet(what: &Listening, address: SocketAddr) -> bool {
    let loopback: IpAddr = match address {
        SocketAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
        SocketAddr::V6(_) => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
    };
    let ip = if address.ip().is_unspecified() { loopback } else { address.ip() };
    let ask = || -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&(ip, address.port()).into(), PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let path = what.path;
        stream.write_all(
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        )?;
        let mut answer = Vec::new();
        // A connection that ends badly has still told something before.
        let _ = stream.take(MOST_ANSWER).read_to_end(&mut answer);
        Ok(answer)
    };
    let sign = what.sign.as_bytes();
    ask().is_ok_and(|answer| answer.windows(sign.len()).any(|part| part == sign))
}

/// `limit` is the most files this process may allow itself to have open; `None` is no limit.
fn open_files(config: &Config, limit: Option<u64>) -> Finding {
    let (connections, needed) = (config.connections, config.open_files());
    match limit {
        Some(limit) if limit < needed => Odd(format!(
            "connections: {connections} connections may need {needed} open files, {limit} are \
             allowed, so there will be {} connections. Allow more (LimitNOFILE in the unit, `ulimit -n` in a shell) or lower \
             connections.",
            config.connections_with(limit)
        )),
        _ => Good(format!("connections: there are open files enough for {connections}")),
    }
}

fn public_url(url: Option<&str>) -> Finding {
    let Some(url) = url else {
        return Odd("public_url: not set. Share links begin with the address their maker uses; \
             set it if friends outside are to open them."
            .to_owned());
    };
    let uri: Option<Uri> = url.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let at_home = match bare.parse::<IpAddr>() {
        Ok(address) => is_at_home(address),
        Err(_) => bare == "localhost" || bare.ends_with(".local") || !bare.contains('.'),
    };
    if at_home {
        Odd(format!("public_url: `{url}` opens at home only; friends outside cannot reach it."))
    } else if url.starts_with("http://") {
        Odd(format!(
            "public_url: `{url}` is not encrypted. Let a reverse proxy serve it by https, so that \
             nobody on the way can read links and passwords."
        ))
    } else {
        Good(format!("public_url: share links begin with {url}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::{Flags, load};
    use std::thread;

    fn config(music: &Path, data: &Path) -> Config {
        let flags = Flags {
            music: vec![music.to_str().unwrap().into()],
            data: Some(data.to_str().unwrap().into()),
            listen: Some("127.0.0.1:0".into()),
            ..Flags::default()
        };
        load(&flags, &[], None).unwrap()
    }

    #[test]
    fn a_good_set_up_has_nothing_bad_and_is_not_changed() {
        let disk = tempfile::tempdir().unwrap();
        let music = disk.path().join("music");
        fs::create_dir_all(music.join("Album")).unwrap();
        let config = config(&music, &disk.path().join("not/yet/there"));
        let findings = look(&config);
        assert!(!findings.iter().any(|finding| matches!(finding, Bad(_))), "{findings:?}");
        assert!(!disk.path().join("not").exists());
    }

    #[test]
    fn folders_that_do_not_serve_are_named() {
        let disk = tempfile::tempdir().unwrap();
        let file = disk.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(music(&disk.path().join("gone")), Bad(text) if text.contains("mounted")));
        assert!(matches!(music(&file), Bad(text) if text.contains("no folder")));
        let empty = disk.path().join("empty");
        fs::create_dir(&empty).unwrap();
        assert!(matches!(music(&empty), Odd(text) if text.contains("is empty")));
        let findings = data(&config(&empty, &file.join("data")));
        assert!(matches!(findings.as_slice(), [Bad(text)] if text.contains("is a file")));
    }

    #[test]
    fn too_little_space_is_bad_and_not_much_is_odd() {
        assert!(matches!(judge_space("d", LEAST_FREE - 1, 0), Bad(_)));
        assert!(matches!(judge_space("d", GOOD_FREE, 1), Odd(_)));
        assert!(matches!(judge_space("d", GOOD_FREE, 0), Good(_)));
    }

    #[test]
    fn an_address_in_use_is_told_from_kinglet_itself() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = other.local_addr().unwrap();
        let answer = |listener: TcpListener, text: &'static str| {
            thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    request.extend(byte);
                }
                stream.write_all(text.as_bytes()).unwrap();
                listener
            })
        };
        let stranger = answer(other, "HTTP/1.1 200 OK\r\n\r\nhello");
        assert!(
            matches!(listen(&DOORS, address).0, Bad(text) if text.contains("taken by another"))
        );
        let ours = answer(
            stranger.join().unwrap(),
            "HTTP/1.1 200 OK\r\n\r\n{\"subsonic-response\":{\"type\":\"kinglet\"}}",
        );
        assert!(matches!(listen(&DOORS, address).0, Good(_)));
        ours.join().unwrap();
        let (foreign, _) = listen(&DOORS, "203.0.113.1:4040".parse().unwrap());
        assert!(matches!(foreign, Bad(text) if text.contains("no address of this machine")));
    }

    #[test]
    fn metrics_have_an_address_of_their_own_and_not_for_everybody() {
        let disk = tempfile::tempdir().unwrap();
        let mut config = config(&disk.path().join("m"), &disk.path().join("d"));
        let about_metrics = |config: &Config| -> Vec<Finding> {
            let of = |finding: &Finding| match finding {
                Good(text) | Odd(text) | Bad(text) => text.starts_with("metrics_listen: "),
            };
            look(config).into_iter().filter(of).collect()
        };
        assert_eq!(about_metrics(&config), []);
        config.metrics_listen = Some("127.0.0.1:0".parse().unwrap());
        assert!(matches!(about_metrics(&config).as_slice(), [Good(_)]));
        config.metrics_listen = Some("0.0.0.0:0".parse().unwrap());
        assert!(matches!(about_metrics(&config).as_slice(), [Good(_), Odd(_)]));
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        (config.listen, config.metrics_listen) = (free, Some(free));
        let findings = about_metrics(&config);
        assert!(matches!(findings.as_slice(), [Bad(text)] if text.contains("taken")));
    }

    #[test]
    fn open_files_are_counted_against_connections() {
        let disk = tempfile::tempdir().unwrap();
        let config = config(&disk.path().join("m"), &disk.path().join("d"));
        assert!(matches!(open_files(&config, Some(1024)), Odd(text) if text.contains("1088")));
        assert!(matches!(open_files(&config, Some(1088)), Good(_)));
        assert!(matches!(open_files(&config, None), Good(_)));
    }

    #[test]
    fn an_address_that_opens_at_home_only_is_odd() {
        let odd = |url| matches!(public_url(Some(url)), Odd(_));
        for url in [
            "http://192.168.1.2:4040",
            "https://[fd00::1]",
            "https://localhost",
            "https://pi.local/music",
            "https://pi",
            "http://music.example.org",
        ] {
            assert!(odd(url), "{url}");
        }
        assert!(!odd("https://music.example.org"));
        assert!(!odd("https://203.0.113.7"));
        assert!(matches!(public_url(None), Odd(_)));
    }
}
