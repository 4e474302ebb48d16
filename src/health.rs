//! Tells systemd how the server is: that it lives, and how far a scan is.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::app::App;
use crate::db::users;
use crate::http::accept::Pulse;
use crate::numbers::grouped;
use crate::route::Threads;
use crate::scan;
use crate::systemd;

/// How often the scan is looked at while one runs, and while none does.
const LOOK_AT_SCAN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(10)];
/// How long after a bad look the next one is taken.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Tells systemd that the server lives, as long as it could take a connection and answer a request:
/// `every` half of the time after which systemd starts it anew.
pub async fn live(app: Arc<App>, threads: Threads, pulse: Arc<Pulse>, every: Duration) {
    let mut clock = interval(every);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        // Half of the half: a disk that was slow once has a second chance.
        while let Some(problem) = look(&app, &threads, &pulse, every / 2).await {
            tracing::error!("{problem}; systemd is not told that all is well");
            sleep(LOOK_AGAIN).await;
        }
        log(systemd::watchdog());
    }
}

/// What keeps the server from answering, if anything; each of its parts has so long.
async fn look(
    app: &Arc<App>,
    threads: &Threads,
    pulse: &Pulse,
    patience: Duration,
) -> Option<String> {
    if timeout(patience, pulse.felt()).await.is_err() {
        return Some(format!("no connection could be taken for {patience:?}"));
    }
    let app = Arc::clone(app);
    let read = threads.run(move || app.db.read(users::none));
    match timeout(patience, read).await {
        Ok(Ok(Ok(_))) => None,
        Ok(Ok(Err(error))) => Some(format!("the database does not answer: {error}")),
        Ok(Err(panic)) => Some(format!("the look at the database stumbled: {panic}")),
        Err(_) => Some(format!("the database did not answer for {patience:?}")),
    }
}

/// Keeps the line of `systemctl status` at how far the scan is.
pub async fn tell_status(app: Arc<App>) {
    let mut told = String::new();
    loop {
        let status = app.scanner.status();
        let text = line(&status);
        if text != told {
            log(systemd::status(&text));
            told = text;
        }
        let [while_scanning, else_] = LOOK_AT_SCAN;
        sleep(if status.scanning { while_scanning } else { else_ }).await;
    }
}

fn line(status: &scan::Status) -> String {
    match (status.scanning, status.total) {
        (true, Some(total)) => {
            format!("scanning {} of {}", grouped(status.done, ","), grouped(total, ","))
        }
        (true, None) => format!("scanning, {} files so far", grouped(status.walked, ",")),
        (false, total) => {
            let songs =
                total.map_or_else(String::new, |total| format!(" {} files", grouped(total, ",")));
            let problem = status.problems.first();
            let problem = problem.map_or_else(String::new, |text| format!("; the scan: {text}"));
            format!("serving{songs}{problem}")
        }
    }
}

/// What systemd is told is of use to systemd alone: the server goes on without.
pub fn log(result: io::Result<()>) {
    if let Err(error) = result {
        tracing::warn!(%error, "systemd could not be told");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::{Flags, load};
    use crate::http::accept::{self, Limits, Listeners};
    use crate::http::body;
    use crate::http::stall::Patience;
    use crate::route::PATIENCE_WITH_DISKS;
    use std::future::pending;
    use std::sync::mpsc;
    use std::thread;
    use tempfile::TempDir;
    use tokio::net::TcpListener;
    use tokio::runtime::{Builder, Handle, Runtime};

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(200);

    fn app() -> (Arc<App>, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data").to_str().unwrap().to_owned();
        let flags = Flags { data: Some(data), ..Flags::default() };
        (Arc::new(App::open(load(&flags, &[], None).unwrap()).unwrap()), folder)
    }

    fn runtime() -> Runtime {
        Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    }

    fn threads(runtime: &Runtime) -> Threads {
        Threads::new(runtime.handle().clone(), Arc::default(), PATIENCE_WITH_DISKS)
    }

    /// A server that takes connections.
    fn serve(runtime: &Handle) -> Arc<Pulse> {
        let socket = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let listeners = Listeners::from(socket);
        let pulse = listeners.pulse();
        let patience = Patience { head: LONG, idle: LONG, stall: LONG };
        let limits = Limits { connections: 8, head_bytes: 8192, patience, grace: LONG };
        let answer = |_, _| async { body::text(hyper::StatusCode::OK, "") };
        runtime.spawn(accept::serve(
            listeners,
            limits,
            Arc::default(),
            answer,
            pending(),
            pending(),
        ));
        pulse
    }

    #[test]
    fn a_database_that_does_not_answer_is_noticed_and_its_recovery_too() {
        let ((app, _folder), runtime) = (app(), runtime());
        let (threads, pulse) = (threads(&runtime), serve(runtime.handle()));
        assert_eq!(runtime.block_on(look(&app, &threads, &pulse, LONG)), None);

        // All that may read hang, as they do on a disk that hangs.
        let mut hung = Vec::new();
        for _ in 0..3 {
            let (app, (tell, told), (free, freed)) =
                (app.clone(), mpsc::channel(), mpsc::channel());
            let reader = thread::spawn(move || {
                app.db.read(|_| {
                    tell.send(()).unwrap();
                    freed.recv().unwrap();
                    Ok::<_, rusqlite::Error>(())
                })
            });
            told.recv().unwrap();
            hung.push((reader, free));
        }
        let problem = runtime.block_on(look(&app, &threads, &pulse, SHORT)).unwrap();
        assert!(problem.starts_with("the database did not answer for"), "{problem}");
        for (reader, free) in hung {
            free.send(()).unwrap();
            reader.join().unwrap().unwrap();
        }
        assert_eq!(runtime.block_on(look(&app, &threads, &pulse, LONG)), None);
    }

    #[test]
    fn connections_that_nobody_takes_are_noticed() {
        let ((app, _folder), runtime) = (app(), runtime());
        let pulse = Arc::default();
        let problem = runtime.block_on(look(&app, &threads(&runtime), &pulse, SHORT)).unwrap();
        assert!(problem.starts_with("no connection could be taken"), "{problem}");
    }

    #[test]
    fn the_line_tells_how_far_the_scan_is() {
        let mut status = scan::Status { scanning: true, walked: 999, ..Default::default() };
        assert_eq!(line(&status), "scanning, 999 files so far");
        (status.total, status.done) = (Some(10_000), 1234);
        assert_eq!(line(&status), "scanning 1,234 of 10,000");
        status.total = Some(1_000_000);
        status.scanning = false;
        assert_eq!(line(&status), "serving 1,000,000 files");
        status.problems = vec!["`/srv/music` is empty".into()];
        assert_eq!(line(&status), "serving 1,000,000 files; the scan: `/srv/music` is empty");
        assert_eq!(line(&scan::Status::default()), "serving");
    }
}
