use std::time::Duration;

use super::*;
use crate::store::migrate::migrate;

const NOW: u64 = 1_000_000_000;

/// `count` events of 100 bytes, each a second after the one before and the last of them now, with an effect, a note, a
/// start and a line.
fn filled(count: u64) -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate(&mut connection, std::path::Path::new("test.db")).unwrap();
    let transaction = connection.transaction().unwrap();
    for number in 1..=count {
        let stored_ms = to_integer(NOW - (count - number) * 1000);
        let id = format!("event {number}");
        transaction
            .execute(
                "INSERT INTO events (id, platform, channel, sequence, at_ms, type, own, envelope, stored_ms, total_bytes)
                 VALUES (?1, 'p', 'c', ?2, 0, 'chat', 0, '{}', ?3, ?2 * 100)",
                (&id, to_integer(number), stored_ms),
            )
            .unwrap();
        transaction
            .execute(
                "INSERT INTO effects (event_id, plugin, number, effect, stored_ms) VALUES (?1, 'plugin', 0, '{}', ?2)",
                (&id, stored_ms),
            )
            .unwrap();
        transaction
            .execute(
                "INSERT INTO notes (event_id, plugin, note, stored_ms) VALUES (?1, 'plugin', '{}', ?2)",
                (&id, stored_ms),
            )
            .unwrap();
        transaction
            .execute("INSERT INTO starts (plugin, start, stored_ms) VALUES ('plugin', '{}', ?1)", [stored_ms])
            .unwrap();
        transaction
            .execute(
                "INSERT INTO lines (platform, channel, user_id, message_id, at_ms, text, stored_ms)
                 VALUES ('p', 'c', 'u', ?1, 0, '', ?2)",
                (&id, stored_ms),
            )
            .unwrap();
    }
    transaction.commit().unwrap();
    connection
}

fn count(connection: &Connection, table: &str) -> i64 {
    connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

fn run(connection: &Connection, keep_for: Duration, keep_bytes: u64) -> usize {
    let retention = Retention::new(&JournalSettings { keep_for, keep_bytes });
    let mut bites = 1;
    while retention.prune_batch(connection, NOW).unwrap() == Pruned::More {
        bites += 1;
        assert!(bites < 100, "it never ends");
    }
    bites
}

#[test]
fn what_is_too_old_goes_in_small_bites() {
    let connection = filled(1000);
    let bites = run(&connection, Duration::from_secs(99), u64::MAX);
    assert!(bites >= 900 / BITE, "{bites}");
    for table in ["events", "effects", "lines", "notes"] {
        assert_eq!(count(&connection, table), 100, "{table}");
    }
    assert_eq!(count(&connection, "starts"), 101, "the one that still held then stays");
    let oldest: String =
        connection.query_row("SELECT id FROM events ORDER BY position LIMIT 1", [], |row| row.get(0)).unwrap();
    assert_eq!(oldest, "event 901");
}

#[test]
fn what_is_too_much_goes_oldest_first_and_takes_its_effects_with_it() {
    let connection = filled(1000);
    run(&connection, Duration::from_secs(1 << 30), 50 * 100);
    for table in ["events", "effects", "lines", "notes"] {
        assert_eq!(count(&connection, table), 50, "{table}");
    }
}

#[test]
fn nothing_goes_that_is_within_both_bounds() {
    let connection = filled(300);
    assert_eq!(run(&connection, Duration::from_secs(1000), 1 << 30), 1);
    assert_eq!(count(&connection, "events"), 300);
}

#[test]
fn tasks_that_are_done_go_with_their_time_and_of_the_dead_the_newest_stay() {
    let connection = filled(1);
    for number in 0..1300u32 {
        let (state, ended) = if number < 100 { ("done", NOW - 5000) } else { ("dead", NOW - 5000) };
        connection
            .execute(
                "INSERT INTO tasks (id, queue, plugin, prompt, priority, state, ready_at_ms, created_ms, ended_ms)
                 VALUES (?1, 'q', 'p', '', 0, ?2, 0, 0, ?3)",
                (number.to_string(), state, to_integer(ended)),
            )
            .unwrap();
    }
    connection
        .execute(
            "INSERT INTO tasks (id, queue, plugin, prompt, priority, ready_at_ms, created_ms)
             VALUES ('waits', 'q', 'p', '', 0, 0, 0)",
            [],
        )
        .unwrap();
    run(&connection, Duration::from_secs(1), u64::MAX);
    let left = |state| {
        let sql = "SELECT count(*) FROM tasks WHERE state = ?1";
        connection.query_row(sql, [state], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!((left("done"), left("dead"), left("ready")), (0, 1000, 1));
}
