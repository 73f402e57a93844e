//! `showrunner auth`: signing in, looking at who is signed in, signing out.

mod backend;
mod show;
mod sign_in;

use std::path::Path;

use self::backend::Backend;
pub(super) use self::show::trouble;
use super::output;
use crate::auth::answer::{AuthAnswer, AuthRequest};
use crate::auth::{GrantId, Overview};
use crate::cli::failure::Failure;
use crate::event::now_ms;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Sign in at Twitch, as the broadcaster of a channel or as the bot.
    Twitch(Twitch),
    /// Sign in at Joystick.tv, for a channel where the bot is installed.
    Joystick,
    /// Show who is signed in, what was granted and what is missing.
    Status {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Take a sign-in back at the service, and delete its tokens here.
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
pub(super) struct Twitch {
    /// As the bot's own account, which speaks and moderates.
    #[arg(long)]
    bot: bool,
    /// With a code that is typed on another device, for a machine without a browser.
    #[arg(long)]
    device: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Revoke {
    #[arg(value_parser = ["twitch", "joystick"])]
    platform: String,
    /// The bot's own account.
    #[arg(long, conflicts_with = "channel")]
    bot: bool,
    /// The broadcaster of this channel; needed where there are several.
    #[arg(long, value_name = "ID")]
    channel: Option<String>,
    /// Delete the tokens here also when the service can't be told. There they are good until they end.
    #[arg(long)]
    forget: bool,
}

pub(super) async fn execute(config: &Path, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Twitch(Twitch { bot, device }) => sign_in::twitch(config, bot, device).await,
        Command::Joystick => sign_in::joystick(config).await,
        Command::Status { json } => {
            let overview = list(&mut Backend::new(config)).await?;
            if json { output::json(&overview) } else { output::line(show::page(&overview, now_ms()).trim_end()) }
        }
        Command::Revoke(arguments) => revoke(config, arguments).await,
    }
}

async fn list(backend: &mut Backend<'_>) -> anyhow::Result<Overview> {
    match backend.ask(AuthRequest::List).await? {
        AuthAnswer::Grants(overview) => Ok(overview),
        other => backend::unexpected(&other),
    }
}

async fn revoke(config: &Path, Revoke { platform, bot, channel, forget }: Revoke) -> anyhow::Result<()> {
    let mut backend = Backend::new(config);
    let id = match (bot, channel) {
        (true, _) => GrantId::bot(&platform),
        (false, Some(channel)) => GrantId::broadcaster(&platform, &channel),
        (false, None) => only_broadcaster(&list(&mut backend).await?, &platform)?,
    };
    match backend.ask(AuthRequest::Revoke { id, forget }).await? {
        AuthAnswer::Revoked { untold: None } => output::line("Signed out, there and here."),
        AuthAnswer::Revoked { untold: Some(why) } => {
            output::warn(format_args!("the service was not told, where the tokens are good until they end: {why}"));
            output::line("The tokens were deleted here.")
        }
        other => backend::unexpected(&other),
    }
}

fn only_broadcaster(overview: &Overview, platform: &str) -> Result<GrantId, Failure> {
    let is_meant = |id: &GrantId| id.platform == platform && *id == GrantId::broadcaster(platform, &id.account);
    let ids = overview.grants.iter().filter(|grant| !grant.user_id.is_empty()).map(|grant| &grant.id);
    let ids: Vec<&GrantId> = ids.filter(|id| is_meant(id)).collect();
    match ids.as_slice() {
        [id] => Ok((*id).clone()),
        [] => {
            let help = "`showrunner auth status` shows who is; --bot is the bot's own account";
            Err(Failure::new(format!("no broadcaster is signed in at {platform}"), help))
        }
        several => {
            let channels: Vec<&str> = several.iter().map(|id| id.account.as_str()).collect();
            let help = format!("say which by --channel: {}", channels.join(", "));
            Err(Failure::usage(format!("several broadcasters are signed in at {platform}"), help))
        }
    }
}
