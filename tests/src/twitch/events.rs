//! What happens in a room: a builder for every event type, with made-up values.

mod alerts;
mod audience;
pub(super) mod chat;
mod contests;
mod moderation;
mod notices;
mod points;
mod stream;
mod text;
