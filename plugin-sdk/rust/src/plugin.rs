//! The traits that a plugin implements. [`crate::export!`] connects them with the component's exports.

use crate::event::{
    AgentReply, AiChatMessage, Ballot, Broadcast, ChatMessage, Command, Disposition, Envelope, Event, Follow, Gift,
    Goal, LibraryUpdate, Moderation, Outcome, Presence, Raid, Raw, Redemption, Subscription, Support, System, Timer,
    ToolResult, Verdict,
};

/// What a handler answers.
///
/// `Ok` keeps all that the handler asked for: its effects leave, its memory is written. `Err` drops all of
/// it, as if the event had not been seen, and the operator reads the text. `Ok(Handled)` also keeps the event
/// from plugins that registered as fallback.
pub type Answer = Result<Disposition, String>;

macro_rules! handlers {
    ($($(#[$doc:meta])* $name:ident($payload:ident: $type:ty);)*) => {
        $(
            $(#[$doc])*
            ///
            /// Passes unless implemented.
            ///
            /// # Errors
            /// An error drops everything that the handler asked for; see [`Answer`].
            fn $name(&mut self, envelope: &Envelope, $payload: &$type) -> Answer {
                let _ = (envelope, $payload);
                Ok(Disposition::Passed)
            }
        )*
    };
}

/// A plugin: made once when it is loaded, then given one event after the other.
///
/// Only events that `plugin.toml` lists under `events` arrive, and messages with one of its `commands`. Implement the
/// handlers of those, and leave the rest; or implement [`Plugin::handle`] to see everything in one place.
pub trait Plugin: Sized {
    /// Makes the plugin: reads its settings and its memory, starts its timers. At most 5 seconds.
    ///
    /// # Errors
    /// The text is shown to the operator, and the plugin is not started (on a reload, the old one stays). Say
    /// which setting is wrong and what was expected.
    fn new() -> Result<Self, String>;

    /// Takes one event and hands it to the handler of its case. At most 250 milliseconds.
    ///
    /// A message with the command prefix goes to [`Plugin::on_command`] first, and to [`Plugin::on_chat`] when
    /// that passes.
    ///
    /// # Errors
    /// An error drops everything that the handler asked for; see [`Answer`].
    fn handle(&mut self, envelope: &Envelope) -> Answer {
        match &envelope.event {
            Event::Chat(message) => {
                if let Some(command) = &message.command
                    && self.on_command(envelope, message, command)? == Disposition::Handled
                {
                    return Ok(Disposition::Handled);
                }
                self.on_chat(envelope, message)
            }
            Event::Whisper(message) => self.on_whisper(envelope, message),
            Event::Presence(presence) => self.on_presence(envelope, presence),
            Event::Follow(follow) => self.on_follow(envelope, follow),
            Event::Subscription(subscription) => self.on_subscription(envelope, subscription),
            Event::Gift(gift) => self.on_gift(envelope, gift),
            Event::Support(support) => self.on_support(envelope, support),
            Event::Raid(raid) => self.on_raid(envelope, raid),
            Event::Moderation(moderation) => self.on_moderation(envelope, moderation),
            Event::Broadcast(broadcast) => self.on_broadcast(envelope, broadcast),
            Event::Redemption(redemption) => self.on_redemption(envelope, redemption),
            Event::Ballot(ballot) => self.on_ballot(envelope, ballot),
            Event::Goal(goal) => self.on_goal(envelope, goal),
            Event::Outcome(outcome) => self.on_outcome(envelope, outcome),
            Event::Agent(reply) => self.on_agent_reply(envelope, reply),
            Event::AiChat(message) => self.on_ai_chat(envelope, message),
            Event::Tool(result) => self.on_tool_result(envelope, result),
            Event::Library(update) => self.on_library(envelope, update),
            Event::Timer(timer) => self.on_timer(envelope, timer),
            Event::System(system) => self.on_system(envelope, system),
            Event::Raw(raw) => self.on_raw(envelope, raw),
        }
    }

    /// A line of chat that begins with the channel's command prefix: `!so alice` has the command "so" with the
    /// arguments "alice". One that is whispered goes to [`Plugin::on_whisper`], as its answer must not be public.
    ///
    /// Of the commands in plugin.toml all arrive; with "chat" among its `events` so does every other one, so compare
    /// `command.name`.
    ///
    /// Passes unless implemented; then [`Plugin::on_chat`] sees the message.
    ///
    /// # Errors
    /// An error drops everything that the handler asked for; see [`Answer`].
    fn on_command(&mut self, envelope: &Envelope, message: &ChatMessage, command: &Command) -> Answer {
        let _ = (envelope, message, command);
        Ok(Disposition::Passed)
    }

    handlers! {
        /// A line of chat, also one with a command that [`Plugin::on_command`] passed.
        on_chat(message: ChatMessage);
        /// A private message to the bot. Never answer it in public.
        on_whisper(message: ChatMessage);
        /// Somebody joined or left the chat.
        on_presence(presence: Presence);
        /// A new follower.
        on_follow(follow: Follow);
        /// Somebody subscribed, renewed, or ended a subscription.
        on_subscription(subscription: Subscription);
        /// Subscriptions were given; one event however many. Each recipient may also come as a "gifted" subscription.
        on_gift(gift: Gift);
        /// A tip, bits, coins, or whatever stands for money.
        on_support(support: Support);
        /// Another channel arrived with its viewers.
        on_raid(raid: Raid);
        /// A moderator, the platform or a review acted.
        on_moderation(moderation: Moderation);
        /// The stream's state changed: online, offline, title, viewers.
        on_broadcast(broadcast: Broadcast);
        /// A reward was bought with channel points.
        on_redemption(redemption: Redemption);
        /// A poll or a prediction moved on.
        on_ballot(ballot: Ballot);
        /// A hype train or a tip goal moved on.
        on_goal(goal: Goal);
        /// What became of an effect of this plugin, by the number that the effect's function returned.
        on_outcome(outcome: Outcome);
        /// The agent answered a task of this plugin, or gave it up.
        on_agent_reply(reply: AgentReply);
        /// A question put to the AI assistant over the gateway.
        on_ai_chat(message: AiChatMessage);
        /// A tool call of this plugin ended.
        on_tool_result(result: ToolResult);
        /// News from a game library.
        on_library(update: LibraryUpdate);
        /// A timer of this plugin ran out.
        on_timer(timer: Timer);
        /// News of the host itself.
        on_system(system: System);
        /// A platform payload that was subscribed to by name.
        on_raw(raw: Raw);
    }
}

/// A plugin that judges events before any handler sees them. Export it with `export!(MyPlugin: reviewer)`, and ask for
/// `moderation = ["review"]` in plugin.toml: without that grant it is never asked.
pub trait Reviewer: Plugin {
    /// Judges one event. All reviewers together have 50 milliseconds; the strictest verdict counts.
    ///
    /// A review has no effects: functions that would cause one return an error that begins with "refused:". What is
    /// written to [`crate::kv`] is kept, so a review can count. Act on the event in the handler.
    fn review(&mut self, envelope: &Envelope) -> Verdict;
}

/// A plugin that carries memory over a hot reload. Export it with `export!(MyPlugin: handover)`.
///
/// It is a convenience: what must survive a restart of the engine belongs into [`crate::kv`]. What the two functions
/// themselves ask for, effects or writes to kv, is dropped.
pub trait Handover: Plugin {
    /// Gives what the next version may need: at most 1 MiB, within 100 milliseconds.
    fn save(&self) -> Vec<u8>;

    /// Takes over what an older version saved, within 2 seconds; `saved_by` is that version, such as "1.2.0".
    ///
    /// # Errors
    /// The operator reads the text, and the plugin goes on as [`Plugin::new`] made it.
    fn restore(&mut self, saved: &[u8], saved_by: &str) -> Result<(), String>;
}
