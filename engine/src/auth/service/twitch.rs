//! Twitch's id server.

use async_trait::async_trait;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::{Authority, Consent, DeviceCode, Identity, Polled, TokenSet, id, number, read_tokens, revoked, words};
use crate::auth::http::{RequestError, ask, authorized, below, form};
use crate::config::Secret;
use crate::config::settings::TwitchSettings;

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Where the service names none.
const POLL_EVERY_S: u64 = 5;
const CODE_LIVES_S: u64 = 1800;

/// No Debug: it holds the client's secret.
pub(in crate::auth) struct Twitch {
    http: Client,
    base: Url,
    client_id: String,
    client_secret: Option<Secret>,
}

impl Twitch {
    pub(in crate::auth) fn new(http: Client, settings: &TwitchSettings) -> Self {
        let TwitchSettings { oauth_base, client_id, client_secret, .. } = settings;
        Self { http, base: oauth_base.clone(), client_id: client_id.clone(), client_secret: client_secret.clone() }
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)], secrets: &[&str]) -> Result<Value, RequestError> {
        ask(form(&self.http, below(&self.base, path), fields), secrets).await
    }

    /// As the application, with its secret where it has one.
    async fn token(&self, fields: &[(&str, &str)]) -> Result<Value, RequestError> {
        let secret = self.client_secret.as_ref().map(ExposeSecret::expose_secret);
        let own = [("client_id", Some(self.client_id.as_str())), ("client_secret", secret)];
        let own = own.into_iter().filter_map(|(key, value)| Some((key, value?)));
        let all: Vec<(&str, &str)> = own.chain(fields.iter().copied()).collect();
        let secrets: Vec<&str> = all
            .iter()
            .filter(|(key, _)| !["client_id", "grant_type", "redirect_uri", "scopes"].contains(key))
            .map(|(_, value)| *value)
            .collect();
        self.post("token", &all, &secrets).await
    }

    async fn look_up(&self, access: &SecretString) -> Result<Identity, RequestError> {
        let token = access.expose_secret();
        let request = authorized(self.http.get(below(&self.base, "validate")), "OAuth", token);
        let answer = ask(request, &[token]).await?;
        Ok(Identity {
            user_id: id(&answer, "user_id"),
            login: id(&answer, "login"),
            scopes: answer.get("scopes").and_then(words),
        })
    }
}

#[async_trait]
impl Authority for Twitch {
    fn name(&self) -> &'static str {
        "Twitch"
    }

    fn client_id(&self) -> &str {
        &self.client_id
    }

    fn rotates(&self) -> bool {
        self.client_secret.is_none()
    }

    async fn exchange(&self, consent: Consent<'_>) -> Result<TokenSet, RequestError> {
        let fields = [("grant_type", "authorization_code"), ("code", consent.code), ("redirect_uri", consent.redirect)];
        read_tokens(&self.token(&fields).await?)
    }

    async fn refresh(&self, refresh_token: &SecretString) -> Result<TokenSet, RequestError> {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose_secret())];
        read_tokens(&self.token(&fields).await?)
    }

    async fn identify(&self, access: &SecretString) -> Result<Identity, RequestError> {
        self.look_up(access).await
    }

    /// When the daemon starts and every hour, as Twitch wants it.
    async fn validate(&self, access: &SecretString) -> Option<Result<Identity, RequestError>> {
        Some(self.look_up(access).await)
    }

    async fn revoke(&self, access: &SecretString, _: Option<&SecretString>) -> Result<(), RequestError> {
        let token = access.expose_secret();
        revoked(self.post("revoke", &[("client_id", &self.client_id), ("token", token)], &[token]).await)
    }

    async fn device_code(&self, scopes: &str) -> Option<Result<DeviceCode, RequestError>> {
        let answer = self.post("device", &[("client_id", &self.client_id), ("scopes", scopes)], &[]).await;
        Some(answer.and_then(|answer| read_device_code(&answer)))
    }

    async fn poll_device(&self, device_code: &SecretString, scopes: &str) -> Result<Polled, RequestError> {
        let code = device_code.expose_secret();
        let fields = [
            ("client_id", self.client_id.as_str()),
            ("scopes", scopes),
            ("device_code", code),
            ("grant_type", DEVICE_GRANT),
        ];
        match self.post("token", &fields, &[code]).await {
            Ok(answer) => read_tokens(&answer).map(Polled::Tokens),
            Err(RequestError::Refused(why)) if why.contains("authorization_pending") => Ok(Polled::Pending),
            Err(RequestError::Refused(why)) if why.contains("slow_down") => Ok(Polled::SlowDown),
            Err(error) => Err(error),
        }
    }
}

fn read_device_code(answer: &Value) -> Result<DeviceCode, RequestError> {
    let missing = || RequestError::Lost("the answer holds no code".to_owned());
    Ok(DeviceCode {
        device_code: id(answer, "device_code").ok_or_else(missing)?.into(),
        user_code: id(answer, "user_code").ok_or_else(missing)?,
        address: id(answer, "verification_uri").ok_or_else(missing)?,
        interval_s: answer.get("interval").and_then(number).unwrap_or(POLL_EVERY_S).max(1),
        expires_s: answer.get("expires_in").and_then(number).unwrap_or(CODE_LIVES_S),
    })
}
