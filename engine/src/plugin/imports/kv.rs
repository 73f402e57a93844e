//! `kv`: a plugin's durable memory. It is small, so all of it is kept in memory; the store only hears of writes.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::wit::kv::Host;
use crate::effect::KvWrite;
use crate::plugin::guest::Guest;
use crate::recording::{Blob, Memory};

/// Keys are names, not values.
const KEY_BYTES: usize = 256;

/// What has been committed.
#[derive(Debug, Default)]
pub(in crate::plugin) struct Kv {
    entries: BTreeMap<String, Vec<u8>>,
    bytes: usize,
    /// Rises with every change.
    version: u64,
}

impl Kv {
    pub(in crate::plugin) fn new(entries: BTreeMap<String, Vec<u8>>) -> Self {
        let bytes = entries.iter().map(|(key, value)| key.len() + value.len()).sum();
        Self { entries, bytes, version: 0 }
    }

    /// Tells two states of it apart.
    pub(in crate::plugin) const fn version(&self) -> u64 {
        self.version
    }

    /// Takes over what a call that ended well has written.
    pub(in crate::plugin) fn apply(&mut self, writes: &[KvWrite]) {
        self.version += u64::from(!writes.is_empty());
        for write in writes {
            let (key, value) = match write {
                KvWrite::Set { key, value } => (key, Some(value)),
                KvWrite::Remove { key } => (key, None),
            };
            if let Some(old) = self.entries.remove(key) {
                self.bytes -= key.len() + old.len();
            }
            if let Some(value) = value {
                self.bytes += key.len() + value.len();
                self.entries.insert(key.clone(), value.clone());
            }
        }
    }

    /// As it is recorded.
    pub(in crate::plugin) fn to_memory(&self) -> Memory {
        self.entries.iter().map(|(key, value)| (key.clone(), Blob(value.clone()))).collect()
    }

    fn size_of(&self, key: &str) -> usize {
        self.entries.get(key).map_or(0, |value| key.len() + value.len())
    }
}

/// What the call under way has written: seen by its own reads only.
#[derive(Debug, Default)]
pub(in crate::plugin) struct Overlay {
    changes: BTreeMap<String, Option<Vec<u8>>>,
    /// Whether the call has looked at the memory at all, or written to it.
    is_used: bool,
}

impl Overlay {
    pub(in crate::plugin) const fn is_used(&self) -> bool {
        self.is_used
    }

    pub(in crate::plugin) fn into_writes(self) -> Vec<KvWrite> {
        self.changes
            .into_iter()
            .map(|(key, value)| match value {
                Some(value) => KvWrite::Set { key, value },
                None => KvWrite::Remove { key },
            })
            .collect()
    }

    fn get<'a>(&'a self, kv: &'a Kv, key: &str) -> Option<&'a Vec<u8>> {
        match self.changes.get(key) {
            Some(change) => change.as_ref(),
            None => kv.entries.get(key),
        }
    }

    /// The size of the whole memory as the call under way sees it.
    fn bytes(&self, kv: &Kv) -> usize {
        self.changes.iter().fold(kv.bytes, |bytes, (key, value)| {
            bytes - kv.size_of(key) + value.as_ref().map_or(0, |value| key.len() + value.len())
        })
    }

    fn set(&mut self, kv: &Kv, quota: Quota, key: String, value: Vec<u8>) -> Result<(), String> {
        if key.is_empty() || key.len() > KEY_BYTES {
            return Err(format!("limit: a key has 1 to {KEY_BYTES} bytes"));
        }
        if value.len() > quota.value_bytes {
            return Err(format!(
                "limit: a value may have at most {} bytes, this one has {}",
                quota.value_bytes,
                value.len()
            ));
        }
        let old = self.get(kv, &key).map_or(0, |value| key.len() + value.len());
        let after = self.bytes(kv) - old + key.len() + value.len();
        if after > quota.bytes && after > self.bytes(kv) {
            return Err(format!("limit: a plugin may keep at most {} bytes, this would make {after}", quota.bytes));
        }
        self.changes.insert(key, Some(value));
        Ok(())
    }

    /// What is not there leaves no trace: no quota counts the keys of what is removed.
    fn remove(&mut self, kv: &Kv, key: String) {
        if kv.entries.contains_key(&key) {
            self.changes.insert(key, None);
        } else {
            self.changes.remove(&key);
        }
    }

    fn keys(&self, kv: &Kv, prefix: &str, limit: usize) -> Vec<String> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let kept = kv.entries.range::<str, _>(from).map(|(key, _)| key).filter(|key| !self.changes.contains_key(*key));
        let changed = self.changes.range::<str, _>(from).filter(|(_, value)| value.is_some()).map(|(key, _)| key);
        let within = |key: &&String| key.starts_with(prefix);
        let mut keys: Vec<String> =
            kept.take_while(within).take(limit).chain(changed.take_while(within).take(limit)).cloned().collect();
        keys.sort_unstable();
        keys.truncate(limit);
        keys
    }
}

#[derive(Debug, Clone, Copy)]
struct Quota {
    bytes: usize,
    value_bytes: usize,
}

impl Host for Guest {
    fn get(&mut self, key: String) -> Option<Vec<u8>> {
        self.use_memory().ok()?;
        self.overlay.get(&self.context.kv(), &key).cloned()
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), String> {
        self.use_memory()?;
        let quota = self.quota();
        let mut overlay = std::mem::take(&mut self.overlay);
        let result = overlay.set(&self.context.kv(), quota, key, value);
        self.overlay = overlay;
        result
    }

    fn remove(&mut self, key: String) -> Result<(), String> {
        self.use_memory()?;
        let mut overlay = std::mem::take(&mut self.overlay);
        overlay.remove(&self.context.kv(), key);
        self.overlay = overlay;
        Ok(())
    }

    fn increment(&mut self, key: String, by: i32) -> Result<i32, String> {
        self.use_memory()?;
        let count = match self.overlay.get(&self.context.kv(), &key) {
            None => 0,
            Some(value) => std::str::from_utf8(value)
                .ok()
                .and_then(|text| text.parse::<i32>().ok())
                .ok_or_else(|| format!("`{key}` holds no number, so it can't be counted up"))?,
        };
        let sum = count.checked_add(by).ok_or_else(|| format!("`{key}` would leave the range of 32 bits"))?;
        Host::set(self, key, sum.to_string().into_bytes())?;
        Ok(sum)
    }

    fn keys(&mut self, prefix: String, limit: u32) -> Vec<String> {
        if self.use_memory().is_err() {
            return Vec::new();
        }
        self.overlay.keys(&self.context.kv(), &prefix, usize::try_from(limit).unwrap_or(usize::MAX))
    }
}

impl Guest {
    fn use_memory(&mut self) -> Result<(), String> {
        self.check("kv", "use").map_err(|denied| denied.to_string())?;
        self.overlay.is_used = true;
        Ok(())
    }

    fn quota(&self) -> Quota {
        Quota { bytes: self.context.limits.kv_bytes, value_bytes: self.context.limits.kv_value_bytes }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUOTA: Quota = Quota { bytes: 64, value_bytes: 16 };

    #[test]
    fn reads_see_the_writes_of_the_same_call() {
        let kv = Kv::new(BTreeMap::from([("a".into(), b"1".to_vec()), ("b".into(), b"2".to_vec())]));
        let mut overlay = Overlay::default();
        overlay.set(&kv, QUOTA, "c".into(), b"3".to_vec()).unwrap();
        overlay.remove(&kv, "a".into());
        assert_eq!(overlay.get(&kv, "a"), None);
        assert_eq!(overlay.keys(&kv, "", 10), ["b", "c"]);
        assert_eq!(overlay.keys(&kv, "", 1), ["b"]);
        assert_eq!(kv.entries.len(), 2, "nothing is committed yet");
    }

    #[test]
    fn the_quota_holds() {
        let kv = Kv::default();
        let mut overlay = Overlay::default();
        assert!(overlay.set(&kv, QUOTA, "long".into(), vec![0; 17]).unwrap_err().contains("at most 16 bytes"));
        for number in 0..3 {
            overlay.set(&kv, QUOTA, format!("key{number}"), vec![0; 16]).unwrap();
        }
        assert!(overlay.set(&kv, QUOTA, "key4".into(), vec![0; 16]).unwrap_err().contains("at most 64 bytes"));
        overlay.set(&kv, QUOTA, "key0".into(), vec![0; 2]).unwrap();
    }

    #[test]
    fn removing_what_is_not_there_keeps_nothing() {
        let kv = Kv::new(BTreeMap::from([("kept".into(), b"1".to_vec())]));
        let mut overlay = Overlay::default();
        for number in 0..10_000 {
            overlay.remove(&kv, format!("unknown{number}"));
            overlay.set(&kv, QUOTA, format!("short{number}"), b"2".to_vec()).unwrap();
            overlay.remove(&kv, format!("short{number}"));
        }
        assert_eq!(overlay.changes.len(), 0);
        overlay.set(&kv, QUOTA, "kept".into(), b"2".to_vec()).unwrap();
        overlay.remove(&kv, "kept".into());
        assert_eq!(overlay.into_writes(), [KvWrite::Remove { key: "kept".into() }]);
    }

    proptest! {
        /// Whatever is written, the count of bytes is that of what is there.
        #[test]
        fn bytes_are_counted_right(writes in proptest::collection::vec(("[a-d]", proptest::option::of(0usize..20)), 0..40)) {
            let mut kv = Kv::default();
            for (key, size) in writes {
                let mut overlay = Overlay::default();
                overlay.changes.insert(key, size.map(|size| vec![0; size]));
                let expected = overlay.bytes(&kv);
                kv.apply(&overlay.into_writes());
                prop_assert_eq!(kv.bytes, expected);
                prop_assert_eq!(kv.bytes, kv.entries.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>());
            }
        }
    }
}
