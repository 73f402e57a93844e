//! The host's functions with the signatures of the generated imports, over [`super::state`].

use super::effect::Effect;
use super::state::{not_asked, with};

pub(crate) mod config {
    pub(crate) fn get(path: &str) -> Option<String> {
        super::with(|state| state.setting(path))
    }
}

pub(crate) mod clock {
    pub(crate) fn now_ms() -> u64 {
        super::with(|state| state.now_ms)
    }
}

pub(crate) mod log {
    use crate::log::Level;

    pub(crate) fn write(level: Level, message: &str) {
        super::with(|state| state.logs.push((level, message.to_owned())));
    }
}

pub(crate) mod kv {
    use super::with;

    pub(crate) fn get(key: &str) -> Option<Vec<u8>> {
        with(|state| state.check("kv.use").ok().and_then(|()| state.kv.get(key).cloned()))
    }

    pub(crate) fn set(key: &str, value: &[u8]) -> Result<(), String> {
        with(|state| state.set(key, value))
    }

    pub(crate) fn remove(key: &str) -> Result<(), String> {
        with(|state| {
            state.check("kv.use")?;
            state.kv.remove(key);
            Ok(())
        })
    }

    pub(crate) fn increment(key: &str, by: i32) -> Result<i32, String> {
        with(|state| {
            state.check("kv.use")?;
            let current = match state.kv.get(key) {
                Some(bytes) => std::str::from_utf8(bytes)
                    .ok()
                    .and_then(|text| text.parse::<i32>().ok())
                    .ok_or_else(|| format!("`{key}` holds no number, so it can't be counted up"))?,
                None => 0,
            };
            let sum = current.checked_add(by).ok_or_else(|| format!("`{key}` would leave the range of 32 bits"))?;
            state.set(key, sum.to_string().as_bytes())?;
            Ok(sum)
        })
    }

    pub(crate) fn keys(prefix: &str, limit: u32) -> Vec<String> {
        with(|state| {
            if state.check("kv.use").is_err() {
                return Vec::new();
            }
            let keys = state.kv.keys().filter(|key| key.starts_with(prefix)).cloned();
            keys.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect()
        })
    }
}

pub(crate) mod viewers {
    use super::with;
    use crate::event::Place;
    use crate::viewers::{Line, Viewer};

    fn first(platform: &str, wanted: impl Fn(&Viewer) -> bool) -> Option<Viewer> {
        with(|state| {
            state.check("viewers.read").ok()?;
            let known = state.viewers.iter().find(|(on, viewer)| on == platform && wanted(viewer));
            known.map(|(_, viewer)| viewer.clone())
        })
    }

    pub(crate) fn get(platform: &str, user_id: &str) -> Option<Viewer> {
        first(platform, |viewer| viewer.user.id == user_id)
    }

    pub(crate) fn find(platform: &str, login: &str) -> Option<Viewer> {
        first(platform, |viewer| viewer.user.login.to_lowercase() == login.to_lowercase())
    }

    pub(crate) fn recent_messages(platform: &str, channel: &str, user_id: &str, limit: u32) -> Vec<Line> {
        with(|state| match state.check("viewers.read") {
            Ok(()) => state.recent_lines(Place::new(platform, channel), user_id, limit),
            Err(_) => Vec::new(),
        })
    }
}

pub(crate) mod http {
    use super::{not_asked, with};
    use crate::http::{Failure, Request, Response};

    pub(crate) fn send(request: &Request) -> Result<Response, Failure> {
        let failure = |kind: &str, message: String| Failure { kind: kind.to_owned(), message };
        let server = with(|state| {
            let granted = state.manifest.as_ref().is_none_or(|manifest| manifest.allows_url(&request.url));
            if !granted {
                return Err(failure("denied", not_asked(&format!("http.{}", request.url))));
            }
            if let Some(reason) = state.refused.get("http.send") {
                return Err(failure("denied", reason.clone()));
            }
            state.requests.push(request.clone());
            state.server.take().ok_or_else(|| failure("network", "the test gave no server; see Harness::serve".into()))
        });
        // Out of the state while it answers, so that it may use the host's functions itself.
        let mut server = server?;
        let response = server(request);
        with(|state| state.server = Some(server));
        response
    }
}

pub(crate) mod chat {
    use super::{Effect, with};

    pub(crate) fn say(platform: &str, channel: &str, text: &str) -> Result<u32, String> {
        let (platform, channel) = (platform.to_owned(), channel.to_owned());
        with(|state| state.add("chat.say", Effect::Say { platform, channel, text: text.to_owned() }))
    }

    pub(crate) fn reply(platform: &str, channel: &str, message_id: &str, text: &str) -> Result<u32, String> {
        let (platform, channel) = (platform.to_owned(), channel.to_owned());
        let (message_id, text) = (message_id.to_owned(), text.to_owned());
        with(|state| state.add("chat.reply", Effect::Reply { platform, channel, message_id, text }))
    }

    pub(crate) fn whisper(platform: &str, channel: &str, user_id: &str, text: &str) -> Result<u32, String> {
        let (platform, channel) = (platform.to_owned(), channel.to_owned());
        let (user_id, text) = (user_id.to_owned(), text.to_owned());
        with(|state| state.add("chat.whisper", Effect::Whisper { platform, channel, user_id, text }))
    }

    pub(crate) fn announce(platform: &str, channel: &str, text: &str) -> Result<u32, String> {
        let (platform, channel) = (platform.to_owned(), channel.to_owned());
        with(|state| state.add("chat.announce", Effect::Announce { platform, channel, text: text.to_owned() }))
    }

    pub(crate) fn shoutout(platform: &str, channel: &str, user_id: &str) -> Result<u32, String> {
        let (platform, channel) = (platform.to_owned(), channel.to_owned());
        with(|state| state.add("chat.shoutout", Effect::Shoutout { platform, channel, user_id: user_id.to_owned() }))
    }
}

pub(crate) mod moderation {
    use super::{Effect, with};

    pub(crate) fn remove_message(platform: &str, channel: &str, message_id: &str, reason: &str) -> Result<u32, String> {
        let (platform, channel) = (platform.to_owned(), channel.to_owned());
        let (message_id, reason) = (message_id.to_owned(), reason.to_owned());
        let effect = Effect::RemoveMessage { platform, channel, message_id, reason };
        with(|state| state.add("moderation.remove-message", effect))
    }

    pub(crate) fn suspend(
        platform: &str,
        channel: &str,
        user_id: &str,
        seconds: Option<u32>,
        reason: &str,
    ) -> Result<u32, String> {
        let (platform, channel) = (platform.to_owned(), channel.to_owned());
        let (user_id, reason) = (user_id.to_owned(), reason.to_owned());
        let effect = Effect::Suspend { platform, channel, user_id, seconds, reason };
        with(|state| state.add("moderation.suspend", effect))
    }

    pub(crate) fn block(platform: &str, channel: &str, user_id: &str, reason: &str) -> Result<u32, String> {
        let (platform, channel) = (platform.to_owned(), channel.to_owned());
        let (user_id, reason) = (user_id.to_owned(), reason.to_owned());
        with(|state| state.add("moderation.block", Effect::Block { platform, channel, user_id, reason }))
    }

    pub(crate) fn lift(platform: &str, channel: &str, user_id: &str) -> Result<u32, String> {
        let (platform, channel) = (platform.to_owned(), channel.to_owned());
        with(|state| state.add("moderation.lift", Effect::Lift { platform, channel, user_id: user_id.to_owned() }))
    }

    pub(crate) fn warn(platform: &str, channel: &str, user_id: &str, reason: &str) -> Result<u32, String> {
        let (platform, channel) = (platform.to_owned(), channel.to_owned());
        let (user_id, reason) = (user_id.to_owned(), reason.to_owned());
        with(|state| state.add("moderation.warn", Effect::Warn { platform, channel, user_id, reason }))
    }

    pub(crate) fn resolve_held(platform: &str, channel: &str, message_id: &str, allow: bool) -> Result<u32, String> {
        let (platform, channel) = (platform.to_owned(), channel.to_owned());
        let effect = Effect::ResolveHeld { platform, channel, message_id: message_id.to_owned(), allow };
        with(|state| state.add("moderation.resolve-held", effect))
    }
}

pub(crate) mod alerts {
    use super::{Effect, with};
    use crate::alerts::Alert;

    pub(crate) fn show(alert: &Alert) -> Result<u32, String> {
        with(|state| state.add("alerts.show", Effect::Alert(alert.clone())))
    }
}

pub(crate) mod agent {
    use super::{Effect, with};
    use crate::agent::Task;

    pub(crate) fn enqueue(task: &Task) -> Result<String, String> {
        with(|state| {
            // Whether there is room is asked as one question for all queues.
            if let Some(reason) = state.refused.get("agent.enqueue") {
                return Err(reason.clone());
            }
            let task_id = state.next_id("task");
            let effect = Effect::Enqueue { task_id: task_id.clone(), task: task.clone() };
            state.add(&format!("agent.{}", task.queue), effect)?;
            Ok(task_id)
        })
    }
}

pub(crate) mod tools {
    use super::{Effect, with};

    pub(crate) fn call(name: &str, arguments_json: &str) -> Result<String, String> {
        with(|state| {
            let call_id = state.next_id("call");
            let (name, arguments_json) = (name.to_owned(), arguments_json.to_owned());
            let permission = format!("tools.{name}");
            state.add(&permission, Effect::CallTool { call_id: call_id.clone(), name, arguments_json })?;
            Ok(call_id)
        })
    }
}

pub(crate) mod gateway {
    use super::{Effect, with};

    pub(crate) fn publish(kind: &str, data_json: &str) -> Result<u32, String> {
        let effect = Effect::Publish { kind: kind.to_owned(), data_json: data_json.to_owned() };
        with(|state| state.add(&format!("gateway.{kind}"), effect))
    }
}

pub(crate) mod timers {
    use super::super::state::Alarm;
    use super::with;

    const TIMER_NAME_BYTES: usize = 64;
    const SHORTEST_REPEAT_MS: u32 = 100;

    pub(crate) fn start(name: &str, after_ms: u32, repeat: bool) -> Result<(), String> {
        with(|state| {
            state.check("timers.use")?;
            if name.is_empty() || name.len() > TIMER_NAME_BYTES {
                return Err(format!("limit: a timer's name has 1 to {TIMER_NAME_BYTES} bytes"));
            }
            if repeat && after_ms < SHORTEST_REPEAT_MS {
                return Err(format!("limit: a repeating timer waits at least {SHORTEST_REPEAT_MS} ms"));
            }
            let at_ms = state.now_ms.saturating_add(u64::from(after_ms));
            state.timers.insert(name.to_owned(), Alarm { at_ms, repeat_ms: repeat.then_some(after_ms) });
            Ok(())
        })
    }

    pub(crate) fn cancel(name: &str) {
        with(|state| state.timers.remove(name));
    }
}
