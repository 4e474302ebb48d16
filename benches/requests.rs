//! What a request costs the server: CPU time of the real binary under 32 connections, on a made-up
//! library of 10,000 songs. `cargo bench --bench requests -- [SONGS]` prints a table.

mod library;

use std::time::Instant;

use kinglet::config::{self, Flags};
use kinglet::http::client::Origin;
use kinglet::http::request::Request;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let songs = words.iter().find_map(|word| word.parse().ok()).unwrap_or(10_000);
    let only = words.iter().find(|word| word.parse::<i64>().is_err());
    let data = tempfile::tempdir().expect("a temporary folder");
    let environment = [("HOME".to_owned(), data.path().display().to_string())];
    let flags = Flags { data: Some(data.path().join("data").display().to_string()), ..Flags::default() };
    let config = config::load(&flags, &environment, None).expect("a configuration");
    let app = kinglet::app::App::open(config).expect("an app");
    let began = Instant::now();
    library::fill(&app, songs);
    println!("library of {songs} songs made in {:.1} s", began.elapsed().as_secs_f64());
    let origin = Origin { address: std::net::Ipv4Addr::LOCALHOST.into(), base: "http://nas:4040".into() };
    let sign_in = library::sign_in();
    for (name, query) in [
        ("ping", ""),
        ("getAlbum", "id=al7"),
        ("getAlbumList2", "type=newest&size=50"),
        ("getAlbumList2", "type=random&size=50"),
        ("getAlbumList2", "type=byYear&fromYear=1960&toYear=2000&size=50"),
        ("getRandomSongs", "size=50"),
        ("search3", "query=lo"),
        ("search3", "query=lo&songCount=200&songOffset=1000"),
        ("search3", "query=of+the"),
        ("search3", "query=&songCount=500&songOffset=5000&artistCount=0&albumCount=0"),
        ("getArtists", ""),
        ("getIndexes", ""),
        ("getGenres", ""),
    ] {
        if only.is_some_and(|only| only != name) {
            continue;
        }
        for format in ["json", "xml"] {
            let request = Request::get(&format!("/rest/{name}?{sign_in}&f={format}&{query}"));
            let mut times: Vec<f64> = (0..200)
                .map(|_| {
                    let began = Instant::now();
                    let response = kinglet::subsonic::handle(&app, &request, &origin);
                    std::hint::black_box(&response);
                    began.elapsed().as_secs_f64() * 1e6
                })
                .collect();
            times.sort_by(f64::total_cmp);
            let response = kinglet::subsonic::handle(&app, &request, &origin);
            let bytes = hyper::body::Body::size_hint(response.body()).exact().unwrap_or(0);
            println!("{:>9.1} us {:>8} bytes  {format:<4} {name}?{query}", times[100], bytes);
        }
    }
}
