//! `chat`: lines in the channels that the operator opened to the plugin.

use super::wit::chat::Host;
use crate::effect::{Action, Effect};
use crate::event::Channel;
use crate::plugin::guest::Guest;

impl Host for Guest {
    fn say(&mut self, platform: String, channel: String, text: String) -> Result<u32, String> {
        self.chat(&platform, &channel, Action::Say { text })
    }

    fn reply(&mut self, platform: String, channel: String, message_id: String, text: String) -> Result<u32, String> {
        self.chat(&platform, &channel, Action::Reply { message_id, text })
    }

    fn whisper(&mut self, platform: String, channel: String, user_id: String, text: String) -> Result<u32, String> {
        self.chat(&platform, &channel, Action::Whisper { user_id, text })
    }

    fn announce(&mut self, platform: String, channel: String, text: String) -> Result<u32, String> {
        self.chat(&platform, &channel, Action::Announce { text })
    }

    fn shoutout(&mut self, platform: String, channel: String, user_id: String) -> Result<u32, String> {
        self.chat(&platform, &channel, Action::Shoutout { user_id })
    }
}

impl Guest {
    fn chat(&mut self, platform: &str, channel: &str, action: Action) -> Result<u32, String> {
        self.check("chat", action.name()).map_err(|denied| denied.to_string())?;
        self.act(platform, channel, action)
    }

    /// Writes down what a platform is to do, if the operator opened the channel to the plugin.
    pub(super) fn act(&mut self, platform: &str, channel: &str, action: Action) -> Result<u32, String> {
        let channel = Channel::new(platform, channel);
        let open = self.context.channels.load();
        if !open.is_empty() && !open.contains(&channel) {
            return Err(format!("denied: channel {channel} is not among this plugin's channels"));
        }
        self.push_effect(Effect::Platform { channel, action })
    }
}
