//! `alerts`: what the overlay shows.

use super::wit::alerts::{Alert, Host};
use crate::effect::{self, Effect};
use crate::plugin::guest::Guest;

impl Host for Guest {
    fn show(&mut self, alert: Alert) -> Result<u32, String> {
        self.check("alerts", "show").map_err(|denied| denied.to_string())?;
        let alert = effect::Alert {
            kind: alert.kind,
            title: alert.title,
            text: alert.text,
            image: alert.image,
            sound: alert.sound,
            duration_ms: alert.duration_ms,
        };
        self.push_effect(Effect::Alert(alert))
    }
}
