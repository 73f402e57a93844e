//! What a daemon left on the disk, and whether it may be so.
//!
//! [`glance`] looks after each kill, at a copy, so that the next daemon finds what the killed one left: the database is
//! whole, and so is each batch in it. [`verdict`] looks when all is over: everything that was said and heard has come
//! to its end, once.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;
use showrunner::event::{Envelope, Event};

use super::agent::{Record, answer_key};
use super::chat::{Heard, Said, Sayings};
use super::tally::Tally;

/// Effects from here on are review's own.
const MEASURES_FROM: i64 = 1 << 31;

/// A database that no daemon has open.
struct Body {
    connection: Connection,
}

struct EffectRow {
    number: i64,
    effect: Value,
    state: String,
}

/// What a look at a dead daemon's database tells.
#[derive(Debug, Default)]
pub(super) struct Glance {
    pub(super) faults: Vec<String>,
    /// It had come to its end in good order, a moment before it was killed.
    pub(super) was_closed: bool,
}

/// Looks at what a daemon left in `data_dir`.
pub(super) fn glance(data_dir: &Path) -> Glance {
    let copy = tempfile::tempdir().unwrap();
    for name in ["showrunner.db", "showrunner.db-wal"] {
        // A daemon that was killed at once has made neither.
        let _ = fs::copy(data_dir.join(name), copy.path().join(name));
    }
    let mut glance = Glance::default();
    if let Some(body) = Body::open(copy.path()) {
        body.check_whole(&mut glance.faults);
        body.check_batches(&mut glance.faults);
        glance.was_closed = body.number("SELECT closed FROM run") == 1;
    }
    glance
}

/// Everything that is known when all is over.
pub(super) struct Evidence<'a> {
    pub(super) data_dir: &'a Path,
    pub(super) sayings: &'a Sayings,
    pub(super) agent: &'a Record,
    /// The lines that the platform took.
    pub(super) sent: Vec<String>,
    /// The simulator's record of actions.
    pub(super) record: &'a Path,
}

pub(super) fn verdict(evidence: &Evidence<'_>, tally: &mut Tally) {
    let Some(body) = Body::open(evidence.data_dir) else { return tally.fault("there is no database") };
    body.check_whole(&mut tally.faults);
    body.check_batches(&mut tally.faults);
    body.check_settled(&mut tally.faults);
    tally.faults.extend(evidence.agent.faults.iter().cloned());
    tally.leases_expired += evidence.agent.expired;
    Judge {
        journal: body.journal(),
        effects: body.effects(),
        counts: body.counts(),
        tasks: body.task_prompts(),
        sent: tell(evidence.sent.iter().cloned()),
        removed: removed(evidence.record),
        tally,
    }
    .judge(evidence.sayings, evidence.agent);
}

impl Body {
    /// `None` when there is no file yet, or nothing in it.
    fn open(data_dir: &Path) -> Option<Self> {
        let path = data_dir.join("showrunner.db");
        if !path.exists() {
            return None;
        }
        let body = Self { connection: Connection::open(path).unwrap() };
        let tables = body.number("SELECT count(*) FROM sqlite_schema WHERE name = 'effects'");
        (tables > 0).then_some(body)
    }

    fn number(&self, sql: &str) -> i64 {
        self.connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// All of the rows, which `read` makes of their columns.
    fn rows<T>(&self, sql: &str, read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
        let mut statement = self.connection.prepare(sql).unwrap();
        statement.query_map([], read).unwrap().map(Result::unwrap).collect()
    }

    fn check_whole(&self, faults: &mut Vec<String>) {
        let verdict: String = self.connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        if verdict != "ok" {
            faults.push(format!("the database is damaged: {verdict}"));
        }
        let numbers = self.rows("SELECT platform, channel, sequence FROM events ORDER BY position", |row| {
            Ok((row.get::<_, String>(0)? + ":" + &row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
        });
        let mut last = HashMap::new();
        for (channel, sequence) in numbers {
            if last.insert(channel.clone(), sequence).is_some_and(|before| before >= sequence) {
                faults.push(format!("the number {sequence} of {channel} does not rise"));
            }
        }
    }

    /// A batch is there as a whole, or not at all.
    fn check_batches(&self, faults: &mut Vec<String>) {
        let counts = self.counts();
        if counts.get("work left") != counts.get("work right") {
            faults.push(format!("half of a batch: {:?} and {:?}", counts.get("work left"), counts.get("work right")));
        }
        let tasks = tell(self.task_prompts().into_iter());
        for (event_id, rows) in self.effects() {
            let rows: Vec<_> = rows.iter().filter(|row| row.number < MEASURES_FROM).collect();
            let Some(name) = rows.iter().find_map(|row| row.effect["task"]["prompt"].as_str()) else { continue };
            let count = counts.get(&format!("work {name}")).map(String::as_str);
            let task = tasks.get(name).copied().unwrap_or_default();
            if (rows.len(), count, task) != (3, Some("1"), 1) {
                faults.push(format!(
                    "half of the batch for work {name} ({event_id}): {} effects, counted {count:?}, {task} tasks",
                    rows.len()
                ));
            }
        }
    }

    /// Nothing waits for another start.
    fn check_settled(&self, faults: &mut Vec<String>) {
        for (what, sql) in [
            ("effects have not ended", "SELECT count(*) FROM effects WHERE state = 'pending'"),
            ("events are unfinished", "SELECT count(*) FROM unfinished"),
            ("events are marked as handled", "SELECT count(*) FROM handled"),
            ("events wait for their plugin", "SELECT count(*) FROM inbox"),
            ("tasks are not done", "SELECT count(*) FROM tasks WHERE state != 'done'"),
            ("runs were not closed", "SELECT count(*) FROM run WHERE closed = 0"),
        ] {
            let count = self.number(sql);
            if count > 0 {
                faults.push(format!("{count} {what}"));
            }
        }
    }

    /// What viewers said, and the events that it became.
    fn journal(&self) -> HashMap<String, Vec<Envelope>> {
        let mut journal = HashMap::<String, Vec<Envelope>>::new();
        for json in self.rows("SELECT envelope FROM events WHERE own = 0", |row| row.get::<_, String>(0)) {
            let envelope: Envelope = serde_json::from_str(&json).unwrap();
            let text = match &envelope.event {
                Event::Chat(message) => message.text.clone(),
                Event::Support(support) => support.message.clone().unwrap_or_default(),
                _ => continue,
            };
            journal.entry(text).or_default().push(envelope);
        }
        journal
    }

    fn effects(&self) -> BTreeMap<String, Vec<EffectRow>> {
        let sql =
            "SELECT event_id, number, effect, state FROM effects WHERE plugin = 'probe' ORDER BY event_id, number";
        let rows =
            self.rows(sql, |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get(3)?)));
        let mut effects = BTreeMap::<_, Vec<_>>::new();
        for (event_id, number, json, state) in rows {
            let effect = serde_json::from_str(&json).unwrap();
            effects.entry(event_id).or_default().push(EffectRow { number, effect, state });
        }
        effects
    }

    /// The probe's memory.
    fn counts(&self) -> HashMap<String, String> {
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, String::from_utf8(row.get(1)?).unwrap()));
        self.rows("SELECT key, value FROM kv WHERE plugin = 'probe'", read).into_iter().collect()
    }

    fn task_prompts(&self) -> Vec<String> {
        self.rows("SELECT prompt FROM tasks", |row| row.get(0))
    }
}

/// How often each of them is there.
fn tell(names: impl Iterator<Item = String>) -> HashMap<String, usize> {
    let mut times = HashMap::new();
    for name in names {
        *times.entry(name).or_default() += 1;
    }
    times
}

/// How often each message was removed in the simulator.
fn removed(record: &Path) -> HashMap<String, usize> {
    let text = fs::read_to_string(record).unwrap_or_default();
    let actions = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let removals = actions.filter(|action| action["action"] == "remove-message");
    tell(removals.map(|action| action["message_id"].as_str().unwrap().to_owned()))
}

/// Holds what was said against what came of it.
struct Judge<'t> {
    journal: HashMap<String, Vec<Envelope>>,
    effects: BTreeMap<String, Vec<EffectRow>>,
    counts: HashMap<String, String>,
    tasks: Vec<String>,
    sent: HashMap<String, usize>,
    removed: HashMap<String, usize>,
    tally: &'t mut Tally,
}

impl Judge<'_> {
    fn judge(mut self, sayings: &Sayings, agent: &Record) {
        for said in &sayings.work {
            self.judge_work(said, agent);
        }
        for said in &sayings.spam {
            self.judge_spam(said);
        }
        for name in &sayings.simulated_spam {
            self.judge_simulated_spam(name);
        }
        for name in &sayings.tips {
            self.judge_tip(name);
        }
        self.judge_agent(agent);
        self.judge_nothing_twice();
    }

    /// The one event that a line became. A line that nobody heard has none, and that is noted.
    fn event_of(&mut self, text: &str, heard: Heard) -> Option<Envelope> {
        match self.journal.get(text).map(Vec::as_slice) {
            Some([envelope]) => return Some(envelope.clone()),
            Some(several) => self.tally.faults.push(format!("{text:?} became {} events", several.len())),
            None if heard == Heard::Perhaps => self.tally.not_heard += 1,
            None => self.tally.faults.push(format!("{text:?} was never heard")),
        }
        None
    }

    fn judge_work(&mut self, said: &Said, agent: &Record) {
        let name = &said.name;
        self.tally.work += 1;
        let Some(envelope) = self.event_of(&format!("work {name}"), said.heard) else { return };
        let tasks = self.tasks.iter().filter(|prompt| *prompt == name).count();
        if tasks != 1 {
            self.tally.fault(format!("work {name} is {tasks} tasks"));
        }
        if !agent.tasks.values().any(|task| task.prompt == *name) {
            self.tally.fault(format!("the agent never got work {name}"));
        }
        self.expect_count(&format!("work {name}"));
        let states = self.states(&envelope.id, |number| number < MEASURES_FROM);
        let [line, removal, task] = states.as_slice() else {
            return self.tally.fault(format!("work {name} has these effects: {states:?}"));
        };
        if (removal.as_str(), task.as_str()) != ("done", "done") {
            self.tally.fault(format!("work {name}: the removal is {removal}, the task {task}"));
        }
        self.expect_removed(&format!("message {name}"));
        self.judge_line(name, line);
    }

    /// Never twice; and the ledger tells the truth about it.
    fn judge_line(&mut self, name: &str, state: &str) {
        let times = self.sent.get(&format!("line {name}")).copied().unwrap_or_default();
        self.tally.lines_sent += usize::from(times == 1);
        let is_so = match state {
            "done" => times == 1,
            "uncertain" => times <= 1,
            "failed" | "expired" => times == 0,
            _ => false,
        };
        if !is_so {
            self.tally.fault(format!("line {name} is {state} and arrived {times} times"));
        }
        self.tally.lines_uncertain += usize::from(state == "uncertain");
        self.tally.lines_failed += usize::from(matches!(state, "failed" | "expired"));
    }

    /// retake.tv can't remove a message, so what was decided is to end with its word on that.
    fn judge_spam(&mut self, said: &Said) {
        self.tally.spam += 1;
        let Some(envelope) = self.event_of(&format!("SPAM {}", said.name), said.heard) else { return };
        let states = self.states(&envelope.id, |number| number >= MEASURES_FROM);
        if states != ["unsupported"] {
            self.tally.fault(format!("review's measures for SPAM {} are {states:?}", said.name));
        }
    }

    fn judge_simulated_spam(&mut self, name: &str) {
        self.tally.spam += 1;
        let text = format!("SPAM {name}");
        if !self.journal.contains_key(&text) {
            self.tally.never_journalled += 1;
            return;
        }
        let Some(envelope) = self.event_of(&text, Heard::Surely) else { return };
        let states = self.states(&envelope.id, |number| number >= MEASURES_FROM);
        if states != ["done"] {
            self.tally.fault(format!("review's measures for the simulated SPAM {name} are {states:?}"));
        }
        if let Event::Chat(message) = &envelope.event {
            self.expect_removed(&message.id);
        }
    }

    fn judge_tip(&mut self, name: &str) {
        if self.journal.contains_key(&format!("count tip-{name}")) {
            self.expect_count(&format!("tip-{name}"));
        } else {
            self.tally.never_journalled += 1;
        }
    }

    fn judge_agent(&mut self, agent: &Record) {
        self.tally.tasks_done += agent.tasks.len();
        for task in agent.tasks.values().filter(|task| task.answered) {
            self.tally.answers += 1;
            self.expect_count(&answer_key(&task.prompt));
        }
    }

    fn judge_nothing_twice(&mut self) {
        for (line, times) in &self.sent {
            if *times > 1 {
                self.tally.faults.push(format!("{line:?} arrived {times} times"));
            }
        }
        for (key, count) in &self.counts {
            if !matches!(key.as_str(), "work left" | "work right") && count != "1" {
                self.tally.faults.push(format!("{key} was counted {count} times"));
            }
        }
    }

    fn states(&self, event_id: &str, is_wanted: impl Fn(i64) -> bool) -> Vec<String> {
        let rows = self.effects.get(event_id).map(Vec::as_slice).unwrap_or_default();
        rows.iter().filter(|row| is_wanted(row.number)).map(|row| row.state.clone()).collect()
    }

    fn expect_count(&mut self, key: &str) {
        let count = self.counts.get(key).cloned();
        if count.as_deref() != Some("1") {
            self.tally.fault(format!("{key} was counted {count:?} times"));
        }
    }

    fn expect_removed(&mut self, message_id: &str) {
        match self.removed.get(message_id).copied().unwrap_or_default() {
            0 => self.tally.fault(format!("{message_id} was never removed")),
            1 => {}
            _ => self.tally.removals_repeated += 1,
        }
    }
}
