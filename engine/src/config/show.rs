//! A config as TOML again: what was written, or all that holds with every default filled in.
//!
//! Both can be loaded as they are. A secret is shown as the reference it is; its value is not at hand here.

use serde_json::Value;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table};

use super::raw::{self, Raw, WatchMode};
use super::settings::{
    JoystickSettings, Limits, Pace, PluginSettings, RetakeSettings, Settings, TwitchSettings, Watch,
};
use super::units::{Size, Time};

/// How much to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What the file sets.
    Written,
    /// Every key, with the value that holds.
    Resolved,
}

pub(super) fn render(written: Raw, settings: &Settings, depth: Depth) -> String {
    let raw = match depth {
        Depth::Written => written,
        Depth::Resolved => resolved(written, settings),
    };
    let mut document = DocumentMut::new();
    if let Ok(Value::Object(tables)) = serde_json::to_value(&raw) {
        fill(document.as_table_mut(), &tables);
    }
    document.to_string()
}

/// The settings as they would have to be written. Only the references to secrets come from what was written.
fn resolved(written: Raw, settings: &Settings) -> Raw {
    let retake = written.retake.into_iter().zip(&settings.retake);
    let plugins = written.plugins.into_iter().zip(settings.plugins.values());
    Raw {
        data_dir: Some(settings.data_dir.clone()),
        log: raw::Log { filter: Some(settings.log.filter.clone()), format: Some(settings.log.format) },
        http: raw::Http {
            listen: Some(settings.http.listen.map_or_else(|| "off".to_owned(), |address| address.to_string())),
            token: written.http.token,
        },
        pipeline: raw::Pipeline {
            command_prefix: Some(settings.pipeline.command_prefix.clone()),
            review: Some(Time(settings.pipeline.review)),
            fallback_after: Some(Time(settings.pipeline.fallback_after)),
            drain: Some(Time(settings.pipeline.drain)),
        },
        journal: raw::Journal {
            keep_for: Some(Time(settings.journal.keep_for)),
            keep_size: Some(Size(settings.journal.keep_bytes)),
        },
        agent: agent(settings),
        host: host(written.host, settings),
        plugins: plugins.map(|((id, written), settings)| (id, plugin(written, settings))).collect(),
        retake: retake.map(|(written, settings)| account(written, settings)).collect(),
        twitch: match &settings.twitch {
            Some(settings) => twitch(written.twitch, settings),
            None => written.twitch,
        },
        joystick: match &settings.joystick {
            Some(settings) => joystick(written.joystick, settings),
            None => written.joystick,
        },
        auth: written.auth,
        simulator: raw::Simulator {
            channel: Some(settings.simulator.channel.clone()),
            script: settings.simulator.script.as_ref().map(|script| script.display().to_string()),
            record: settings.simulator.record.clone(),
            pace: pace(&settings.simulator.pace, written.simulator.pace),
        },
    }
}

fn agent(settings: &Settings) -> raw::Agent {
    let agent = &settings.agent;
    raw::Agent {
        queue_bound: Some(agent.queue_bound),
        visibility: Some(Time(agent.visibility)),
        attempts: Some(agent.attempts),
        wake: Some(agent.wake.clone()),
        wake_debounce: Some(Time(agent.wake_debounce)),
        wake_timeout: Some(Time(agent.wake_timeout)),
        queue_file: agent.queue_file.clone(),
        health_file: agent.health_file.clone(),
    }
}

fn host(written: raw::Host, settings: &Settings) -> raw::Host {
    let host = &settings.host;
    let (watch, every) = match host.watch {
        Watch::Native => (WatchMode::Native, None),
        Watch::Poll(every) => (WatchMode::Poll, Some(Time(every))),
        Watch::Off => (WatchMode::Off, None),
    };
    raw::Host {
        plugins_dir: Some(host.plugins_dir.clone()),
        watch: Some(watch),
        poll_every: every.or(written.poll_every).or(Some(super::defaults::POLL_EVERY.default)),
        debounce: Some(Time(host.debounce)),
        safe_mode: Some(host.safe_mode),
        limits: limits(&host.limits),
    }
}

fn limits(limits: &Limits) -> raw::HostLimits {
    let size = |bytes: usize| Some(Size(bytes as u64));
    let count = |number: usize| u32::try_from(number).ok();
    raw::HostLimits {
        memory: size(limits.memory_bytes),
        component_size: Some(Size(limits.component_bytes)),
        handle: Some(Time(limits.handle)),
        review: Some(Time(limits.review)),
        init: Some(Time(limits.init)),
        save: Some(Time(limits.save)),
        restore: Some(Time(limits.restore)),
        effects: Some(limits.effects),
        effect_size: size(limits.effect_bytes),
        kv_size: size(limits.kv_bytes),
        kv_value_size: size(limits.kv_value_bytes),
        log_lines_per_second: Some(limits.log_lines_per_second),
        http_timeout: Some(Time(limits.http_timeout)),
        http_body_size: size(limits.http_body_bytes),
        http_concurrent: count(limits.http_concurrent),
        http_per_minute: Some(limits.http_per_minute),
        timers: count(limits.timers),
    }
}

fn plugin(written: raw::Plugin, settings: &PluginSettings) -> raw::Plugin {
    // `enabled`, `grant` and `pin` have no default: not written is a decision that is still open.
    raw::Plugin {
        channels: Some(settings.channels.iter().map(ToString::to_string).collect()),
        on_failure: Some(settings.on_failure),
        record: Some(settings.record),
        ..written
    }
}

fn account(written: raw::Retake, settings: &RetakeSettings) -> raw::Retake {
    raw::Retake {
        generation: Some(settings.generation),
        room: Some(settings.room.clone()),
        user_id: Some(settings.user_id.clone()),
        token: written.token,
        rest_base: Some(settings.rest_base.to_string()),
        socket_url: Some(settings.socket_url.to_string()),
        poll: Some(Time(settings.poll)),
        pace: pace(&settings.pace, written.pace),
    }
}

fn twitch(written: raw::Twitch, settings: &TwitchSettings) -> raw::Twitch {
    raw::Twitch {
        client_id: Some(settings.client_id.clone()),
        client_secret: written.client_secret,
        redirect: Some(settings.redirect.clone()),
        channels: Some(settings.channels.clone()),
        accounts: Some(settings.accounts),
        // Without the key it is all there are, also those of a later version.
        subscriptions: settings.subscriptions.clone(),
        eventsub_url: Some(settings.eventsub_url.to_string()),
        helix_base: Some(settings.helix_base.to_string()),
        oauth_base: Some(settings.oauth_base.to_string()),
        pace: pace(&settings.pace, written.pace),
    }
}

fn joystick(written: raw::Joystick, settings: &JoystickSettings) -> raw::Joystick {
    raw::Joystick {
        client_id: Some(settings.client_id.clone()),
        client_secret: written.client_secret,
        redirect: Some(settings.redirect.clone()),
        // Without the key it is all that is used, also by a later version.
        scopes: settings.scopes.clone(),
        channels: Some(settings.channels.clone()),
        bot: Some(settings.bot.clone()),
        version: Some(settings.version),
        gateway_token: Some(settings.gateway_token),
        command_keys: Some(settings.command_keys),
        gateway_url: Some(settings.gateway_url.to_string()),
        consent_url: Some(settings.consent_url.to_string()),
        oauth_base: Some(settings.oauth_base.to_string()),
        rest_base: Some(settings.rest_base.to_string()),
        echo: Some(Time(settings.echo)),
        pace: pace(&settings.pace, written.pace),
    }
}

fn pace(settings: &Pace, written: raw::Pace) -> raw::Pace {
    raw::Pace {
        messages_per_second: Some(settings.messages.map_or(0.0, |rate| rate.per_second)),
        burst: settings.messages.map(|rate| rate.burst).or(written.burst),
        in_flight: u32::try_from(settings.in_flight).ok(),
        expiry: Some(Time(settings.expiry)),
    }
}

type Fields = serde_json::Map<String, Value>;

/// Values first, tables after them, as TOML wants it. What is not set is left out; `{}` is set, as in `grant = {}`.
fn fill(table: &mut Table, fields: &Fields) {
    for (key, field) in fields {
        if let Some(value) = value(field) {
            table.insert(key, Item::Value(value));
        }
    }
    for (key, field) in fields {
        match field {
            Value::Object(inner) if !inner.is_empty() => {
                let mut inner_table = Table::new();
                // `[plugins]` alone says nothing: only what is in it has a header.
                inner_table
                    .set_implicit(inner.values().all(|value| value.as_object().is_some_and(|inner| !inner.is_empty())));
                fill(&mut inner_table, inner);
                if !inner_table.is_empty() {
                    table.insert(key, Item::Table(inner_table));
                }
            }
            Value::Array(items) if is_tables(items) => {
                let mut tables = ArrayOfTables::new();
                for item in items.iter().filter_map(Value::as_object) {
                    let mut item_table = Table::new();
                    fill(&mut item_table, item);
                    tables.push(item_table);
                }
                table.insert(key, Item::ArrayOfTables(tables));
            }
            _ => {}
        }
    }
}

fn is_tables(items: &[Value]) -> bool {
    !items.is_empty() && items.iter().all(Value::is_object)
}

/// `None` for what is written as a table of its own, and for nothing.
fn value(field: &Value) -> Option<toml_edit::Value> {
    match field {
        Value::Array(items) if is_tables(items) => None,
        Value::Object(fields) if !fields.is_empty() => None,
        other => inline(other),
    }
}

fn inline(field: &Value) -> Option<toml_edit::Value> {
    match field {
        Value::Null => None,
        Value::Bool(flag) => Some((*flag).into()),
        Value::Number(number) => number.as_i64().map(Into::into).or_else(|| number.as_f64().map(Into::into)),
        Value::String(text) => Some(text.as_str().into()),
        Value::Array(items) => Some(items.iter().filter_map(inline).collect::<Array>().into()),
        Value::Object(fields) => {
            let pairs = fields.iter().filter_map(|(key, field)| Some((key.as_str(), inline(field)?)));
            Some(pairs.collect::<InlineTable>().into())
        }
    }
}
