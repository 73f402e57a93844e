//! Joystick.tv's id server. Its refresh tokens serve once: an old one that is presented again revokes every token of the
//! installation.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::{Authority, Consent, DeviceCode, Identity, Polled, TokenSet, id, revoked, read_tokens};
use crate::auth::http::{RequestError, ask, ask_if_there, authorized, below, form};
use crate::config::settings::JoystickSettings;

/// No Debug: it holds the client's secret.
pub(in crate::auth) struct Joystick {
    http: Client,
    oauth: Url,
    rest: Url,
    client_id: String,
    client_secret: Option<SecretString>,
}

impl Joystick {
    pub(in crate::auth) fn new(http: Client, settings: &JoystickSettings) -> Self {
        let JoystickSettings { oauth_base, rest_base, client_id, client_secret, .. } = settings;
        Self {
            http,
            oauth: oauth_base.clone(),
            rest: rest_base.clone(),
            client_id: client_id.clone(),
            client_secret: client_secret.clone(),
        }
    }

    /// As the application: by its key, or by its id where it has no secret.
    fn request(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let address = below(&self.oauth, path);
        match &self.client_secret {
            Some(secret) => {
                let key = STANDARD.encode(format!("{}:{}", self.client_id, secret.expose_secret()));
                authorized(form(&self.http, address, fields), "Basic", &key)
            }
            None => form(&self.http, address, &[&[("client_id", self.client_id.as_str())], fields].concat()),
        }
    }

    async fn token(&self, fields: &[(&str, &str)], secret: &str) -> Result<TokenSet, RequestError> {
        let own = self.client_secret.as_ref().map_or("", |secret| secret.expose_secret());
        read_tokens(&ask(self.request("token", fields), &[secret, own]).await?)
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
        self.token(&fields, consent.code).await
    }

    async fn refresh(&self, refresh_token: &SecretString) -> Result<TokenSet, RequestError> {
        let token = refresh_token.expose_secret();
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)], token).await
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
            let token = token.expose_secret();
            let told = revoked(ask(self.request("revoke", &[("token", token)]), &[token]).await);
            outcome = outcome.and(told);
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
