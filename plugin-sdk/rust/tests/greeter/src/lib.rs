//! The plugin of the READMEs, as its author has it. `tests/tutorial.rs` holds them to it.

use showrunner_sdk::prelude::*;

struct Greeter;

impl Plugin for Greeter {
    fn new() -> Result<Self, String> {
        Ok(Self)
    }

    fn on_command(&mut self, envelope: &Envelope, message: &ChatMessage, command: &Command) -> Answer {
        if command.name != "hello" {
            return Ok(Passed);
        }
        chat::reply(envelope, format!("Hello {}!", message.author.shown_name()))?;
        Ok(Handled)
    }
}

showrunner_sdk::export!(Greeter);

#[cfg(test)]
mod tests {
    use super::Greeter;
    use showrunner_sdk::testing::{Harness, Setup, event};

    #[test]
    fn it_greets() {
        let setup = Setup::new().manifest(include_str!("../plugin.toml"));
        let mut harness: Harness<Greeter> = Harness::start(setup).unwrap();
        assert_eq!(harness.push(event::chat("Alice", "!hello")).texts(), ["Hello Alice!"]);
        assert!(!harness.push(event::chat("Alice", "hello")).was_delivered());
    }
}
