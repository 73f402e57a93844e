//! Every metric there is: its name, its labels and what it means.
//!
//! Whoever knows a number reports it with the macros of the `metrics` crate and a name from here.

pub const EVENTS: &str = "showrunner_events_total";
pub const EFFECTS: &str = "showrunner_effects_total";
pub const PLUGIN_CALLS: &str = "showrunner_plugin_calls_seconds";
pub const PLUGIN_CRASHES: &str = "showrunner_plugin_crashes_total";
pub const PLUGIN_DENIED: &str = "showrunner_plugin_denied_total";
pub const REVIEWS_UNANSWERED: &str = "showrunner_reviews_unanswered_total";
pub const CONNECTION_READY: &str = "showrunner_connection_ready";
pub const QUEUE_DROPPED: &str = "showrunner_queue_dropped_total";
pub const TASKS: &str = "showrunner_tasks";
pub const TWITCH_DROPPED: &str = "showrunner_twitch_dropped_total";
pub const STORE_BACKLOG: &str = "showrunner_store_backlog";
pub const STORE_FAILING: &str = "showrunner_store_failing";
pub const STORE_LOST_WRITES: &str = "showrunner_store_lost_writes_total";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Debug, Clone, Copy)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    pub meaning: &'static str,
}

const fn metric(name: &'static str, kind: Kind, labels: &'static [&'static str], meaning: &'static str) -> Metric {
    Metric { name, kind, labels, meaning }
}

/// Every metric there is. No label holds what viewers write or are called: their number has no bound.
pub const TABLE: [Metric; 13] = [
    metric(EVENTS, Kind::Counter, &["platform", "type"], "Events taken in, repeats left out."),
    metric(
        EFFECTS,
        Kind::Counter,
        &["status"],
        "Effects by how they ended: done, failed, expired, unsupported, uncertain.",
    ),
    metric(PLUGIN_CALLS, Kind::Histogram, &["plugin"], "How long a plugin's handler took for one event, in seconds."),
    metric(PLUGIN_CRASHES, Kind::Counter, &["plugin"], "Handlers that trapped, or ran out of time or memory."),
    metric(PLUGIN_DENIED, Kind::Counter, &["plugin"], "Calls of a plugin that no grant allows."),
    metric(
        REVIEWS_UNANSWERED,
        Kind::Counter,
        &["plugin"],
        "Reviews without a verdict in time: the plugin's on-failure counted.",
    ),
    metric(CONNECTION_READY, Kind::Gauge, &["name"], "1 while events of the connection will come, else 0."),
    metric(QUEUE_DROPPED, Kind::Counter, &["plugin"], "Events that a plugin was too slow for."),
    metric(TASKS, Kind::Gauge, &["queue", "state"], "Tasks for agents: waiting, leased, dead."),
    metric(TWITCH_DROPPED, Kind::Counter, &["why"], "Events that Twitch sent repeated or more than ten minutes late."),
    metric(STORE_BACKLOG, Kind::Gauge, &[], "Writes that wait for the database."),
    metric(STORE_FAILING, Kind::Gauge, &[], "1 while the database can't be written, else 0."),
    metric(STORE_LOST_WRITES, Kind::Counter, &[], "Writes that were given up: the journal has a gap."),
];
