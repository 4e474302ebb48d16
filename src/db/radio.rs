//! Internet radio stations, the same for all users.

use rusqlite::{Connection, Result, Transaction};

use super::collect;

/// A station.
pub struct Station {
    /// The row's id; does not count where a station is made.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Where its sound comes from.
    pub stream_url: String,
    /// Its web page, or empty.
    pub home_page_url: String,
}

/// Every station, by name.
pub fn all(db: &Connection) -> Result<Vec<Station>> {
    let sql = "SELECT id, name, stream_url, home_page_url FROM radio_station ORDER BY name COLLATE NOCASE, id";
    collect(db, sql, [], |row| {
        let (id, name) = (row.get(0)?, row.get(1)?);
        Ok(Station { id, name, stream_url: row.get(2)?, home_page_url: row.get(3)? })
    })
}

/// Adds a station.
pub fn create(db: &Transaction, station: &Station) -> Result<()> {
    db.execute(
        "INSERT INTO radio_station (name, stream_url, home_page_url) VALUES (?1, ?2, ?3)",
        (&station.name, &station.stream_url, &station.home_page_url),
    )?;
    Ok(())
}

/// Changes a station; the web page stays where none is given. False where there is no such station.
pub fn update(db: &Transaction, station: &Station, keep_home_page: bool) -> Result<bool> {
    let changed = db.execute(
        "UPDATE radio_station SET name = ?2, stream_url = ?3,
            home_page_url = CASE WHEN ?5 THEN home_page_url ELSE ?4 END WHERE id = ?1",
        (station.id, &station.name, &station.stream_url, &station.home_page_url, keep_home_page),
    )?;
    Ok(changed > 0)
}

/// Removes a station. False where there is no such station.
pub fn delete(db: &Transaction, id: i64) -> Result<bool> {
    Ok(db.execute("DELETE FROM radio_station WHERE id = ?1", [id])? > 0)
}
