//! An agent that works through all kills: it leases tasks over the control socket, does each once, and says so until it
//! is heard. Now and then it gives one back, forgets one, or answers one.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use fastrand::Rng;
use showrunner::gateway::control::client::{Client, ClientError};
use showrunner::gateway::control::{QueueRequest, Request, Response};
use showrunner::gateway::view::TaskView;
use tokio::sync::watch;
use tokio::time::sleep;

use super::VISIBILITY;

/// Between two looks at a queue that was empty, or at a daemon that is not there.
const PAUSE: Duration = Duration::from_millis(10);

/// What an answer asks the probe to count, with the task's prompt behind it.
const ANSWER: &str = "count answer ";

/// The key that an answer counts.
pub(super) fn answer_key(prompt: &str) -> String {
    ANSWER.trim_start_matches("count ").to_owned() + prompt
}

/// What one agent has done. Cheap to clone.
#[derive(Clone)]
pub(super) struct Agent {
    record: Arc<Mutex<Record>>,
    leased: watch::Sender<usize>,
    answered: watch::Sender<usize>,
}

#[derive(Default)]
pub(super) struct Record {
    /// By the id of the task.
    pub(super) tasks: HashMap<String, Task>,
    /// What must never happen.
    pub(super) faults: Vec<String>,
    pub(super) expired: usize,
    pub(super) forgotten: usize,
    pub(super) given_back: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) prompt: String,
    state: State,
    pub(super) answered: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Until then it is this agent's alone.
    InHand { until: Instant },
    /// Forgotten or given back: it may be leased again.
    LetGo,
    /// The daemon has said that it is done.
    Done,
}

/// How the agent ends a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Ack,
    Answer,
    GiveBack,
    Forget,
}

impl Agent {
    pub(super) fn new() -> Self {
        Self { record: Arc::default(), leased: watch::Sender::new(0), answered: watch::Sender::new(0) }
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap()
    }

    pub(super) async fn has_leased(&self, more: usize) {
        let goal = *self.leased.borrow() + more;
        self.leased.subscribe().wait_for(|count| *count >= goal).await.unwrap();
    }

    pub(super) async fn has_answered(&self, more: usize) {
        let goal = *self.answered.borrow() + more;
        self.answered.subscribe().wait_for(|count| *count >= goal).await.unwrap();
    }

    /// The prompts of all tasks that are done.
    pub(super) fn done(&self) -> Vec<String> {
        let record = self.record();
        record.tasks.values().filter(|task| task.state == State::Done).map(|task| task.prompt.clone()).collect()
    }

    /// Works until the task is dropped.
    pub(super) async fn work(self, data_dir: PathBuf, mut rng: Rng) {
        let mut daemon = Daemon { data_dir, client: None };
        loop {
            let lease = Request::Queue(QueueRequest::Lease { name: "main".into(), limit: rng.u32(1..6) });
            let tasks = match daemon.try_ask(&lease).await {
                Some(Ok(Response::Tasks { tasks })) => tasks,
                Some(other) => panic!("a lease was answered with {other:?}"),
                None => Vec::new(),
            };
            if tasks.is_empty() {
                sleep(PAUSE).await;
            }
            for task in &tasks {
                self.take(task);
            }
            for task in tasks {
                let end = match rng.u8(0..20) {
                    0 => End::GiveBack,
                    1 => End::Forget,
                    2..=6 => End::Answer,
                    _ => End::Ack,
                };
                self.end(&mut daemon, task, end).await;
            }
        }
    }

    /// Notes a lease, and whether it may be one.
    fn take(&self, task: &TaskView) {
        let mut record = self.record();
        let id = task.id.clone();
        let twin = record.tasks.iter().find(|(other, known)| **other != id && known.prompt == task.prompt);
        let fault = match (twin, record.tasks.get(&id).map(|known| known.state)) {
            (Some((twin, _)), _) => Some(format!("{} is the task {twin} and the task {id}", task.prompt)),
            (None, Some(State::Done)) => Some(format!("{} was done and is leased again", task.prompt)),
            (None, Some(State::InHand { until })) if Instant::now() < until => {
                Some(format!("{} is in hand and is leased again", task.prompt))
            }
            (None, _) => None,
        };
        record.faults.extend(fault);
        // A little less than the daemon gives: the answer was some time on its way.
        let until = Instant::now() + VISIBILITY.saturating_sub(Duration::from_millis(500));
        let known = record.tasks.entry(id).or_insert_with(|| Task {
            prompt: task.prompt.clone(),
            state: State::LetGo,
            answered: false,
        });
        known.state = State::InHand { until };
        drop(record);
        self.leased.send_modify(|count| *count += 1);
    }

    async fn end(&self, daemon: &mut Daemon, task: TaskView, end: End) {
        let TaskView { id, lease, prompt, .. } = task;
        let lease = lease.expect("a leased task has a lease");
        let request = match end {
            End::Ack => QueueRequest::Ack { task: id.clone(), lease },
            End::Answer => QueueRequest::Reply { task: id.clone(), ok: true, text: format!("{ANSWER}{prompt}") },
            End::GiveBack => {
                // Before it is asked: the answer may be lost.
                self.set(&id, State::LetGo, false);
                self.record().given_back += 1;
                QueueRequest::Nack { task: id.clone(), lease, delay_ms: 0 }
            }
            End::Forget => {
                self.record().forgotten += 1;
                return self.set(&id, State::LetGo, false);
            }
        };
        match daemon.ask(&Request::Queue(request)).await {
            Ok(_) if end == End::GiveBack => {}
            // It was heard the first time, and the daemon killed before it could say so.
            Err(refusal) if refusal.contains("is done already") => self.set(&id, State::Done, end == End::Answer),
            Ok(_) => self.set(&id, State::Done, end == End::Answer),
            // Too late, or it was given back already.
            Err(_) if end == End::GiveBack => {}
            Err(refusal) if refusal.contains("leased") => {
                let mut record = self.record();
                let is_early = matches!(record.tasks[&id].state, State::InHand { until } if Instant::now() < until);
                if is_early {
                    record.faults.push(format!("{prompt} was taken away too early: {refusal}"));
                }
                record.expired += 1;
                drop(record);
                self.set(&id, State::LetGo, false);
            }
            Err(refusal) => self.record().faults.push(format!("{prompt} can't be ended: {refusal}")),
        }
    }

    fn set(&self, id: &str, state: State, answered: bool) {
        let mut record = self.record();
        let task = record.tasks.get_mut(id).expect("it was leased");
        task.state = state;
        task.answered |= answered;
        drop(record);
        if answered {
            self.answered.send_modify(|count| *count += 1);
        }
    }
}

/// The control socket of whichever daemon is there.
pub(super) struct Daemon {
    pub(super) data_dir: PathBuf,
    pub(super) client: Option<Client>,
}

impl Daemon {
    /// Asks the daemon that is there; `None` when there is none, or when it is killed with the request.
    pub(super) async fn try_ask(&mut self, request: &Request) -> Option<Result<Response, String>> {
        if self.client.is_none() {
            self.client = Client::connect(&self.data_dir).await.ok();
        }
        let answer = self.client.as_mut()?.ask(request).await;
        match answer {
            Ok(response) => Some(Ok(response)),
            Err(ClientError::Refused(refusal)) => Some(Err(refusal.to_string())),
            Err(_) => {
                self.client = None;
                None
            }
        }
    }

    /// Asks until some daemon has answered.
    async fn ask(&mut self, request: &Request) -> Result<Response, String> {
        loop {
            match self.try_ask(request).await {
                Some(answer) => return answer,
                None => sleep(PAUSE).await,
            }
        }
    }
}
