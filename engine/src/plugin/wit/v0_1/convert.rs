//! The engine's events in the shapes of WIT 0.1, and the verdicts of 0.1 in the engine's.
//!
//! Made once for each event and shared by all 0.1 plugins.

use super::bindings::exports::showrunner::plugin::reviewer;
use super::types;
use crate::effect::Verdict;
use crate::event::{self, Event};
use crate::plugin::imports::log::printable;

pub(in crate::plugin) fn envelope(envelope: &event::Envelope) -> types::Envelope {
    types::Envelope {
        id: envelope.id.to_string(),
        sequence: envelope.sequence,
        at_ms: envelope.at_ms,
        origin: match envelope.origin {
            event::Origin::Live => types::Origin::Live,
            event::Origin::Test => types::Origin::Test,
            event::Origin::Replay => types::Origin::Replay,
        },
        platform: envelope.channel.platform.to_string(),
        channel: envelope.channel.id.to_string(),
        event: event(&envelope.event),
        extra: envelope.extra.clone(),
    }
}

fn event(event: &Event) -> types::Event {
    match event {
        Event::Chat(it) => types::Event::Chat(chat_message(it)),
        Event::Whisper(it) => types::Event::Whisper(chat_message(it)),
        Event::Presence(it) => types::Event::Presence(presence(it)),
        Event::Follow(it) => types::Event::Follow(follow(it)),
        Event::Subscription(it) => types::Event::Subscription(subscription(it)),
        Event::Gift(it) => types::Event::Gift(gift(it)),
        Event::Support(it) => types::Event::Support(support(it)),
        Event::Raid(it) => types::Event::Raid(raid(it)),
        Event::Moderation(it) => types::Event::Moderation(moderation(it)),
        Event::Broadcast(it) => types::Event::Broadcast(broadcast(it)),
        Event::Redemption(it) => types::Event::Redemption(redemption(it)),
        Event::Ballot(it) => types::Event::Ballot(ballot(it)),
        Event::Goal(it) => types::Event::Goal(goal(it)),
        Event::Outcome(it) => types::Event::Outcome(outcome(it)),
        Event::Agent(it) => types::Event::Agent(agent_reply(it)),
        Event::AiChat(it) => types::Event::AiChat(ai_chat_message(it)),
        Event::Tool(it) => types::Event::Tool(tool_result(it)),
        Event::Library(it) => types::Event::Library(library_update(it)),
        Event::Timer(it) => types::Event::Timer(timer(it)),
        Event::System(it) => types::Event::System(system(it)),
        Event::Raw(it) => types::Event::Raw(raw(it)),
    }
}

pub(in crate::plugin) fn user(it: &event::User) -> types::User {
    types::User {
        id: it.id.clone(),
        login: it.login.clone(),
        display_name: it.display_name.clone(),
        roles: roles(it.roles),
        badges: it.badges.clone(),
    }
}

fn span(it: &event::Span) -> types::Span {
    types::Span { kind: it.kind.clone(), start: it.start, length: it.length, value: it.value.clone() }
}

fn command(it: &event::Command) -> types::Command {
    types::Command { name: it.name.clone(), args: it.args.clone() }
}

fn chat_message(it: &event::ChatMessage) -> types::ChatMessage {
    types::ChatMessage {
        id: it.id.clone(),
        author: user(&it.author),
        text: it.text.clone(),
        spans: it.spans.iter().map(span).collect(),
        reply_to: it.reply_to.clone(),
        command: it.command.as_ref().map(command),
        mirrored_from: it.mirrored_from.clone(),
    }
}

fn presence(it: &event::Presence) -> types::Presence {
    types::Presence { kind: it.kind.clone(), who: user(&it.who) }
}

fn follow(it: &event::Follow) -> types::Follow {
    types::Follow { who: user(&it.who) }
}

fn subscription(it: &event::Subscription) -> types::Subscription {
    types::Subscription {
        kind: it.kind.clone(),
        who: user(&it.who),
        tier: it.tier.clone(),
        months: it.months,
        streak_months: it.streak_months,
        message: it.message.clone(),
    }
}

fn gift(it: &event::Gift) -> types::Gift {
    types::Gift {
        giver: it.giver.as_ref().map(user),
        recipients: it.recipients.iter().map(user).collect(),
        count: it.count,
        tier: it.tier.clone(),
        total: it.total,
    }
}

fn support(it: &event::Support) -> types::Support {
    types::Support {
        kind: it.kind.clone(),
        who: it.who.as_ref().map(user),
        minor_units: it.amount.minor_units,
        exponent: it.amount.exponent,
        currency: it.currency.clone(),
        message: it.message.clone(),
        item: it.item.clone(),
    }
}

fn raid(it: &event::Raid) -> types::Raid {
    types::Raid { source: user(&it.source), viewers: it.viewers }
}

fn moderation(it: &event::Moderation) -> types::Moderation {
    types::Moderation {
        kind: it.kind.clone(),
        moderator: it.moderator.as_ref().map(user),
        target: it.target.as_ref().map(user),
        message_id: it.message_id.clone(),
        text: it.text.clone(),
        seconds: it.seconds,
        reason: it.reason.clone(),
    }
}

fn broadcast(it: &event::Broadcast) -> types::Broadcast {
    types::Broadcast {
        kind: it.kind.clone(),
        title: it.title.clone(),
        category: it.category.clone(),
        count: it.count,
        seconds: it.seconds,
        who: it.who.as_ref().map(user),
    }
}

fn redemption(it: &event::Redemption) -> types::Redemption {
    types::Redemption {
        id: it.id.clone(),
        reward_id: it.reward_id.clone(),
        title: it.title.clone(),
        cost: it.cost,
        who: user(&it.who),
        input: it.input.clone(),
        status: it.status.clone(),
    }
}

fn ballot_option(it: &event::BallotOption) -> types::BallotOption {
    types::BallotOption { id: it.id.clone(), title: it.title.clone(), votes: it.votes, points: it.points }
}

fn ballot(it: &event::Ballot) -> types::Ballot {
    types::Ballot {
        kind: it.kind.clone(),
        phase: it.phase.clone(),
        id: it.id.clone(),
        title: it.title.clone(),
        options: it.options.iter().map(ballot_option).collect(),
        winner: it.winner.clone(),
        ends_at_ms: it.ends_at_ms,
    }
}

fn goal(it: &event::Goal) -> types::Goal {
    types::Goal {
        kind: it.kind.clone(),
        phase: it.phase.clone(),
        id: it.id.clone(),
        title: it.title.clone(),
        level: it.level,
        current: it.current,
        target: it.target,
    }
}

fn outcome(it: &event::Outcome) -> types::Outcome {
    types::Outcome {
        event_id: it.event_id.clone(),
        effect: it.effect,
        status: it.status.as_str().to_owned(),
        message_id: it.message_id.clone(),
        detail: it.detail.clone(),
    }
}

fn agent_reply(it: &event::AgentReply) -> types::AgentReply {
    types::AgentReply { task_id: it.task_id.clone(), ok: it.ok, text: it.text.clone() }
}

fn ai_chat_message(it: &event::AiChatMessage) -> types::AiChatMessage {
    types::AiChatMessage {
        conversation_id: it.conversation_id.clone(),
        message_id: it.message_id.clone(),
        user_id: it.user_id.clone(),
        text: it.text.clone(),
        context_json: it.context_json.clone(),
    }
}

fn tool_result(it: &event::ToolResult) -> types::ToolResult {
    types::ToolResult {
        call_id: it.call_id.clone(),
        tool: it.tool.clone(),
        ok: it.ok,
        result_json: it.result_json.clone(),
    }
}

fn library_update(it: &event::LibraryUpdate) -> types::LibraryUpdate {
    types::LibraryUpdate {
        kind: it.kind.clone(),
        library_id: it.library_id.clone(),
        item_id: it.item_id.clone(),
        title: it.title.clone(),
        detail_json: it.detail_json.clone(),
    }
}

fn timer(it: &event::Timer) -> types::Timer {
    types::Timer { name: it.name.clone() }
}

fn system(it: &event::System) -> types::System {
    types::System { kind: it.kind.clone(), detail: it.detail.clone() }
}

fn raw(it: &event::Raw) -> types::Raw {
    types::Raw { kind: it.kind.clone(), json: it.json.clone() }
}

fn roles(roles: event::Roles) -> types::Roles {
    [
        (roles.broadcaster, types::Roles::BROADCASTER),
        (roles.moderator, types::Roles::MODERATOR),
        (roles.vip, types::Roles::VIP),
        (roles.subscriber, types::Roles::SUBSCRIBER),
        (roles.staff, types::Roles::STAFF),
        (roles.bot, types::Roles::BOT),
        (roles.first_time, types::Roles::FIRST_TIME),
    ]
    .into_iter()
    .filter(|(has, _)| *has)
    .fold(types::Roles::empty(), |all, (_, role)| all | role)
}

/// The reasons are read by people, stored, and sent to platforms.
pub(super) fn verdict(verdict: reviewer::Verdict) -> Verdict {
    match verdict {
        reviewer::Verdict::Pass => Verdict::Pass,
        reviewer::Verdict::Flag(reason) => Verdict::Flag { reason: printable(reason) },
        reviewer::Verdict::Hold(reason) => Verdict::Hold { reason: printable(reason) },
        reviewer::Verdict::Remove(reason) => Verdict::Remove { reason: printable(reason) },
        reviewer::Verdict::Suspend(suspension) => {
            Verdict::Suspend { seconds: suspension.seconds, reason: printable(suspension.reason) }
        }
    }
}
