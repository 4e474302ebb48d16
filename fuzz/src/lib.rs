//! What several fuzz targets share: inputs in files, an XML reader by others, a server with a library.

use std::fs::{self, File};
use std::io::Write;
use std::panic;
use std::path::{Path, PathBuf};
use std::process;

use kinglet::app::App;
use kinglet::config::{self, Flags};
use kinglet::db::users::{self, ALL_MUSIC_FOLDERS, ALL_ROLES, User};
use kinglet::http::request::Request;
use kinglet::{route, secret};
use quick_xml::Reader;
use quick_xml::events::Event;
use tempfile::TempDir;

/// The password of every user of [`server`].
pub const PASSWORD: &str = "sesame";

/// A file whose content is set anew for each input: in memory, where the system has such a place.
pub struct Input {
    folder: TempDir,
    path: PathBuf,
}

impl Input {
    /// A file of this name in a folder of its own.
    pub fn new(name: &str) -> Input {
        let folder = folder();
        let path = folder.path().join(name);
        Input { folder, path }
    }

    /// The file with this content.
    pub fn with(&self, content: &[u8]) -> &Path {
        File::create(&self.path).and_then(|mut file| file.write_all(content)).expect("a file");
        &self.path
    }

    /// The folder that it lies in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A new folder, in memory if possible.
pub fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a folder")
}

/// Ends the program at a panic in our code alone. The readers of others stumble over damaged files,
/// which ours catch; libFuzzer would take each for a find.
pub fn let_others_panic() {
    panic::set_hook(Box::new(|info| {
        let others = ["symphonia", "image-", "zune", "png-", "gif-", "weezl", "color_quant"];
        let place = info.location().map_or("", |place| place.file());
        if !others.iter().any(|other| place.contains(other)) {
            eprintln!("{info}");
            process::abort();
        }
    }));
}

/// A server with the library, the users `admin` (every right) and `ben` (none), and shares with the
/// links `open` and `locked`.
pub fn server() -> (App, TempDir) {
    let folder = folder();
    let inside = |name: &str| {
        fs::create_dir(folder.path().join(name)).expect("a folder");
        folder.path().join(name).to_string_lossy().into_owned()
    };
    let music = vec![inside("music"), inside("kids")];
    let flags = Flags { music: music.clone(), data: Some(inside("data")), ..Flags::default() };
    let variables = [("KINGLET_TRUSTED_PROXIES", "127.0.0.1"), ("KINGLET_BASE_PATH", "/music")];
    let variables = variables.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let app =
        App::open(config::load(&flags, &variables, None).expect("settings")).expect("a server");
    let written = app.db.write(|db| {
        for (name, roles) in [("admin", ALL_ROLES), ("ben", 0)] {
            let password = app.vault.seal(name, PASSWORD).expect("a sealed password");
            let user = User {
                name: name.to_owned(),
                password,
                roles,
                music_folders: ALL_MUSIC_FOLDERS,
                ..User::nobody()
            };
            users::create(db, &user)?;
        }
        db.execute_batch(include_str!("../../tests/data/library.sql"))?;
        for (path, id) in music.iter().zip(1..) {
            let path = path.as_bytes();
            db.execute("UPDATE music_folder SET path = ?1 WHERE id = ?2", (path, id))?;
        }
        Ok::<_, rusqlite::Error>(())
    });
    written.expect("a library");
    for (word, id, more) in [("open", 1, "embed=true"), ("locked", 2, "passphrase=sesame")] {
        let call = format!("u=admin&p={PASSWORD}&id=so1&id=al1&{more}");
        let request = Request::get(&format!("/rest/createShare?{call}"));
        route::dispatch(&app, &request.into()).finish();
        let sql = "UPDATE share SET token = ?2, token_hash = ?3 WHERE id = ?1";
        let row = (id, word, secret::token_hash(word));
        assert_eq!(app.db.write(|db| db.execute(sql, row)).expect("a link"), 1);
    }
    (app, folder)
}

/// Panics where a document is no well-formed XML, by the judgement of a reader by others, or has
/// letters that XML 1.0 cannot have.
pub fn check_xml(document: &[u8]) {
    let text = std::str::from_utf8(document).expect("UTF-8");
    let allowed = |letter: char| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(text.chars().all(allowed), "a letter that XML cannot have: {text:?}");
    let mut reader = Reader::from_str(text);
    let mut depth = 0_usize;
    let (mut roots, mut elements) = (0, 0);
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}: {text}")) {
            Event::Start(tag) => {
                check_attributes(&tag, text);
                roots += usize::from(depth == 0);
                depth += 1;
                elements += 1;
            }
            Event::Empty(tag) => {
                check_attributes(&tag, text);
                roots += usize::from(depth == 0);
                elements += 1;
            }
            Event::End(_) => depth -= 1,
            Event::Text(words) => {
                let words = words.decode().expect("text");
                assert!(depth > 0 || words.trim().is_empty(), "text outside: {text}");
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(depth == 0 && roots == 1 && elements > 0, "not one element around all: {text}");
}

fn check_attributes(tag: &quick_xml::events::BytesStart, text: &str) {
    // Duplicate names are an error of these.
    for attribute in tag.attributes().with_checks(true) {
        let attribute = attribute.unwrap_or_else(|error| panic!("{error}: {text}"));
        let value = std::str::from_utf8(&attribute.value).expect("UTF-8");
        quick_xml::escape::unescape(value).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert!(!value.contains('<'), "a bare < in an attribute: {text}");
    }
}
