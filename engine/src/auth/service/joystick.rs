//! Joystick.tv's id server. Its refresh tokens serve once: an old one that is presented again revokes every token of
//! the installation.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::{Authority, Consent, DeviceCode, Identity, Polled, TokenSet, id, read_tokens, revoked};
use crate::auth::http::{RequestError, ask, ask_if_there, authorized, below, form};
use crate::config::Secret;
use crate::config::settings::JoystickSettings;

/// Fields of a form that are no secrets.
const OPEN: [&str; 2] = ["grant_type", "redirect_uri"];

/// No Debug: it holds the client's secret.
pub(in crate::auth) struct Joystick {
    http: Client,
    oauth: Url,
    rest: Url,
    client_id: String,
    client_secret: Option<Secret>,
    /// base64(client id:client secret), where there is a secret.
    key: Option<Secret>,
}

impl Joystick {
    pub(in crate::auth) fn new(http: Client, settings: &JoystickSettings) -> Self {
        let JoystickSettings { oauth_base, rest_base, client_id, client_secret, .. } = settings;
        let key = |secret: &Secret| STANDARD.encode(format!("{client_id}:{}", secret.expose_secret())).into();
        Self {
            http,
            oauth: oauth_base.clone(),
            rest: rest_base.clone(),
            client_id: client_id.clone(),
            client_secret: client_secret.clone(),
            key: client_secret.as_ref().map(key),
        }
    }

    /// As the application: by its key, or by its id where it has no secret. No error tells any of that, nor what is
    /// sent.
    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Result<Value, RequestError> {
        let address = below(&self.oauth, path);
        let request = match &self.key {
            Some(key) => authorized(form(&self.http, address, fields), "Basic", key.expose_secret()),
            None => form(&self.http, address, &[&[("client_id", self.client_id.as_str())], fields].concat()),
        };
        let sent = fields.iter().filter(|(name, _)| !OPEN.contains(name)).map(|(_, value)| *value);
        let own = [&self.key, &self.client_secret].into_iter().flatten().map(ExposeSecret::expose_secret);
        ask(request, &sent.chain(own).collect::<Vec<_>>()).await
    }

    /// `None` where the service has no such address, or not for this token.
    async fn get(&self, address: Url, access: &str) -> Result<Option<Value>, RequestError> {
        let request = authorized(self.http.get(address), "Bearer", access);
        ask_if_there(request.header(reqwest::header::ACCEPT, "application/json"), &[access]).await
    }
}

fn identity(answer: &Value) -> Identity {
    Identity { user_id: id(answer, "channel_id"), login: id(answer, "username"), scopes: None }
}

#[async_trait]
impl Authority for Joystick {
    fn name(&self) -> &'static str {
        "Joystick"
    }

    fn client_id(&self) -> &str {
        &self.client_id
    }

    fn rotates(&self) -> bool {
        true
    }

    async fn exchange(&self, consent: Consent<'_>) -> Result<TokenSet, RequestError> {
        let fields = [
            ("grant_type", Some("authorization_code")),
            ("code", Some(consent.code)),
            ("redirect_uri", Some(consent.redirect)),
            ("code_verifier", consent.verifier),
        ];
        let fields: Vec<(&str, &str)> = fields.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        read_tokens(&self.post("token", &fields).await?)
    }

    async fn refresh(&self, refresh_token: &SecretString) -> Result<TokenSet, RequestError> {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose_secret())];
        read_tokens(&self.post("token", &fields).await?)
    }

    /// By the newer way, which needs `identity:read`, or by the older one. Nobody, where both are not for this token.
    async fn identify(&self, access: &SecretString) -> Result<Identity, RequestError> {
        let token = access.expose_secret();
        let newer = self.get(below(&self.rest, "me/identity"), token).await;
        if let Ok(Some(answer)) = &newer
            && id(answer, "channel_id").is_some()
        {
            return Ok(identity(answer));
        }
        match self.get(below(&self.rest, "/api/users/stream-settings"), token).await? {
            Some(answer) => Ok(identity(&answer)),
            None => newer.map(|_| Identity::default()),
        }
    }

    async fn validate(&self, _: &SecretString) -> Option<Result<Identity, RequestError>> {
        None
    }

    /// Each by itself, the one that lives longer first: what is said of one says nothing of the other.
    async fn revoke(&self, access: &SecretString, refresh: Option<&SecretString>) -> Result<(), RequestError> {
        let mut outcome = Ok(());
        for token in refresh.into_iter().chain([access]) {
            let answer = self.post("revoke", &[("token", token.expose_secret())]).await;
            outcome = outcome.and(revoked(answer));
        }
        outcome
    }

    async fn device_code(&self, _: &str) -> Option<Result<DeviceCode, RequestError>> {
        None
    }

    async fn poll_device(&self, _: &SecretString, _: &str) -> Result<Polled, RequestError> {
        Err(RequestError::Application("Joystick knows no codes for devices".to_owned()))
    }
}
