//! The zoo of hostile plugins: whatever a plugin does, the operator reads what it was, and nobody beside it notices.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may assume")]

mod denied;
mod ends;
mod sizes;
mod slow;
