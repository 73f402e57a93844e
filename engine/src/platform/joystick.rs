//! Joystick.tv: chat and events over Action Cable, in both shapes of its gateway, and what its REST interface adds.
//!
//! One socket serves all channels of the account. The half that acts has none of its own: what it sends goes through
//! the socket of the half that listens, by way of a [queue of commands](self::commands). The service keeps no order,
//! has no replay and confirms nothing: a line counts as sent when it comes back, and what a gap has cost is looked up
//! by REST, as far as that tells.

mod authors;
mod catch_up;
mod commands;
mod gateway;
mod reader;
pub mod rest;
mod sink;
mod source;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;

use self::authors::Authors;
use self::catch_up::CatchUp;
use self::commands::CommandQueue;
use self::gateway::Gateway;
use self::reader::Reader;
use self::rest::Rest;
use self::sink::JoystickSink;
use self::source::JoystickSource;
use super::{Account, Listener};
use crate::auth::Tokens;
use crate::config::settings::{JoystickSettings, JoystickToken};
use crate::event::Channel;

/// The name of the platform.
pub const PLATFORM: &str = "joystick";

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(10);

/// A client as this platform needs it: no redirects, bounded in time. A TLS provider must be installed before.
pub fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        .pool_max_idle_per_host(1)
        .user_agent(concat!("showrunner/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// The name of the account that `settings` describe, in logs and status.
pub fn account_name(settings: &JoystickSettings) -> String {
    format!("{PLATFORM}:{}", wire::user_id(&settings.bot))
}

/// The account that `settings` describe, with all its channels. `tokens` are those of one of them, which is the one
/// that REST can be asked about; with a basic key they are never asked for. `http` must not follow redirects; see
/// [`client`].
pub fn account(settings: &JoystickSettings, tokens: Arc<dyn Tokens>, http: reqwest::Client) -> Account {
    let channels: Vec<Channel> = settings.channels.iter().map(|id| Channel::new(PLATFORM, id.as_str())).collect();
    let (queue, authors) = (Arc::new(CommandQueue::default()), Arc::new(Authors::default()));
    let rest = Arc::new(Rest::new(&settings.rest_base, http));
    let catch_up = CatchUp::new(&channels, (settings.gateway_token == JoystickToken::Access).then_some(rest));
    let source = JoystickSource::new(
        Gateway::new(settings, tokens),
        Reader::new(channels.clone(), &settings.bot, Arc::clone(&authors)),
        Arc::clone(&queue),
        catch_up,
    );
    let name = account_name(settings);
    Account {
        name: name.clone(),
        channels: channels.clone(),
        sources: vec![Listener { name, channels: channels.clone(), source: Box::new(source) }],
        sink: Arc::new(JoystickSink::new(settings, channels, queue, authors)),
        pace: settings.pace,
    }
}
