//! `[twitch]`, `[joystick]` and `[auth]`: the platforms where an account signs in.

use std::collections::BTreeSet;

use secrecy::ExposeSecret;
use url::Url;

use super::Resolver;
use super::platforms::is_loopback;
use crate::config::defaults;
use crate::config::problem::KeyPath;
use crate::config::raw;
use crate::config::settings::{
    AuthSettings, JoystickKeys, JoystickSettings, JoystickToken, JoystickVersion, TwitchAccounts, TwitchSettings,
};

/// Two for each byte of a key.
const KEY_DIGITS: usize = 64;

impl Resolver<'_> {
    /// `None` without a client id: then there is no Twitch.
    pub(super) fn twitch(&mut self, raw: &raw::Twitch) -> Option<TwitchSettings> {
        let table = KeyPath::of("twitch");
        if *raw == raw::Twitch::default() {
            return None;
        }
        let client_id = self.client_id(&table, raw.client_id.as_ref(), "the id of your application at dev.twitch.tv");
        let client_secret = raw.client_secret.as_ref().map(|secret| self.secret(table.key("client-secret"), secret));
        let eventsub = raw.eventsub_url.as_deref().unwrap_or("wss://eventsub.wss.twitch.tv/ws");
        let helix = raw.helix_base.as_deref().unwrap_or("https://api.twitch.tv/helix/");
        let oauth = raw.oauth_base.as_deref().unwrap_or("https://id.twitch.tv/oauth2/");
        let redirect = self.redirect(&table, raw.redirect.as_deref());
        let channels = self.channels(&table, raw.channels.as_deref(), "expected user ids, which are numbers", |id| {
            id.bytes().all(|byte| byte.is_ascii_digit())
        });
        let accounts = raw.accounts.unwrap_or(TwitchAccounts::Broadcaster);
        if accounts.has_bot() && channels.len() > defaults::TWITCH_BOT_CHANNELS {
            let most = defaults::TWITCH_BOT_CHANNELS;
            let message = format!("Twitch lets one bot read {most} channels, and these are {}", channels.len());
            self.found_with_help(
                table.key("channels"),
                message,
                "let another bot, with a daemon of its own, have the rest",
            );
        }
        let subscriptions = self.subscriptions(&table, raw.subscriptions.as_deref());
        let eventsub_url = self.address(&table.key("eventsub-url"), eventsub, ["wss", "ws"]);
        let helix_base = self.url(&table.key("helix-base"), helix, ["https", "http"]);
        let oauth_base = self.url(&table.key("oauth-base"), oauth, ["https", "http"]);
        let pace = self.pace(&table.key("pace"), &raw.pace, defaults::TWITCH_PACE);
        Some(TwitchSettings {
            client_id: client_id?,
            client_secret: client_secret.flatten(),
            redirect: redirect?,
            channels,
            accounts,
            subscriptions,
            eventsub_url: eventsub_url?,
            helix_base: helix_base?,
            oauth_base: oauth_base?,
            pace,
        })
    }

    /// `None` without a client id: then there is no Joystick.
    pub(super) fn joystick(&mut self, raw: &raw::Joystick) -> Option<JoystickSettings> {
        let table = KeyPath::of("joystick");
        if *raw == raw::Joystick::default() {
            return None;
        }
        let client_id = self.client_id(&table, raw.client_id.as_ref(), "the client id of your bot at joystick.tv");
        let client_secret = raw.client_secret.as_ref().map(|secret| self.secret(table.key("client-secret"), secret));
        let bot = self.required(table.key("bot"), raw.bot.as_ref(), "the username of the bot");
        let gateway_token = raw.gateway_token.unwrap_or(JoystickToken::Access);
        if gateway_token == JoystickToken::Basic && client_secret.is_none() {
            let message = "the basic key is made of the client id and the client secret, so `client-secret` is needed";
            self.found(table.key("gateway-token"), message);
        }
        let gateway = raw.gateway_url.as_deref().unwrap_or("wss://api.joystick.tv/cable");
        let consent = raw.consent_url.as_deref().unwrap_or("https://joystick.tv/api/oauth/authorize");
        let oauth = raw.oauth_base.as_deref().unwrap_or("https://api.joystick.tv/api/oauth/");
        let rest = raw.rest_base.as_deref().unwrap_or("https://api.joystick.tv/api/v1/");
        let redirect = self.redirect(&table, raw.redirect.as_deref());
        let scopes = self.scopes(&table, raw.scopes.as_deref());
        let channels = self.channels(&table, raw.channels.as_deref(), "expected channel ids", |_| true);
        let gateway_url = self.address(&table.key("gateway-url"), gateway, ["wss", "ws"]);
        let consent_url = self.address(&table.key("consent-url"), consent, ["https", "http"]);
        let oauth_base = self.url(&table.key("oauth-base"), oauth, ["https", "http"]);
        let rest_base = self.url(&table.key("rest-base"), rest, ["https", "http"]);
        let echo = self.time(table.key("echo"), raw.echo, defaults::JOYSTICK_ECHO);
        let pace = self.pace(&table.key("pace"), &raw.pace, defaults::JOYSTICK_PACE);
        Some(JoystickSettings {
            client_id: client_id?,
            client_secret: client_secret.flatten(),
            redirect: redirect?,
            scopes,
            channels,
            bot: bot?,
            version: raw.version.unwrap_or(JoystickVersion::V2),
            gateway_token,
            command_keys: raw.command_keys.unwrap_or(JoystickKeys::Snake),
            gateway_url: gateway_url?,
            consent_url: consent_url?,
            oauth_base: oauth_base?,
            rest_base: rest_base?,
            pace,
            echo,
        })
    }

    pub(super) fn auth(&mut self, raw: &raw::Auth) -> AuthSettings {
        let path = KeyPath::of("auth.key");
        let key = raw.key.as_ref().and_then(|reference| self.secret(path.clone(), reference));
        // An empty one was not read at all: a secret is never empty.
        let is_wrong = |key: &&str| !key.is_empty() && !is_key(key);
        if key.as_ref().map(ExposeSecret::expose_secret).filter(is_wrong).is_some() {
            let message = format!("the key is not {KEY_DIGITS} hexadecimal digits");
            self.found_with_help(path, message, "`openssl rand -hex 32` makes a good one");
        }
        AuthSettings { key }
    }

    fn subscriptions(&mut self, table: &KeyPath, given: Option<&[String]>) -> Option<Vec<String>> {
        let given = given?;
        let (key, known) = (table.key("subscriptions"), defaults::TWITCH_SUBSCRIPTIONS);
        if given.is_empty() {
            self.found_with_help(key, "nothing would be subscribed", "leave the key out for everything");
        } else if let Some(unknown) = given.iter().find(|name| !known.contains(&name.as_str())) {
            let message = format!("\"{unknown}\" is no subscription type that Showrunner reads");
            self.found_with_help(key, message, format!("these are: {}", known.join(", ")));
        }
        Some(given.to_vec())
    }

    /// Which there are is for the service to say: an application has those that it was given.
    fn scopes(&mut self, table: &KeyPath, given: Option<&[String]>) -> Option<Vec<String>> {
        let given = given?;
        if given.is_empty() {
            self.found_with_help(
                table.key("scopes"),
                "nothing would be asked for",
                "leave the key out for all that is used",
            );
        } else if given.iter().any(|scope| scope.is_empty() || scope.contains(char::is_whitespace)) {
            self.found(table.key("scopes"), "expected words such as \"chat:read\"");
        }
        Some(given.to_vec())
    }

    fn client_id(&mut self, table: &KeyPath, given: Option<&String>, what: &str) -> Option<String> {
        self.required(table.key("client-id"), given, what)
    }

    /// None yet is fine: signing in finds them out.
    fn channels(
        &mut self,
        table: &KeyPath,
        given: Option<&[String]>,
        expected: &str,
        is_id: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        let channels = given.unwrap_or_default();
        let mut seen = BTreeSet::new();
        if channels.iter().any(|id| id.trim() != id || id.is_empty() || !is_id(id)) {
            self.found(table.key("channels"), expected);
        } else if !channels.iter().all(|id| seen.insert(id)) {
            self.found(table.key("channels"), "one of them stands here twice; everything would be answered twice");
        }
        channels.to_vec()
    }

    /// The browser of this machine comes back there, and nobody else.
    fn redirect(&mut self, table: &KeyPath, given: Option<&str>) -> Option<String> {
        let text = given.unwrap_or(defaults::REDIRECT);
        let url = Url::parse(text).ok();
        let is_right = url.is_some_and(|url| {
            let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
            url.scheme() == "http" && is_loopback(&url) && is_plain
        });
        if is_right {
            return Some(text.to_owned());
        }
        let message = "expected an http address on this machine, such as \"http://localhost:3000/oauth\"";
        let help = "it must be registered with the application, letter by letter";
        self.found_with_help(table.key("redirect"), message, help);
        None
    }
}

fn is_key(text: &str) -> bool {
    text.len() == KEY_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
