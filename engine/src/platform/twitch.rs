//! Twitch: `EventSub` over WebSocket, actions through Helix.
//!
//! [`Source`](super::Source)s and [`Sink`](super::Sink) share nothing but the grant they act with. A bot reads the chat
//! of all its channels on one connection, and each broadcaster who signed in reads what only they may see on another;
//! without a bot each channel is an account of its own. Connecting again is the supervisor's, tokens are `auth`'s.

mod event;
mod eventsub;
mod helix;
mod shared;
mod sink;
mod source;
#[cfg(test)]
mod testing;
mod topics;

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;

use self::helix::Helix;
use self::shared::Shared;
use self::sink::TwitchSink;
pub use self::source::Memory;
use self::source::{Listening, TwitchSource};
use self::topics::{ConditionKind, Reader, TOPICS, Topic};
use super::{Account, Listener};
use crate::auth::{Role, Tokens};
use crate::config::settings::TwitchSettings;
use crate::event::Channel;

/// The name of the platform.
pub const PLATFORM: &str = "twitch";

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(10);
/// Twitch takes so many subscriptions on one connection.
const MOST_SUBSCRIPTIONS: usize = 300;

/// A client as this platform needs it: no redirects, bounded in time, and with no more connections kept than are
/// ever used at once. A TLS provider must be installed before.
pub fn client(settings: &TwitchSettings) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        .pool_max_idle_per_host(settings.pace.in_flight)
        .tcp_nodelay(true)
        .user_agent(concat!("showrunner/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// The accounts that `settings` describe. `tokens` are those of a role in a channel; the bot's are the same in all of
/// them. `http` must not follow redirects; see [`client`]. `memory` is what earlier accounts knew: what they have
/// missed is looked up.
pub fn accounts(
    settings: &TwitchSettings,
    tokens: impl Fn(Role, &str) -> Arc<dyn Tokens>,
    http: &reqwest::Client,
    memory: &Arc<Memory>,
) -> Vec<Account> {
    let channels: Vec<Channel> = settings.channels.iter().map(|id| Channel::new(PLATFORM, id.as_str())).collect();
    let helix = |role, channel: &Channel| {
        let (base, tokens) = (settings.helix_base.clone(), tokens(role, &channel.id));
        Arc::new(Helix::new(http.clone(), base, &settings.client_id, tokens))
    };
    let make = Make { settings, shared: Arc::new(Shared::new()), memory };
    let Some(first) = channels.first() else { return Vec::new() };
    if !settings.accounts.has_bot() {
        let of_broadcaster = |channel: &Channel| {
            let (name, helix) = (channel.to_string(), helix(Role::Broadcaster, channel));
            let own = vec![channel.clone()];
            let (listener, _) = make.listener(
                name.clone(),
                own.clone(),
                Role::Broadcaster,
                &[Reader::Chat, Reader::Broadcaster],
                &helix,
            );
            make.account(name, own, vec![listener], helix)
        };
        return channels.iter().map(of_broadcaster).collect();
    }
    let bot = helix(Role::Bot, first);
    let mut sources: Vec<(Listener, usize)> = Vec::new();
    for (number, some) in channels.chunks(make.channels_at_once()).enumerate() {
        let name = if number == 0 { format!("{PLATFORM}:bot") } else { format!("{PLATFORM}:bot-{}", number + 1) };
        sources.push(make.listener(name, some.to_vec(), Role::Bot, &[Reader::Chat], &bot));
    }
    if settings.accounts.has_broadcaster() {
        for channel in &channels {
            let helix = helix(Role::Broadcaster, channel);
            let own = vec![channel.clone()];
            sources.push(make.listener(channel.to_string(), own, Role::Broadcaster, &[Reader::Broadcaster], &helix));
        }
    }
    // One that is to hear nothing would stop and say so, which is of use only where nobody hears anything.
    let hears_something = sources.iter().any(|(_, topics)| *topics > 0);
    let needed = sources.into_iter().filter(|(_, topics)| *topics > 0 || !hears_something);
    let sources = needed.map(|(listener, _)| listener).collect();
    vec![make.account(PLATFORM.to_owned(), channels, sources, bot)]
}

/// What all accounts of a config have in common.
struct Make<'a> {
    settings: &'a TwitchSettings,
    shared: Arc<Shared>,
    memory: &'a Arc<Memory>,
}

impl Make<'_> {
    fn account(&self, name: String, channels: Vec<Channel>, sources: Vec<Listener>, helix: Arc<Helix>) -> Account {
        let sink = Arc::new(TwitchSink { helix, channels: channels.clone(), shared: Arc::clone(&self.shared) });
        Account { name, channels, sources, sink, pace: self.settings.pace }
    }

    /// With how many topics it is to hear.
    fn listener(
        &self,
        name: String,
        channels: Vec<Channel>,
        role: Role,
        readers: &[Reader],
        helix: &Arc<Helix>,
    ) -> (Listener, usize) {
        let whispers_on = match role {
            // Whispers are the bot's and no channel's, so they come on the first of all.
            Role::Bot => self.settings.channels.first().map(String::as_str),
            Role::Broadcaster => channels.first().map(|channel| &*channel.id),
        };
        let wanted = |channel: &Channel, topic: &Topic| {
            readers.contains(&topic.reader)
                && self.settings.subscriptions.as_ref().is_none_or(|some| some.iter().any(|name| name == topic.name))
                && (topic.condition != ConditionKind::User || whispers_on == Some(&*channel.id))
        };
        let topics = TOPICS.iter().flat_map(|topic| channels.iter().map(move |channel| (channel.clone(), topic)));
        let listening = Listening {
            address: self.settings.eventsub_url.to_string(),
            sign_in: match role {
                Role::Bot => "showrunner auth twitch --bot",
                Role::Broadcaster => "showrunner auth twitch",
            },
            topics: topics.filter(|(channel, topic)| wanted(channel, topic)).collect(),
            channels: channels.clone(),
            helix: Arc::clone(helix),
            shared: Arc::clone(&self.shared),
        };
        let count = listening.topics.len();
        let source = Box::new(TwitchSource::new(listening, Arc::clone(self.memory)));
        (Listener { name, channels, source }, count)
    }

    /// Of how many channels a bot can have all on one connection.
    fn channels_at_once(&self) -> usize {
        let of_each = TOPICS.iter().filter(|topic| topic.reader == Reader::Chat).count();
        (MOST_SUBSCRIPTIONS / of_each.max(1)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use url::Url;

    use super::testing::MemoryTokens;
    use super::topics::Reader;
    use super::*;
    use crate::auth::{Role, scopes};
    use crate::config::defaults::{TWITCH_BOT_CHANNELS, TWITCH_SUBSCRIPTIONS};
    use crate::config::settings::TwitchAccounts;
    use crate::platform::Pace;

    fn names(accounts: TwitchAccounts, channels: usize) -> Vec<(String, Vec<String>)> {
        names_of(accounts, channels, None)
    }

    fn names_of(
        accounts: TwitchAccounts,
        channels: usize,
        subscriptions: Option<&[&str]>,
    ) -> Vec<(String, Vec<String>)> {
        let url = |text: &str| Url::parse(text).unwrap();
        let settings = TwitchSettings {
            client_id: "the-client-id".into(),
            client_secret: None,
            redirect: String::new(),
            channels: (1..=channels).map(|id| id.to_string()).collect(),
            accounts,
            subscriptions: subscriptions.map(|some| some.iter().map(|name| (*name).to_owned()).collect()),
            eventsub_url: url("ws://127.0.0.1:1/ws"),
            helix_base: url("http://127.0.0.1:1/"),
            oauth_base: url("http://127.0.0.1:1/"),
            pace: Pace { messages: None, in_flight: 1, expiry: Duration::from_secs(1) },
        };
        let tokens = |_, _: &str| Arc::new(MemoryTokens::default()) as Arc<dyn Tokens>;
        let accounts = super::accounts(&settings, tokens, &testing::client(), &Arc::default());
        let listeners = |account: Account| account.sources.into_iter().map(|listener| listener.name).collect();
        accounts.into_iter().map(|account| (account.name.clone(), listeners(account))).collect()
    }

    fn expected(accounts: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        accounts.iter().map(|(name, listeners)| ((*name).to_owned(), owned(listeners))).collect()
    }

    #[tokio::test]
    async fn a_bot_is_one_account_and_without_one_each_channel_is() {
        let one_each = [("twitch:1", ["twitch:1"].as_slice()), ("twitch:2", &["twitch:2"])];
        assert_eq!(names(TwitchAccounts::Broadcaster, 2), expected(&one_each));
        assert_eq!(names(TwitchAccounts::Bot, 2), expected(&[("twitch", &["twitch:bot"])]));
        let both = ["twitch:bot", "twitch:1", "twitch:2"];
        assert_eq!(names(TwitchAccounts::Both, 2), expected(&[("twitch", &both)]));
        // More than Twitch takes on one connection.
        assert_eq!(names(TwitchAccounts::Bot, 12), expected(&[("twitch", &["twitch:bot", "twitch:bot-2"])]));
        assert!(names(TwitchAccounts::Both, 0).is_empty());
        // The config takes as many channels as fit on the connections that Twitch takes.
        let three = ["twitch:bot", "twitch:bot-2", "twitch:bot-3"];
        assert_eq!(names(TwitchAccounts::Bot, TWITCH_BOT_CHANNELS), expected(&[("twitch", &three)]));
        assert_eq!(names(TwitchAccounts::Bot, TWITCH_BOT_CHANNELS + 1)[0].1.len(), 4);
    }

    #[tokio::test]
    async fn who_is_to_hear_nothing_does_not_listen() {
        let of = |subscriptions: &[&str]| names_of(TwitchAccounts::Both, 2, Some(subscriptions));
        assert_eq!(of(&["channel.cheer"]), expected(&[("twitch", &["twitch:1", "twitch:2"])]));
        assert_eq!(of(&["channel.chat.message"]), expected(&[("twitch", &["twitch:bot"])]));
        // Where nobody is to hear anything somebody says so.
        assert_eq!(of(&[]), expected(&[("twitch", &["twitch:bot", "twitch:1", "twitch:2"])]));
    }

    #[test]
    fn the_config_knows_the_subscription_types_that_are_read() {
        let read: BTreeSet<&str> = TOPICS.iter().map(|topic| topic.name).collect();
        assert_eq!(BTreeSet::from(TWITCH_SUBSCRIPTIONS), read);
    }

    #[test]
    fn a_sign_in_asks_for_what_the_subscriptions_need_and_no_more() {
        let asked = |role, types: &[&str]| {
            let types: Vec<String> = types.iter().map(|&name| name.to_owned()).collect();
            scopes::twitch(role, true, Some(&types)).into_iter().collect::<BTreeSet<&str>>()
        };
        for role in [Role::Bot, Role::Broadcaster] {
            // That one needs none.
            let always = asked(role, &["stream.online"]);
            let mut used = always.clone();
            let reader = if role == Role::Bot { Reader::Chat } else { Reader::Broadcaster };
            for topic in TOPICS.iter().filter(|topic| topic.reader == reader) {
                let asked = asked(role, &[topic.name]);
                assert!(
                    topic.is_allowed(|scope| asked.contains(scope)),
                    "{} is not allowed with {asked:?}",
                    topic.name
                );
                for spare in asked.difference(&always) {
                    let is_allowed = topic.is_allowed(|scope| scope != *spare && asked.contains(scope));
                    assert!(!is_allowed, "{} does not need {spare}", topic.name);
                }
                used.extend(asked);
            }
            assert_eq!(used, scopes::twitch(role, true, None).into_iter().collect(), "all are for something");
        }
    }
}
