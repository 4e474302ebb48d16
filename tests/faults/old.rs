//! Databases of older schemas: what users made is the same after they were opened.

use std::fs;

use kinglet::db::check::{self, Depth};
use kinglet::db::{Db, checksums, copy};
use rusqlite::types::Value;
use rusqlite::{Connection, Row};

/// Frozen databases: their schema and how they are made.
const OLD: [(i64, &str); 3] = [
    (2, include_str!("../data/schema-2.sql")),
    (3, include_str!("../data/schema-3.sql")),
    (4, include_str!("../data/schema-4.sql")),
];

/// All rows of a table in these columns, as SQLite has them.
fn rows(db: &Connection, table: &str, columns: &[String]) -> Vec<Vec<Value>> {
    let listed = checksums::listed(columns, "");
    let sql = format!("SELECT {listed} FROM \"{table}\" ORDER BY {listed}");
    let mut statement = db.prepare(&sql).unwrap();
    let row = |row: &Row| (0..columns.len()).map(|at| row.get(at)).collect();
    statement.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn what_users_made_outlives_every_schema() {
    for (schema, sql) in OLD {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kinglet.db");
        let old = Connection::open(&file).unwrap();
        old.execute_batch(sql).unwrap();
        let before: Vec<_> = checksums::tables(&old)
            .unwrap()
            .into_iter()
            .filter(|table| !checksums::is_of_library(table))
            .map(|table| {
                let columns = checksums::columns(&old, &table).unwrap();
                let rows = rows(&old, &table, &columns);
                assert!(!rows.is_empty(), "schema {schema}: nothing in {table}");
                (table, columns, rows)
            })
            .collect();
        assert!(before.len() >= 13, "{}", before.len());
        drop(old);
        // A file from before there were checksums is no damaged one.
        assert!(check::examine(&file, Depth::All).unwrap().is_none(), "schema {schema}");
        drop(Db::open(&file).unwrap());
        assert!(check::examine(&file, Depth::All).unwrap().is_none(), "schema {schema}");
        let new = Connection::open(&file).unwrap();
        for (table, columns, before) in before {
            assert_eq!(rows(&new, &table, &columns), before, "schema {schema}, {table}");
        }
        // The numbers of things that are gone are not given again.
        let next: i64 = new
            .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'playlist'", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(next, 9);
    }
}

#[test]
fn a_backup_of_an_older_kinglet_can_be_restored_and_one_of_a_newer_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let old = Connection::open(path("old.db")).unwrap();
    old.execute_batch(OLD[0].1).unwrap();
    drop(old);
    copy::make(&path("old.db"), &path("copy.db"), 5, "0.0.1", None).unwrap();
    copy::make_ready(&path("copy.db")).unwrap();
    assert!(check::examine(&path("copy.db"), Depth::All).unwrap().is_none());
    let contents = copy::examine(&path("copy.db")).unwrap();
    assert_eq!((contents.count("user"), contents.count("share")), (2, 2));
    let newer = Connection::open(path("copy.db")).unwrap();
    newer
        .execute_batch(
            "PRAGMA user_version = 1000; UPDATE checksum SET row_count = 1000 WHERE name = ''",
        )
        .unwrap();
    drop(newer);
    let message = copy::examine(&path("copy.db")).unwrap_err().to_string();
    assert!(message.contains("newer Kinglet"), "{message}");
    fs::rename(path("copy.db"), path("kinglet.db")).unwrap();
    let message = check::examine(&path("kinglet.db"), Depth::All).unwrap_err().to_string();
    assert!(message.contains("newer Kinglet (schema 1000"), "{message}");
}
