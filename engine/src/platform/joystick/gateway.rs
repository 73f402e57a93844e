//! The way into the gateway: what it is opened with, what is subscribed to, and what its refusals mean.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use crate::auth::{Access, TokenError, Tokens};
use crate::config::settings::{JoystickSettings, JoystickToken, JoystickVersion};
use crate::platform::Disconnect;
use crate::platform::actioncable::{CableError, Incoming, Options, Session};
use crate::platform::websocket::{DialError, Loss, Refusal};

/// The code that the service closes with when it does not accept the token.
const UNAUTHORIZED: u16 = 4401;
const SIGN_IN: &str = "run `showrunner auth joystick`";

/// No Debug: it holds the key.
pub(super) struct Gateway {
    url: Url,
    /// Told and compared letter by letter, so it is never written anew.
    identifier: &'static str,
    key: Key,
    /// The token was refused and refreshed, and no connection has held since then.
    is_refreshed: bool,
}

enum Key {
    Access(Arc<dyn Tokens>),
    Basic(SecretString),
}

/// What a connection was opened with.
pub(super) enum Pass {
    Access(Access),
    Basic(SecretString),
}

impl Pass {
    /// `None` where nobody is signed in.
    pub(super) const fn access(&self) -> Option<&Access> {
        match self {
            Self::Access(access) => Some(access),
            Self::Basic(_) => None,
        }
    }
}

impl Gateway {
    pub(super) fn new(settings: &JoystickSettings, tokens: Arc<dyn Tokens>) -> Self {
        let identifier = match settings.version {
            JoystickVersion::V1 => r#"{"channel":"GatewayChannel"}"#,
            JoystickVersion::V2 => r#"{"channel":"GatewayChannel","event_version":"v2"}"#,
        };
        let key = match settings.gateway_token {
            JoystickToken::Access => Key::Access(tokens),
            JoystickToken::Basic => Key::Basic(basic_key(settings)),
        };
        Self { url: settings.gateway_url.clone(), identifier, key, is_refreshed: false }
    }

    /// What to open a connection with, read anew for each.
    pub(super) async fn pass(&self) -> Result<Pass, Disconnect> {
        match &self.key {
            Key::Access(tokens) => tokens.read().await.map(Pass::Access).map_err(no_token),
            Key::Basic(key) => Ok(Pass::Basic(key.clone())),
        }
    }

    pub(super) async fn open(&self, pass: &Pass) -> Result<Session, CableError> {
        let token = match pass {
            Pass::Access(access) => &access.token,
            Pass::Basic(key) => key,
        };
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("token", token.expose_secret().trim());
        Session::open(&url, Options::default()).await
    }

    pub(super) async fn subscribe(&self, session: &mut Session) -> Result<(), CableError> {
        session.subscribe(self.identifier).await
    }

    pub(super) async fn perform(&self, session: &mut Session, data: &Value) -> Result<(), CableError> {
        session.perform(self.identifier, data).await
    }

    /// Whether it is of our subscription. A service's own frames say nothing of that.
    pub(super) fn is_ours(&self, incoming: &Incoming) -> bool {
        incoming.identifier.as_deref().is_none_or(|identifier| identifier == self.identifier)
    }

    /// A connection has held, so the next refusal is a new one.
    pub(super) fn has_held(&mut self) {
        self.is_refreshed = false;
    }

    /// Sees to it that the next connection is opened with another token. When that can't be, or was done before and did
    /// not help, only a person can help.
    pub(super) async fn renew(&mut self, pass: &Pass, refusal: &CableError) -> Result<(), Disconnect> {
        let (Key::Access(tokens), Pass::Access(stale)) = (&self.key, pass) else { return Err(key_refused(refusal)) };
        if std::mem::take(&mut self.is_refreshed) {
            return Err(token_refused(refusal));
        }
        tokens.refresh(stale).await.map_err(no_token)?;
        self.is_refreshed = true;
        Ok(())
    }
}

/// base64(client id:client secret). The config refuses a basic key without a secret.
fn basic_key(settings: &JoystickSettings) -> SecretString {
    let secret = settings.client_secret.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
    STANDARD.encode(format!("{}:{}", settings.client_id, secret)).into()
}

/// Whether what the connection was opened with is not accepted. A network that turns clients away says nothing of a
/// token, and a token that is refreshed for it in vain would end the sign-in.
pub(super) fn is_refusal(error: &CableError) -> bool {
    match error {
        CableError::Rejected | CableError::Lost(Loss::Closed { code: Some(UNAUTHORIZED), .. }) => true,
        CableError::Disconnected { reason, .. } => reason.as_deref() == Some("unauthorized"),
        CableError::Dial(DialError::Refused(refusal)) => refusal.status == 401 && !refusal.is_page,
        _ => false,
    }
}

/// Why a connection ended that was not refused.
pub(super) fn ended(error: &CableError) -> Disconnect {
    match error {
        CableError::Disconnected { reconnect: false, .. } => Disconnect::Stop {
            why: format!("{error}, and does not want it back"),
            what_to_do: "check `gateway-url` in [joystick], and whether the bot is still installed in the channel"
                .to_owned(),
        },
        CableError::Dial(DialError::Refused(Refusal { status: 404, .. }) | DialError::Unsupported(_)) => {
            Disconnect::Retry(format!("{error}; check `gateway-url` in [joystick]"))
        }
        CableError::Dial(DialError::Refused(Refusal { status: 401 | 403, .. })) => {
            Disconnect::Retry(format!("{error}; that is not the service's word on the token, so it is kept"))
        }
        _ => Disconnect::Retry(error.to_string()),
    }
}

fn no_token(error: TokenError) -> Disconnect {
    match error {
        TokenError::SignIn { why, what_to_do } => Disconnect::Stop { why, what_to_do },
        TokenError::Later(why) => Disconnect::Retry(why),
    }
}

fn token_refused(refusal: &CableError) -> Disconnect {
    let what_to_do = match refusal {
        CableError::Rejected => {
            format!("{SIGN_IN}; a gateway of before July 2026 needs `version = \"v1\"` in [joystick]")
        }
        _ => SIGN_IN.to_owned(),
    };
    Disconnect::Stop {
        why: format!("the gateway does not accept the access token, also after it was refreshed: {refusal}"),
        what_to_do,
    }
}

fn key_refused(refusal: &CableError) -> Disconnect {
    Disconnect::Stop {
        why: format!("the gateway does not accept the basic key: {refusal}"),
        what_to_do: format!(
            "check `client-id` and `client-secret` in [joystick], or set `gateway-token = \"access\"` and {SIGN_IN}"
        ),
    }
}
