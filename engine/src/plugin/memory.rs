//! How much memory a plugin may have. Growing beyond it fails inside the guest, which may live on; it is no trap.

use wasmtime::ResourceLimiter;

/// Function references in all tables together: far above what any language runtime has.
const TABLE_ELEMENTS: usize = 100_000;

/// What one component may be made of: several times what the largest language runtimes are. Each piece costs the host
/// memory of its own, which no other limit counts.
const INSTANCES: usize = 256;
const MEMORIES: usize = 32;
const TABLES: usize = 128;

pub(super) struct MemoryLimit {
    limit: usize,
    /// Of all linear memories together.
    used: usize,
    table_elements: usize,
    /// Whether it was refused more in the call under way.
    refused: bool,
}

impl MemoryLimit {
    pub(super) const fn new(limit: usize) -> Self {
        Self { limit, used: 0, table_elements: 0, refused: false }
    }

    pub(super) const fn begin(&mut self) {
        self.refused = false;
    }

    /// The limit, when the guest asked for more than that in the call under way. What traps then most often trapped
    /// because of it, and the trap itself says nothing of memory.
    pub(super) const fn exceeded(&self) -> Option<usize> {
        if self.refused { Some(self.limit) } else { None }
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        let fits = used <= self.limit;
        if fits {
            self.used = used;
        } else {
            self.refused = true;
        }
        Ok(fits)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let elements = self.table_elements.saturating_add(desired.saturating_sub(current));
        let fits = elements <= TABLE_ELEMENTS;
        if fits {
            self.table_elements = elements;
        }
        Ok(fits)
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }

    fn tables(&self) -> usize {
        TABLES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_the_sum_of_all_memories_and_of_all_tables() {
        let mut limit = MemoryLimit::new(100);
        assert!(limit.memory_growing(0, 60, None).unwrap());
        assert!(!limit.memory_growing(0, 60, None).unwrap(), "a second one");
        assert!(limit.memory_growing(60, 100, None).unwrap(), "what was refused was not taken");
        assert!(limit.table_growing(0, TABLE_ELEMENTS - 1, None).unwrap());
        assert!(!limit.table_growing(0, 2, None).unwrap());
        assert!(limit.table_growing(0, 1, None).unwrap());
        assert_eq!(limit.exceeded(), Some(100));
        limit.begin();
        assert_eq!(limit.exceeded(), None, "what was refused in an earlier call is past");
    }
}
