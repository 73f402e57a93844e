//! The pipeline as platforms and plugins see it, with a store on a real file.

mod batches;
mod door;
mod fallbacks;
mod kills;
mod replies;
mod reviews;

use std::path::PathBuf;

use arc_swap::ArcSwap;
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;

use super::fake_sink::FakeSink;
use super::*;
use crate::config::settings::JournalSettings;
use crate::effect::{Action, Effect, KvWrite, Maker, NumberedEffect};
use crate::event::{ChatMessage, Moderation, Support, User};
use crate::plugin::{Given, PluginHandle, Ticket};
use crate::recording::{Entry, Window};
use crate::store::Archive;

struct Bench {
    pipeline: Pipeline,
    store: Store,
    observer: Observer,
    sink: Arc<FakeSink>,
    performed: UnboundedReceiver<Action>,
    folder: TempDir,
}

impl Bench {
    async fn new(plugins: &[&Arc<PluginHandle>]) -> Self {
        Self::reopen(tempfile::tempdir().unwrap(), plugins).await
    }

    /// With a simulated account in `channel()`.
    async fn reopen(folder: TempDir, plugins: &[&Arc<PluginHandle>]) -> Self {
        let journal = JournalSettings { keep_for: Duration::from_secs(3600), keep_bytes: 1 << 30 };
        let path: PathBuf = folder.path().join("showrunner.db");
        let store = Store::open(&path, &journal).unwrap();
        let settings = PipelineSettings {
            command_prefix: "!".into(),
            review: Duration::from_millis(50),
            fallback_after: Duration::from_secs(1),
            drain: Duration::from_secs(5),
        };
        let roster: Roster = Arc::new(ArcSwap::from_pointee(plugins.iter().map(|&plugin| plugin.clone()).collect()));
        let observer = Observer::default();
        let pipeline =
            Pipeline::open(&settings, roster, store.clone(), observer.clone(), &Handle::current()).await.unwrap();
        let (sink, performed) = FakeSink::new(Duration::ZERO);
        let pace = Pace { messages: None, in_flight: 4, expiry: Duration::from_secs(60) };
        pipeline.attach("simulator", &[channel()], sink.clone(), pace);
        Self { pipeline, store, observer, sink, performed, folder }
    }

    fn accept(&self, draft: Draft) -> Arc<str> {
        match self.pipeline.accept(draft) {
            Accepted::Queued { id, .. } => id,
            Accepted::Repeat => panic!("a repeat"),
        }
    }

    /// What a daemon that is killed now leaves behind.
    async fn killed(&self) -> TempDir {
        self.store.flush().await.unwrap();
        let copy = tempfile::tempdir().unwrap();
        for name in ["showrunner.db", "showrunner.db-wal"] {
            std::fs::copy(self.folder.path().join(name), copy.path().join(name)).unwrap();
        }
        copy
    }

    /// The journal, as whoever looks at the file finds it.
    async fn journal(&self) -> Vec<Entry> {
        self.store.flush().await.unwrap();
        let archive = Archive::open(&self.folder.path().join("showrunner.db")).unwrap();
        archive.page(&Window::default(), 0, 100).unwrap().entries
    }

    /// Ends the store, so that another can take its place.
    async fn close(self) -> TempDir {
        self.store.close().await;
        self.folder
    }
}

fn channel() -> Channel {
    Channel::new("simulator", "studio")
}

fn draft(id: &str, event: Event) -> Draft {
    Draft { id: Some(id.into()), ..Draft::new(channel(), 1_000, event) }
}

fn chat(id: &str, text: &str) -> Draft {
    let author = User { id: "42".into(), login: "viewer".into(), ..User::default() };
    let message = ChatMessage { id: format!("message-{id}"), author, text: text.into(), ..ChatMessage::default() };
    draft(id, Event::Chat(message))
}

/// An event of chat that nobody was told of.
fn cause(id: &str) -> Arc<Envelope> {
    let draft = chat(id, "hi");
    let (channel, event) = (draft.channel, draft.event);
    Arc::new(Envelope { id: id.into(), sequence: 1, at_ms: 0, origin: draft.origin, channel, event, extra: None })
}

fn tip(id: &str) -> Draft {
    let support = Support {
        kind: "tip".into(),
        who: None,
        amount: crate::event::Amount::whole(5),
        currency: "USD".into(),
        message: None,
        item: None,
    };
    draft(id, Event::Support(support))
}

fn say(text: &str) -> Effect {
    on_channel(Action::Say { text: text.into() })
}

fn on_channel(action: Action) -> Effect {
    Effect::Platform { channel: channel(), action }
}

/// The next event that a stand-in gets.
async fn given(plugin: &PluginHandle) -> (Arc<Envelope>, Option<Ticket>) {
    match plugin.given().await {
        Given::Event(envelope, ticket) => (envelope, ticket),
        Given::Review(envelope, _) => panic!("asked to review {}", envelope.id),
    }
}

async fn given_moderation(plugin: &PluginHandle) -> Moderation {
    match given(plugin).await.0.event.clone() {
        Event::Moderation(moderation) => moderation,
        other => panic!("{other:?}"),
    }
}

fn has_nothing(plugin: &PluginHandle) -> bool {
    plugin.try_given().is_none()
}

/// The ids of all the events that a stand-in has now.
fn all_given(plugin: &PluginHandle) -> Vec<String> {
    std::iter::from_fn(|| plugin.try_given())
        .map(|given| match given {
            Given::Event(envelope, _) => envelope.id.as_ref().to_owned(),
            Given::Review(envelope, _) => panic!("asked to review {}", envelope.id),
        })
        .collect()
}
