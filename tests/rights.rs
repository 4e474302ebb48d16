//! Who may do what with a share: everybody against everything, one cell each.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use hyper::header::SET_COOKIE;
use serde_json::Value;

use kinglet::account::{self, NewUser};
use kinglet::db::users::{ALL_MUSIC_FOLDERS, Role};
use support::{ADMIN, BASE, PASSWORD, Server, form, page_of, request, signed};

/// What is asked for.
enum Ask {
    /// An address behind the link.
    Get(&'static str),
    /// A part of it.
    Part(&'static str),
    /// What a site is told that wants to show the link as a player.
    Oembed,
    /// A call with the id of the share; its code counts, 0 for success.
    Call(&'static str),
}
use Ask::{Call, Get, Oembed, Part};

/// Who asks; the state of the share belongs to it.
const WHO: [&str; 13] = [
    "owner",
    "admin",
    "other user",
    "user without role",
    "visitor with token",
    "visitor with cookie",
    "visitor with HTTP Basic",
    "visitor without passphrase",
    "visitor with wrong passphrase",
    "visitor of expired",
    "visitor of revoked",
    "visitor of used up",
    "visitor of one whose owner may not share any more",
];

/// What each gets, in the order of `WHO`.
#[rustfmt::skip]
const TABLE: &[(&str, Ask, [u16; WHO.len()])] = &[
    //                                              own  adm  oth  no   tok  cook basi none wrng exp  revo used role
    ("page",        Get(""),                      [200, 200, 200, 200, 200, 200, 200, 401, 401, 410, 404, 410, 410]),
    ("page/",       Get("/"),                     [308, 308, 308, 308, 308, 308, 308, 401, 401, 410, 404, 410, 410]),
    ("audio",       Get("/so2.flac"),             [200, 200, 200, 200, 200, 200, 200, 401, 401, 410, 404, 410, 410]),
    ("range",       Part("/so2.flac"),            [206, 206, 206, 206, 206, 206, 206, 401, 401, 410, 404, 410, 410]),
    ("not in it",   Get("/so4.mp3"),              [404, 404, 404, 404, 404, 404, 404, 401, 401, 410, 404, 410, 410]),
    ("cover",       Get("/al1-600.jpg"),          [200, 200, 200, 200, 200, 200, 200, 401, 401, 410, 404, 410, 410]),
    ("M3U8",        Get("/playlist.m3u8"),        [200, 200, 200, 200, 200, 200, 200, 401, 401, 410, 404, 410, 410]),
    ("JSPF",        Get("/playlist.jspf"),     [200, 200, 200, 200, 200, 200, 200, 401, 401, 410, 404, 410, 410]),
    ("RSS",         Get("/feed.rss"),          [200, 200, 200, 200, 200, 200, 200, 401, 401, 410, 404, 410, 410]),
    ("JSON",        Get("/share.json"),        [200, 200, 200, 200, 200, 200, 200, 401, 401, 410, 404, 410, 410]),
    ("QR code",     Get("/qr.svg"),            [200, 200, 200, 200, 200, 200, 200, 401, 401, 410, 404, 410, 410]),
    ("card",        Get("/card.jpg"),          [200, 200, 200, 200, 200, 200, 200, 401, 401, 410, 404, 410, 410]),
    ("zip",         Get("/tracks.zip"),        [200, 200, 200, 200, 200, 200, 200, 401, 401, 410, 404, 410, 410]),
    ("zip's range", Part("/tracks.zip"),       [206, 206, 206, 206, 206, 206, 206, 401, 401, 410, 404, 410, 410]),
    ("one to keep", Get("/get/so2.flac"),      [200, 200, 200, 200, 200, 200, 200, 401, 401, 410, 404, 410, 410]),
    ("embed",       Get("/embed"),             [200, 200, 200, 200, 200, 200, 200, 401, 401, 410, 404, 410, 410]),
    ("oEmbed",      Oembed,                    [200, 200, 200, 200, 200, 200, 200, 401, 401, 410, 404, 410, 410]),
    // Calls of strangers lack a name.
    ("update",      Call("updateShare"),          [  0,   0,  50,  50,  10,  10,  10,  10,  10,  10,  10,  10,  10]),
    ("delete",      Call("deleteShare"),          [  0,   0,  50,  50,  10,  10,  10,  10,  10,  10,  10,  10,  10]),
];

const OWNER: &str = "anna";
const OTHER: &str = "cleo";
const NO_ROLE: &str = "dora";

fn server() -> Server {
    let server = Server::open();
    let share = Role::Share as i64 | Role::Download as i64;
    for (name, roles) in [(OWNER, share), (OTHER, share), (NO_ROLE, Role::Download as i64)] {
        let new = NewUser {
            name,
            password: PASSWORD,
            email: "",
            roles,
            music_folders: ALL_MUSIC_FOLDERS,
        };
        account::create(&server.app, &new).unwrap().unwrap();
    }
    let album = "music/Ürsula & the Band/Echoes \"Live\"";
    server.write_song(&format!("{album}/02 Plain.flac"), 1000);
    let picture = image::RgbImage::from_pixel(8, 8, image::Rgb([200, 100, 50]));
    picture.save(server.folder.path().join(album).join("cover.jpg")).unwrap();
    server
}

/// One of `WHO` before a share of the album `al1`.
struct Guest {
    server: Server,
    share: Value,
    user: Option<&'static str>,
    headers: Vec<(&'static str, String)>,
}

impl Guest {
    fn new(who: &str) -> Guest {
        let server = server();
        let locked = matches!(
            who,
            "visitor with cookie"
                | "visitor with HTTP Basic"
                | "visitor without passphrase"
                | "visitor with wrong passphrase"
        );
        let parameters = match who {
            _ if locked => "id=al1&embed=true&passphrase=open sesame",
            "visitor of used up" => "id=al1&embed=true&maxPlays=1",
            _ => "id=al1&embed=true",
        };
        let share = server.share(OWNER, parameters);
        let page = page_of(&share);
        let write = |sql: &str| server.app.db.write(|db| db.execute_batch(sql)).unwrap();
        let mut headers = Vec::new();
        match who {
            "visitor with cookie" => {
                let entered = server.answer(&form(&page, 1, "passphrase=open sesame"));
                let cookie = entered.headers[SET_COOKIE].to_str().unwrap();
                headers.push(("cookie", cookie.split(';').next().unwrap().to_owned()));
            }
            "visitor with HTTP Basic" => {
                headers.push(("authorization", "Basic b3BlbjpvcGVuIHNlc2FtZQ==".to_owned()));
            }
            "visitor with wrong passphrase" => {
                headers.push(("authorization", "Basic b3BlbjpzZXNhbWU=".to_owned()));
            }
            "visitor of expired" => write("UPDATE share SET expires = 1000"),
            "visitor of revoked" => {
                let id = share["id"].as_str().unwrap();
                server.ok(OWNER, &format!("deleteShare?id={id}"));
            }
            "visitor of used up" => {
                let first = request(&format!("{page}/so2.flac"), 200, &[]);
                assert_eq!(server.answer(&first).status.as_u16(), 200);
            }
            "visitor of one whose owner may not share any more" => {
                write("UPDATE user SET roles = roles & ~1024 WHERE name = 'anna'");
            }
            _ => {}
        }
        let user = match who {
            "owner" => Some(OWNER),
            "admin" => Some(ADMIN),
            "other user" => Some(OTHER),
            "user without role" => Some(NO_ROLE),
            _ => None,
        };
        Guest { server, share, user, headers }
    }

    /// Asks as a client of its own, since wrong passphrases and links are counted by address.
    fn ask(&self, ask: &Ask, client: u8) -> u16 {
        let headers: Vec<_> = self.headers.iter().map(|(name, text)| (*name, &**text)).collect();
        match ask {
            Get(path) => {
                let path = format!("{}{path}", page_of(&self.share));
                self.server.answer(&request(&path, client, &headers)).status.as_u16()
            }
            Part(path) => {
                let path = format!("{}{path}", page_of(&self.share));
                let mut request = request(&path, client, &headers);
                request.headers.insert("range", "bytes=10-19".parse().unwrap());
                self.server.answer(&request).status.as_u16()
            }
            Oembed => {
                let path = format!("/share/oembed?url={BASE}{}", page_of(&self.share));
                self.server.answer(&request(&path, client, &headers)).status.as_u16()
            }
            Call(call) => {
                let call = format!("{call}?id={}&f=json", self.share["id"].as_str().unwrap());
                let path = match self.user {
                    Some(user) => signed(user, &call),
                    None => format!("/rest/{call}&v=1.16.1&c=test"),
                };
                let answer = self.server.answer(&request(&path, client, &headers));
                let document: Value = serde_json::from_slice(&answer.body).unwrap();
                let code = &document["subsonic-response"]["error"]["code"];
                u16::try_from(code.as_u64().unwrap_or(0)).unwrap()
            }
        }
    }
}

#[test]
fn everybody_gets_what_the_table_says() {
    let mut wrong = Vec::new();
    for (row, who) in WHO.into_iter().enumerate() {
        let guest = Guest::new(who);
        for (client, (what, ask, expected)) in (1..).zip(TABLE) {
            let (expected, got) = (expected[row], guest.ask(ask, client));
            if got != expected {
                wrong.push(format!("{who}, {what}: {got}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
