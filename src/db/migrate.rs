//! Brings a database file to the newest schema, in one transaction.

use rusqlite::Connection;

use crate::error::{Error, Result};

/// Every step in order, with the schema number (`user_version`) it leads to.
const STEPS: [(i64, &str); 2] = [
    (1, include_str!("migrations/0001_library.sql")),
    (2, include_str!("migrations/0002_users.sql")),
];

/// Runs the steps a file has not seen. A file of a newer Kinglet is refused, untouched.
pub fn run(connection: &mut Connection) -> Result<()> {
    let seen = version(connection)?;
    let newest = STEPS.iter().map(|(number, _)| *number).fold(0, i64::max);
    if seen > newest {
        return Err(Error::new(format!(
            "the database was written by a newer Kinglet (schema {seen}, this one knows {newest}): \
             start the newer version, or move the file away to begin anew"
        )));
    }
    let transaction = connection.transaction()?;
    for (number, step) in STEPS.iter().filter(|(number, _)| *number > seen) {
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", number)?;
    }
    transaction.commit()?;
    Ok(())
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
        assert_eq!(version(&connection).unwrap(), 2);
    }

    #[test]
    fn a_newer_file_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 1000).unwrap();
        let message = run(&mut connection).unwrap_err().to_string();
        assert!(message.contains("newer Kinglet (schema 1000"), "{message}");
    }
}
