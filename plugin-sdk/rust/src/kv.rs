//! The plugin's durable memory: at most 1 MiB in all, 64 KiB a value. It needs `kv = ["use"]`.
//!
//! A handler reads its own writes, and they are kept when it returns `Ok`. Typed values are stored as JSON. Keys have 1
//! to 256 bytes. Without the grant there is nothing to read, and writes are refused.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Refused, host};

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
pub fn set<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<(), Refused> {
    let bytes = serde_json::to_vec(value).map_err(|error| Refused::new(format!("the value of `{key}`: {error}")))?;
    set_bytes(key, &bytes)
}

/// The bytes of a key; `None` when there is none.
pub fn get_bytes(key: &str) -> Option<Vec<u8>> {
    host::kv::get(key)
}

/// Stores bytes as they are.
///
/// # Errors
/// When it is not granted or does not fit the quota.
pub fn set_bytes(key: &str, value: &[u8]) -> Result<(), Refused> {
    host::kv::set(key, value).map_err(Refused::new)
}

/// Forgets a key; it is no error when there is none.
///
/// # Errors
/// When it is not granted.
pub fn remove(key: &str) -> Result<(), Refused> {
    host::kv::remove(key).map_err(Refused::new)
}

/// Adds to a counter and returns the sum; a key that is not there counts as 0. What it holds is also read by
/// `kv::get::<i32>`.
///
/// # Errors
/// When it is not granted, does not fit the quota, what is stored there is no number, or the sum leaves the range of an
/// `i32`; then the counter stays as it was.
pub fn increment(key: &str, by: i32) -> Result<i32, Refused> {
    host::kv::increment(key, by).map_err(Refused::new)
}

/// At most `limit` keys that begin with `prefix`, in order; an empty prefix is that of all.
pub fn keys(prefix: &str, limit: u32) -> Vec<String> {
    host::kv::keys(prefix, limit)
}
