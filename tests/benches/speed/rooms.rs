//! The rooms of the engine that a layer needs below it, without the engine.

use std::sync::Arc;

use showrunner::agent::TaskQueue;
use showrunner::config;
use showrunner::config::settings::Settings;
use showrunner::effect::EffectSink;
use showrunner::event::now_ms;
use showrunner::observation::Observer;
use showrunner::plugin::{Host, HostOptions, Roster, Threads};
use showrunner::store::Store;

use crate::home::Home;

pub(crate) struct Rooms {
    pub(crate) settings: Arc<Settings>,
    pub(crate) store: Store,
    pub(crate) tasks: TaskQueue,
    pub(crate) observer: Observer,
    pub(crate) roster: Roster,
    pub(crate) threads: Threads,
    _home: Home,
}

impl Rooms {
    pub(crate) async fn open(home: Home) -> Self {
        home.write();
        let settings = Arc::new(config::load(&home.config()).unwrap());
        let store = Store::open(&settings.data_dir.join("showrunner.db"), &settings.journal).unwrap();
        let observer = Observer::default();
        let nobody = Arc::new(|_, _| {});
        // Nothing here asks for a task, so there is nothing to attend to.
        let (tasks, _) = TaskQueue::new(store.clone(), &settings.agent, observer.clone(), nobody, Arc::new(now_ms));
        Self {
            settings,
            store,
            tasks,
            observer,
            roster: Roster::default(),
            threads: Threads::start().unwrap(),
            _home: home,
        }
    }

    /// Starts the plugins of the home.
    pub(crate) async fn host(&self, sink: Arc<dyn EffectSink>) -> Host {
        let options = HostOptions {
            settings: Arc::clone(&self.settings),
            cache_dir: Some(self.settings.data_dir.join("compiled")),
            store: self.store.clone(),
            tasks: self.tasks.clone(),
            sink,
            observer: self.observer.clone(),
            threads: self.threads.handle().clone(),
            roster: Arc::clone(&self.roster),
            announce: Arc::new(|_| {}),
        };
        Host::start(options).await.unwrap()
    }
}
