//! An event in words: who, what.

use std::borrow::Cow;

use super::colors::Colors;
use crate::cli::clean::{clean, shorten};
use crate::cli::paint::{Color, Paint};
use crate::event::{Ballot, Broadcast, Event, Gift, Moderation, Subscription, Support, User};

/// What is shown of a payload that nobody has words for.
const PAYLOAD: usize = 160;

pub(super) fn describe(event: &Event, paint: Paint, colors: &Colors) -> String {
    let who = |user: &User| paint.in_color_of_name(user.color.as_deref(), &name(user));
    let special = |text: &str| paint.in_color(Color::Yellow, text);
    match event {
        Event::Chat(message) => format!("{}: {}", who(&message.author), colors.text(&message.text, paint)),
        Event::Whisper(message) => {
            format!("{} {}: {}", who(&message.author), special("whispers"), clean(&message.text))
        }
        Event::Presence(presence) => format!("{} {}", who(&presence.who), came_or_went(&presence.kind)),
        Event::Follow(follow) => format!("{} {}", who(&follow.who), special("follows")),
        Event::Subscription(subscription) => {
            format!("{} {}", who(&subscription.who), special(&subscribed(subscription)))
        }
        Event::Gift(gift) => {
            let giver = gift.giver.as_ref().map_or_else(|| "somebody".to_owned(), who);
            format!("{giver} {}", special(&gifted(gift)))
        }
        Event::Support(support) => {
            let giver = support.who.as_ref().map_or_else(|| "somebody".to_owned(), who);
            let message = support.message.as_deref().filter(|message| !message.is_empty());
            format!("{giver} {}{}", special(&supported(support)), quoted(message))
        }
        Event::Raid(raid) => format!("{} {}", who(&raid.source), special(&format!("raids with {}", raid.viewers))),
        Event::Moderation(moderation) => paint.in_color(Color::Red, &moderated(moderation)),
        Event::Broadcast(broadcast) => special(&broadcasted(broadcast)),
        Event::Redemption(redemption) => {
            let text = format!("redeems {} ({})", clean(&redemption.title), clean(&redemption.status));
            format!("{} {}{}", who(&redemption.who), special(&text), quoted(redemption.input.as_deref()))
        }
        Event::Ballot(ballot) => special(&balloted(ballot)),
        Event::Goal(goal) => {
            let (kind, phase, title) = (clean(&goal.kind), clean(&goal.phase), clean(&goal.title));
            special(&format!("{kind} {phase}: {title} {}/{}", goal.current, goal.target))
        }
        Event::Outcome(outcome) => paint.dim(&format!(
            "outcome: effect {} {} {}",
            outcome.effect,
            outcome.status.as_str(),
            clean(&outcome.detail)
        )),
        Event::Agent(reply) => format!("agent{}: {}", if reply.ok { "" } else { " failed" }, clean(&reply.text)),
        Event::AiChat(message) => format!("{} asks the assistant: {}", clean(&message.user_id), clean(&message.text)),
        Event::Tool(result) => {
            let ended = if result.ok { "done" } else { "failed" };
            format!("tool {} {ended}: {}", clean(&result.tool), payload(&result.result_json))
        }
        Event::Library(update) => format!("library: {} {}", clean(&update.kind), clean(&update.title)),
        Event::Timer(timer) => paint.dim(&format!("timer {}", clean(&timer.name))),
        Event::System(system) => paint.dim(&format!("{}: {}", clean(&system.kind), clean(&system.detail))),
        Event::Raw(raw) => paint.dim(&format!("{} {}", clean(&raw.kind), payload(&raw.json))),
    }
}

/// The name as it is shown, with the login where the two are not the same name: a display name can be anybody's.
fn name(user: &User) -> String {
    let shown = clean(&user.display_name);
    let login = clean(&user.login);
    match (shown.trim().is_empty(), login.is_empty()) {
        (true, true) => clean(&user.id).into_owned(),
        (true, false) => login.into_owned(),
        (false, false) if !shown.eq_ignore_ascii_case(&login) => format!("{shown} ({login})"),
        (false, _) => shown.into_owned(),
    }
}

fn quoted(message: Option<&str>) -> String {
    message.map(|message| format!(": {}", clean(message))).unwrap_or_default()
}

fn payload(json: &str) -> String {
    clean(&shorten(json, PAYLOAD)).into_owned()
}

fn came_or_went(kind: &str) -> Cow<'_, str> {
    match kind {
        "join" => "joins".into(),
        "part" => "leaves".into(),
        other => clean(other),
    }
}

fn subscribed(subscription: &Subscription) -> String {
    let tier =
        if subscription.tier.is_empty() { String::new() } else { format!(", tier {}", clean(&subscription.tier)) };
    let months = if subscription.months > 1 { format!(", {} months", subscription.months) } else { String::new() };
    format!("subscribes ({}{tier}{months}){}", clean(&subscription.kind), quoted(subscription.message.as_deref()))
}

fn gifted(gift: &Gift) -> String {
    let recipients: Vec<String> = gift.recipients.iter().take(5).map(name).collect();
    let to = if recipients.is_empty() { String::new() } else { format!(" to {}", recipients.join(", ")) };
    let more = gift.recipients.len().saturating_sub(recipients.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let plural = if gift.count == 1 { "" } else { "s" };
    format!("gives {} subscription{plural}{to}{more}", gift.count)
}

fn supported(support: &Support) -> String {
    let item = support.item.as_deref().map(|item| format!(" for {}", clean(item))).unwrap_or_default();
    format!("gives {} {} ({}){item}", support.amount, clean(&support.currency), clean(&support.kind))
}

fn moderated(moderation: &Moderation) -> String {
    let by = moderation.moderator.as_ref().map(|user| format!(" by {}", name(user))).unwrap_or_default();
    let target = moderation.target.as_ref().map(|user| format!(" {}", name(user))).unwrap_or_default();
    let time = moderation.seconds.map(|seconds| format!(" for {seconds} s")).unwrap_or_default();
    format!("{}{target}{time}{by}{}", clean(&moderation.kind), quoted(moderation.reason.as_deref()))
}

fn broadcasted(broadcast: &Broadcast) -> String {
    let count = broadcast.count.map(|count| format!(" {count}")).unwrap_or_default();
    let category = broadcast.category.as_deref().map(|category| format!(" in {}", clean(category))).unwrap_or_default();
    format!("{}{count}{category}{}", clean(&broadcast.kind), quoted(broadcast.title.as_deref()))
}

fn balloted(ballot: &Ballot) -> String {
    let options: Vec<String> =
        ballot.options.iter().take(10).map(|option| format!("{} {}", clean(&option.title), option.votes)).collect();
    format!("{} {}: {} [{}]", clean(&ballot.kind), clean(&ballot.phase), clean(&ballot.title), options.join(", "))
}
