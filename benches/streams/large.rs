//! A file longer than 32 bits can count, in ranges on both sides of 4 GiB.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::music;
use crate::program::{Server, command};

const GIB: u64 = 1 << 30;
/// Its length; most of it is a hole, which takes no space.
const LENGTH: u64 = 5 * GIB + 12_345;
/// Length of the pieces that are no hole.
const PIECE: u64 = 1 << 20;
/// Where these begin: where an offset past 4 GiB would lead that lost what is above 32 bits, on
/// both sides of 4 GiB, past it, and at the end.
const PLACES: [u64; 5] = [GIB / 2, 4 * GIB - PIECE, 4 * GIB, 4 * GIB + GIB / 2, LENGTH - PIECE];

/// Asks for ranges of it and compares every byte.
pub fn all(work: &Path) {
    let folder = work.join("large");
    fs::create_dir(&folder).expect("a folder");
    let file = make(&folder);
    println!("a file of {:.1} GiB", LENGTH as f64 / GIB as f64);
    tell_what_check_says(work, &folder);
    let server = Server::start(&folder, &work.join("data-large"), &music::settings(&[]));
    let id = music::ids(&server, 1).remove(0);
    let mut asked = 0;
    for place in PLACES {
        // A piece as it is, from the hole before it into the hole after it, and a small part.
        for (start, end) in [
            (place, place + PIECE),
            (place - 3 * PIECE / 2, place + 2 * PIECE),
            (place + 4_097, place + 70_000),
        ] {
            compare(&server, &id, &file, start, end.min(LENGTH));
            asked += 1;
        }
    }
    println!("  {asked} ranges, every byte right");
}

/// Writes the file: the head of a song, and noise that differs from piece to piece.
fn make(folder: &Path) -> File {
    let path = folder.join("long.wav");
    fs::write(&path, music::head(LENGTH)).expect("a file");
    let file = File::options().read(true).write(true).open(&path).expect("a file");
    file.set_len(LENGTH).expect("a file system with files this long");
    for (number, place) in PLACES.into_iter().enumerate() {
        let noise: Vec<u8> = music::noise(number, PIECE as usize).collect();
        file.write_all_at(&noise, place).expect("written");
    }
    file
}

/// How songs of the folder are sent, as `kinglet check` tells it.
fn tell_what_check_says(work: &Path, folder: &Path) {
    let output = command()
        .args(["check", "--listen", "127.0.0.1:0"])
        .args([Path::new("--music"), folder, Path::new("--data"), &work.join("data")])
        .output()
        .expect("a check");
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().find(|line| line.contains("music: ")).unwrap_or("nothing");
    println!("  kinglet check: {line}");
}

fn compare(server: &Server, id: &str, file: &File, start: u64, end: u64) {
    let length = (end - start) as usize;
    let mut expected = vec![0; length];
    file.read_exact_at(&mut expected, start).expect("a part of the file");
    let mut connection = server.connect();
    let range = format!("Range: bytes={start}-{}\r\n", end - 1);
    connection.send_with(&music::call("stream", &format!("id={id}")), &range);
    assert_eq!(connection.head(), (206, length), "the range {start}..{end}");
    let mut body = vec![0; length];
    connection.0.read_exact(&mut body).expect("a body");
    let wrong = body.iter().zip(&expected).position(|(one, other)| one != other);
    assert!(wrong.is_none(), "the range {start}..{end} has another byte at {wrong:?}");
}
