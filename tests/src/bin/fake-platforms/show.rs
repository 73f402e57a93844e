//! What the fakes are asked to do, for people to read. Tokens and secrets are not shown.

use serde_json::Value;
use showrunner_tests::joystick::Did;
use showrunner_tests::service::Asked;

use crate::Platforms;

/// How far it has read.
#[derive(Default)]
pub(crate) struct Follower {
    twitch: usize,
    joystick: usize,
    did: usize,
}

impl Follower {
    /// Resolves when there is something new.
    pub(crate) async fn more(&self, platforms: &Platforms) {
        tokio::select! {
            () = platforms.twitch.saw(|twitch| !twitch.asked_since(self.twitch).is_empty()) => {}
            () = platforms.joystick.saw(|joystick| {
                !joystick.asked_since(self.joystick).is_empty() || !joystick.did_since(self.did).is_empty()
            }) => {}
        }
    }

    pub(crate) fn lines(&mut self, platforms: &Platforms) -> Vec<String> {
        let twitch = platforms.twitch.asked_since(self.twitch);
        let joystick = platforms.joystick.asked_since(self.joystick);
        let did = platforms.joystick.did_since(self.did);
        self.twitch += twitch.len();
        self.joystick += joystick.len();
        self.did += did.len();
        let twitch = twitch.iter().map(|asked| format!("twitch   <- {}", request(asked)));
        let joystick = joystick.iter().map(|asked| format!("joystick <- {}", request(asked)));
        let did = did.iter().map(|did| format!("joystick <- {}", action(did)));
        twitch.chain(joystick).chain(did).collect()
    }
}

/// The line of a request, and what it carries where that is no secret.
fn request(asked: &Asked) -> String {
    let line = asked.line();
    let field = |name: &str| asked.body.get(name).and_then(Value::as_str).unwrap_or_default();
    match asked.path.as_str() {
        "/ws" | "/cable" => line,
        path if path.contains("oauth") => line,
        "/helix/eventsub/subscriptions" => format!("{line} {} {}", field("type"), field("version")),
        _ => {
            let query: String = asked.query.iter().map(|(key, value)| format!(" {key}={value}")).collect();
            let body = if asked.body.is_null() { String::new() } else { format!(" {}", asked.body) };
            format!("{line}{query}{body}")
        }
    }
}

fn action(did: &Did) -> String {
    let parts = [&did.action, &did.username, &did.message_id, &did.text];
    let parts: Vec<&str> = parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}
