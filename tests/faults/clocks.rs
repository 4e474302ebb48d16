//! The clock stands at 1970 when the server starts, and is right a while later.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::program::{Home, Server, furnish};

/// The library that fakes the time of a program.
fn faketime() -> Option<PathBuf> {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"];
    let paths = folders.map(|folder| Path::new(folder).join("faketime/libfaketimeMT.so.1"));
    paths.into_iter().find(|path| path.exists())
}

fn page(server: &Server, url: &str) -> u16 {
    let (_, token) = url.split_once("/share/").unwrap();
    server.get(&format!("/share/{token}")).unwrap().0
}

#[test]
#[ignore = "needs libfaketime"]
fn a_clock_at_1970_ends_nothing_and_brings_nothing_back() {
    let Some(library) = faketime() else {
        println!("clock: skipped, libfaketime is not installed");
        return;
    };
    let mut home = Home::new();
    let server = home.start();
    furnish(&server);
    let share = |server: &Server, expires: i64| -> String {
        let answer = server.call(&format!("createShare?id=so1&expires={expires}"));
        answer["shares"]["share"][0]["url"].as_str().unwrap().to_owned()
    };
    let now = kinglet::clock::system();
    let lives = share(&server, now + 3_600_000);
    let ended = share(&server, now + 1_500);
    assert_eq!((page(&server, &lives), page(&server, &ended)), (200, 200));
    thread::sleep(Duration::from_secs(2));
    assert_eq!((page(&server, &lives), page(&server, &ended)), (200, 410));
    server.stop();

    let time = home.temp.path().join("time");
    fs::write(&time, "@1970-01-01 00:00:20").unwrap();
    home.wrapper = vec![
        "env".to_owned(),
        format!("LD_PRELOAD={}", library.display()),
        format!("FAKETIME_TIMESTAMP_FILE={}", time.display()),
        "FAKETIME_NO_CACHE=1".to_owned(),
        "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
    ];
    let server = home.start();
    assert!(
        server.log().contains("the clock of this machine stands at 1970-01-01"),
        "{}",
        server.log()
    );
    assert_eq!((page(&server, &lives), page(&server, &ended)), (200, 410));
    let created = |server: &Server, name: &str| -> i64 {
        let answer = server.call(&format!("createPlaylist?name={name}&songId=so1"));
        let text = answer["playlist"]["created"].as_str().unwrap().to_owned();
        text.replace(['-', 'T', ':'], "").get(..14).unwrap().parse().unwrap()
    };
    let first = created(&server, "in 1970");
    assert!(first > 20_260_000_000_000, "{first}");
    thread::sleep(Duration::from_secs(1));
    let second = created(&server, "in 1970 too");
    assert!(second > first && second - first < 100, "{first} {second}");
    assert!(!home.data.join("backups").exists(), "a flood of work");

    // The network has brought the time.
    fs::write(&time, "+0").unwrap();
    assert_eq!((page(&server, &lives), page(&server, &ended)), (200, 410));
    let third = created(&server, "now");
    assert!(third >= second, "{second} {third}");
    server.stop();
    home.wrapper.clear();
    let server = home.start();
    assert!(!server.log().contains("the clock of this machine"), "{}", server.log());
    assert_eq!((page(&server, &lives), page(&server, &ended)), (200, 410));
    server.stop();
    println!("clock: at 1970 and right again, shares as they were, nothing dated 1970");
}
