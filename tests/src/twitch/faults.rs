//! How the fake is told to misbehave, and the tokens that it gives without a browser.

use std::time::Duration;

use axum::extract::ws::Message;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::behaviour::{DeviceAnswer, DropReason};
use super::eventsub::{Order, metadata};
use super::state::new_id;
use super::tokens::Tokens;
use super::{CLIENT_ID, FakeTwitch};
use crate::service::{Answer, When};

impl FakeTwitch {
    // ---- tokens -----------------------------------------------------------------------------------------------

    /// A user agrees to the application with a secret; no browser is needed. Scopes are separated by spaces.
    pub fn grant(&self, login: &str, scopes: &str) -> Tokens {
        self.grant_to(CLIENT_ID, login, scopes)
    }

    pub fn grant_to(&self, client_id: &str, login: &str, scopes: &str) -> Tokens {
        let user = self.state.user(login);
        let scopes: Vec<String> = scopes.split_whitespace().map(str::to_owned).collect();
        let lifetime = self.state.behaviour().access_lifetime;
        self.state.tokens().grant(client_id, Some(user), &scopes, lifetime)
    }

    /// A token of the application itself, without a user.
    pub fn app_token(&self) -> Tokens {
        let lifetime = self.state.behaviour().access_lifetime;
        self.state.tokens().grant(CLIENT_ID, None, &[], lifetime)
    }

    /// Who agrees on the consent page, and with a code.
    pub fn signs_in(&self, login: &str) {
        self.state.behaviour().signs_in = Some(login.to_owned());
    }

    /// The bot where only a bot's scopes are asked for, and the streamer otherwise.
    pub fn signs_in_by_scopes(&self) {
        self.state.behaviour().signs_in = None;
    }

    pub fn deny_sign_in(&self, denies: bool) {
        self.state.behaviour().denies = denies;
    }

    /// Where a browser may be sent, letter by letter. Before this is called any place on this machine will do.
    pub fn register_redirect(&self, url: &str) {
        self.state.behaviour().redirects.push(url.to_owned());
    }

    pub fn answer_device(&self, answer: DeviceAnswer) {
        self.state.behaviour().device = answer;
    }

    /// How many seconds a device shall wait between two polls.
    pub fn set_device_interval(&self, seconds: u64) {
        self.state.behaviour().device_interval = seconds;
    }

    /// Of tokens that are made from now on.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.state.behaviour().access_lifetime = lifetime;
    }

    /// Whether each refresh gives a new refresh token, and ends the old one.
    pub fn rotate_refresh_tokens(&self, does_rotate: bool) {
        self.state.behaviour().does_rotate = does_rotate;
    }

    /// Whether an old refresh token that comes again costs all tokens of its grant.
    pub fn revoke_families(&self, does_revoke: bool) {
        self.state.behaviour().does_revoke_family = does_revoke;
    }

    /// All access tokens are too old from now on; refresh tokens are not.
    pub fn expire_access_tokens(&self) {
        self.state.tokens().expire();
    }

    /// A user takes everything back that they agreed to: no token is valid, and subscriptions are revoked.
    pub fn disconnect(&self, login: &str) {
        let user = self.state.user(login);
        self.state.tokens().disconnect(&user.id);
        self.state.revoke_subscriptions("authorization_revoked", |one| {
            one.user_id == user.id || one.condition.values().any(|id| id.as_str() == Some(&user.id))
        });
        self.state.requests.note_activity();
    }

    // ---- HTTP -------------------------------------------------------------------------------------------------

    /// Answers the next requests whose line begins like this ("POST /helix/chat/messages", "POST /oauth2/token"), one
    /// by one, and those after them as before.
    pub fn answer_next(&self, line: &str, answers: impl IntoIterator<Item = Answer>) {
        self.state.requests.answer_next(line, answers);
    }

    /// Answers all of them so, until told otherwise.
    pub fn answer_always(&self, line: &str, answer: Answer) {
        self.state.requests.answer_always(line, answer);
    }

    /// The next chat lines are not sent, for these reasons.
    pub fn drop_next_lines(&self, reasons: impl IntoIterator<Item = DropReason>) {
        self.state.behaviour().drops.extend(reasons);
    }

    /// Whether what was sent comes back as an event.
    pub fn echo_lines(&self, does_echo: bool) {
        self.state.behaviour().does_echo = does_echo;
    }

    /// Whether `drop_reason` is there, as null, where there is no reason.
    pub fn name_no_drop_reason(&self, does_name: bool) {
        self.state.behaviour().names_no_drop_reason = does_name;
    }

    /// Instead of 800; and how full they are when somebody calls for the first time.
    pub fn set_points_per_minute(&self, points: f64) {
        self.state.behaviour().points_per_minute = points;
    }

    /// Nobody who called before has a point left.
    pub fn use_up_points(&self) {
        self.state.meters().empty();
    }

    /// Whether announcements and shoutouts have limits of their own.
    pub fn limit_endpoints(&self, has_limits: bool) {
        self.state.behaviour().has_endpoint_limits = has_limits;
    }

    // ---- EventSub: sockets ------------------------------------------------------------------------------------

    /// For connections from now on, as is the keepalive.
    pub fn set_welcome(&self, welcome: When) {
        self.state.behaviour().welcome = welcome;
    }

    /// In place of what the client wished; a real one never goes below 10.
    pub fn set_keepalive(&self, seconds: Option<u64>) {
        self.state.behaviour().keepalive_seconds = seconds;
    }

    pub fn send_keepalives(&self, does_send: bool) {
        self.state.behaviour().sends_keepalives = does_send;
    }

    pub fn set_pings(&self, every: Duration, does_send: bool) {
        let mut behaviour = self.state.behaviour();
        behaviour.ping_every = every;
        behaviour.sends_pings = does_send;
    }

    /// How long a session may be without a subscription before it is closed with 4003.
    pub fn set_unused_after(&self, patience: Duration) {
        self.state.behaviour().unused_after = patience;
    }

    /// How long the old socket stays after a `session_reconnect`.
    pub fn set_reconnect_grace(&self, grace: Duration) {
        self.state.behaviour().reconnect_grace = grace;
    }

    /// Whether the old socket delivers as well when the new one has its welcome.
    pub fn deliver_on_both(&self, does_overlap: bool) {
        self.state.behaviour().does_overlap = does_overlap;
    }

    /// How long a session that broke off counts against the limits.
    pub fn set_reaped_after(&self, pause: Duration) {
        self.state.behaviour().reaped_after = pause;
    }

    /// How far the clock is off, in all times it names.
    pub fn set_skew(&self, skew: SignedDuration) {
        self.state.behaviour().skew = skew;
    }

    pub fn set_recovery_url(&self, is_there: bool) {
        self.state.behaviour().has_recovery_url = is_there;
    }

    /// Whether every object has a field that nobody knows.
    pub fn add_unknown_fields(&self, does_add: bool) {
        self.state.behaviour().adds_unknown_fields = does_add;
    }

    pub fn set_strict_cost(&self, is_strict: bool) {
        self.state.behaviour().has_strict_cost = is_strict;
    }

    /// Instead of 300 on a connection.
    pub fn set_max_subscriptions(&self, count: usize) {
        self.state.behaviour().max_subscriptions = count;
    }

    /// Asks all sessions to move to another socket.
    pub fn reconnect(&self) {
        self.state.ask_to_move();
    }

    /// Closes all sockets with this code.
    pub fn close(&self, code: u16) {
        self.state.order_all(|| Order::Close(code));
    }

    /// Closes every socket without a word.
    pub fn drop_sockets(&self) {
        self.state.order_all(|| Order::Cut);
    }

    /// A frame as it is, to all sockets.
    pub fn push(&self, message: &Message) {
        self.state.order_all(|| Order::Raw(message.clone()));
    }

    /// A message of a type that nobody knows, well formed otherwise.
    pub fn push_unknown(&self) {
        let frame = json!({
            "metadata": metadata("session_confetti", &new_id(), self.state.now(), None),
            "payload": { "confetti": [1, 2, 3] },
        });
        self.push(&Message::text(frame.to_string()));
    }

    /// Ends the subscriptions of a type: "authorization_revoked", "user_removed", "version_removed",
    /// "moderator_removed", "chat_user_banned". Returns how many.
    pub fn revoke(&self, name: &str, reason: &str) -> usize {
        let count = self.state.revoke_subscriptions(reason, |one| one.kind.name == name);
        self.state.requests.note_activity();
        count
    }

    /// Whatever is subscribed to gets this event.
    pub fn notify(&self, name: &str, version: &str, event: Value) -> Vec<String> {
        self.room().notify(name, version, event)
    }

    /// The next subscription of this type gets the event before its POST is answered.
    pub fn notify_early(&self, name: &str, event: Value) {
        self.state.notify_early(name, event);
    }

    // ---- what bots did, beyond chat lines ---------------------------------------------------------------------

    /// Sender id, recipient id, text.
    pub fn whispers(&self) -> Vec<(String, String, String)> {
        self.state.rooms().whispers.clone()
    }

    /// `{sender,text,color}`.
    pub fn announcements(&self) -> Vec<Value> {
        self.state.rooms().announcements.clone()
    }
}
