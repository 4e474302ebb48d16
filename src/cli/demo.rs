//! `kinglet demo`: a server with music of its own, for somebody who wants to see before believing.

use std::fs::{self, DirBuilder};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::print;
use crate::account::{self, NewUser};
use crate::app::App;
use crate::config::Config;
use crate::db::Viewer;
use crate::db::search::{self, Page};
use crate::db::shares::{self, NewShare, Options};
use crate::db::users::{ALL_MUSIC_FOLDERS, ALL_ROLES};
use crate::error::{Error, Result};
use crate::id::Id;
use crate::serve::Server;
use crate::{clock, demo, scan, secret};

/// The demo's user.
const USER: &str = "demo";

/// Composes, scans, shares and serves until it is told to stop; then all of it is removed.
pub fn run(mut config: Config) -> Result<ExitCode> {
    // The address comes first: a link that another program answers would be worse than none.
    let server = Server::bind(&config, None)?;
    let folder = Temporary::make()?;
    let music = folder.0.join("music");
    config.data = folder.0.join("data");
    config.music = vec![music.clone()];
    config.scan_on_start = false;
    print("Composing a small album ...\n");
    demo::compose(&music, || server.is_stopping())?;
    if server.is_stopping() {
        return Ok(ExitCode::SUCCESS);
    }

    let base = config.public_url.clone().unwrap_or_else(|| url(server.address()));
    let app = App::open(config)?;
    scan::run(&app.db, &app.config, &app.scanner)?;
    let password = secret::password()?;
    let new = NewUser {
        name: USER,
        password: &password,
        email: "",
        roles: ALL_ROLES,
        music_folders: ALL_MUSIC_FOLDERS,
    };
    let user = account::create(&app, &new)?
        .ok_or_else(|| Error::new("the demo's user is there already"))?;
    let token = share(&app, user.viewer())?;
    print(&format!(
        "\n  Open in a browser    {base}/share/{token}\n\n  \
         or in a Subsonic client\n    server             {base}\n    user               {USER}\n    \
         password           {password}\n\n  Stop with Ctrl+C; nothing stays behind.\n\n"
    ));
    server.run(app, None)?;
    Ok(ExitCode::SUCCESS)
}

/// Shares the album; gives the token of the link.
fn share(app: &App, viewer: Viewer) -> Result<String> {
    let token = secret::share_token()?;
    let everything = Page { count: 1, offset: 0 };
    app.db.write(|db| {
        let albums = search::albums(db, viewer, "", everything)?;
        let entries: Vec<Id> = albums.iter().map(|album| Id::Album(album.id)).collect();
        let new = NewShare {
            token: &token,
            user: viewer.user,
            description: Some("Five small pieces, composed by the server you are listening to."),
            created: clock::now(),
            expires: None,
            entries: &entries,
            options: Options::OPEN,
        };
        shares::create(db, &new)
    })?;
    Ok(token)
}

/// Where this machine finds a server that listens there.
fn url(mut listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() {
        listen.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{listen}")
}

/// A folder of our own, removed with all that is in it at the end.
struct Temporary(PathBuf);

impl Temporary {
    fn make() -> Result<Temporary> {
        let name = format!("kinglet-demo-{}", secret::word(8)?);
        let folder = std::env::temp_dir().join(name);
        let made = DirBuilder::new().mode(0o700).create(&folder);
        made.map_err(|cause| failed(&folder, cause))?;
        Ok(Temporary(folder))
    }
}

fn failed(folder: &Path, cause: std::io::Error) -> Error {
    let remedy = "TMPDIR names another place";
    Error::caused(format!("cannot make the folder {} ({remedy})", folder.display()), cause)
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "the demo's folder stays behind");
        }
    }
}
