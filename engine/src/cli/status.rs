//! `showrunner status`: the daemon on one page.

use std::path::Path;

use super::clean::clean;
use super::paint::Paint;
use super::span::span;
use super::{auth, daemon, output, plugins};
use crate::event::now_ms;
use crate::gateway::control::{Request, Response};
use crate::gateway::view::{Status, StoreView};
use crate::observation::ConnectionState;
use crate::platform::supervisor::ConnectionStatus;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

pub(super) async fn execute(config: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    match daemon::ask(config, &Request::Status).await? {
        Response::Status(status) if arguments.json => output::json(&status),
        Response::Status(status) => output::line(page(&status, now_ms(), Paint::when(output::has_colors())).trim_end()),
        other => daemon::unexpected(&other),
    }
}

fn page(status: &Status, now_ms: u64, paint: Paint) -> String {
    let up = span(now_ms.saturating_sub(status.started_ms));
    let mut page = format!("showrunner {} runs as process {} for {up}", clean(&status.version), status.pid);
    if status.safe_mode {
        page.push_str(", in safe mode");
    }
    page.push_str(&format!("\nconfig {}\ndata   {}\n", status.config.display(), status.data_dir.display()));
    let StoreView { problem, backlog, lost } = &status.store;
    let losses = if *lost == 0 { String::new() } else { format!("; {lost} writes were lost since the start") };
    match problem {
        None => page.push_str(&format!("store  well, {backlog} writes wait{losses}\n")),
        Some(problem) => page.push_str(&format!("store  {}{losses}\n", clean(problem))),
    }
    page.push_str(&format!("\n{}\n", paint.bold("Connections")));
    if status.connections.is_empty() {
        page.push_str("  none yet\n");
    }
    for connection in &status.connections {
        page.push_str(&connection_line(connection, now_ms));
    }
    if !status.grants.is_empty() {
        page.push_str(&format!("\n{}\n", paint.bold("Signing in")));
    }
    for grant in &status.grants {
        page.push_str(&format!("  {}\n", clean(&auth::trouble(grant))));
    }
    page.push_str(&format!("\n{}\n", paint.bold("Plugins")));
    for plugin in &status.plugins {
        page.push_str(&format!("  {}\n", plugins::summary(plugin)));
    }
    if !status.queues.is_empty() {
        page.push_str(&format!("\n{}\n", paint.bold("Tasks")));
    }
    for queue in &status.queues {
        let (waiting, leased, dead) = (queue.waiting, queue.leased, queue.dead);
        page.push_str(&format!("  {}: {waiting} waiting, {leased} leased, {dead} dead\n", clean(&queue.queue)));
    }
    page
}

fn connection_line(connection: &ConnectionStatus, now_ms: u64) -> String {
    let since = span(now_ms.saturating_sub(connection.since_ms));
    let last = connection.last_event_ms.map_or_else(
        || "no event yet".to_owned(),
        |at_ms| format!("last event {} ago", span(now_ms.saturating_sub(at_ms))),
    );
    let (state, details) = match &connection.state {
        ConnectionState::Ready { degraded: Some(degraded) } => ("ready, but not with all".to_owned(), vec![degraded]),
        ConnectionState::Stopped { why, what_to_do } => ("stopped".to_owned(), vec![why, what_to_do]),
        other => (other.to_string(), Vec::new()),
    };
    let reconnects = match connection.reconnects {
        1 => "1 reconnect".to_owned(),
        count => format!("{count} reconnects"),
    };
    let mut line = format!("  {}: {} for {since}; {last}, {reconnects}\n", clean(&connection.name), clean(&state));
    for detail in details {
        line.push_str(&format!("    {}\n", clean(detail)));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Condition, GrantId, GrantView};
    use crate::gateway::view::{PluginStatus, QueueView};

    #[test]
    fn the_page_shows_every_part_and_why() {
        let state =
            ConnectionState::Stopped { why: "the token was refused".into(), what_to_do: "give it a new one".into() };
        let connection = ConnectionStatus {
            name: "retake:\x1b[2J".into(),
            channels: Vec::new(),
            state,
            since_ms: 0,
            last_event_ms: Some(30_000),
            reconnects: 2,
        };
        let plugin = PluginStatus { id: "greeter".into(), state: "running".into(), ..PluginStatus::default() };
        let grant = GrantView {
            id: GrantId::bot("twitch"),
            name: "Twitch: the bot".into(),
            condition: Condition::SignedOut,
            user_id: "7".into(),
            login: "pixel".into(),
            scopes: Vec::new(),
            is_used: true,
            missing: Vec::new(),
            expires_at_ms: None,
            problem: Some("it was refused".into()),
            what_to_do: Some("run `showrunner auth twitch --bot`".into()),
        };
        let status = Status {
            version: "1.0.0".into(),
            pid: 7,
            started_ms: 0,
            config: "/c".into(),
            data_dir: "/d".into(),
            safe_mode: true,
            connections: vec![connection],
            grants: vec![grant],
            plugins: vec![plugin],
            queues: vec![QueueView { queue: "chat".into(), waiting: 1, leased: 2, dead: 3 }],
            store: StoreView { problem: Some("the disk is full".into()), backlog: 0, lost: 7 },
        };
        let starting = Status { connections: Vec::new(), ..status.clone() };
        assert!(page(&starting, 90_000, Paint::plain()).contains("Connections\n  none yet\n"));
        let page = page(&status, 90_000, Paint::plain());
        for part in [
            "runs as process 7 for 1 min 30 s, in safe mode",
            "store  the disk is full; 7 writes were lost since the start",
            "retake:␛[2J: stopped for 1 min 30 s; last event 1 min 0 s ago, 2 reconnects\n",
            "\n    the token was refused\n    give it a new one\n",
            "Signing in\n  Twitch: the bot: it was refused; run `showrunner auth twitch --bot`\n",
            "greeter",
            "chat: 1 waiting, 2 leased, 3 dead",
        ] {
            assert!(page.contains(part), "{part:?} is not in\n{page}");
        }
    }
}
