//! The greeter of `tests/fixtures/v0_1_0`, as an Extism plugin: an event comes in as JSON, what is to be done goes out
//! as JSON. It answers `!hello`, counts, and passes on everything else.

#![no_std]

extern crate alloc;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

// The comparison of memory, which the standard library would bring along.
#[link(name = "c")]
unsafe extern "C" {}

// The host's side, as Extism documents it for plugins without its kit.
#[link(wasm_import_module = "extism:host/env")]
unsafe extern "C" {
    fn input_length() -> u64;
    fn input_load_u8(at: u64) -> u32;
    fn input_load_u64(at: u64) -> u64;
    fn alloc(length: u64) -> u64;
    fn store_u8(at: u64, byte: u32);
    fn store_u64(at: u64, bytes: u64);
    fn output_set(at: u64, length: u64);
}

/// The whole event is read, as the typed call does it, whatever of it is needed.
#[derive(Deserialize)]
#[allow(dead_code, reason = "what is measured is that they arrive")]
struct Envelope {
    id: String,
    sequence: u64,
    at_ms: u64,
    channel: Channel,
    event: Event,
    #[serde(default)]
    extra: Option<String>,
}

#[derive(Deserialize)]
struct Channel {
    platform: String,
    id: String,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[allow(dead_code, reason = "as above")]
enum Event {
    Chat(ChatMessage),
    Gift { giver: Option<User>, recipients: Vec<User>, count: u32, tier: String, total: Option<u32> },
    Raid { source: User, viewers: u32 },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "as above")]
struct ChatMessage {
    id: String,
    author: User,
    text: String,
    #[serde(default)]
    spans: Vec<Span>,
    #[serde(default)]
    reply_to: Option<String>,
    #[serde(default)]
    command: Option<Command>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "as above")]
struct User {
    id: String,
    login: String,
    display_name: String,
    #[serde(default)]
    badges: Vec<String>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "as above")]
struct Span {
    kind: String,
    start: u32,
    length: u32,
    value: String,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "as above")]
struct Command {
    name: String,
    args: String,
}

#[derive(Serialize)]
#[serde(tag = "disposition", rename_all = "kebab-case")]
enum Answer {
    Passed,
    Handled { platform: String, channel: String, reply_to: String, text: String, hellos: u32 },
}

#[unsafe(no_mangle)]
pub extern "C" fn handle() -> i32 {
    static HELLOS: core::sync::atomic::AtomicU32 = core::sync::atomic::AtomicU32::new(0);
    let Ok(envelope) = serde_json::from_slice::<Envelope>(&input()) else { return 1 };
    let answer = match envelope.event {
        Event::Chat(message) if message.command.as_ref().is_some_and(|command| command.name == "hello") => {
            let hellos = HELLOS.fetch_add(1, core::sync::atomic::Ordering::Relaxed) + 1;
            let text = format!("Hello {}!", message.author.display_name);
            let Channel { platform, id: channel } = envelope.channel;
            Answer::Handled { platform, channel, reply_to: message.id, text, hellos }
        }
        _ => Answer::Passed,
    };
    let Ok(answer) = serde_json::to_vec(&answer) else { return 1 };
    output(&answer);
    0
}

/// Does nothing: what a call costs.
#[unsafe(no_mangle)]
pub extern "C" fn nothing() -> i32 {
    0
}

fn input() -> Vec<u8> {
    // SAFETY: the host answers for every position below the length.
    unsafe {
        let length = input_length();
        let mut bytes = Vec::with_capacity(length as usize);
        let whole = length - length % 8;
        for at in (0..whole).step_by(8) {
            bytes.extend_from_slice(&input_load_u64(at).to_le_bytes());
        }
        for at in whole..length {
            bytes.push(input_load_u8(at) as u8);
        }
        bytes
    }
}

fn output(bytes: &[u8]) {
    // SAFETY: every position is within what was just allocated.
    unsafe {
        let length = bytes.len() as u64;
        let at = alloc(length);
        let (words, rest) = bytes.as_chunks::<8>();
        for (index, word) in words.iter().enumerate() {
            store_u64(at + index as u64 * 8, u64::from_le_bytes(*word));
        }
        for (index, byte) in rest.iter().enumerate() {
            store_u8(at + (words.len() * 8 + index) as u64, u32::from(*byte));
        }
        output_set(at, length);
    }
}
