//! How the grants are, for people: `showrunner auth status` and the page about the daemon.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::scopes::missing;
use super::words::{JOYSTICK, TWITCH, command, describe};
use super::{Grants, KeyView, TokenError};
use crate::config::settings::{JoystickToken, Settings};
use crate::store::{GrantId, GrantState, StoreError, StoredGrant};

/// All grants, those included that the config wants and nobody has given yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    pub key: KeyView,
    pub grants: Vec<GrantView>,
}

/// One grant, without its tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantView {
    #[serde(flatten)]
    pub id: GrantId,
    /// "Twitch: the bot".
    pub name: String,
    pub condition: Condition,
    pub user_id: String,
    pub login: String,
    pub scopes: Vec<String>,
    /// Whether anything is done with it.
    pub is_used: bool,
    /// What the config needs beside them.
    pub missing: Vec<String>,
    pub expires_at_ms: Option<u64>,
    /// What is wrong, if anything is.
    pub problem: Option<String>,
    pub what_to_do: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    SignedIn,
    /// It works until its token ends, and can't be refreshed.
    Ending,
    SignedOut,
    /// The tokens are there and can't be used: the key is another one, or the application is.
    Unusable,
    /// The config wants it, and nobody has signed in.
    Absent,
}

impl Grants {
    pub async fn overview(&self) -> Result<Overview, StoreError> {
        let rows = self.shared.store.grants().await?;
        let key = self.shared.vault.view(!rows.is_empty());
        let settings = self.shared.settings.load_full();
        let present: BTreeSet<GrantId> = rows.iter().map(|row| row.id.clone()).collect();
        let mut grants = Vec::new();
        for row in rows {
            grants.push(self.view(&settings, row).await);
        }
        grants.extend(wanted(&settings).into_iter().filter(|id| !present.contains(id)).map(absent));
        grants.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(Overview { key, grants })
    }

    pub(super) async fn view(&self, settings: &Settings, row: StoredGrant) -> GrantView {
        // What a crash left is found out by looking closer.
        let (row, trouble) = match self.grant(&row.id).opened().await {
            Ok(held) => (held.row, None),
            Err(error) => (row, Some(error)),
        };
        let is_used = is_used(settings, &row.id);
        let what_to_do = command(&row.id);
        let name = describe(&row.id);
        let plain = |why: String| why.strip_prefix(&format!("{name}: ")).map_or(why.clone(), str::to_owned);
        let (condition, problem, what_to_do) = match (trouble, row.state) {
            (Some(TokenError::SignIn { why, what_to_do }), _) => {
                (Condition::Unusable, Some(plain(why)), Some(what_to_do))
            }
            (Some(TokenError::Later(why)), _) => (Condition::Unusable, Some(why), None),
            (None, GrantState::SignedOut) => (Condition::SignedOut, row.reason, Some(what_to_do)),
            (None, GrantState::Spent) => (Condition::Ending, row.reason, Some(what_to_do)),
            (None, GrantState::Ready | GrantState::Refreshing) => (Condition::SignedIn, None, None),
        };
        GrantView {
            name,
            condition,
            user_id: row.user_id,
            login: row.login,
            missing: if is_used { missing(settings, &row.id, &row.scopes) } else { Vec::new() },
            is_used,
            scopes: row.scopes,
            expires_at_ms: row.expires_ms,
            problem,
            what_to_do,
            id: row.id,
        }
    }
}

/// Who has to sign in for what the config says. Where the channel is not known yet, it is empty.
fn wanted(settings: &Settings) -> Vec<GrantId> {
    let mut wanted = Vec::new();
    if let Some(twitch) = &settings.twitch {
        if twitch.accounts.has_bot() {
            wanted.push(GrantId::bot(TWITCH));
        }
        if twitch.accounts.has_broadcaster() {
            wanted.extend(broadcasters(TWITCH, &twitch.channels));
        }
    }
    if let Some(joystick) =
        settings.joystick.as_ref().filter(|joystick| joystick.gateway_token == JoystickToken::Access)
    {
        wanted.extend(broadcasters(JOYSTICK, joystick.channels.get(..1).unwrap_or_default()));
    }
    wanted
}

/// One sign-in opens Joystick's socket, which serves all channels: that of the first.
fn is_used(settings: &Settings, id: &GrantId) -> bool {
    let first = settings.joystick.as_ref().and_then(|joystick| joystick.channels.first());
    id.platform != JOYSTICK || first.is_none_or(|first| *first == id.account)
}

fn broadcasters(platform: &str, channels: &[String]) -> Vec<GrantId> {
    match channels {
        [] => vec![GrantId::broadcaster(platform, "")],
        channels => channels.iter().map(|channel| GrantId::broadcaster(platform, channel)).collect(),
    }
}

fn absent(id: GrantId) -> GrantView {
    GrantView {
        name: describe(&id),
        condition: Condition::Absent,
        user_id: String::new(),
        login: String::new(),
        scopes: Vec::new(),
        is_used: true,
        missing: Vec::new(),
        expires_at_ms: None,
        problem: Some("nobody is signed in".to_owned()),
        what_to_do: Some(command(&id)),
        id,
    }
}
