//! Signing in: by the browser of this machine, or with a code that is typed on another device.

use std::path::Path;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{sleep, timeout};

use super::backend::{Backend, blocking, unexpected};
use crate::auth::answer::{AuthAnswer, AuthError, AuthRequest, Hidden, check_role};
use crate::auth::consent::{Arrival, Attempt};
use crate::auth::{GrantView, Role};
use crate::cli::clean::clean;
use crate::cli::failure::Failure;
use crate::cli::{daemon, output};
use crate::config;
use crate::config::edit::add_channel;
use crate::config::settings::{Settings, TwitchAccounts};
use crate::gateway::control::{Request, Response};

/// How long a person may take.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// What is added to the pause between questions when the service finds them too many.
const SLOWER: Duration = Duration::from_secs(5);

const TWITCH: &str = "twitch";
const JOYSTICK: &str = "joystick";

/// Who is to sign in where.
struct SignIn<'a> {
    config: &'a Path,
    settings: &'a Settings,
    platform: &'static str,
    role: Role,
}

pub(super) async fn twitch(config: &Path, bot: bool, device: bool) -> anyhow::Result<()> {
    let settings = settings(config).await?;
    let role = if bot { Role::Bot } else { Role::Broadcaster };
    let sign_in = SignIn { config, settings: &settings, platform: TWITCH, role };
    check_role(&settings, TWITCH, role)?;
    let is_public = settings.twitch.as_ref().is_some_and(|twitch| twitch.client_secret.is_none());
    if is_public && !device {
        output::line("Without `client-secret` Twitch gives a code, as with --device.")?;
    }
    let grant = if device || is_public { sign_in.by_device().await? } else { sign_in.by_browser().await? };
    sign_in.report(&grant).await
}

pub(super) async fn joystick(config: &Path) -> anyhow::Result<()> {
    let settings = settings(config).await?;
    let sign_in = SignIn { config, settings: &settings, platform: JOYSTICK, role: Role::Broadcaster };
    check_role(&settings, JOYSTICK, Role::Broadcaster)?;
    let grant = sign_in.by_browser().await?;
    sign_in.report(&grant).await
}

/// Without the secrets, which only those need who exchange a code; they are where the daemon is.
async fn settings(config: &Path) -> anyhow::Result<Settings> {
    let path = config.to_owned();
    Ok(blocking(move || config::load_without_secrets(&path)).await?)
}

impl SignIn<'_> {
    async fn by_browser(&self) -> anyhow::Result<GrantView> {
        let attempt = Attempt::new(self.settings, self.platform)?;
        let mut callback = attempt.listen(self.redirect()).await?;
        let redirect = callback.redirect().to_owned();
        let address = attempt.address(self.settings, self.platform, self.role, &redirect)?;
        output::line(format_args!("Agree on this page, signed in as {}:\n  {address}", self.whom()))?;
        if has_display() {
            // It is printed as well.
            let _ = open::that_detached(address.as_str());
        }
        let interrupt = Interrupt::listen();
        output::line("Waiting for the browser; Ctrl-C ends it.")?;
        let arrival = interrupt.unless(timeout(PATIENCE, callback.arrival())).await?;
        let Ok(arrival) = arrival else { return Err(too_late().into()) };
        let arrival = arrival?;
        let answer = self.exchange(&arrival, &attempt, redirect).await;
        match &answer {
            Ok(grant) => arrival.tell(Ok(&grant.login)),
            Err(error) => arrival.tell(Err(&error.to_string())),
        }
        callback.close().await;
        answer
    }

    async fn exchange(&self, arrival: &Arrival, attempt: &Attempt, redirect: String) -> anyhow::Result<GrantView> {
        let request = AuthRequest::Exchange {
            platform: self.platform.to_owned(),
            role: self.role,
            code: arrival.code.clone(),
            redirect,
            verifier: attempt.verifier(),
        };
        match Backend::new(self.config).ask(request).await? {
            AuthAnswer::SignedIn(grant) => Ok(grant),
            other => unexpected(&other),
        }
    }

    async fn by_device(&self) -> anyhow::Result<GrantView> {
        let mut backend = Backend::new(self.config);
        let (platform, role) = (self.platform.to_owned(), self.role);
        let code = match backend.ask(AuthRequest::DeviceCode { platform, role }).await? {
            AuthAnswer::DeviceCode { device_code, user_code, address, interval_s, expires_s } => {
                output::line(format_args!(
                    "On any device, signed in as {}, open\n  {}\nand check that it shows the code\n  {}",
                    self.whom(),
                    clean(&address),
                    clean(&user_code),
                ))?;
                Code { device_code, every: Duration::from_secs(interval_s), lives: Duration::from_secs(expires_s) }
            }
            other => return unexpected(&other),
        };
        let interrupt = Interrupt::listen();
        output::line("Waiting; Ctrl-C ends it.")?;
        let Code { device_code, every, lives } = code;
        let (platform, role) = (self.platform.to_owned(), self.role);
        let request = AuthRequest::PollDevice { platform, role, device_code };
        let polled = poll(every, async || backend.ask(request.clone()).await);
        interrupt.unless(timeout(lives, polled)).await?.unwrap_or_else(|_| Err(too_late().into()))
    }

    /// Says as whom, and makes the channel known to the config.
    async fn report(&self, grant: &GrantView) -> anyhow::Result<()> {
        output::line(format_args!("Signed in as {} ({}).", clean(&grant.login), clean(&grant.name)))?;
        if !grant.missing.is_empty() {
            output::warn(format_args!("not all was granted that is asked for; missing: {}", grant.missing.join(" ")));
        }
        let channels = self.channels();
        if self.role == Role::Bot {
            let has_own = self.settings.twitch.as_ref().is_some_and(|twitch| twitch.accounts == TwitchAccounts::Both);
            if has_own && channels.contains(&grant.user_id) {
                let text = "this is the broadcaster's account and not one of the bot's own; `accounts = \"broadcaster\"` needs no --bot";
                output::warn(text);
            }
            return Ok(());
        }
        if channels.contains(&grant.user_id) {
            return Ok(());
        }
        if let Err(error) = add_channel(self.config, self.platform, &grant.user_id) {
            output::warn(format_args!("{error}"));
            let line = format!("channels = [\"{}\"]", grant.user_id);
            return output::line(format_args!("Add this channel to [{}] by hand: {line}", self.platform));
        }
        let (id, platform) = (clean(&grant.user_id), self.platform);
        output::line(format_args!("Added the channel {id} to [{platform}] in {}.", self.config.display()))?;
        match daemon::connect_if_running(self.config).await? {
            None => Ok(()),
            Some(mut client) => match client.ask(&Request::ReloadConfig).await? {
                Response::Reloaded(reloaded) => daemon::print_reloaded(&reloaded),
                other => daemon::unexpected(&other),
            },
        }
    }

    fn redirect(&self) -> &str {
        let (twitch, joystick) = (&self.settings.twitch, &self.settings.joystick);
        match self.platform {
            TWITCH => twitch.as_ref().map_or("", |twitch| &twitch.redirect),
            _ => joystick.as_ref().map_or("", |joystick| &joystick.redirect),
        }
    }

    fn channels(&self) -> &[String] {
        let (twitch, joystick) = (&self.settings.twitch, &self.settings.joystick);
        match self.platform {
            TWITCH => twitch.as_ref().map_or(&[], |twitch| &twitch.channels),
            _ => joystick.as_ref().map_or(&[], |joystick| &joystick.channels),
        }
    }

    const fn whom(&self) -> &'static str {
        match self.role {
            Role::Bot => "the bot's own account",
            Role::Broadcaster => "the broadcaster",
        }
    }
}

struct Code {
    device_code: Hidden,
    every: Duration,
    lives: Duration,
}

/// Asks again and again, never faster than the service wants it.
async fn poll(
    mut every: Duration,
    mut ask: impl AsyncFnMut() -> anyhow::Result<AuthAnswer>,
) -> anyhow::Result<GrantView> {
    loop {
        sleep(every).await;
        match ask().await? {
            AuthAnswer::Pending { slow_down } => {
                if slow_down {
                    every += SLOWER;
                }
            }
            AuthAnswer::SignedIn(grant) => return Ok(grant),
            other => return unexpected(&other),
        }
    }
}

/// Ctrl-C, from the moment when it is made. Where it can't be heard it ends the process.
struct Interrupt(Option<Signal>);

impl Interrupt {
    fn listen() -> Self {
        Self(signal(SignalKind::interrupt()).ok())
    }

    async fn unless<T>(self, waiting: impl Future<Output = T>) -> Result<T, Failure> {
        let interrupted = async {
            match self.0 {
                Some(mut signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            done = waiting => Ok(done),
            () = interrupted => Err(Failure::new("given up; nothing was changed", "sign in again at any time")),
        }
    }
}

fn too_late() -> AuthError {
    AuthError { message: "nobody agreed in time".to_owned(), help: Some("sign in again".to_owned()) }
}

fn has_display() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_asked_at_the_pace_that_the_service_wants() {
        let began = Instant::now();
        let mut asked = Vec::new();
        let answers = [
            Ok(AuthAnswer::Pending { slow_down: false }),
            Ok(AuthAnswer::Pending { slow_down: true }),
            Ok(AuthAnswer::Pending { slow_down: false }),
            Err(Failure::new("Twitch refused the code: invalid device code", "sign in again").into()),
        ];
        let mut answers = answers.into_iter();
        let ended = poll(Duration::from_secs(5), async || {
            asked.push(began.elapsed().as_secs());
            answers.next().unwrap()
        });
        let refused = ended.await.unwrap_err();
        assert_eq!(refused.to_string(), "Twitch refused the code: invalid device code");
        assert_eq!(asked, [5, 10, 20, 30]);
    }
}
