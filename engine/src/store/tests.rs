//! The store as its users see it, on real files.

mod batches;
mod copies;
mod failing;
mod gone;
mod inbox;
mod journal;
mod opening;
mod plugins;
mod projecting;
mod recordings;
mod recovery;
mod results;
mod viewers;

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::effect::{Batch, Effect, KvWrite, Maker, NumberedEffect, Task};
use crate::event::{Channel, ChatMessage, Envelope, Event, Origin, User};
use crate::recording::{Entry, Window};

pub(super) const SETTINGS: JournalSettings =
    JournalSettings { keep_for: Duration::from_secs(30 * 24 * 3600), keep_bytes: 1 << 30 };

/// A folder that is gone with the test, and the database in it.
pub(super) struct Place {
    pub(super) folder: TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("showrunner.db")
    }

    pub(super) fn open(&self) -> Store {
        Store::open(&self.path(), &SETTINGS).unwrap()
    }

    /// What a daemon that is killed now leaves behind: all that its store has written.
    pub(super) async fn killed(&self, store: &Store) -> Self {
        store.flush().await.unwrap();
        let copy = Self::new();
        for end in ["", "-wal"] {
            let name = format!("showrunner.db{end}");
            std::fs::copy(self.folder.path().join(&name), copy.folder.path().join(&name)).unwrap();
        }
        copy
    }

    /// A store on that.
    pub(super) async fn after_kill(&self, store: &Store) -> Reopened {
        let place = self.killed(store).await;
        Reopened { store: place.open(), _place: place }
    }
}

/// A store with its folder, which lives as long.
pub(super) struct Reopened {
    store: Store,
    _place: Place,
}

impl Deref for Reopened {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

/// The journal, as whoever looks at the file finds it.
pub(super) async fn journal(place: &Place, store: &Store) -> Vec<Entry> {
    store.flush().await.unwrap();
    Archive::open(&place.path()).unwrap().page(&Window::default(), 0, 100_000).unwrap().entries
}

/// What a handler decides that asks for a task; the event is called as the task is.
pub(crate) fn asks_for(task_id: &str, task: Task) -> Batch {
    let effects = vec![NumberedEffect { number: 0, effect: Effect::Enqueue { task_id: task_id.to_owned(), task } }];
    let cause = chat(task_id, "anna", "hello");
    Batch { plugin: "greeter".into(), maker: Maker::Handler, cause, effects, kv: vec![], again: false }
}

/// What a plugin has for ever: these values under these keys.
pub(super) fn remembers(values: &[(&str, impl AsRef<[u8]>)]) -> Batch {
    let set = |(key, value): &(&str, _)| KvWrite::Set {
        key: (*key).to_owned(),
        value: AsRef::<[u8]>::as_ref(value).to_vec(),
    };
    Batch {
        plugin: "greeter".into(),
        maker: Maker::Handler,
        cause: chat("cause", "anna", "hello"),
        effects: Vec::new(),
        kv: values.iter().map(set).collect(),
        again: false,
    }
}

/// Commits a batch and waits for the disk's word.
pub(super) async fn commit(store: &Store, batch: &Batch) -> Result<Committed, StoreError> {
    store.commit(batch, 100)?.await
}

pub(super) fn channel() -> Channel {
    Channel::new("retake", "5b7c")
}

pub(super) fn envelope(id: &str, event: Event) -> Envelope {
    Envelope { id: id.into(), sequence: 1, at_ms: 1_000, origin: Origin::Live, channel: channel(), event, extra: None }
}

pub(super) fn message(id: &str, user_id: &str, text: &str) -> ChatMessage {
    ChatMessage {
        id: format!("message-{id}"),
        author: User {
            id: user_id.to_owned(),
            login: format!("login_{user_id}"),
            display_name: format!("Name {user_id}"),
            ..User::default()
        },
        text: text.to_owned(),
        ..ChatMessage::default()
    }
}

pub(super) fn chat(id: &str, user_id: &str, text: &str) -> Arc<Envelope> {
    Arc::new(envelope(id, Event::Chat(message(id, user_id, text))))
}

/// Runs SQL behind the store's back, on its own connection.
pub(super) async fn sql(store: &Store, sql: &'static str) {
    store
        .request(Access::Read, move |group| {
            let mut statement = group.prepare(sql)?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            Ok(())
        })
        .await
        .unwrap();
}

pub(super) async fn number(store: &Store, sql: &'static str) -> i64 {
    store.request(Access::Read, move |group| Ok(group.prepare(sql)?.query_row([], |row| row.get(0))?)).await.unwrap()
}

/// All that a query finds.
pub(super) async fn rows(store: &Store, sql: &'static str) -> Vec<Vec<rusqlite::types::Value>> {
    store
        .request(Access::Read, move |group| {
            let mut statement = group.prepare(sql)?;
            let columns = statement.column_count();
            let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect())?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
        .unwrap()
}

/// Holds the writer up: what is handed over before the answer is dropped comes to it all at once.
pub(super) async fn hold_up(store: &Store) -> mpsc::Sender<()> {
    let (let_go, gate) = mpsc::channel();
    let (begun, has_begun) = oneshot::channel();
    let mut begun = Some(begun);
    let held = store.queue_request(Access::Read, move |_| {
        begun.take().unwrap().send(()).unwrap();
        gate.recv().unwrap_err();
        Ok(())
    });
    drop(held.unwrap());
    has_begun.await.unwrap();
    let_go
}
