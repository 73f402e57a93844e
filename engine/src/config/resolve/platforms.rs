//! `[[retake]]` and `[simulator]`: the accounts.

use std::path::PathBuf;

use url::{Host, Url};

use super::Resolver;
use crate::config::defaults::{self, PaceDefaults, bounded};
use crate::config::problem::KeyPath;
use crate::config::raw;
use crate::config::secret::Secret;
use crate::config::settings::{Pace, Rate, RetakeGeneration, RetakeSettings, SimulatorSettings};

/// The script that is built in; anything else is a file.
const BUILT_IN_SCRIPT: &str = "demo";

impl Resolver<'_> {
    pub(super) fn retake(&mut self, raw: &[raw::Retake]) -> Vec<RetakeSettings> {
        let mut accounts: Vec<RetakeSettings> = Vec::new();
        for (index, account) in raw.iter().enumerate() {
            let table = KeyPath::of("retake").index(index);
            let Some(settings) = self.retake_account(&table, account) else { continue };
            if accounts.iter().any(|earlier| earlier.room == settings.room) {
                let message = "another [[retake]] is in this room already; everything would be answered twice";
                self.found(table.key("room"), message);
            }
            accounts.push(settings);
        }
        accounts
    }

    /// `None` without what there can be no default for; all of it is reported.
    fn retake_account(&mut self, table: &KeyPath, raw: &raw::Retake) -> Option<RetakeSettings> {
        let generation = raw.generation.unwrap_or(RetakeGeneration::V2);
        let (rest, socket) = match generation {
            RetakeGeneration::V1 => ("https://chat.retake.tv/", "wss://chat.retake.tv/socket.io/"),
            RetakeGeneration::V2 => ("https://retake.tv/api/v1/", "wss://retake.tv/socket.io/"),
        };
        let room = self.required(table.key("room"), raw.room.as_ref(), "the streamer's user id");
        let user_id =
            self.required(table.key("user-id"), raw.user_id.as_ref(), "the user id of the bot's account (userDbId)");
        let token = self.account_token(table.key("token"), raw);
        let rest_base = self.url(&table.key("rest-base"), raw.rest_base.as_deref().unwrap_or(rest), ["https", "http"]);
        let socket_url = self.url(&table.key("socket-url"), raw.socket_url.as_deref().unwrap_or(socket), ["wss", "ws"]);
        let pace = self.pace(&table.key("pace"), &raw.pace, defaults::RETAKE_PACE);
        let poll = self.time(table.key("poll"), raw.poll, defaults::RETAKE_POLL);
        Some(RetakeSettings {
            generation,
            room: room?,
            user_id: user_id?,
            token: token?,
            rest_base: rest_base?,
            socket_url: socket_url?,
            pace,
            poll,
        })
    }

    pub(super) fn simulator(&mut self, raw: &raw::Simulator) -> SimulatorSettings {
        let channel = raw.channel.clone().unwrap_or_else(|| defaults::SIMULATOR_CHANNEL.to_owned());
        if channel.trim().is_empty() {
            self.found(KeyPath::of("simulator.channel"), "a channel's name must not be empty");
        }
        SimulatorSettings {
            channel,
            script: raw.script.as_deref().map(|script| self.script(script)),
            record: raw.record.as_ref().map(|path| self.folder.join(path)),
            pace: self.pace(&KeyPath::of("simulator.pace"), &raw.pace, defaults::SIMULATOR_PACE),
        }
    }

    fn script(&mut self, script: &str) -> PathBuf {
        if script == BUILT_IN_SCRIPT {
            return PathBuf::from(script);
        }
        let path = self.folder.join(script);
        if !path.is_file() {
            let message = format!("there is no file {}", path.display());
            self.found_with_help(KeyPath::of("simulator.script"), message, "\"demo\" is the script that is built in");
        }
        path
    }

    pub(super) fn required(&mut self, key: KeyPath, given: Option<&String>, what: &str) -> Option<String> {
        let value = given.map(|value| value.trim()).filter(|value| !value.is_empty());
        if value.is_none() {
            self.found(key, format!("this key is needed: {what}"));
        }
        value.map(str::to_owned)
    }

    fn account_token(&mut self, key: KeyPath, raw: &raw::Retake) -> Option<Secret> {
        let Some(reference) = &raw.token else {
            let help = "token = \"env:RETAKE_TOKEN\", for example";
            self.found_with_help(key, "this key is needed: a reference to the access token of the bot's account", help);
            return None;
        };
        self.secret(key, reference)
    }

    /// Ends with a slash, so that paths can be joined to it.
    pub(super) fn url(&mut self, key: &KeyPath, text: &str, schemes: [&str; 2]) -> Option<Url> {
        let mut url = self.address(key, text, schemes)?;
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Some(url)
    }

    /// The unsafe scheme, the second, is for loopback alone: the token would be readable on the way.
    pub(super) fn address(&mut self, key: &KeyPath, text: &str, [safe, unsafe_scheme]: [&str; 2]) -> Option<Url> {
        if text.contains(['@', '?', '#']) {
            let message = "expected an address without user, query and fragment; secrets have their own key";
            self.found_in_part(key.clone(), message);
            return None;
        }
        let url = Url::parse(text).ok().filter(|url| [safe, unsafe_scheme].contains(&url.scheme()) && url.has_host());
        let Some(url) = url else {
            self.found(key.clone(), format!("expected an address such as \"{safe}://host/path/\""));
            return None;
        };
        if url.scheme() == unsafe_scheme && !is_loopback(&url) {
            let message = format!("the token would travel readable for everybody; use {safe}://");
            self.found(key.clone(), message);
            return None;
        }
        Some(url)
    }

    pub(super) fn pace(&mut self, table: &KeyPath, raw: &raw::Pace, normal: PaceDefaults) -> Pace {
        let per_second = raw.messages_per_second.unwrap_or(normal.messages_per_second);
        let (least, most) = defaults::MESSAGES_PER_SECOND;
        if !(least..=most).contains(&per_second) {
            let message = format!("expected {least} to {most}, 0 for no limit");
            self.found(table.key("messages-per-second"), message);
        }
        let (least, most) = defaults::BURST;
        let burst = self.within(table.key("burst"), raw.burst, bounded(normal.burst, least, most));
        let (least, most) = defaults::IN_FLIGHT;
        let in_flight = self.within(table.key("in-flight"), raw.in_flight, bounded(normal.in_flight, least, most));
        let (least, most) = defaults::EXPIRY;
        let expiry = self.time(table.key("expiry"), raw.expiry, bounded(normal.expiry, least, most));
        let messages = (per_second > 0.0).then_some(Rate { per_second, burst });
        Pace { messages, in_flight: in_flight as usize, expiry }
    }
}

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
