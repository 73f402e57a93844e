//! How much memory a plugin may have. Growing beyond it fails inside the guest, which may live on; it is no trap.

use wasmtime::ResourceLimiter;

/// Function references in one table: far above what any language runtime has.
const TABLE_ELEMENTS: usize = 100_000;

pub(super) struct MemoryLimit {
    limit: usize,
    /// Of all linear memories together.
    used: usize,
}

impl MemoryLimit {
    pub(super) const fn new(limit: usize) -> Self {
        Self { limit, used: 0 }
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        let fits = used <= self.limit;
        if fits {
            self.used = used;
        }
        Ok(fits)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }
}
