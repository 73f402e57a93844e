//! What an engine under test finds on the disk: config, plugins, database.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;
use showrunner::config::settings::{RetakeGeneration, RetakeSettings};
use showrunner::plugin::manifest::Manifest;
use tempfile::TempDir;

use crate::fixtures::{self, Fixture};

/// The simulator's channel.
pub const CHANNEL: &str = "studio";

/// Nobody listens there: for the probes that don't call their test's server.
const NO_PORT: u16 = 1;

/// Two threads at most compile here at a time, and all tests load the same few components: compiled once is enough.
const COMPILED: &str = "compiled-for-tests";

/// A folder with all that an engine reads and writes.
pub struct Stage {
    folder: TempDir,
    /// By section, then by key: values as TOML.
    config: BTreeMap<String, BTreeMap<String, String>>,
    canary_version: u32,
}

impl Default for Stage {
    fn default() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("plugins")).unwrap();
        let mut stage = Self { folder, config: BTreeMap::new(), canary_version: 0 };
        stage.share_compiled();
        stage.set("", "data-dir", "\"data\"");
        stage.set("http", "listen", "\"off\"");
        stage.set("host", "plugins-dir", "\"plugins\"");
        stage.set("host", "debounce", "\"50ms\"");
        stage.set("simulator", "channel", &format!("\"{CHANNEL}\""));
        stage.set("simulator.pace", "messages-per-second", "1000");
        stage.set("simulator.pace", "burst", "1000");
        // A machine that is busy with other tests must not look like a plugin that is slow: a test that is about a
        // limit sets its own.
        stage.set("pipeline", "review", "\"5s\"").set("pipeline", "fallback-after", "\"60s\"");
        for limit in ["handle", "review", "init", "save", "restore", "http-timeout"] {
            stage.set("host.limits", limit, "\"60s\"");
        }
        // Only what a test puts in its folder is to answer.
        for shipped in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins")).unwrap() {
            let id = shipped.unwrap().file_name().into_string().unwrap();
            stage.set(&format!("plugins.{id}"), "enabled", "false");
        }
        stage.change_canary();
        stage
    }
}

impl Stage {
    /// With a probe that is granted all that it asks for.
    pub fn with_probe() -> Self {
        let mut stage = Self::default();
        stage.add_probe("probe");
        stage
    }

    /// One more probe under an id of its own, granted all that it asks for.
    pub fn add_probe(&mut self, id: &str) -> &mut Self {
        self.add_probe_with(id, |manifest| manifest)
    }

    /// The same, with a changed manifest.
    pub fn add_probe_with(&mut self, id: &str, change: impl FnOnce(String) -> String) -> &mut Self {
        let manifest = change(probe_manifest(id));
        self.add(&Fixture { id, manifest: &manifest, component: fixtures::probe() })
    }

    /// A plugin that is granted all that it asks for.
    pub fn add(&mut self, plugin: &Fixture<'_>) -> &mut Self {
        self.drop_in(plugin);
        self.grant(plugin.id, &grant_of(plugin.manifest))
    }

    /// Writes a plugin's two files, as a stranger would: nothing is granted.
    pub fn drop_in(&mut self, plugin: &Fixture<'_>) -> &mut Self {
        let folder = self.plugin_folder(plugin.id);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("plugin.toml"), plugin.manifest).unwrap();
        fs::write(folder.join("plugin.wasm"), plugin.component).unwrap();
        self
    }

    /// One more account, on a server that answers to these settings.
    pub fn connect(&mut self, settings: &RetakeSettings) -> &mut Self {
        let token = self.path().join("token");
        fs::write(&token, settings.token.expose_secret()).unwrap();
        fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
        let generation = match settings.generation {
            RetakeGeneration::V1 => "v1",
            RetakeGeneration::V2 => "v2",
        };
        let in_flight = settings.pace.in_flight.to_string();
        let rate = settings.pace.messages.map_or(0.0, |rate| rate.per_second).to_string();
        for (key, value) in [
            ("generation", generation),
            ("room", &settings.room),
            ("user-id", &settings.user_id),
            ("token", "file:token"),
            ("rest-base", settings.rest_base.as_str()),
            ("socket-url", settings.socket_url.as_str()),
        ] {
            self.set("[retake]", key, &format!("{value:?}"));
        }
        let pace = [("messages-per-second", rate.as_str()), ("in-flight", &in_flight), ("expiry", "\"5m\"")];
        pace.into_iter().fold(self, |stage, (key, value)| stage.set("retake.pace", key, value))
    }

    /// As TOML: `{ chat = ["say"] }`.
    pub fn grant(&mut self, id: &str, grant: &str) -> &mut Self {
        self.set(&format!("plugins.{id}"), "grant", grant)
    }

    pub fn set(&mut self, section: &str, key: &str, value: &str) -> &mut Self {
        self.config.entry(section.to_owned()).or_default().insert(key.to_owned(), value.to_owned());
        self
    }

    pub fn unset(&mut self, section: &str, key: &str) -> &mut Self {
        self.config.entry(section.to_owned()).or_default().remove(key);
        self
    }

    /// Leaves everything where it is, to be looked at.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn config(&self) -> PathBuf {
        self.path().join("showrunner.toml")
    }

    pub fn data_dir(&self) -> PathBuf {
        self.path().join("data")
    }

    pub fn plugins_dir(&self) -> PathBuf {
        self.path().join("plugins")
    }

    pub fn plugin_folder(&self, id: &str) -> PathBuf {
        self.plugins_dir().join(id)
    }

    pub fn manifest(&self, id: &str) -> PathBuf {
        self.plugin_folder(id).join("plugin.toml")
    }

    pub fn component(&self, id: &str) -> PathBuf {
        self.plugin_folder(id).join("plugin.wasm")
    }

    /// Changes a plugin's manifest where it lies.
    pub fn edit_manifest(&self, id: &str, change: impl FnOnce(String) -> String) {
        let path = self.manifest(id);
        let changed = change(fs::read_to_string(&path).unwrap());
        fs::write(path, changed).unwrap();
    }

    pub fn write_config(&self) {
        let mut text = String::new();
        for (section, keys) in &self.config {
            if !section.is_empty() {
                writeln!(text, "[{section}]").unwrap();
            }
            for (key, value) in keys {
                writeln!(text, "{key} = {value}").unwrap();
            }
        }
        // As editors save, so that no engine ever reads half of it.
        let fresh = self.path().join("showrunner.toml.new");
        fs::write(&fresh, text).unwrap();
        fs::rename(fresh, self.config()).unwrap();
    }

    /// A new version of a plugin that nobody grants anything: the host says each time that it waits.
    pub(super) fn change_canary(&mut self) -> String {
        self.canary_version += 1;
        let version = self.canary_version.to_string();
        // It is said that a plugin waits only when what it waits for has changed.
        let manifest = format!(
            "id = \"canary\"\nversion = \"{version}\"\nwit = \"0.1\"\nevents = [\"raid\"]\n[permissions]\ngateway = [\"v{version}\"]\n"
        );
        self.drop_in(&Fixture { id: "canary", manifest: &manifest, component: fixtures::V0_1_0[2].component });
        version
    }

    fn share_compiled(&self) {
        let shared = std::env::current_exe().unwrap().with_file_name(COMPILED);
        fs::create_dir_all(&shared).unwrap();
        fs::create_dir_all(self.data_dir()).unwrap();
        std::os::unix::fs::symlink(shared, self.data_dir().join("compiled")).unwrap();
    }
}

/// The probe's manifest under another id. It hears of money, too.
pub fn probe_manifest(id: &str) -> String {
    fixtures::probe_manifest(NO_PORT)
        .replace("id = \"probe\"", &format!("id = \"{id}\""))
        .replace("events = [\"chat\",", "events = [\"chat\", \"support\",")
}

/// Everything that a manifest asks for, as a config's `grant`.
fn grant_of(manifest: &str) -> String {
    let asked = Manifest::parse(manifest).unwrap().permissions.to_table();
    let pairs = asked.iter().map(|(name, items)| format!("{name} = {items:?}"));
    format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
}
