//! The folder with a config of Showrunner for the fakes.

use std::fmt::{self, Display, Formatter};
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use showrunner_tests::{joystick, twitch};

use crate::Platforms;

pub(crate) struct Folder {
    config: PathBuf,
    is_new: bool,
}

impl Folder {
    /// Writes what is not there yet. A config that is there may have been changed, and keeps what it says.
    pub(crate) fn write(dir: &Path, platforms: &Platforms, redirect_port: u16) -> anyhow::Result<Self> {
        let plugins = dir.join("plugins");
        fs::create_dir_all(&plugins).with_context(|| format!("can't make the folder {}", plugins.display()))?;
        secret(&dir.join("twitch-client-secret"), twitch::CLIENT_SECRET)?;
        secret(&dir.join("joystick-client-secret"), joystick::CLIENT_SECRET)?;
        let config = dir.join("showrunner.toml");
        let is_new = !config.exists();
        if is_new {
            let text = text(platforms, redirect_port);
            fs::write(&config, text).with_context(|| format!("can't write {}", config.display()))?;
        }
        Ok(Self { config, is_new })
    }
}

impl Display for Folder {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let config = self.config.display();
        if !self.is_new {
            writeln!(formatter, "{config} was there and stays as it is; it must name these ports\n")?;
        }
        write!(
            formatter,
            "In another terminal:\n\n    \
             showrunner auth twitch --config {config}\n    \
             showrunner auth joystick --config {config}\n    \
             showrunner run --config {config}\n\n\
             Whoever opens the page that `auth` names has agreed.\n"
        )
    }
}

/// A file that only its owner reads.
fn secret(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).with_context(|| format!("can't write {}", path.display()))?;
    // The mode counts for a new file alone.
    file.set_permissions(Permissions::from_mode(0o600))?;
    writeln!(file, "{text}").with_context(|| format!("can't write {}", path.display()))
}

fn text(platforms: &Platforms, redirect_port: u16) -> String {
    let twitch_at = platforms.twitch.address();
    let joystick_at = platforms.joystick.address();
    format!(
        r#"# For the fake platforms of Showrunner's tests. Nothing in here is real.

[twitch]
client-id = "{twitch_id}"
client-secret = "file:twitch-client-secret"
redirect = "http://localhost:{redirect_port}/oauth"
channels = ["{twitch_channel}"]
eventsub-url = "ws://{twitch_at}/ws"
helix-base = "http://{twitch_at}/helix/"
oauth-base = "http://{twitch_at}/oauth2/"

[joystick]
client-id = "{joystick_id}"
client-secret = "file:joystick-client-secret"
redirect = "http://localhost:{redirect_port}/oauth"
channels = ["{joystick_channel}"]
bot = "{joystick_bot}"
gateway-url = "ws://{joystick_at}/cable"
consent-url = "http://{joystick_at}/api/oauth/authorize"
oauth-base = "http://{joystick_at}/api/oauth/"
rest-base = "http://{joystick_at}/api/v1/"
"#,
        twitch_id = twitch::CLIENT_ID,
        twitch_channel = twitch::STREAMER_ID,
        joystick_id = joystick::CLIENT_ID,
        joystick_channel = joystick::CHANNEL,
        joystick_bot = joystick::BOT,
    )
}
