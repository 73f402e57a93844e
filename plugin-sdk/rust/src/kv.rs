//! The plugin's durable memory: at most 1 MiB in all, 64 KiB a value. It needs `kv = ["use"]`.
//!
//! A handler reads its own writes, and they are kept when it returns `Ok`. Typed values are stored as JSON. Keys have 1
//! to 256 bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::host;

/// The value of a key; `None` when there is none.
///
/// # Errors
/// When what is stored there is no `T`.
pub fn get<T: DeserializeOwned>(key: &str) -> Result<Option<T>, String> {
    let Some(bytes) = host::kv::get(key) else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| format!("the stored value of `{key}`: {error}"))
}

/// Stores a value.
///
/// # Errors
/// When it is not granted, does not fit the quota, or is not representable as JSON.
pub fn set<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<(), String> {
    let bytes = serde_json::to_vec(value).map_err(|error| format!("the value of `{key}`: {error}"))?;
    host::kv::set(key, &bytes)
}

/// The bytes of a key; `None` when there is none.
pub fn get_bytes(key: &str) -> Option<Vec<u8>> {
    host::kv::get(key)
}

/// Stores bytes as they are.
///
/// # Errors
/// When it is not granted or does not fit the quota.
pub fn set_bytes(key: &str, value: &[u8]) -> Result<(), String> {
    host::kv::set(key, value)
}

/// Forgets a key; it is no error when there is none.
///
/// # Errors
/// When it is not granted.
pub fn remove(key: &str) -> Result<(), String> {
    host::kv::remove(key)
}

/// Adds to a counter and returns the sum; a key that is not there counts as 0.
///
/// # Errors
/// When it is not granted, does not fit the quota, what is stored there is no number, or the sum leaves the range of an
/// `i32`; then the counter stays as it was.
pub fn increment(key: &str, by: i32) -> Result<i32, String> {
    host::kv::increment(key, by)
}

/// At most `limit` keys that begin with `prefix`, in order.
pub fn keys(prefix: &str, limit: u32) -> Vec<String> {
    host::kv::keys(prefix, limit)
}
