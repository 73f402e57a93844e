//! How the fake is told to misbehave, and the tokens that it gives without a browser.

use std::time::Duration;

use axum::extract::ws::Message;
use fastrand::Rng;
use serde_json::{Value, json};

use super::behaviour::{Confirm, ErrorShape, Metadata, Refused};
use super::gateway::Order;
use super::tokens::{Tokens, basic_key};
use super::{CLIENT_ID, FakeJoystick};
use crate::service::{Answer, When};

impl FakeJoystick {
    // ---- tokens -----------------------------------------------------------------------------------------------

    /// A streamer agrees to the bot with a secret; no browser is needed. Scopes are separated by spaces.
    pub fn grant(&self, username: &str, scopes: &str) -> Tokens {
        self.grant_to(CLIENT_ID, username, scopes)
    }

    pub fn grant_to(&self, client_id: &str, username: &str, scopes: &str) -> Tokens {
        let channel = self.state.channel(username);
        let scopes: Vec<String> = scopes.split_whitespace().map(str::to_owned).collect();
        let lifetime = self.state.behaviour().access_lifetime;
        self.state.tokens().install(client_id, &channel, &scopes, lifetime)
    }

    /// What the older gateway is opened with.
    pub fn basic_key(&self) -> String {
        basic_key()
    }

    /// Who agrees on the consent page.
    pub fn signs_in(&self, username: &str) {
        username.clone_into(&mut self.state.behaviour().signs_in);
    }

    pub fn deny_sign_in(&self, denies: bool) {
        self.state.behaviour().denies = denies;
    }

    /// Where a browser may be sent, letter by letter. Before this is called any place on this machine will do.
    pub fn register_redirect(&self, url: &str) {
        self.state.behaviour().redirects.push(url.to_owned());
    }

    /// What the bot may ask for at all.
    pub fn set_granted(&self, scopes: &str) {
        self.state.behaviour().granted = scopes.split_whitespace().map(str::to_owned).collect();
    }

    /// Of tokens that are made from now on; `None` for what the kind of client has.
    pub fn set_token_lifetime(&self, lifetime: Option<Duration>) {
        self.state.behaviour().access_lifetime = lifetime;
    }

    /// Whether `expires_in` is a time, as the older docs have it, and not a span.
    pub fn expire_absolutely(&self, is_absolute: bool) {
        self.state.behaviour().expiry_is_absolute = is_absolute;
    }

    /// All access tokens are too old from now on; refresh tokens are not.
    pub fn expire_access_tokens(&self) {
        self.state.tokens().expire();
    }

    /// A streamer removes the bot: no token of that installation is valid any more.
    pub fn uninstall(&self, username: &str) {
        let channel = self.state.channel(username);
        self.state.tokens().uninstall(&channel.id);
    }

    // ---- HTTP -------------------------------------------------------------------------------------------------

    /// Answers the next requests whose line begins like this ("POST /api/oauth/token", "GET /cable"), one by one, and
    /// those after them as before.
    pub fn answer_next(&self, line: &str, answers: impl IntoIterator<Item = Answer>) {
        self.state.requests.answer_next(line, answers);
    }

    /// Answers all of them so, until told otherwise.
    pub fn answer_always(&self, line: &str, answer: Answer) {
        self.state.requests.answer_always(line, answer);
    }

    // ---- the gateway ------------------------------------------------------------------------------------------

    /// For connections from now on.
    pub fn set_welcome(&self, welcome: When) {
        self.state.behaviour().welcome = welcome;
    }

    pub fn set_ping(&self, every: Duration, does_ping: bool) {
        let mut behaviour = self.state.behaviour();
        behaviour.ping_every = every;
        behaviour.sends_pings = does_ping;
    }

    pub fn set_confirm(&self, confirm: Confirm) {
        self.state.behaviour().confirm = confirm;
    }

    /// What becomes of the next subscribes, one by one.
    pub fn confirm_next(&self, confirms: impl IntoIterator<Item = Confirm>) {
        self.state.behaviour().next_confirms.extend(confirms);
    }

    pub fn set_refused(&self, refused: Refused) {
        self.state.behaviour().refused = refused;
    }

    /// Which tokens open the gateway: access tokens, the basic key.
    pub fn take_tokens(&self, access: bool, basic: bool) {
        let mut behaviour = self.state.behaviour();
        behaviour.takes_access = access;
        behaviour.takes_basic = basic;
    }

    /// Whether a socket hears of all channels, also where its token is of one.
    pub fn serve_all_channels(&self, serves_all: bool) {
        self.state.behaviour().serves_all = serves_all;
    }

    /// Whether commands may have the plain identifier after a subscribe with a version.
    pub fn know_plain_identifier(&self, knows: bool) {
        self.state.behaviour().knows_plain_identifier = knows;
    }

    /// "unauthorized", "invalid_request", "server_restart", "remote", or none; and then the sockets are closed.
    pub fn disconnect(&self, reason: Option<&str>, reconnect: bool) {
        let frame = json!({ "type": "disconnect", "reason": reason, "reconnect": reconnect }).to_string();
        let gateway = self.state.gateway();
        gateway.order_all(|| Order::Say(frame.clone()));
        gateway.order_all(|| Order::Close(1000));
    }

    /// Closes all sockets with this code, and no word before: 1000, 4401, …
    pub fn close(&self, code: u16) {
        self.state.gateway().order_all(|| Order::Close(code));
    }

    /// Ends every connection, without even that.
    pub fn drop_sockets(&self) {
        self.state.gateway().order_all(|| Order::Cut);
    }

    /// A frame as it is, to all sockets.
    pub fn push(&self, message: &Message) {
        self.state.gateway().order_all(|| Order::Raw(message.clone()));
    }

    pub fn push_json(&self, frame: &Value) {
        self.push(&Message::text(frame.to_string()));
    }

    // ---- events -----------------------------------------------------------------------------------------------

    /// How version 1 writes metadata.
    pub fn set_metadata(&self, metadata: Metadata) {
        self.state.behaviour().metadata = metadata;
    }

    pub fn write_numbers_as_texts(&self, does_write: bool) {
        self.state.behaviour().numbers_are_texts = does_write;
    }

    /// Whether version 2 says `chat_message` in place of `new_message`.
    pub fn say_chat_message(&self, does_say: bool) {
        self.state.behaviour().says_chat_message = does_say;
    }

    pub fn add_unknown_fields(&self, does_add: bool) {
        self.state.behaviour().adds_unknown_fields = does_add;
    }

    /// What happens from now on waits, until it is told in another order.
    pub fn hold_events(&self) {
        self.state.held().get_or_insert_default();
    }

    /// Tells what waited, in an order that the seed makes.
    pub fn release_shuffled(&self, seed: u64) {
        let mut events = self.state.held().take().unwrap_or_default();
        Rng::with_seed(seed).shuffle(&mut events);
        for event in events {
            self.state.tell_now(&event);
        }
    }

    /// Tells what waited, the last first.
    pub fn release_backwards(&self) {
        let events = self.state.held().take().unwrap_or_default();
        for event in events.iter().rev() {
            self.state.tell_now(event);
        }
    }

    // ---- commands ---------------------------------------------------------------------------------------------

    /// When what was said comes back.
    pub fn set_echo(&self, echo: When) {
        self.state.behaviour().echo = echo;
    }

    /// The next, one by one.
    pub fn echo_next(&self, echoes: impl IntoIterator<Item = When>) {
        self.state.behaviour().next_echoes.extend(echoes);
    }

    /// Whether what was said comes back as a `BotMessage`, which names no channel.
    pub fn echo_as_bot(&self, does_echo: bool) {
        self.state.behaviour().echoes_as_bot = does_echo;
    }

    pub fn echo_whispers(&self, does_echo: bool) {
        self.state.behaviour().echoes_whispers = does_echo;
    }

    /// The next commands fail with these words.
    pub fn fail_next(&self, errors: impl IntoIterator<Item = &'static str>) {
        self.state.behaviour().next_errors.extend(errors.into_iter().map(str::to_owned));
    }

    pub fn set_error_shape(&self, shape: ErrorShape) {
        self.state.behaviour().error_shape = shape;
    }

    /// A server of before July 2026, which knows no keys with underscores.
    pub fn know_camel_only(&self, does: bool) {
        self.state.behaviour().knows_camel_only = does;
    }
}
