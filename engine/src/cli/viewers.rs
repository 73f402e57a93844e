//! `showrunner viewers`: who somebody is, and what they wrote.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::clean::clean;
use super::failure::Failure;
use super::paint::Paint;
use super::{daemon, output};
use crate::engine::viewers_called;
use crate::gateway::control::{Request, Response};
use crate::gateway::view::{ChannelLines, ViewerView};
use crate::store::{self, Store};
use crate::{config, event};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Show everybody of a name: who they are on each platform, since when, and their last lines.
    ///
    /// Also those lines that were removed, which are marked. Works without a daemon, too.
    Show {
        /// A login, the name that is shown, or an id.
        name: String,
        /// Only on this platform, as "twitch".
        #[arg(long)]
        platform: Option<String>,
        /// Lines in each channel, the newest ones; at most 50 are kept.
        #[arg(long, default_value_t = 10)]
        lines: u32,
        /// One JSON value a line, for programs.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn execute(config: &Path, command: Command) -> anyhow::Result<()> {
    let Command::Show { name, platform, lines, json } = command;
    let name = name.trim_start_matches('@').to_owned();
    let viewers = match daemon::connect_if_running(config).await? {
        Some(mut client) => {
            let request = Request::Viewers { name: name.clone(), platform, lines };
            match client.ask(&request).await? {
                Response::Viewers { viewers } => viewers,
                other => return daemon::unexpected(&other),
            }
        }
        None => look_up(config, &name, platform.as_deref(), lines).await?,
    };
    if json {
        return viewers.iter().try_for_each(output::json);
    }
    if viewers.is_empty() {
        let help = "names are those of the platforms; who never wrote and did nothing is not known, nor who was only simulated";
        return Err(Failure::new(format!("nobody called {} was seen", clean(&name)), help).into());
    }
    let paint = Paint::when(output::has_colors());
    viewers.iter().try_for_each(|viewer| output::line(page(viewer, paint, &TimeZone::system())))
}

/// In the database itself, which no daemon has open.
async fn look_up(config: &Path, name: &str, platform: Option<&str>, lines: u32) -> anyhow::Result<Vec<ViewerView>> {
    let settings = config::load_without_secrets(config)?;
    let database = store::path(&settings.data_dir);
    if !database.exists() {
        let help = "a daemon makes one when it starts; `--config FILE` says which is meant";
        return Err(Failure::new(format!("there is no database {}", database.display()), help).into());
    }
    let store = Store::open(&database, &settings.journal)?;
    let viewers = viewers_called(&store, name, platform, lines).await;
    store.close().await;
    Ok(viewers?)
}

fn page(view: &ViewerView, paint: Paint, zone: &TimeZone) -> String {
    let ViewerView { platform, viewer, lines } = view;
    let event::User { id, login, display_name, badges, color, .. } = &viewer.user;
    let time = |at_ms| time(at_ms, zone);
    let shown = if display_name.is_empty() { login } else { display_name };
    let shown = paint.in_color_of_name(color.as_deref(), &clean(shown));
    let mut page = format!("{shown} ({}) on {}, id {}\n", clean(login), clean(platform), clean(id));
    let mut row = |name: &str, text: &str| {
        if !text.is_empty() {
            page.push_str(&format!("  {name:<9}{text}\n"));
        }
    };
    row("roles", &viewer.user.roles.names().join(", "));
    row("badges", &clean(&badges.join(", ")));
    row("color", &clean(color.as_deref().unwrap_or_default()));
    row("seen", &format!("{} to {}", time(viewer.first_seen_ms), time(viewer.last_seen_ms)));
    row("messages", &viewer.messages.to_string());
    for ChannelLines { channel, lines } in lines.iter().filter(|lines| !lines.lines.is_empty()) {
        page.push_str(&format!("\n  {}, the newest first\n", clean(&channel.to_string())));
        for line in lines {
            let removed = if line.removed { paint.dim(" (removed)") } else { String::new() };
            page.push_str(&format!("  {} {}{removed}\n", paint.dim(&time(line.at_ms)), clean(&line.text)));
        }
    }
    page
}

fn time(at_ms: u64, zone: &TimeZone) -> String {
    let stamp = i64::try_from(at_ms).ok().and_then(|at_ms| Timestamp::from_millisecond(at_ms).ok());
    stamp.map_or_else(|| "-".to_owned(), |stamp| stamp.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Channel, Roles, User};
    use crate::store::{ChatLine, Viewer};

    #[test]
    fn a_viewer_is_shown_with_what_they_wrote_and_no_control_characters() {
        let user = User {
            id: "42".into(),
            login: "ada".into(),
            display_name: "Ada\x1b[2J".into(),
            roles: Roles { moderator: true, ..Roles::default() },
            badges: vec!["subscriber/12".into()],
            color: Some("#00FF7F".into()),
        };
        let line = |text: &str, removed| ChatLine { message_id: "m".into(), at_ms: 1000, text: text.into(), removed };
        let lines = vec![line("second", true), line("first", false)];
        let view = ViewerView {
            platform: "twitch".into(),
            viewer: Viewer { user, first_seen_ms: 0, last_seen_ms: 1000, messages: 2 },
            lines: vec![ChannelLines { channel: Channel::new("twitch", "7"), lines }],
        };
        let shown = page(&view, Paint::plain(), &TimeZone::UTC);
        assert_eq!(
            shown,
            "Ada␛[2J (ada) on twitch, id 42\n\
             \x20 roles    moderator\n\
             \x20 badges   subscriber/12\n\
             \x20 color    #00FF7F\n\
             \x20 seen     1970-01-01 00:00:00 to 1970-01-01 00:00:01\n\
             \x20 messages 2\n\
             \n\
             \x20 twitch:7, the newest first\n\
             \x20 1970-01-01 00:00:01 second (removed)\n\
             \x20 1970-01-01 00:00:01 first\n"
        );
        assert!(page(&view, Paint::when(true), &TimeZone::UTC).contains("\x1b[1;38;2;0;255;127mAda"));
    }
}
