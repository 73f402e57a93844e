//! A plugin in words. All of it was written by its author, so all of it is cleaned.

use crate::cli::clean::clean;
use crate::gateway::view::{Permissions, PluginStatus};

/// One line of a list.
pub(in crate::cli) fn summary(plugin: &PluginStatus) -> String {
    let mut line = clean(&plugin.id).into_owned();
    if !plugin.version.is_empty() {
        line.push_str(&format!(" {}", clean(&plugin.version)));
    }
    line.push_str(&format!(": {}", clean(&plugin.state)));
    if plugin.generation > 0 {
        line.push_str(&format!(", generation {}", plugin.generation));
    }
    if plugin.dropped > 0 {
        line.push_str(&format!(", {} events dropped", plugin.dropped));
    }
    if plugin.crashes > 0 {
        line.push_str(&format!(", {} crashes", plugin.crashes));
    }
    if !plugin.detail.is_empty() {
        line.push_str(&format!("; {}", clean(&plugin.detail)));
    }
    line
}

/// All there is to know, before it is granted anything.
pub(super) fn page(plugin: &PluginStatus) -> String {
    let mut page = summary(plugin);
    let mut row = |name: &str, text: &str| {
        if !text.is_empty() {
            page.push_str(&format!("\n  {name:<9}{}", clean(text)));
        }
    };
    row("name", &plugin.name);
    row("wit", &plugin.wit);
    row("hash", &plugin.hash);
    row("events", &plugin.events.join(", "));
    row("imports", &imports(&plugin.imports));
    page.push_str(&format!("\n  asks for\n{}", permissions(&plugin.asked)));
    page.push_str(&format!("\n  may\n{}", permissions(&plugin.granted)));
    if plugin.ships {
        page.push_str("\n  It ships with Showrunner, so it is granted what it asks for.");
    }
    page
}

/// The engine's interfaces by their short names: `chat` for `showrunner:plugin/chat@0.1.0`. What every program needs of
/// WASI says nothing of what this one does.
fn imports(names: &[String]) -> String {
    let own = names.iter().filter_map(|name| name.strip_prefix("showrunner:plugin/"));
    let mut shown: Vec<&str> = own.map(|name| name.split_once('@').map_or(name, |(name, _)| name)).collect();
    let others = names.iter().filter(|name| !name.starts_with("showrunner:plugin/") && !name.starts_with("wasi:"));
    shown.extend(others.map(String::as_str));
    if names.iter().any(|name| name.starts_with("wasi:")) {
        shown.push("and WASI");
    }
    shown.join(", ")
}

/// One permission a line.
pub(super) fn permissions(permissions: &Permissions) -> String {
    if permissions.is_empty() {
        return "    nothing".to_owned();
    }
    let lines = permissions.iter().map(|(name, values)| {
        let values: Vec<_> = values.iter().map(|value| clean(value)).collect();
        format!("    {}: {}", clean(name), values.join(", "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_wishes_beside_grants_and_no_control_characters() {
        let plugin = PluginStatus {
            id: "greeter".into(),
            name: "Greeter \x1b[2J".into(),
            version: "1.2.0".into(),
            state: "waiting-for-grant".into(),
            wit: "0.1.0".into(),
            imports: ["showrunner:plugin/types@0.1.0", "wasi:cli/environment@0.2.6", "wasi:io/poll@0.2.6"]
                .map(str::to_owned)
                .into(),
            asked: [("chat".to_owned(), vec!["say".to_owned(), "reply".to_owned()])].into(),
            ..PluginStatus::default()
        };
        let expected = "greeter 1.2.0: waiting-for-grant\n  name     Greeter ␛[2J\n  wit      0.1.0\n  imports  types, and WASI\n  asks for\n    chat: say, reply\n  may\n    nothing";
        assert_eq!(page(&plugin), expected);
    }
}
