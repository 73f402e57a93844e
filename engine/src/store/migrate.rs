//! The versions of the database: each migration is one SQL file, and the number of the last stands in the file's
//! header.

use std::path::Path;

use rusqlite::Connection;

use super::error::StoreError;

/// Marks the file as ours: "Show" in ASCII.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"Show");

/// In order; the version of a database is the number of migrations that it has seen.
const MIGRATIONS: [&str; 6] = [
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_recovery.sql"),
    include_str!("migrations/0003_recordings.sql"),
    include_str!("migrations/0004_colors.sql"),
    include_str!("migrations/0005_grants.sql"),
    include_str!("migrations/0006_handled.sql"),
];

/// Brings the file to this program's version, or says why that can't be.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let found = identify(connection, path)?;
    for (index, sql) in MIGRATIONS.iter().enumerate().skip(found as usize) {
        let version = version_after(index + 1);
        apply(connection, sql, version).map_err(|source| StoreError::Migration {
            path: path.to_owned(),
            version,
            source,
        })?;
        if found > 0 {
            tracing::info!(version, "The database was brought to a new version.");
        }
    }
    Ok(())
}

/// The version of the file, 0 for an empty one. Refuses what is not ours or newer than us, and changes nothing.
pub(super) fn identify(connection: &Connection, path: &Path) -> Result<u32, StoreError> {
    let read = |name| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i32>(0));
    let application = read("application_id")?;
    let version = read("user_version")?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let is_empty = application == 0 && version == 0 && tables == 0;
    let supported = version_after(MIGRATIONS.len());
    match u32::try_from(version) {
        Ok(found) if application == APPLICATION_ID && found > supported => {
            Err(StoreError::Newer { path: path.to_owned(), found, supported })
        }
        Ok(found) if application == APPLICATION_ID || is_empty => Ok(found),
        _ => Err(StoreError::Foreign { path: path.to_owned() }),
    }
}

fn apply(connection: &mut Connection, sql: &str, version: u32) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(sql)?;
    // Both stand in the file's header and are part of the transaction.
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()
}

fn version_after(migrations: usize) -> u32 {
    u32::try_from(migrations).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    #[test]
    fn an_empty_file_gets_every_migration_once() {
        let mut connection = memory();
        migrate(&mut connection, Path::new("test.db")).unwrap();
        migrate(&mut connection, Path::new("test.db")).unwrap();
        assert_eq!(identify(&connection, Path::new("test.db")).unwrap(), version_after(MIGRATIONS.len()));
    }

    #[test]
    fn what_waited_for_a_plugin_in_the_first_version_still_waits() {
        let mut connection = memory();
        apply(&mut connection, MIGRATIONS[0], 1).unwrap();
        connection
            .execute_batch(
                r#"INSERT INTO backlog VALUES ('b', 0, '{"id":"three"}'), ('a', 1, '{"id":"two"}'), ('a', 0, '{"id":"one"}')"#,
            )
            .unwrap();
        migrate(&mut connection, Path::new("test.db")).unwrap();
        let mut statement = connection
            .prepare("SELECT plugin || ' ' || event_id FROM inbox WHERE given = 0 AND stored_ms > 0 ORDER BY place")
            .unwrap();
        let waiting: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(waiting, ["a one", "a two", "b three"]);
    }

    #[test]
    fn a_newer_file_is_refused_with_both_versions() {
        let mut connection = memory();
        migrate(&mut connection, Path::new("test.db")).unwrap();
        connection.pragma_update(None, "user_version", 7).unwrap();
        let error = migrate(&mut connection, Path::new("test.db")).unwrap_err();
        assert!(
            matches!(error, StoreError::Newer { found: 7, supported, .. } if supported == version_after(MIGRATIONS.len()))
        );
        let text = error.to_string();
        assert!(text.contains("version 7") && text.contains(&format!("up to {}", MIGRATIONS.len())), "{text}");
    }

    #[test]
    fn a_foreign_file_is_refused() {
        for sql in ["CREATE TABLE bookmarks (url TEXT)", "PRAGMA application_id = 12", "PRAGMA user_version = 1"] {
            let mut connection = memory();
            connection.execute_batch(sql).unwrap();
            let error = migrate(&mut connection, Path::new("test.db")).unwrap_err();
            assert!(matches!(error, StoreError::Foreign { .. }), "{sql}: {error}");
        }
    }

    #[test]
    fn a_migration_that_fails_changes_nothing() {
        let mut connection = memory();
        assert!(apply(&mut connection, "CREATE TABLE one (a); CREATE TABLE one (a);", 1).is_err());
        assert_eq!(identify(&connection, Path::new("test.db")).unwrap(), 0);
    }
}
