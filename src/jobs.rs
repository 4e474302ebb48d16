//! What the server does beside its answers: it looks through the database, scans, reads the settings
//! again, writes down what was counted and makes backups.

use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::db::trouble::Trouble;
use crate::error::{Error, Result};
use crate::health::log;
use crate::http::tls::Tls;
use crate::keeping::lock::State;
use crate::keeping::look::{self, Found};
use crate::keeping::nightly::{self, Seen};
use crate::media::send::Mode;
use crate::reload::Reload;
use crate::route::Threads;
use crate::{systemd, visits};

/// Starts the thread that looks through the database, and waits until nobody else can write to it.
/// Tells what is the matter with it, if it is damaged.
///
/// # Errors
/// The system gives no thread.
pub fn look_through(
    app: &Arc<App>,
    left: Option<State>,
) -> Result<watch::Receiver<Option<String>>> {
    const DONE: &str = "the whole database was looked through";
    let (tell, damaged) = watch::channel(None);
    let Some(left) = left else {
        app.in_use.found_sound();
        tracing::info!("{DONE}");
        return Ok(damaged);
    };
    let (began, begins) = mpsc::channel();
    let (app, db) = (app.clone(), app.db.clone());
    let look = move |writer: &mut Connection| {
        let _ = began.send(());
        match look::through(&app.config, writer, &left) {
            Ok(Found::Sound) => {
                app.in_use.found_sound();
                tracing::info!("{DONE}");
            }
            Ok(Found::Damaged(error)) => {
                tell.send_replace(Some(error.to_string()));
                // This is the last that is done with it.
                loop {
                    thread::park();
                }
            }
            Err(error) => tracing::error!("the database could not be looked through: {error}"),
        }
    };
    thread::Builder::new()
        .name("look".to_owned())
        .spawn(move || db.alone(look))
        .map_err(|cause| Error::caused("cannot start the thread that looks", cause))?;
    let _ = begins.recv();
    Ok(damaged)
}

/// Starts the thread that scans when it is asked to, and asks it where the settings say so.
///
/// # Errors
/// The system gives no thread.
pub fn scan(app: &Arc<App>) -> Result<JoinHandle<()>> {
    if app.config.scan_on_start {
        app.scanner.request();
    }
    let app = app.clone();
    thread::Builder::new()
        .name("scan".to_owned())
        .spawn(move || app.scanner.serve(&app.db, &app.config))
        .map_err(|cause| Error::caused("cannot start the thread that scans", cause))
}

/// Reads the settings again whenever it is asked to; systemd is told that it does.
pub async fn reload(mut reload: Reload, asked: Arc<Notify>, app: Arc<App>, tls: Option<Arc<Tls>>) {
    loop {
        asked.notified().await;
        log(systemd::reloading());
        let (app, tls) = (app.clone(), tls.clone());
        let again = tokio::task::spawn_blocking(move || {
            reload.run(&app);
            if let Some(tls) = tls {
                tls.reload();
            }
            reload
        });
        reload = match again.await {
            Ok(reload) => reload,
            Err(panic) => {
                return tracing::error!(%panic, "reading the settings again stumbled");
            }
        };
        log(systemd::ready());
    }
}

/// Writes the visits of shares and the uses of API keys down, again and again.
pub async fn write_counts(app: Arc<App>, threads: Threads) {
    let mut clock = tokio::time::interval(visits::WRITE_EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        let app = app.clone();
        let write = move || app.visits.flush(&app.db).and_then(|()| app.key_uses.flush(&app.db));
        if let Ok(Err(error)) = threads.run(write).await {
            tracing::warn!(%error, "what was counted could not be written; trying again");
        }
    }
}

/// Looks now and then whether a backup is due.
pub async fn back_up(app: Arc<App>, threads: Threads) {
    let first = tokio::time::Instant::now() + nightly::FIRST_LOOK;
    let mut clock = tokio::time::interval_at(first, nightly::LOOK_EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let at_start = app.clone();
    let mut seen = threads.run(move || Seen::at_start(&at_start.config)).await.unwrap_or_default();
    loop {
        clock.tick().await;
        let app = app.clone();
        let look = move || (nightly::look(&app.config, &app.db, &mut seen), seen);
        seen = match threads.run(look).await {
            Ok((Ok(()), seen)) => seen,
            Ok((Err(error), seen)) => {
                tracing::error!("no backup could be made: {error}");
                if let Some(trouble) = Trouble::behind(&error) {
                    trouble.log(&error);
                }
                seen
            }
            Err(panic) => {
                tracing::error!(%panic, "the look for a backup stumbled");
                Seen::default()
            }
        };
    }
}

/// Tries in each music folder whether its songs can be sent from memory maps.
///
/// It runs beside the first requests, since a disk may have to spin up for it.
pub fn try_maps(app: &App) {
    for folder in &app.config.music {
        match app.sender.check(folder) {
            Ok(Mode::Mapped) => {
                tracing::info!(folder = %folder.display(), "songs are sent from memory maps");
            }
            Ok(Mode::Read) if app.config.tls.is_some() => {
                tracing::info!(folder = %folder.display(), "songs are read, to be encrypted");
            }
            Ok(Mode::Read) => {
                tracing::warn!(
                    folder = %folder.display(),
                    "memory maps do not work here: songs are read, which takes more memory",
                );
            }
            Err(error) => tracing::warn!(folder = %folder.display(), %error, "cannot be read"),
        }
    }
}
