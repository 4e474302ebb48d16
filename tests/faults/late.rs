//! Music disks and networks that come after the server.

use std::fs;

use super::program::{Home, furnish, made_by_users};

#[test]
fn music_that_comes_late_is_there_again_by_itself() {
    let home = Home::new();
    let server = home.start();
    furnish(&server);
    let before = made_by_users(&server);
    server.stop();
    let away = home.temp.path().join("unmounted");
    fs::rename(home.music(), &away).unwrap();
    let server = home.start();
    server.wait_for("scanned: ");
    assert_eq!(made_by_users(&server), before);
    home.song(40);
    fs::remove_dir_all(home.music()).unwrap();
    fs::rename(&away, home.music()).unwrap();
    home.song(41);
    server.wait_for("1 new");
    assert!(server.log().contains("has changed: scanning"));
    server.stop();
}

#[test]
fn an_address_that_is_not_there_yet_does_not_stop_the_server() {
    let home = Home::new();
    let server = home.try_start(&[("KINGLET_METRICS_LISTEN", "203.0.113.1:0")]).unwrap();
    assert!(server.log().contains("no address of this machine yet"));
    server.stop();
}
