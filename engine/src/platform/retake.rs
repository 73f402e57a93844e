//! retake.tv: chat over Socket.IO, sending over REST, in both generations of the service.
//!
//! [`Source`](super::Source) and [`Sink`](super::Sink) meet only in the list of lines sent. The source holds one
//! socket at a time, joins the room after every connection, fills the gap from the history and reads by polling
//! while the socket is refused; connecting again is the supervisor's. The sink needs no socket.

mod history;
mod rest;
mod sink;
mod source;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;

use self::rest::Rest;
use self::sink::RetakeSink;
use self::source::RetakeSource;
use super::sent::Sent;
use super::{Account, Listener};
use crate::config::settings::RetakeSettings;
use crate::event::Channel;

/// The name of the platform.
pub const PLATFORM: &str = "retake";

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(10);
/// Node's servers hang up after 5 s of silence. A line that is sent just then is lost without anybody knowing
/// whether it arrived, so we hang up first.
const IDLE: Duration = Duration::from_secs(4);

/// A client as this platform needs it: no redirects, bounded in time, and with no more connections kept than are
/// ever used at once. A TLS provider must be installed before.
pub fn client(settings: &RetakeSettings) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .timeout(ANSWER)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(settings.pace.in_flight)
        .tcp_nodelay(true)
        .user_agent(concat!("showrunner/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// The account that `settings` describe. `http` must not follow redirects; see [`client`]. `missed_since`: what was
/// said since then, by the platform's clock, may have been missed by a run that was killed, and is told from the
/// history.
pub fn account(settings: &RetakeSettings, http: reqwest::Client, missed_since: Option<u64>) -> Account {
    let channel = Channel::new(PLATFORM, settings.room.as_str());
    let rest = Arc::new(Rest::new(settings, http));
    let sent = Arc::new(Sent::default());
    let source = RetakeSource::new(settings, channel.clone(), rest.clone(), sent.clone(), missed_since);
    let (name, channels) = (channel.to_string(), vec![channel.clone()]);
    Account {
        name: name.clone(),
        channels: channels.clone(),
        sources: vec![Listener { name, channels, source: Box::new(source) }],
        sink: Arc::new(RetakeSink { rest, sent, channel }),
        pace: settings.pace,
    }
}
