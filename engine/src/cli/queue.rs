//! `showrunner queue`: how an agent, or a person, works on tasks from a shell.

use std::path::Path;
use std::time::Duration;

use super::clean::clean;
use super::span::span;
use super::{daemon, output};
use crate::config;
use crate::event::now_ms;
use crate::gateway::control::{QueueRequest, Request, Response};
use crate::gateway::view::TaskView;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show tasks that wait or are leased.
    List(Listing),
    /// Take tasks to work on; they come back when they are not acknowledged in time.
    Lease {
        /// The queue.
        queue: String,
        #[arg(long, default_value_t = 1)]
        limit: u32,
        /// One JSON value a line, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Say that a task is done, without an answer.
    Ack { task: String, lease: String },
    /// Give a task back.
    Nack {
        task: String,
        lease: String,
        /// Not to be leased again before this time has passed, as "30s".
        #[arg(long, default_value = "0s", value_parser = parse_delay)]
        delay: Duration,
    },
    /// Answer the plugin that asked; that acknowledges too.
    Reply {
        task: String,
        /// The answer; several words are joined.
        #[arg(required = true)]
        text: Vec<String>,
        /// The task could not be done; the text says why.
        #[arg(long)]
        failed: bool,
    },
    /// Show tasks that nobody could finish.
    Dead(Listing),
    /// Bring a dead task back to life.
    Requeue { task: String },
}

#[derive(Debug, clap::Args)]
pub(super) struct Listing {
    /// The queue; all of them without it.
    queue: Option<String>,
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// One JSON value a line, for programs.
    #[arg(long)]
    json: bool,
}

fn parse_delay(text: &str) -> Result<Duration, String> {
    config::parse_time(text).ok_or_else(|| "expected a time such as 500ms, 30s or 5m".to_owned())
}

pub(super) async fn execute(config: &Path, command: Command) -> anyhow::Result<()> {
    let done = match &command {
        Command::Ack { .. } => Some("Acknowledged."),
        Command::Nack { .. } => Some("Given back."),
        Command::Reply { .. } => Some("Answered."),
        Command::Requeue { .. } => Some("Waiting again."),
        Command::List(_) | Command::Lease { .. } | Command::Dead(_) => None,
    };
    let (request, json) = request(command);
    let tasks = match daemon::ask(config, &Request::Queue(request)).await? {
        Response::Tasks { tasks } => tasks,
        Response::Done => Vec::new(),
        other => return daemon::unexpected(&other),
    };
    match done {
        Some(done) => output::line(done),
        None if json => tasks.iter().try_for_each(output::json),
        None if tasks.is_empty() => output::line("There are no tasks."),
        None => tasks.iter().try_for_each(|task| output::line(describe(task, now_ms()))),
    }
}

/// And whether the answer is for a program.
fn request(command: Command) -> (QueueRequest, bool) {
    match command {
        Command::List(Listing { queue: name, limit, json }) => (QueueRequest::List { name, limit }, json),
        Command::Dead(Listing { queue: name, limit, json }) => (QueueRequest::Dead { name, limit }, json),
        Command::Lease { queue: name, limit, json } => (QueueRequest::Lease { name, limit }, json),
        Command::Ack { task, lease } => (QueueRequest::Ack { task, lease }, false),
        Command::Nack { task, lease, delay } => {
            let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
            (QueueRequest::Nack { task, lease, delay_ms }, false)
        }
        Command::Reply { task, text, failed } => {
            (QueueRequest::Reply { task, ok: !failed, text: text.join(" ") }, false)
        }
        Command::Requeue { task } => (QueueRequest::Requeue { task }, false),
    }
}

fn describe(task: &TaskView, now_ms: u64) -> String {
    let age = span(now_ms.saturating_sub(task.created_ms));
    let lease = task.lease.as_deref().map(|lease| format!(", lease {}", clean(lease))).unwrap_or_default();
    format!(
        "{} {} {}{lease}, from {}, {age} old, attempt {}\n    {}",
        clean(&task.id),
        clean(&task.queue),
        clean(&task.state),
        clean(&task.plugin),
        task.attempts,
        clean(&task.prompt),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_shown_with_what_is_needed_to_finish_it() {
        let task = TaskView {
            id: "t1".into(),
            queue: "chat".into(),
            plugin: "agent-queue".into(),
            prompt: "alice: hi\n\x1b[31m日本".into(),
            context_json: None,
            priority: 1,
            state: "leased".into(),
            attempts: 2,
            created_ms: 0,
            lease: Some("l9".into()),
            lease_until_ms: Some(5),
        };
        let expected = "t1 chat leased, lease l9, from agent-queue, 5 s old, attempt 2\n    alice: hi⏎␛[31m日本";
        assert_eq!(describe(&task, 5000), expected);
    }

    #[test]
    fn words_of_an_answer_are_joined_and_a_delay_is_a_time() {
        let reply = Command::Reply { task: "t".into(), text: vec!["all".into(), "good".into()], failed: true };
        let expected = QueueRequest::Reply { task: "t".into(), ok: false, text: "all good".into() };
        assert_eq!(request(reply), (expected, false));
        assert_eq!(parse_delay("30s"), Ok(Duration::from_secs(30)));
        assert!(parse_delay("soon").is_err());
    }
}
