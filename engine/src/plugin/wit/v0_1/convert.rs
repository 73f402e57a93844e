//! The engine's events in the shapes of WIT 0.1, and the verdicts of 0.1 in the engine's.
//!
//! An event is only borrowed: its texts are copied once, into the guest. The lists that WIT has in another shape lie in
//! an arena, which the call that they are for lets go of as a whole.

use bumpalo::Bump;

use super::bindings::exports::showrunner::plugin::reviewer;
use super::types;
use crate::effect::Verdict;
use crate::event::{self, Event};
use crate::plugin::imports::log::printable;

pub(in crate::plugin) fn envelope<'a>(envelope: &'a event::Envelope, arena: &'a Bump) -> types::Envelope<'a> {
    types::Envelope {
        id: &envelope.id,
        sequence: envelope.sequence,
        at_ms: envelope.at_ms,
        origin: match envelope.origin {
            event::Origin::Live => types::Origin::Live,
            event::Origin::Test => types::Origin::Test,
            event::Origin::Replay => types::Origin::Replay,
        },
        platform: &envelope.channel.platform,
        channel: &envelope.channel.id,
        event: event(&envelope.event, arena),
        extra: envelope.extra.as_deref(),
    }
}

fn event<'a>(event: &'a Event, arena: &'a Bump) -> types::Event<'a> {
    match event {
        Event::Chat(it) => types::Event::Chat(chat_message(it, arena)),
        Event::Whisper(it) => types::Event::Whisper(chat_message(it, arena)),
        Event::Presence(it) => types::Event::Presence(presence(it, arena)),
        Event::Follow(it) => types::Event::Follow(follow(it, arena)),
        Event::Subscription(it) => types::Event::Subscription(subscription(it, arena)),
        Event::Gift(it) => types::Event::Gift(gift(it, arena)),
        Event::Support(it) => types::Event::Support(support(it, arena)),
        Event::Raid(it) => types::Event::Raid(raid(it, arena)),
        Event::Moderation(it) => types::Event::Moderation(moderation(it, arena)),
        Event::Broadcast(it) => types::Event::Broadcast(broadcast(it, arena)),
        Event::Redemption(it) => types::Event::Redemption(redemption(it, arena)),
        Event::Ballot(it) => types::Event::Ballot(ballot(it, arena)),
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

pub(in crate::plugin) fn user<'a>(it: &'a event::User, arena: &'a Bump) -> types::UserParam<'a> {
    types::UserParam {
        id: &it.id,
        login: &it.login,
        display_name: &it.display_name,
        roles: roles(it.roles),
        badges: texts(&it.badges, arena),
        color: it.color.as_deref(),
    }
}

/// For answers, which the guest gets to keep.
pub(in crate::plugin) fn owned_user(it: event::User) -> types::UserResult {
    let event::User { id, login, display_name, roles, badges, color } = it;
    types::UserResult { id, login, display_name, roles: self::roles(roles), badges, color }
}

fn span(it: &event::Span) -> types::Span<'_> {
    types::Span { kind: &it.kind, start: it.start, length: it.length, value: &it.value }
}

fn command(it: &event::Command) -> types::Command<'_> {
    types::Command { name: &it.name, args: &it.args }
}

fn chat_message<'a>(it: &'a event::ChatMessage, arena: &'a Bump) -> types::ChatMessage<'a> {
    types::ChatMessage {
        id: &it.id,
        author: user(&it.author, arena),
        text: &it.text,
        spans: arena.alloc_slice_fill_iter(it.spans.iter().map(span)),
        reply_to: it.reply_to.as_deref(),
        command: it.command.as_ref().map(command),
        mirrored_from: it.mirrored_from.as_deref(),
    }
}

fn presence<'a>(it: &'a event::Presence, arena: &'a Bump) -> types::Presence<'a> {
    types::Presence { kind: &it.kind, who: user(&it.who, arena) }
}

fn follow<'a>(it: &'a event::Follow, arena: &'a Bump) -> types::Follow<'a> {
    types::Follow { who: user(&it.who, arena) }
}

fn subscription<'a>(it: &'a event::Subscription, arena: &'a Bump) -> types::Subscription<'a> {
    types::Subscription {
        kind: &it.kind,
        who: user(&it.who, arena),
        tier: &it.tier,
        months: it.months,
        streak_months: it.streak_months,
        message: it.message.as_deref(),
    }
}

fn gift<'a>(it: &'a event::Gift, arena: &'a Bump) -> types::Gift<'a> {
    types::Gift {
        giver: it.giver.as_ref().map(|it| user(it, arena)),
        recipients: arena.alloc_slice_fill_iter(it.recipients.iter().map(|it| user(it, arena))),
        count: it.count,
        tier: &it.tier,
        total: it.total,
    }
}

fn support<'a>(it: &'a event::Support, arena: &'a Bump) -> types::Support<'a> {
    types::Support {
        kind: &it.kind,
        who: it.who.as_ref().map(|it| user(it, arena)),
        minor_units: it.amount.minor_units,
        exponent: it.amount.exponent,
        currency: &it.currency,
        message: it.message.as_deref(),
        item: it.item.as_deref(),
    }
}

fn raid<'a>(it: &'a event::Raid, arena: &'a Bump) -> types::Raid<'a> {
    types::Raid { source: user(&it.source, arena), viewers: it.viewers }
}

fn moderation<'a>(it: &'a event::Moderation, arena: &'a Bump) -> types::Moderation<'a> {
    types::Moderation {
        kind: &it.kind,
        moderator: it.moderator.as_ref().map(|it| user(it, arena)),
        target: it.target.as_ref().map(|it| user(it, arena)),
        message_id: it.message_id.as_deref(),
        text: it.text.as_deref(),
        seconds: it.seconds,
        reason: it.reason.as_deref(),
    }
}

fn broadcast<'a>(it: &'a event::Broadcast, arena: &'a Bump) -> types::Broadcast<'a> {
    types::Broadcast {
        kind: &it.kind,
        title: it.title.as_deref(),
        category: it.category.as_deref(),
        count: it.count,
        seconds: it.seconds,
        who: it.who.as_ref().map(|it| user(it, arena)),
    }
}

fn redemption<'a>(it: &'a event::Redemption, arena: &'a Bump) -> types::Redemption<'a> {
    types::Redemption {
        id: &it.id,
        reward_id: &it.reward_id,
        title: &it.title,
        cost: it.cost,
        who: user(&it.who, arena),
        input: it.input.as_deref(),
        status: &it.status,
    }
}

fn ballot_option(it: &event::BallotOption) -> types::BallotOption<'_> {
    types::BallotOption { id: &it.id, title: &it.title, votes: it.votes, points: it.points }
}

fn ballot<'a>(it: &'a event::Ballot, arena: &'a Bump) -> types::Ballot<'a> {
    types::Ballot {
        kind: &it.kind,
        phase: &it.phase,
        id: &it.id,
        title: &it.title,
        options: arena.alloc_slice_fill_iter(it.options.iter().map(ballot_option)),
        winner: it.winner.as_deref(),
        ends_at_ms: it.ends_at_ms,
    }
}

fn goal(it: &event::Goal) -> types::Goal<'_> {
    types::Goal {
        kind: &it.kind,
        phase: &it.phase,
        id: &it.id,
        title: &it.title,
        level: it.level,
        current: it.current,
        target: it.target,
        ends_at_ms: it.ends_at_ms,
    }
}

fn outcome(it: &event::Outcome) -> types::Outcome<'_> {
    types::Outcome {
        event_id: &it.event_id,
        effect: it.effect,
        status: it.status.as_str(),
        message_id: it.message_id.as_deref(),
        detail: &it.detail,
    }
}

fn agent_reply(it: &event::AgentReply) -> types::AgentReply<'_> {
    types::AgentReply { task_id: &it.task_id, ok: it.ok, text: &it.text }
}

fn ai_chat_message(it: &event::AiChatMessage) -> types::AiChatMessage<'_> {
    types::AiChatMessage {
        conversation_id: &it.conversation_id,
        message_id: &it.message_id,
        user_id: &it.user_id,
        text: &it.text,
        context_json: it.context_json.as_deref(),
    }
}

fn tool_result(it: &event::ToolResult) -> types::ToolResult<'_> {
    types::ToolResult { call_id: &it.call_id, tool: &it.tool, ok: it.ok, result_json: &it.result_json }
}

fn library_update(it: &event::LibraryUpdate) -> types::LibraryUpdate<'_> {
    types::LibraryUpdate {
        kind: &it.kind,
        library_id: &it.library_id,
        item_id: &it.item_id,
        title: &it.title,
        detail_json: it.detail_json.as_deref(),
    }
}

fn timer(it: &event::Timer) -> types::Timer<'_> {
    types::Timer { name: &it.name }
}

fn system(it: &event::System) -> types::System<'_> {
    types::System { kind: &it.kind, detail: &it.detail }
}

fn raw(it: &event::Raw) -> types::Raw<'_> {
    types::Raw { kind: &it.kind, json: &it.json }
}

fn texts<'a>(texts: &'a [String], arena: &'a Bump) -> &'a [&'a str] {
    arena.alloc_slice_fill_iter(texts.iter().map(String::as_str))
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
