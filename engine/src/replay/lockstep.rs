//! Plays a stream to plugins, strictly one event after the other: the next one is released when all are done with this.
//!
//! It follows the pipeline: reviewers in the order of their ids, the strictest verdict, handlers, then fallbacks if
//! nobody handled. Between two events it is as late as the next event, so timers fire in recorded time. Plugins that
//! ran then and are not played do here what they did then, as far as it was recorded.

mod act;
mod later;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

pub use self::act::{Act, Decided, Review};
use self::later::{Agenda, Later};
use super::journal::RecordedPlugin;
use super::setup::Member;
use crate::effect::{Effect, NumberedEffect, PluginId, Verdict, notice};
use crate::event::{Channel, Envelope, Event};
use crate::observation::DecisionKind;
use crate::pipeline::ruling::{self, Ruling};
use crate::plugin::Delivery;
use crate::plugin::player::{PlayError, Played, Player};
use crate::recording::{Done, Entry, Known, Note};

/// Plugins at work on a recorded stream.
pub struct Lockstep {
    /// In the order of their ids.
    players: Vec<Player>,
    /// Those that ran then, got what nobody handled, and are not played.
    other_fallbacks: BTreeSet<PluginId>,
    held: HashMap<(Channel, String), (Arc<Envelope>, Known)>,
    agenda: Agenda,
    now_ms: u64,
    has_played: bool,
}

/// Who gets an event.
#[derive(Clone, Copy)]
struct Given<'a> {
    delivery: &'a Arc<Delivery>,
    /// The same with the text of what was taken away, for those who may see it.
    with_text: Option<&'a Arc<Delivery>>,
    known: &'a Known,
    /// Only this one.
    addressee: Option<&'a PluginId>,
}

impl Lockstep {
    /// Starts the plugins. Also gives what they asked for at their start, where that is anything.
    pub async fn start(members: Vec<Member>, recorded: &[RecordedPlugin]) -> Result<(Self, Vec<Act>), PlayError> {
        let mut players = Vec::with_capacity(members.len());
        for Member { version, part, .. } in members {
            players.push(Player::start(&version, part).await?);
        }
        players.sort_by(|one, other| one.id().cmp(other.id()));
        let is_played = |id: &PluginId| players.iter().any(|player| player.id() == id);
        let others = recorded.iter().map(|plugin| &plugin.start).filter(|start| start.fallback);
        let other_fallbacks = others.map(|start| start.plugin.clone()).filter(|id| !is_played(id)).collect();
        let mut lockstep = Self {
            players,
            other_fallbacks,
            held: HashMap::new(),
            agenda: Agenda::default(),
            now_ms: 0,
            has_played: false,
        };
        let acts = lockstep.starts();
        Ok((lockstep, acts))
    }

    pub fn players(&self) -> &[Player] {
        &self.players
    }

    /// Plays one event, and before it whatever was due by then. Gives what the plugins made of it all, in order.
    pub async fn play(&mut self, entry: &Entry) -> Vec<Act> {
        let mut acts = Vec::new();
        let Entry { envelope, own, known, notice } = entry;
        if is_engine_start(envelope) && self.has_played {
            // Nobody knows when the earlier run ended; what was still to come ended with it.
            self.agenda.clear();
            for player in &mut self.players {
                player.restart(envelope.at_ms).await;
            }
            acts.extend(self.starts());
        } else {
            self.elapse(envelope.at_ms, &mut acts).await;
        }
        self.has_played = true;
        self.now_ms = self.now_ms.max(envelope.at_ms);
        if !own {
            self.event(envelope, known, notice.as_deref(), &mut acts).await;
        }
        acts.retain(|act| !act.is_empty());
        acts
    }

    /// What is known to have happened after the last event.
    pub async fn finish(&mut self) -> Vec<Act> {
        let mut acts = Vec::new();
        while let Some(due_ms) = self.agenda.next_ms() {
            self.elapse(due_ms, &mut acts).await;
        }
        acts.retain(|act| !act.is_empty());
        acts
    }

    /// Lets time pass: timers fire, what was held is let go, effects end.
    async fn elapse(&mut self, until_ms: u64, acts: &mut Vec<Act>) {
        loop {
            let timers =
                self.players.iter().enumerate().filter_map(|(place, player)| Some((player.next_due_ms()?, place)));
            let timer = timers.min().filter(|(due_ms, _)| *due_ms <= until_ms);
            let later_ms = self.agenda.next_ms().filter(|due_ms| *due_ms <= until_ms);
            match (timer, later_ms) {
                (None, None) => return,
                (Some((due_ms, place)), later_ms) if later_ms.is_none_or(|later_ms| due_ms < later_ms) => {
                    self.now_ms = self.now_ms.max(due_ms);
                    self.timer(place, due_ms, acts).await;
                }
                _ => {
                    if let Some((due_ms, later)) = self.agenda.take() {
                        self.now_ms = self.now_ms.max(due_ms);
                        self.later(later, acts).await;
                    }
                }
            }
        }
    }

    async fn timer(&mut self, place: usize, due_ms: u64, acts: &mut Vec<Act>) {
        let Some(player) = self.players.get_mut(place) else { return };
        let Some((envelope, known)) = player.take_due(due_ms) else { return };
        let id = player.id().clone();
        let mut act = Act::new(&envelope);
        let given = Given { delivery: &Delivery::new(envelope), with_text: None, known: &known, addressee: Some(&id) };
        self.give(given, &mut act).await;
        // A timer that changes nothing is not worth a line.
        act.decisions.retain(|decided| !decided.played.is_idle());
        self.conclude(act, acts).await;
    }

    async fn later(&mut self, later: Later, acts: &mut Vec<Act>) {
        match later {
            Later::Release { envelope, known } => self.release(&envelope, &known, acts).await,
            Later::Outcome { plugin, envelope } => {
                let mut act = Act::new(&envelope);
                let (delivery, known) = (Delivery::new(envelope), Known::default());
                let given = Given { delivery: &delivery, with_text: None, known: &known, addressee: Some(&plugin) };
                self.give(given, &mut act).await;
                self.conclude(act, acts).await;
            }
        }
    }

    /// A held event goes its way after all.
    async fn release(&mut self, envelope: &Arc<Envelope>, known: &Known, acts: &mut Vec<Act>) {
        let mut act = Act::new(envelope);
        let delivery = Delivery::new(Arc::clone(envelope));
        self.give(Given { delivery: &delivery, with_text: None, known, addressee: None }, &mut act).await;
        self.conclude(act, acts).await;
    }

    async fn event(&mut self, envelope: &Arc<Envelope>, known: &Known, notice: Option<&Entry>, acts: &mut Vec<Act>) {
        let delivery = Delivery::new(Arc::clone(envelope));
        let mut act = Act::new(envelope);
        let addressee = known.notes.iter().find(|noted| noted.note == Note::Addressed).map(|noted| &noted.plugin);
        let ruling = match addressee {
            Some(_) => None,
            None => self.review(&delivery, known, &mut act).await,
        };
        let given = Given { delivery: &delivery, with_text: None, known, addressee };
        match &ruling {
            None | Some(Ruling { verdict: Verdict::Flag { .. }, .. }) => self.give(given, &mut act).await,
            Some(Ruling { reviewer, verdict, .. }) => {
                let measures = ruling::measures(envelope, verdict);
                self.expect_outcomes(reviewer, envelope, known, &measures);
                if let Verdict::Hold { .. } = verdict {
                    self.hold(envelope, known);
                }
            }
        }
        self.conclude(act, acts).await;
        if let Some(Ruling { verdict, .. }) = ruling {
            self.announce(envelope, &verdict, notice, acts).await;
        }
    }

    /// What the reviewers come to: those who are played, and what the others said then.
    async fn review(&mut self, delivery: &Delivery, known: &Known, act: &mut Act) -> Option<Ruling> {
        let envelope = &delivery.envelope;
        let mut rulings = self.others_verdicts(known);
        for player in self.players.iter_mut().filter(|player| player.reviews(envelope)) {
            player.meet(envelope, known);
            let judged = player.review(delivery).await;
            let reviewer = player.id().clone();
            let ruling = match &judged.verdict {
                Ok(verdict) => Ruling::in_time(reviewer.clone(), verdict.clone()),
                Err(_) => Ruling::without_answer(reviewer.clone(), player.on_failure()),
            };
            act.reviews.push(Review { plugin: reviewer, judged, counted: ruling.verdict.clone() });
            rulings.push(ruling);
        }
        rulings.sort_by(|one, other| one.reviewer.cmp(&other.reviewer));
        ruling::strictest(rulings)
    }

    fn others_verdicts(&self, known: &Known) -> Vec<Ruling> {
        let others = known.notes.iter().filter(|noted| !self.is_played(&noted.plugin));
        let verdicts = others.filter_map(|noted| match &noted.note {
            Note::Verdict { verdict, late } => {
                Some(Ruling { reviewer: noted.plugin.clone(), verdict: verdict.clone(), late: *late })
            }
            _ => None,
        });
        verdicts.collect()
    }

    /// Keeps an event until a plugin that is played lets it go, or another one did then.
    fn hold(&mut self, envelope: &Arc<Envelope>, known: &Known) {
        let key = (envelope.channel.clone(), ruling::subject(envelope).to_owned());
        self.held.insert(key, (Arc::clone(envelope), known.clone()));
        let released = known.notes.iter().filter(|noted| !self.is_played(&noted.plugin));
        let released_ms = released.filter_map(|noted| match noted.note {
            Note::Released { at_ms } => Some(at_ms),
            _ => None,
        });
        if let Some(at_ms) = released_ms.min() {
            self.agenda.add(at_ms, Later::Release { envelope: Arc::clone(envelope), known: known.clone() });
        }
    }

    /// Tells the plugins of a verdict, under the same id as then.
    async fn announce(
        &mut self,
        envelope: &Arc<Envelope>,
        verdict: &Verdict,
        recorded: Option<&Entry>,
        acts: &mut Vec<Act>,
    ) {
        let id = notice::id(&envelope.id, notice::kind(verdict));
        let recorded = recorded.filter(|recorded| *recorded.envelope.id == *id);
        let event = |with_text| Event::Moderation(ruling::notice(envelope, verdict, with_text));
        let notice = match recorded {
            Some(recorded) => Envelope { event: event(false), ..Envelope::clone(&recorded.envelope) },
            None => Envelope {
                id: id.into(),
                at_ms: self.now_ms,
                event: event(false),
                extra: None,
                ..Envelope::clone(envelope)
            },
        };
        let with_text = Delivery::new(Arc::new(Envelope { event: event(true), ..notice.clone() }));
        let delivery = Delivery::new(Arc::new(notice));
        let known = recorded.map(|recorded| recorded.known.clone()).unwrap_or_default();
        let mut act = Act::new(&delivery.envelope);
        let given = Given { delivery: &delivery, with_text: Some(&with_text), known: &known, addressee: None };
        self.give(given, &mut act).await;
        self.conclude(act, acts).await;
    }

    /// To the handlers, and to the fallbacks if nobody handled it.
    async fn give(&mut self, given: Given<'_>, act: &mut Act) {
        let mut handled = self.was_handled_by_another(given.known);
        for fallback in [false, true] {
            if fallback && handled {
                return;
            }
            for place in 0..self.players.len() {
                let Some(player) = self.players.get_mut(place).filter(|player| player.is_fallback() == fallback) else {
                    continue;
                };
                if let Some(played) = hand(player, given).await {
                    handled |= played.decision == DecisionKind::Handled;
                    let plugin = player.id().clone();
                    self.expect_outcomes(&plugin, &given.delivery.envelope, given.known, &played.effects);
                    act.decisions.push(Decided { plugin, played });
                }
            }
        }
    }

    /// The ledger tells what others did: whoever did something has most likely handled it.
    fn was_handled_by_another(&self, known: &Known) -> bool {
        known.effects.iter().any(|done| {
            let is_measure = done.number > u32::MAX / 2;
            !is_measure && !self.is_played(&done.plugin) && !self.other_fallbacks.contains(&done.plugin)
        })
    }

    /// An effect of the same kind as then, in the same place, is taken to end as it did then.
    fn expect_outcomes(&mut self, plugin: &PluginId, cause: &Envelope, known: &Known, effects: &[NumberedEffect]) {
        if !self.is_played(plugin) {
            return;
        }
        for numbered in effects {
            let same = |done: &&Done| {
                let is_its = done.plugin == *plugin && done.number == numbered.number;
                is_its && is_same_kind(&done.effect, &numbered.effect)
            };
            if let Some(done) = known.effects.iter().find(same) {
                self.agenda.add_outcome(plugin, cause, done, self.now_ms);
            }
        }
    }

    /// What an act leads to at once: starts after a crash, held events that were let go.
    async fn conclude(&mut self, act: Act, acts: &mut Vec<Act>) {
        let released: Vec<_> = act.allowed().filter_map(|key| self.held.remove(&key)).collect();
        acts.push(act);
        acts.extend(self.starts());
        for (envelope, known) in released {
            Box::pin(self.release(&envelope, &known, acts)).await;
        }
    }

    fn starts(&mut self) -> Vec<Act> {
        let mut acts = Vec::new();
        for player in &mut self.players {
            let plugin = player.id().clone();
            for (envelope, played) in player.take_starts() {
                let mut act = Act::new(&envelope);
                act.decisions.push(Decided { plugin: plugin.clone(), played });
                acts.push(act);
            }
        }
        acts
    }

    fn is_played(&self, id: &PluginId) -> bool {
        self.players.iter().any(|player| player.id() == id)
    }
}

async fn hand(player: &mut Player, given: Given<'_>) -> Option<Played> {
    let Given { delivery, with_text, known, addressee } = given;
    let envelope = &delivery.envelope;
    if addressee.is_some_and(|addressee| addressee != player.id()) {
        return None;
    }
    // A timer is for whoever started it, whatever it subscribed to.
    let is_timer = matches!(envelope.event, Event::Timer(_));
    if !is_timer && !player.wants(envelope) {
        return None;
    }
    player.meet(envelope, known);
    let delivery = with_text.filter(|_| player.sees_removed_text()).unwrap_or(delivery);
    player.handle(delivery).await
}

fn is_engine_start(envelope: &Envelope) -> bool {
    matches!(&envelope.event, Event::System(system) if system.kind == "started")
        && envelope.channel == Channel::engine()
}

fn is_same_kind(one: &Effect, other: &Effect) -> bool {
    match (one, other) {
        (Effect::Platform { channel, action }, Effect::Platform { channel: other_channel, action: other }) => {
            channel == other_channel && action.name() == other.name()
        }
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}
