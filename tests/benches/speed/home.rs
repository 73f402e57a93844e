//! What an engine finds on the disk: a config, plugins, and room for its database.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use showrunner::plugin::manifest::Manifest;
use showrunner_tests::fixtures::{V0_1_0, beast, probe};
use showrunner_tests::load::{ANSWER, COMMAND, Server};
use showrunner_tests::retake::{BOT_ID, ROOM, TOKEN};
use tempfile::TempDir;

/// Requests under way at once, for every bot.
pub(crate) const IN_FLIGHT: usize = 16;

pub(crate) struct Home {
    folder: TempDir,
    config: String,
}

impl Home {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("plugins")).unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        let config = "data-dir = \"data\"\n[http]\nlisten = \"127.0.0.1:0\"\n".to_owned();
        Self { folder, config }
    }

    /// The plugins that ship stay off.
    pub(crate) fn without_plugins() -> Self {
        let mut home = Self::new();
        for shipped in fs::read_dir(repository().join("plugins")).unwrap() {
            let id = shipped.unwrap().file_name().into_string().unwrap();
            writeln!(home.config, "[plugins.{id}]\nenabled = false").unwrap();
        }
        home
    }

    /// A daemon as it is installed, with the plugins that ship, in the room of `server`. Only its pace is not the
    /// default: what is measured is how fast it can be, and a pace would hold it back.
    pub(crate) fn of_a_bot(server: &Server) -> Self {
        let mut home = Self::new();
        home.answer();
        home.join(server);
        home
    }

    /// The same, but a plugin that ships lies in a folder of its own, and has the answers.
    pub(crate) fn of_a_bot_with_folder(server: &Server) -> Self {
        let mut home = Self::new();
        home.join(server);
        home
    }

    /// In the room, with none of the plugins that ship.
    pub(crate) fn of_a_silent_bot(server: &Server) -> Self {
        let mut home = Self::without_plugins();
        home.join(server);
        home
    }

    /// The answer to the questions of `load`.
    fn answer(&mut self) {
        writeln!(self.config, "[plugins.instant-replies.settings.commands.{COMMAND}]\nanswers = [\"{ANSWER}{{1}}\"]")
            .unwrap();
    }

    fn join(&mut self, server: &Server) {
        let token = self.path().join("token");
        fs::write(&token, TOKEN).unwrap();
        fs::set_permissions(&token, Permissions::from_mode(0o600)).unwrap();
        let (socket, rest) = (server.socket_url(), server.rest_base());
        write!(
            self.config,
            "[[retake]]\nroom = \"{ROOM}\"\nuser-id = \"{BOT_ID}\"\ntoken = \"file:token\"\n\
             rest-base = \"{rest}\"\nsocket-url = \"{socket}\"\n\
             [retake.pace]\nmessages-per-second = 0\nin-flight = {IN_FLIGHT}\n"
        )
        .unwrap();
    }

    /// Lines for the end of the config.
    pub(crate) fn configure(&mut self, lines: &str) {
        self.config.push_str(lines);
        self.config.push('\n');
    }

    /// A plugin that is granted all that it asks for.
    pub(crate) fn add(&mut self, manifest: &str, component: &[u8]) {
        let parsed = Manifest::parse(manifest).unwrap();
        let folder = self.plugin_folder(&parsed.id);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("plugin.toml"), manifest).unwrap();
        fs::write(folder.join("plugin.wasm"), component).unwrap();
        self.grant_all(manifest);
    }

    /// What the manifest asks for.
    pub(crate) fn grant_all(&mut self, manifest: &str) {
        let manifest = Manifest::parse(manifest).unwrap();
        let asked = manifest.permissions.to_table();
        let grant: Vec<_> = asked.iter().map(|(name, items)| format!("{name} = {items:?}")).collect();
        self.configure(&format!("[plugins.{}]\ngrant = {{ {} }}", manifest.id, grant.join(", ")));
    }

    /// The greeter in Rust, so many times.
    pub(crate) fn add_greeters(&mut self, count: usize) {
        for number in 0..count {
            self.add_greeter(&format!("greeter-{number}"));
        }
    }

    pub(crate) fn add_greeter(&mut self, id: &str) {
        let greeter = V0_1_0[0];
        let manifest = greeter.manifest.replace(&format!("id = \"{}\"", greeter.id), &format!("id = \"{id}\""));
        self.add(&manifest, greeter.component);
    }

    /// The plugin that does what it is told in chat.
    pub(crate) fn add_probe(&mut self, id: &str, is_fallback: bool) {
        let manifest = format!(
            "id = \"{id}\"\nversion = \"1\"\nwit = \"0.1\"\nfallback = {is_fallback}\nevents = [\"chat\"]\n[permissions]\nchat = [\"say\"]\n"
        );
        self.add(&manifest, probe());
    }

    /// The plugin that does its worst when it is told to. Nobody lets it speak: what it says would stand in the way of
    /// what others say by right.
    pub(crate) fn add_beast(&mut self, id: &str) {
        let manifest = format!(
            "id = \"{id}\"\nversion = \"1\"\nwit = \"0.1\"\nevents = [\"chat\"]\n[permissions]\nkv = [\"use\"]\n"
        );
        self.add(&manifest, beast());
    }

    /// Writes the config, which the engine then finds.
    pub(crate) fn write(&self) {
        fs::write(self.config(), &self.config).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path().join("showrunner.toml")
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.path().join("data")
    }

    pub(crate) fn plugin_folder(&self, id: &str) -> PathBuf {
        self.path().join("plugins").join(id)
    }
}

/// The root of the project.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
