//! Brings a database file to the newest schema, in one transaction.

use rusqlite::{Connection, Transaction};

use super::shares;
use crate::error::{Error, Result};

/// What a step does beyond its SQL.
type Fill = fn(&Transaction) -> rusqlite::Result<()>;

/// Every step in order, with the schema number (`user_version`) it leads to.
const STEPS: [(i64, &str, Fill); 5] = [
    (1, include_str!("migrations/0001_library.sql"), nothing),
    (2, include_str!("migrations/0002_users.sql"), nothing),
    (3, include_str!("migrations/0003_shares.sql"), shares::hash_tokens),
    (4, include_str!("migrations/0004_videos.sql"), nothing),
    (5, include_str!("migrations/0005_api_keys.sql"), nothing),
];

fn nothing(_: &Transaction) -> rusqlite::Result<()> {
    Ok(())
}

/// The schema that this Kinglet writes.
pub fn newest() -> i64 {
    STEPS.iter().map(|(number, ..)| *number).fold(0, i64::max)
}

/// Runs the steps a file has not seen. A file of a newer Kinglet is refused, untouched.
pub fn run(connection: &mut Connection) -> Result<()> {
    run_to(connection, newest())
}

/// The same up to an older schema.
pub fn run_to(connection: &mut Connection, last: i64) -> Result<()> {
    let seen = version(connection)?;
    if seen > newest() {
        return Err(too_new(seen));
    }
    let transaction = connection.transaction()?;
    let unseen = |number: i64| number > seen && number <= last;
    for (number, step, fill) in STEPS.iter().filter(|(number, ..)| unseen(*number)) {
        transaction.execute_batch(step)?;
        fill(&transaction)?;
        transaction.pragma_update(None, "user_version", number)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Why a file of a newer schema is refused.
pub fn too_new(seen: i64) -> Error {
    Error::new(format!(
        "the database was written by a newer Kinglet (schema {seen}, this one knows {}): start the \
         newer version, or move the file away to begin anew",
        newest()
    ))
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_step_runs_and_running_again_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection).unwrap();
        run(&mut connection).unwrap();
        assert_eq!(version(&connection).unwrap(), 5);
    }

    #[test]
    fn links_of_old_files_are_found_by_their_hash() {
        let mut connection = Connection::open_in_memory().unwrap();
        for (_, step, _) in STEPS.iter().filter(|(number, ..)| *number < 3) {
            connection.execute_batch(step).unwrap();
        }
        connection
            .execute_batch(
                "PRAGMA user_version = 2;
                 INSERT INTO user (id, name, password, roles, created) VALUES (1, 'anna', x'00', 1024, 0);
                 INSERT INTO share (id, token, user_id, created) VALUES (7, 'abc', 1, 0), (8, 'abd', 1, 0);",
            )
            .unwrap();
        run(&mut connection).unwrap();
        for (token, id) in [("abc", 7), ("abd", 8)] {
            let share = shares::by_token(&connection, token).unwrap().unwrap();
            assert_eq!(share.id, id);
            assert!(share.live && share.downloadable && !share.embed && !share.has_passphrase());
        }
    }

    #[test]
    fn files_that_may_be_videos_are_read_again() {
        let mut connection = Connection::open_in_memory().unwrap();
        for (number, step, _) in STEPS.iter().filter(|(number, ..)| *number < 4) {
            connection.execute_batch(step).unwrap();
            connection.pragma_update(None, "user_version", number).unwrap();
        }
        let users = "INSERT INTO user (id, name, password, roles, created) VALUES (1, 'a', x'', 0, 0), (2, 'b', x'', 0, 0)";
        connection.execute_batch(users).unwrap();
        connection.execute_batch("BEGIN").unwrap();
        connection.execute_batch(include_str!("../../tests/data/library.sql")).unwrap();
        connection.execute_batch("COMMIT").unwrap();
        connection.execute_batch("UPDATE song SET suffix = 'mp4' WHERE id = 9").unwrap();
        run(&mut connection).unwrap();
        let again = "SELECT group_concat(id) FROM song WHERE modified = -1";
        let again: String = connection.query_row(again, [], |row| row.get(0)).unwrap();
        assert_eq!(again, "9");
        let plan = "EXPLAIN QUERY PLAN SELECT id FROM song INDEXED BY song_present
            WHERE missing IS NULL AND video = 0 AND (1 >> music_folder_id) & 1 ORDER BY id";
        let plan: String = connection.query_row(plan, [], |row| row.get(3)).unwrap();
        assert!(plan.contains("COVERING INDEX song_present"), "{plan}");
    }

    #[test]
    fn a_newer_file_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 1000).unwrap();
        let message = run(&mut connection).unwrap_err().to_string();
        assert!(message.contains("newer Kinglet (schema 1000"), "{message}");
    }
}
