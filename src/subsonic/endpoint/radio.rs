//! Internet radio stations: all users hear them, administrators change them.

use hyper::Uri;
use serde::Serialize;

use crate::db::radio::{self, Station as Row};
use crate::id::Id;
use crate::subsonic::fail::{Fail, Result};
use crate::subsonic::{Call, Reply};

/// Letters of a name or an address at most.
const LONGEST: usize = 2_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InternetRadioStations {
    internet_radio_station: Vec<Station>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Station {
    id: Id,
    name: String,
    stream_url: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    home_page_url: String,
}

/// `getInternetRadioStations`: all of them.
pub fn get_internet_radio_stations(call: &Call) -> Result<Reply> {
    let rows = call.app.db.read(radio::all)?;
    let station = |row: Row| Station {
        id: Id::Radio(row.id),
        name: row.name,
        stream_url: row.stream_url,
        home_page_url: row.home_page_url,
    };
    let internet_radio_station = rows.into_iter().map(station).collect();
    call.answer("internetRadioStations", &InternetRadioStations { internet_radio_station })
}

/// `createInternetRadioStation`: adds a station.
pub fn create_internet_radio_station(call: &Call) -> Result<Reply> {
    let station = given(call)?;
    call.app.db.write(|db| radio::create(db, &station))?;
    call.ok()
}

/// `updateInternetRadioStation`: changes a station; without `homepageUrl`, its web page stays.
pub fn update_internet_radio_station(call: &Call) -> Result<Reply> {
    call.params.need_text("id")?;
    // What is missing is told before what cannot be found.
    let given = given(call)?;
    let station = Row { id: station_id(call)?, ..given };
    let keep_home_page = call.params.text("homepageUrl").is_none();
    found(call.app.db.write(|db| radio::update(db, &station, keep_home_page))?)?;
    call.ok()
}

/// `deleteInternetRadioStation`: removes a station.
pub fn delete_internet_radio_station(call: &Call) -> Result<Reply> {
    let id = station_id(call)?;
    found(call.app.db.write(|db| radio::delete(db, id))?)?;
    call.ok()
}

fn station_id(call: &Call) -> Result<i64> {
    match call.params.need_id("id")? {
        Id::Radio(id) => Ok(id),
        _ => Err(Fail::not_found("Internet radio station")),
    }
}

fn found(found: bool) -> Result<()> {
    if found { Ok(()) } else { Err(Fail::not_found("Internet radio station")) }
}

/// What is said of a station; the id is not looked at.
fn given(call: &Call) -> Result<Row> {
    let stream_url = address("streamUrl", call.params.need_text("streamUrl")?)?;
    let name = call.params.need_text("name")?.trim();
    if name.is_empty() || name.chars().count() > LONGEST {
        return Err(Fail::parameter(format!("Parameter 'name' must have 1 to {LONGEST} letters")));
    }
    let home_page_url = match call.params.text("homepageUrl") {
        None | Some("") => String::new(),
        Some(url) => address("homepageUrl", url)?,
    };
    Ok(Row { id: 0, name: name.to_owned(), stream_url, home_page_url })
}

/// An address of the web; players open it, so that it must be no file or script.
fn address(parameter: &str, text: &str) -> Result<String> {
    let is_web = text.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    });
    match is_web && text.len() <= LONGEST {
        true => Ok(text.to_owned()),
        false => Err(Fail::parameter(format!(
            "Parameter '{parameter}' must be an address that begins with http:// or https://"
        ))),
    }
}
