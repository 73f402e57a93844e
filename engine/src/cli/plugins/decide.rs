//! Changing what a plugin may do: first in the config, then in a running daemon.

use std::path::Path;

use super::show::permissions;
use crate::cli::clean::clean;
use crate::cli::failure::Failure;
use crate::cli::{daemon, output};
use crate::config::{
    self,
    edit::{Change, change_plugin},
};
use crate::gateway::control::{Request, Response};
use crate::gateway::view::{Permissions, PluginStatus};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Grant {
    id: String,
    /// Only these of its wishes: `chat`, or `chat=say,reply`. Without any: all that it asks for.
    #[arg(value_name = "PERMISSION[=VALUE,…]")]
    permissions: Vec<String>,
    /// For exactly this file: another one under its name waits until it is granted again.
    #[arg(long)]
    pin: bool,
    /// Only show what would be granted.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Revoke {
    id: String,
    /// Only these: `chat`, or `chat=say,reply`. Without any: everything, and it stops unless it ships with Showrunner.
    #[arg(value_name = "PERMISSION[=VALUE,…]")]
    permissions: Vec<String>,
}

pub(super) async fn grant(config: &Path, Grant { id, permissions: chosen, pin, dry_run }: Grant) -> anyhow::Result<()> {
    let plugin = super::find(config, &id).await?;
    if plugin.hash.is_empty() {
        let message = format!("nobody knows what {id} asks for: {}", plugin.detail);
        return Err(Failure::new(message, "when its files are right, grant it").into());
    }
    let grant = choose(&plugin.asked, &chosen)?;
    output::line(format_args!(
        "{} {} asks for\n{}",
        clean(&plugin.id),
        clean(&plugin.version),
        permissions(&plugin.asked)
    ))?;
    output::line(format_args!("{}\n{}", if dry_run { "would be granted" } else { "is granted" }, permissions(&grant)))?;
    if dry_run {
        return Ok(());
    }
    let settings = config::load_without_secrets(config)?;
    let decided = settings.plugins.get(id.as_str());
    let mut changes = vec![Change::Grant(grant.clone())];
    // Whoever grants again what is pinned means the file that is there now.
    if pin || decided.is_some_and(|decided| decided.pin.is_some()) {
        changes.push(Change::Pin(pin_of(&plugin)?));
    }
    write(config, &id, &changes).await?;
    for name in grant.get("secrets").into_iter().flatten() {
        if decided.is_none_or(|decided| !decided.secrets.contains_key(name)) {
            let name = clean(name);
            output::line(format_args!(
                "It needs a value of yours: write `secrets = {{ {name} = \"env:…\" }}` into [plugins.{id}] of {}.",
                config.display()
            ))?;
        }
    }
    Ok(())
}

pub(super) async fn revoke(config: &Path, Revoke { id, permissions: chosen }: Revoke) -> anyhow::Result<()> {
    let plugin = super::find(config, &id).await?;
    let rest = without(&plugin.granted, &chosen)?;
    output::line(format_args!("{} is left with\n{}", clean(&id), permissions(&rest)))?;
    // Without a word what ships is granted all it asks for, and what does not ship waits.
    let change = if rest.is_empty() && !plugin.ships { Change::Undecide } else { Change::Grant(rest) };
    write(config, &id, &[change]).await
}

/// Also one that can't be read: to switch it off may be what it needs.
pub(super) async fn switch(config: &Path, id: &str, on: bool) -> anyhow::Result<()> {
    if !super::all(config).await?.iter().any(|plugin| plugin.id == id) {
        let help = "`showrunner plugins list` shows those there are";
        return Err(Failure::new(format!("there is no plugin {id}"), help).into());
    }
    write(config, id, &[Change::Enabled(on)]).await
}

async fn write(config: &Path, id: &str, changes: &[Change]) -> anyhow::Result<()> {
    change_plugin(config, id, changes)?;
    output::line(format_args!("Written to {}.", config.display()))?;
    let Some(mut client) = daemon::connect_if_running(config).await? else {
        return output::line("No daemon runs; it holds from the next start.");
    };
    match client.ask(&Request::ReloadConfig).await? {
        Response::Reloaded(reloaded) => daemon::print_reloaded(&reloaded),
        other => daemon::unexpected(&other),
    }
}

/// What of the wishes to grant. Nothing that was not asked for: it would have no effect, and hints at a mistake.
fn choose(asked: &Permissions, chosen: &[String]) -> Result<Permissions, Failure> {
    if chosen.is_empty() {
        return Ok(asked.clone());
    }
    part_of(asked, chosen).map_err(|unknown| {
        let help = format!("it asks for\n{}", permissions(asked));
        Failure::usage(format!("the plugin does not ask for {unknown}"), help)
    })
}

fn without(granted: &Permissions, chosen: &[String]) -> Result<Permissions, Failure> {
    if chosen.is_empty() {
        return Ok(Permissions::new());
    }
    let taken = part_of(granted, chosen).map_err(|unknown| {
        let help = format!("it may\n{}", permissions(granted));
        Failure::usage(format!("the plugin is not granted {unknown}"), help)
    })?;
    let mut rest = granted.clone();
    for (name, values) in &mut rest {
        values.retain(|value| !taken.get(name).is_some_and(|taken| taken.contains(value)));
    }
    rest.retain(|name, values| !values.is_empty() || !taken.contains_key(name));
    Ok(rest)
}

/// The part of `all` that `choices` name, each as `name` or as `name=value,…`; or the first that is not among them.
fn part_of(all: &Permissions, choices: &[String]) -> Result<Permissions, String> {
    let mut part = Permissions::new();
    for choice in choices {
        let (name, values) = match choice.split_once('=') {
            Some((name, values)) => (name, Some(values.split(',').map(str::to_owned).collect::<Vec<_>>())),
            None => (choice.as_str(), None),
        };
        let known = all.get(name).ok_or(name)?;
        let values = values.unwrap_or_else(|| known.clone());
        if let Some(value) = values.iter().find(|value| !known.contains(value)) {
            return Err(format!("{name}={value}"));
        }
        part.entry(name.to_owned()).or_default().extend(values);
    }
    Ok(part)
}

fn pin_of(plugin: &PluginStatus) -> Result<String, Failure> {
    let hash = plugin.hash.strip_prefix("sha256:").unwrap_or(&plugin.hash);
    if hash.is_empty() {
        return Err(Failure::new(
            "the hash of the plugin is not known",
            "`showrunner plugins inspect` says what is wrong with it",
        ));
    }
    Ok(format!("sha256:{hash}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Permissions {
        let list = |values: &[&str]| values.iter().map(ToString::to_string).collect();
        [("chat".to_owned(), list(&["say", "reply"])), ("http".to_owned(), list(&["https://a.example/"]))].into()
    }

    fn chosen(choices: &[&str]) -> Result<Permissions, String> {
        let choices: Vec<String> = choices.iter().map(ToString::to_string).collect();
        choose(&asked(), &choices).map_err(|failure| failure.to_string())
    }

    #[test]
    fn all_wishes_or_a_part_of_them_are_granted() {
        assert_eq!(chosen(&[]).unwrap(), asked());
        assert_eq!(chosen(&["chat"]).unwrap()["chat"], ["say", "reply"]);
        assert_eq!(chosen(&["chat=say"]).unwrap(), [("chat".to_owned(), vec!["say".to_owned()])].into());
    }

    #[test]
    fn what_was_not_asked_for_is_not_granted() {
        assert_eq!(chosen(&["moderation"]).unwrap_err(), "the plugin does not ask for moderation");
        assert_eq!(chosen(&["chat=whisper"]).unwrap_err(), "the plugin does not ask for chat=whisper");
        assert!(chosen(&["http=https://b.example/"]).is_err());
    }

    #[test]
    fn a_part_or_all_of_a_grant_is_taken_back() {
        assert!(without(&asked(), &[]).unwrap().is_empty());
        let rest = without(&asked(), &["http".to_owned(), "chat=say".to_owned()]).unwrap();
        assert_eq!(rest, [("chat".to_owned(), vec!["reply".to_owned()])].into());
        assert!(without(&rest, &["chat=reply".to_owned()]).unwrap().is_empty());
        for unknown in ["http", "chat=say"] {
            let refused = without(&rest, &[unknown.to_owned()]).unwrap_err();
            assert_eq!(refused.to_string(), format!("the plugin is not granted {unknown}"));
        }
    }

    #[tokio::test]
    async fn a_switch_is_written_into_the_config_where_no_daemon_runs() {
        let folder = tempfile::TempDir::new().unwrap();
        let config = folder.path().join("showrunner.toml");
        let written = |on: bool| format!("# mine\n[plugins.broken]\nenabled = {on} # yes\n");
        std::fs::write(&config, written(true)).unwrap();
        std::fs::create_dir_all(folder.path().join("plugins/broken")).unwrap();
        switch(&config, "broken", false).await.unwrap();
        assert_eq!(std::fs::read_to_string(&config).unwrap(), written(false));
        let refused = switch(&config, "borken", false).await.unwrap_err();
        assert_eq!(refused.to_string(), "there is no plugin borken");
        assert_eq!(std::fs::read_to_string(&config).unwrap(), written(false), "nothing was written");
    }
}
