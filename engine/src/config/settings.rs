//! The resolved settings: every value checked, every default filled in, every secret read.
//! What the engine works with; it never sees an unchecked value.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::secret::Secret;
use crate::effect::PluginId;
use crate::event::Channel;
use crate::permission::Permissions;

#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the config came from, for messages.
    pub source: PathBuf,
    /// The database, the AOT cache, the control socket: all that the daemon writes.
    pub data_dir: PathBuf,
    pub log: LogSettings,
    pub http: HttpSettings,
    pub pipeline: PipelineSettings,
    pub journal: JournalSettings,
    pub agent: AgentSettings,
    pub host: HostSettings,
    /// By id. Plugins without an entry are known but have no grants.
    pub plugins: BTreeMap<PluginId, PluginSettings>,
    pub retake: Vec<RetakeSettings>,
    /// `None` without a client id.
    pub twitch: Option<TwitchSettings>,
    /// `None` without a client id.
    pub joystick: Option<JoystickSettings>,
    pub auth: AuthSettings,
    pub simulator: SimulatorSettings,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LogSettings {
    /// As `RUST_LOG` spells it: "info", "info,showrunner::platform=debug".
    pub filter: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Pretty on a terminal, JSON otherwise.
    Auto,
    Pretty,
    Json,
}

/// `/healthz`, `/readyz`, `/metrics`.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpSettings {
    /// `None` switches the listener off.
    pub listen: Option<SocketAddr>,
    /// Asked for on every route when set; must be set when `listen` is not a loopback address.
    pub token: Option<Secret>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PipelineSettings {
    /// What begins a command: "!".
    pub command_prefix: String,
    /// All reviewers together.
    pub review: Duration,
    /// After this long without an answer of every handler the fallback plugins get the event.
    pub fallback_after: Duration,
    /// How long a stop may take to send what is queued.
    pub drain: Duration,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JournalSettings {
    pub keep_for: Duration,
    pub keep_bytes: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AgentSettings {
    /// Tasks waiting in one queue, at most.
    pub queue_bound: u32,
    /// A leased task that is neither acknowledged nor refused comes back after this long.
    pub visibility: Duration,
    /// Leased this often without an acknowledgement, a task is dead.
    pub attempts: u32,
    /// The command that wakes the agent, without a shell; empty for none. Never holds viewer text.
    pub wake: Vec<String>,
    /// One wake in this time, however many tasks arrive.
    pub wake_debounce: Duration,
    pub wake_timeout: Duration,
    /// Appends `{author,text,ts}` for agents that read a JSONL file.
    pub queue_file: Option<PathBuf>,
    /// `{status,lastMessage,reconnects,uptime}` every five seconds, for agents that read that.
    pub health_file: Option<PathBuf>,
}

/// The plugin host.
#[derive(Debug, Clone, PartialEq)]
pub struct HostSettings {
    /// One folder a plugin inside.
    pub plugins_dir: PathBuf,
    pub watch: Watch,
    /// Silence after a change before it is looked at.
    pub debounce: Duration,
    /// No plugin but those that ship is started.
    pub safe_mode: bool,
    pub limits: Limits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// The file system tells.
    Native,
    /// Looks every so often: for network mounts and containers.
    Poll(Duration),
    Off,
}

/// What one plugin may use. A plugin's manifest may ask for less memory, never for more than these.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    pub memory_bytes: usize,
    pub component_bytes: u64,
    pub handle: Duration,
    pub review: Duration,
    pub init: Duration,
    pub save: Duration,
    pub restore: Duration,
    pub effects: u32,
    pub effect_bytes: usize,
    pub kv_bytes: usize,
    pub kv_value_bytes: usize,
    pub log_lines_per_second: u32,
    pub http_timeout: Duration,
    pub http_body_bytes: usize,
    pub http_concurrent: usize,
    pub http_per_minute: u32,
    pub timers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 << 20,
            component_bytes: 32 << 20,
            handle: Duration::from_millis(250),
            review: Duration::from_millis(50),
            init: Duration::from_secs(5),
            save: Duration::from_millis(100),
            restore: Duration::from_secs(2),
            effects: 32,
            effect_bytes: 64 << 10,
            kv_bytes: 1 << 20,
            kv_value_bytes: 64 << 10,
            log_lines_per_second: 50,
            http_timeout: Duration::from_secs(10),
            http_body_bytes: 1 << 20,
            http_concurrent: 4,
            http_per_minute: 60,
            timers: 64,
        }
    }
}

/// What the operator says of one plugin.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PluginSettings {
    pub enabled: Option<bool>,
    /// In the words of a manifest's `[permissions]`; `None` when the operator has not decided yet.
    pub grant: Option<Permissions>,
    /// Channels it may hear and speak in; empty for all.
    pub channels: Vec<Channel>,
    /// "sha256:<hex>": the grant holds for exactly this file.
    pub pin: Option<String>,
    /// For reviewers: what counts when it does not answer in time.
    pub on_failure: OnFailure,
    /// Whether its calls are recorded, with all that the world outside tells it, so that a replay has it.
    pub record: bool,
    /// Filled into `{secret:name}` of an http header.
    pub secrets: BTreeMap<String, Secret>,
    /// The plugin's own table.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    #[default]
    Pass,
    Hold,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RetakeSettings {
    pub generation: RetakeGeneration,
    /// The streamer's user id: the room to join, and where to send.
    pub room: String,
    /// Our own user id (userDbId): tells our own messages from a viewer's who took our name.
    pub user_id: String,
    pub token: Secret,
    /// Ends with a slash, so that paths can be joined to it.
    pub rest_base: Url,
    /// With the path of the Socket.IO server ("wss://retake.tv/socket.io/").
    pub socket_url: Url,
    pub pace: Pace,
    /// How often the history is asked for while the socket is refused.
    pub poll: Duration,
}

/// How fast an account may send.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Chat lines a second, and how many at once after a pause; `None` for no limit of ours.
    pub messages: Option<Rate>,
    /// Requests under way at once: what bounds connections in a burst.
    pub in_flight: usize,
    /// A chat line that has waited this long is dropped: an answer to what nobody remembers helps nobody.
    pub expiry: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    pub per_second: f64,
    pub burst: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetakeGeneration {
    V1,
    V2,
}

/// How the accounts of platforms where one signs in are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthSettings {
    /// Seals the tokens in the database; `None` for a key file in the data folder.
    pub key: Option<Secret>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TwitchSettings {
    pub client_id: String,
    /// `None` for a public client, which can only sign in with a code (`--device`), and whose refresh tokens serve
    /// once.
    pub client_secret: Option<Secret>,
    /// Where the browser comes back to: http, on this machine, letter by letter as it is registered there. Port 0 is
    /// any.
    pub redirect: String,
    /// The broadcasters' user ids.
    pub channels: Vec<String>,
    /// Who signs in: the broadcaster of each channel, and a bot where it has an account of its own.
    pub accounts: TwitchAccounts,
    /// The `EventSub` subscription types that are wanted, of those that `platform::twitch` knows; `None` for all.
    pub subscriptions: Option<Vec<String>>,
    /// "wss://eventsub.wss.twitch.tv/ws"; no slash is added, and the query is ours.
    pub eventsub_url: Url,
    /// Ends with a slash, as the next.
    pub helix_base: Url,
    pub oauth_base: Url,
    pub pace: Pace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TwitchAccounts {
    /// The bot speaks as the broadcaster.
    Broadcaster,
    /// A bot in a channel whose broadcaster did not sign in: chat and moderation, no subscriptions, bits and rewards.
    Bot,
    Both,
}

impl TwitchAccounts {
    pub const fn has_bot(self) -> bool {
        matches!(self, Self::Bot | Self::Both)
    }

    pub const fn has_broadcaster(self) -> bool {
        matches!(self, Self::Broadcaster | Self::Both)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct JoystickSettings {
    pub client_id: String,
    /// `None` for a public client, which proves itself by PKCE.
    pub client_secret: Option<Secret>,
    pub redirect: String,
    /// What a sign-in asks for; `None` for all that is used.
    pub scopes: Option<Vec<String>>,
    /// The channel ids (hashes) of the streams where the bot is installed.
    pub channels: Vec<String>,
    /// The bot's username: tells its own lines from a viewer's.
    pub bot: String,
    pub version: JoystickVersion,
    pub gateway_token: JoystickToken,
    pub command_keys: JoystickKeys,
    /// "wss://api.joystick.tv/cable"; the query is ours.
    pub gateway_url: Url,
    /// The page where a person agrees.
    pub consent_url: Url,
    /// Ends with a slash, as the next: "https://api.joystick.tv/api/oauth/".
    pub oauth_base: Url,
    pub rest_base: Url,
    pub pace: Pace,
    /// How long to wait until what was said comes back from the chat; the service confirms nothing.
    pub echo: Duration,
}

/// The shape of the gateway's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JoystickVersion {
    V1,
    V2,
}

/// What the gateway is opened with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JoystickToken {
    /// The access token of a sign-in.
    Access,
    /// base64(client id:client secret), as the older gateway wants it; nobody has to sign in.
    Basic,
}

/// How the keys of commands are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JoystickKeys {
    Snake,
    /// For servers of before July 2026.
    Camel,
}

/// The simulator takes what `showrunner simulate` injects, and may play a script.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatorSettings {
    pub channel: String,
    /// Played from the start when the engine is ready: "demo" for the one that is built in, or a file.
    pub script: Option<PathBuf>,
    /// Every action that it is asked for, as a line of JSON.
    pub record: Option<PathBuf>,
    pub pace: Pace,
}
