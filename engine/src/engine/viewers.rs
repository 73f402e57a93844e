//! Who is known by a name, with what they wrote: for the operator, with a daemon or without one.

use crate::gateway::view::{ChannelLines, ViewerView};
use crate::store::{Store, StoreError};

/// Of one name; more are not looked through by anybody.
const MOST: u32 = 20;

/// Everybody of this name, the one who was seen last first, with their newest lines in each channel.
pub async fn viewers_called(
    store: &Store,
    name: &str,
    platform: Option<&str>,
    lines: u32,
) -> Result<Vec<ViewerView>, StoreError> {
    let mut found = Vec::new();
    for (platform, viewer) in store.viewers_called(name, platform, MOST).await? {
        let mut by_channel = Vec::new();
        for channel in store.channels_with_lines(&platform, &viewer.user.id).await? {
            let lines = store.recent_lines(&channel, &viewer.user.id, lines).await?;
            by_channel.push(ChannelLines { channel, lines });
        }
        found.push(ViewerView { platform, viewer, lines: by_channel });
    }
    Ok(found)
}
