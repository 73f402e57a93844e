//! Who sent a message, what it says and when, under whichever of the names it comes.

use serde_json::{Map, Value, json};

use crate::event::{Roles, User};
pub(super) use crate::platform::fields::{
    LONGEST_ID, amount, count, field, id_of, json_of, object, text_of, time_of, word, word_of,
};

/// What was written. Also "message", as the history of the first generation calls it.
pub(super) fn text(message: &Map<String, Value>) -> Option<&str> {
    text_of(message, &["text", "message", "content"])
}

/// When it happened, in milliseconds since 1970.
pub(super) fn time(message: &Map<String, Value>) -> Option<u64> {
    time_of(message, &["timestamp", "sent_at", "created_at", "createdAt", "time"])
}

/// Stands in for an id where there is none, so it is whole or nothing.
fn wallet_of(fields: &Map<String, Value>, names: &[&str]) -> Option<String> {
    text_of(fields, names).filter(|wallet| wallet.len() <= LONGEST_ID).map(str::to_owned)
}

/// Whoever did it, with as much of an identity as the platform gave.
#[derive(Debug, Default)]
pub(super) struct Sender {
    pub(super) id: Option<String>,
    name: Option<String>,
    wallet: Option<String>,
    avatar: Option<String>,
}

const NAMES: [&str; 6] = ["fusername", "username", "name", "display_name", "displayName", "login"];
const IDS: [&str; 7] = ["_id", "id", "userDbId", "user_id", "userId", "user_db_id", "sender_user_id"];

impl Sender {
    /// Of a message: an object of one of `nested`, and else fields of the message itself.
    pub(super) fn of(message: &Map<String, Value>, nested: &[&str]) -> Self {
        let mut sender = Self::of_nested(message, nested).unwrap_or_default();
        let flat = Self::of_flat(
            message,
            &["sender_user_id", "senderUserId", "user_id", "userId"],
            &["sender_username", "senderUsername", "username", "fusername"],
        )
        .unwrap_or_default();
        sender.id = sender.id.or(flat.id);
        sender.name = sender.name.or(flat.name);
        sender.wallet = sender.wallet.or(flat.wallet);
        sender
    }

    /// Of an object of one of these names, or of a string that can only be a name.
    pub(super) fn of_nested(message: &Map<String, Value>, names: &[&str]) -> Option<Self> {
        match field(message, names)? {
            Value::Object(author) => Some(Self {
                id: id_of(author, &IDS),
                name: word_of(author, &NAMES).map(str::to_owned),
                wallet: wallet_of(author, &["walletAddress", "wallet_address", "wallet"]),
                avatar: text_of(author, &["favatar", "avatar", "image_url"]).map(str::to_owned),
            })
            .filter(Self::is_known),
            Value::String(name) if !name.is_empty() => {
                Some(Self { name: Some(word(name).to_owned()), ..Self::default() })
            }
            _ => None,
        }
    }

    pub(super) fn of_flat(message: &Map<String, Value>, ids: &[&str], names: &[&str]) -> Option<Self> {
        let wallet = wallet_of(message, &["sender_wallet_address", "walletAddress", "wallet_address"]);
        let name = word_of(message, names).map(str::to_owned);
        Some(Self { id: id_of(message, ids), name, wallet, avatar: None }).filter(Self::is_known)
    }

    pub(super) fn is_known(&self) -> bool {
        self.id.is_some() || self.name.is_some() || self.wallet.is_some()
    }

    /// The name that is shown: the chosen one, else the beginning of the wallet's address.
    fn shown(&self) -> String {
        match (&self.name, &self.wallet) {
            (Some(name), _) => name.clone(),
            (None, Some(wallet)) => wallet.chars().take(8).collect(),
            (None, None) => "anon".to_owned(),
        }
    }

    /// The part of the sender that the socket and both histories have in common.
    pub(super) fn name_key(&self) -> String {
        self.shown().to_lowercase()
    }

    /// The user, in the words of the vocabulary. A made-up id has a prefix that no id of the platform has, so a
    /// viewer who takes the name of another never takes the identity.
    pub(super) fn user(&self, room: &str) -> User {
        let shown = self.shown();
        let id = match (&self.id, &self.wallet) {
            (Some(id), _) => id.clone(),
            (None, Some(wallet)) => format!("wallet:{wallet}"),
            (None, None) => format!("name:{}", shown.to_lowercase()),
        };
        let roles = Roles { broadcaster: self.id.as_deref() == Some(room), ..Roles::default() };
        User { id, login: shown.clone(), display_name: shown, roles, ..User::default() }
    }

    /// Writes down what the vocabulary has no field for, and how sure the identity is.
    pub(super) fn explain(&self, extra: &mut Map<String, Value>) {
        if self.id.is_none() {
            extra.insert("identity".to_owned(), json!(if self.wallet.is_some() { "wallet" } else { "name" }));
        }
        if let Some(wallet) = &self.wallet {
            extra.insert("wallet".to_owned(), json!(wallet));
        }
        if let Some(avatar) = &self.avatar {
            extra.insert("avatar".to_owned(), json!(avatar));
        }
    }
}
