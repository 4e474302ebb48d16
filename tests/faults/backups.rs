//! Backups of a running server, and back.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;

use super::program::{Home, everything, furnish, made_by_users};

#[test]
fn what_users_made_comes_back_as_it_was() {
    let home = Home::new();
    let server = home.start();
    furnish(&server);
    home.ok(&["user", "key", "ben", "--label", "phone"]);
    let keys = home.ok(&["user", "key", "list", "ben"]);
    assert!(keys.contains("phone"), "{keys}");
    let before = everything(&server);
    let link = before["getShares"]["share"][0]["url"].as_str().unwrap().to_owned();
    let link = link.split_once("/share/").unwrap().1.to_owned();
    let copy = home.temp.path().join("copy.db");
    let printed = home.ok(&["backup", copy.to_str().unwrap()]);
    assert_eq!(printed.trim(), copy.to_str().unwrap());
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    // It is never written over.
    assert!(!home.run(&["backup", copy.to_str().unwrap()]).status.success());
    home.ok(&["backup"]);

    server.call("createPlaylist?name=Later&songId=so1");
    server.call("deletePlaylist?id=pl1");
    let refused = home.run(&["restore", copy.to_str().unwrap()]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("stop it before"));
    server.stop();

    // Another machine: no data, no key.
    fs::rename(&home.data, home.temp.path().join("old")).unwrap();
    let told = home.ok(&["restore", copy.to_str().unwrap()]);
    assert!(told.contains("3 users, 8 playlists, 8 shares"), "{told}");
    let server = home.start();
    assert!(!server.log().contains("ERROR"), "{}", server.log());
    assert_eq!(everything(&server), before);
    assert_eq!(home.ok(&["user", "key", "list", "ben"]), keys);
    let (status, page) = server.get(&format!("/share/{link}")).unwrap();
    assert_eq!(status, 200);
    assert!(String::from_utf8_lossy(&page).contains("Share 1"));
    // The key is not left in the database.
    server.stop();
    let key = fs::read(home.data.join("kinglet.key")).unwrap();
    let database = fs::read(home.database()).unwrap();
    assert!(!database.windows(key.len()).any(|part| part == key));
}

#[test]
fn backups_are_made_one_after_another_and_one_a_day_is_kept() {
    let home = Home::new();
    let server = home.start();
    furnish(&server);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| home.ok(&["backup"]));
        }
    });
    let files: Vec<_> = fs::read_dir(home.data.join("backups")).unwrap().flatten().collect();
    // Two where the day ends meanwhile.
    assert!((1..=2).contains(&files.len()), "{files:?}");
    let listed = home.run(&["restore"]);
    assert!(String::from_utf8_lossy(&listed.stderr).contains("3 users"));
    server.stop();
}

#[test]
fn what_is_replaced_is_kept_and_numbers_are_never_given_twice() {
    let home = Home::new();
    let server = home.start();
    furnish(&server);
    home.ok(&["backup"]);
    let later = server.call("createPlaylist?name=Later&songId=so1")["playlist"].take();
    server.stop();
    let listed = home.run(&["restore"]);
    assert!(!listed.status.success());
    assert!(String::from_utf8_lossy(&listed.stderr).contains("3 users"));
    let told = home.ok(&["restore", "newest"]);
    let kept = told.split("kept as ").nth(1).unwrap().lines().next().unwrap().trim_end_matches('.');
    assert!(fs::metadata(kept).unwrap().len() > 0);
    let server = home.start();
    assert!(!server.call("getPlaylists").to_string().contains("Later"));
    let new = server.call("createPlaylist?name=New&songId=so1")["playlist"].take();
    let number = |list: &serde_json::Value| -> i64 {
        list["id"].as_str().unwrap().trim_start_matches("pl").parse().unwrap()
    };
    assert!(number(&new) > number(&later) + 1000, "{new} {later}");
}

#[test]
fn a_damaged_backup_is_refused_and_nothing_is_changed() {
    let home = Home::new();
    let server = home.start();
    furnish(&server);
    let before = made_by_users(&server);
    let copy = home.temp.path().join("copy.db");
    home.ok(&["backup", copy.to_str().unwrap()]);
    server.stop();
    let length = fs::metadata(&copy).unwrap().len() as usize;
    for at in (0..length).step_by(length / 12) {
        super::program::flip(&copy, &[(at + 2000, 0x55)]);
        let output = home.run(&["restore", copy.to_str().unwrap()]);
        super::program::flip(&copy, &[(at + 2000, 0x55)]);
        if output.status.success() {
            // A byte that nothing is in.
            continue;
        }
        assert!(String::from_utf8_lossy(&output.stderr).contains("copy.db"));
    }
    let server = home.start();
    assert_eq!(made_by_users(&server), before);
}

#[test]
fn a_database_or_a_key_that_is_gone_comes_back() {
    let home = Home::new();
    let server = home.start();
    furnish(&server);
    home.ok(&["backup"]);
    let before = made_by_users(&server);
    server.stop();
    fs::remove_file(home.data.join("kinglet.key")).unwrap();
    let server = home.start();
    assert_eq!(made_by_users(&server), before);
    assert!(server.log().contains("the key of the backup"), "{}", server.log());
    server.kill();
    fs::remove_file(home.database()).unwrap();
    let server = home.start();
    assert_eq!(made_by_users(&server), before);
    server.stop();
    let check = home.check();
    assert!(check.contains("kinglet.db was gone"), "{check}");
    // Without any backup a key that is lost is told, and the server starts.
    fs::remove_dir_all(home.data.join("backups")).unwrap();
    fs::write(home.data.join("kinglet.key"), "damaged").unwrap();
    let server = home.start();
    assert!(server.log().contains("kinglet user passwd"), "{}", server.log());
    server.stop();
}

#[test]
fn one_server_at_a_time_works_on_a_data_folder() {
    let home = Home::new();
    let server = home.start();
    let log = home.try_start(&[]).err().unwrap();
    assert!(log.contains("another Kinglet serves"), "{log}");
    server.stop();
    home.start().stop();
}
