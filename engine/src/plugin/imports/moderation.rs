//! `moderation`: what moderators do. Each action needs its own grant.

use super::wit::moderation::Host;
use crate::effect::Action;
use crate::plugin::guest::Guest;

impl Host for Guest {
    fn remove_message(
        &mut self,
        platform: String,
        channel: String,
        message_id: String,
        reason: String,
    ) -> Result<u32, String> {
        self.moderate(&platform, &channel, Action::RemoveMessage { message_id, reason })
    }

    fn suspend(
        &mut self,
        platform: String,
        channel: String,
        user_id: String,
        seconds: Option<u32>,
        reason: String,
    ) -> Result<u32, String> {
        self.moderate(&platform, &channel, Action::Suspend { user_id, seconds, reason })
    }

    fn block(&mut self, platform: String, channel: String, user_id: String, reason: String) -> Result<u32, String> {
        self.moderate(&platform, &channel, Action::Block { user_id, reason })
    }

    fn lift(&mut self, platform: String, channel: String, user_id: String) -> Result<u32, String> {
        self.moderate(&platform, &channel, Action::Lift { user_id })
    }

    fn warn(&mut self, platform: String, channel: String, user_id: String, reason: String) -> Result<u32, String> {
        self.moderate(&platform, &channel, Action::Warn { user_id, reason })
    }

    fn resolve_held(
        &mut self,
        platform: String,
        channel: String,
        message_id: String,
        allow: bool,
    ) -> Result<u32, String> {
        self.moderate(&platform, &channel, Action::ResolveHeld { message_id, allow })
    }
}

impl Guest {
    fn moderate(&mut self, platform: &str, channel: &str, action: Action) -> Result<u32, String> {
        self.check("moderation", action.name()).map_err(|denied| denied.to_string())?;
        self.act(platform, channel, action)
    }
}
