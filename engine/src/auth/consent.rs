//! The page where a person agrees: its address, and taking in the browser that comes back from it.
//!
//! Used by the command line, where the browser is. What the browser brings is a code; whoever has the client's secret
//! exchanges it.

mod callback;
mod page;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use url::Url;

pub use self::callback::{Arrival, Callback};
use super::answer::{AuthError, Hidden, check_role};
use super::http::below;
use super::scopes::wanted;
use super::seal::{NoChance, random};
use super::words::JOYSTICK;
use crate::config::settings::Settings;
use crate::store::Role;

/// What this sign-in is known by. No other can be slipped in its place.
pub struct Attempt {
    /// Comes back with the browser.
    state: String,
    /// Only whoever has it can use the code (PKCE); for clients without a secret.
    verifier: Option<String>,
    platform: String,
}

impl Attempt {
    pub fn new(settings: &Settings, platform: &str) -> Result<Self, AuthError> {
        let is_public =
            platform == JOYSTICK && settings.joystick.as_ref().is_some_and(|joystick| joystick.client_secret.is_none());
        let no_chance = |error: NoChance| AuthError { message: error.to_string(), help: None };
        let state = token().map_err(no_chance)?;
        let verifier = is_public.then(token).transpose().map_err(no_chance)?;
        Ok(Self { state, verifier, platform: platform.to_owned() })
    }

    pub fn verifier(&self) -> Option<Hidden> {
        self.verifier.clone().map(Hidden)
    }

    /// Waits on this machine for the browser, which will be sent to `redirect`.
    pub async fn listen(&self, redirect: &str) -> Result<Callback, AuthError> {
        Callback::bind(redirect, &self.state, &self.platform).await
    }

    /// Where the person agrees. `redirect` is where the browser comes back to.
    pub fn address(&self, settings: &Settings, platform: &str, role: Role, redirect: &str) -> Result<Url, AuthError> {
        check_role(settings, platform, role)?;
        let (mut address, client_id) = match (&settings.twitch, &settings.joystick) {
            (_, Some(joystick)) if platform == JOYSTICK => (joystick.consent_url.clone(), &joystick.client_id),
            (Some(twitch), _) => (below(&twitch.oauth_base, "authorize"), &twitch.client_id),
            _ => return Err(AuthError { message: format!("{platform} knows no sign-in"), help: None }),
        };
        let mut query = address.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", redirect)
            .append_pair("scope", &wanted(settings, platform, role).join(" "))
            .append_pair("state", &self.state);
        if platform != JOYSTICK {
            // Else a browser that is signed in as the broadcaster would never ask which account is meant.
            query.append_pair("force_verify", "true");
        }
        if let Some(verifier) = &self.verifier {
            query.append_pair("code_challenge", &challenge(verifier)).append_pair("code_challenge_method", "S256");
        }
        drop(query);
        Ok(address)
    }
}

fn token() -> Result<String, NoChance> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
