//! The power of the process goes at random moments, while it is written to and scans.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::chance::Chance;
use super::program::{Home, call_to, furnish, names};

/// What was acknowledged: kind and name.
type Acknowledged = Arc<Mutex<BTreeSet<(&'static str, String)>>>;

fn kills(rounds: u64) {
    let home = Home::new();
    furnish(&home.start());
    let mut chance = Chance::new(1);
    let acknowledged: Acknowledged = Arc::default();
    let (mut looked, mut slowest) = (0, Duration::ZERO);
    for round in 0..rounds {
        home.song(100 + round as u16);
        let server = home.start();
        let address = server.address;
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let acknowledged = acknowledged.clone();
                thread::spawn(move || {
                    for number in 0.. {
                        let name = format!("{round}.{writer}.{number}");
                        let (kind, call) = match (writer + number) % 4 {
                            0 => ("playlist", format!("createPlaylist?name={name}&songId=so1&songId=so2")),
                            1 => ("share", format!("createShare?id=so3&description={name}")),
                            2 => (
                                "radio",
                                format!("createInternetRadioStation?name={name}&streamUrl=http://example.org"),
                            ),
                            _ => ("bookmark", format!("createBookmark?id=so{}&position=1&comment={name}", writer + 1)),
                        };
                        match call_to(address, &call) {
                            Some(answer) if answer["status"] == "ok" => {
                                acknowledged.lock().unwrap().insert((kind, name));
                            }
                            Some(answer) => panic!("{call}: {answer}"),
                            None => break,
                        }
                    }
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(chance.below(150)));
        server.kill();
        for writer in writers {
            writer.join().unwrap();
        }
        let began = std::time::Instant::now();
        let server = home.start();
        slowest = slowest.max(began.elapsed());
        let there: BTreeSet<(&str, String)> = [
            ("playlist", server.call("getPlaylists"), "playlists.playlist", "name"),
            ("share", server.call("getShares"), "shares.share", "description"),
            (
                "radio",
                server.call("getInternetRadioStations"),
                "internetRadioStations.internetRadioStation",
                "name",
            ),
        ]
        .iter()
        .flat_map(|(kind, answer, list, name)| {
            names(answer, list, name).into_iter().map(move |name| (*kind, name))
        })
        .collect();
        let acknowledged = acknowledged.lock().unwrap();
        // A later bookmark of a song takes the place of the one before.
        let missing: Vec<_> = acknowledged
            .iter()
            .filter(|(kind, name)| *kind != "bookmark" && !there.contains(&(*kind, name.clone())))
            .collect();
        assert!(missing.is_empty(), "round {round} lost {missing:?}");
        let log = server.stop();
        looked += usize::from(log.contains("the database is sound"));
        assert!(!log.contains("ERROR"), "round {round}: {log}");
    }
    println!(
        "kills: {rounds}, {} acknowledged writes, none lost; {looked} of these starts looked through the \
         database, slowest start {} ms",
        acknowledged.lock().unwrap().len(),
        slowest.as_millis()
    );
}

#[test]
fn nothing_that_was_acknowledged_is_lost_by_a_kill() {
    kills(3);
}

#[test]
#[ignore = "takes long: 100 kills"]
fn a_hundred_kills() {
    kills(100);
}
