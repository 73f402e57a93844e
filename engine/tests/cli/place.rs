//! A folder with a config, and the commands that are run on it.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::daemon::Daemon;

/// Everywhere: a port that is free, and limits that a busy machine does not make plugins exceed.
pub(crate) const ANY_PORT: &str = r#"host.limits = { handle = "60s", review = "60s", init = "60s", save = "60s", restore = "60s" }
[http]
listen = "127.0.0.1:0"
"#;

const PROGRAM: &str = env!("CARGO_BIN_EXE_showrunner");

pub(crate) struct Place {
    folder: TempDir,
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// What it wrote, when it did what it was asked.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// The message, when it refused.
    #[track_caller]
    pub(crate) fn refused(self, code: i32) -> String {
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{self:?}");
        self.err
    }
}

impl Place {
    /// With this config and an empty plugin folder.
    pub(crate) fn new(config: &str) -> Self {
        let place = Self::bare();
        fs::create_dir(place.plugins()).unwrap();
        place.configure(config);
        place
    }

    /// Without either.
    pub(crate) fn bare() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        share_compiled(&place.data());
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path().join("showrunner.toml")
    }

    pub(crate) fn plugins(&self) -> PathBuf {
        self.path().join("plugins")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("showrunner-data")
    }

    /// Saves it as editors do, in one step.
    pub(crate) fn configure(&self, text: &str) {
        let new = self.path().join("new.toml");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.config()).unwrap();
    }

    /// Puts the greeter, which nobody has allowed anything, into the plugin folder.
    pub(crate) fn drop_greeter(&self) {
        let (from, to) = (greeter(), self.plugins().join("greeter-rust"));
        fs::create_dir_all(&to).unwrap();
        for file in ["plugin.toml", "plugin.wasm"] {
            fs::copy(from.join(file), to.join(file)).unwrap();
        }
    }

    /// Without the config being named: it is the one of the folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments);
        self.place(command)
    }

    fn place(&self, mut command: Command) -> Command {
        command.current_dir(self.path()).stdin(Stdio::null());
        // Without a display no browser is opened.
        for variable in ["RUST_LOG", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "DISPLAY", "WAYLAND_DISPLAY"] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn say(&self, arguments: &[&str]) -> Said {
        Self::run(self.command(arguments))
    }

    /// The same where no file may grow beyond so many blocks of half a kilobyte or a whole one, as on a full disk.
    pub(crate) fn say_with_small_files(&self, blocks: u32, arguments: &[&str]) -> Said {
        let mut command = Command::new("sh");
        // Else the first byte too much would end the process.
        let script = format!("trap '' XFSZ; ulimit -S -f {blocks}; exec \"$0\" \"$@\"");
        command.args(["-c", &script, PROGRAM]).args(arguments);
        Self::run(self.place(command))
    }

    fn run(mut command: Command) -> Said {
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or(-1);
        Said { code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// Starts the daemon and waits until it is ready.
    pub(crate) fn start(&self) -> Daemon {
        let daemon = Daemon::spawn(self.command(&["run"]));
        daemon.wait_until_ready();
        daemon
    }

    pub(crate) fn watch(&self, arguments: &[&str]) -> Daemon {
        let mut command = self.command(&["watch"]);
        command.args(arguments);
        let watch = Daemon::spawn(command);
        // It watches when an event from now on is seen.
        crate::lines::until("the watch", || {
            self.say(&["simulate", "presence", "--user", "lookout"]).ok();
            (watch.out.count("lookout") > 0).then_some(())
        });
        watch
    }

    pub(crate) fn chat(&self, user: &str, text: &str) {
        self.say(&["simulate", "chat", "--user", user, "--text", text]).ok();
    }
}

/// The folder of a plugin that answers "!hello".
pub(crate) fn greeter() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/v0_1_0/greeter-rust")
}

/// What one test has compiled no other compiles again.
pub(crate) fn share_compiled(data_dir: &Path) {
    let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    fs::create_dir_all(&shared).unwrap();
    fs::DirBuilder::new().mode(0o700).create(data_dir).unwrap();
    symlink(shared, data_dir.join("compiled")).unwrap();
}
