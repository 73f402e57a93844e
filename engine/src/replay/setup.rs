//! Who is played, and with what: settings, limits, memory.

use super::journal::{Journal, KeptMemory};
use crate::config::settings::{Limits, Settings};
use crate::plugin::player::{Part, Version};
use crate::recording::Memory;

/// Which memory plugins begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MemoryChoice {
    /// That of the beginning where it was recorded, else that of the end.
    #[default]
    BestKnown,
    /// That of the beginning where it was recorded, else none.
    Recorded,
    /// That of the end.
    Latest,
    Empty,
}

/// Which memory a plugin got, and how many keys are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryOf {
    Beginning(usize),
    /// It may know already what is yet to come.
    End(usize),
    Nothing,
}

/// A plugin that is played.
#[derive(Clone)]
pub struct Member {
    pub version: Version,
    pub part: Part,
    pub memory: MemoryOf,
    /// When it had other settings than it is played with, in the midst of the stream.
    pub changed_ms: Option<u64>,
}

/// Says what a plugin is played with.
#[derive(Clone, Copy)]
pub struct Setup<'a> {
    pub journal: &'a Journal,
    /// Instead of what was recorded.
    pub settings: Option<&'a Settings>,
    pub memory: MemoryChoice,
}

impl Setup<'_> {
    /// `id` is whose place in the stream the version takes.
    pub fn member(&self, id: &str, version: Version) -> Member {
        let recorded = self.journal.plugin(id);
        let settings = match self.settings {
            Some(settings) => settings.plugins.get(id).cloned().unwrap_or_default(),
            None => recorded.map(|plugin| plugin.start.operator()).unwrap_or_default(),
        };
        let limits = self.settings.map_or_else(Limits::default, |settings| settings.host.limits.clone());
        let (memory, of) = self.memory(recorded.and_then(|plugin| plugin.memory.as_ref()));
        let part = Part {
            id: id.into(),
            settings,
            limits,
            memory,
            began_ms: self.journal.began_ms().unwrap_or_default(),
            own_calls: self.journal.own_calls.clone(),
        };
        let changed_ms = recorded.filter(|_| self.settings.is_none()).and_then(|plugin| plugin.changed_ms);
        Member { version, part, memory: of, changed_ms }
    }

    fn memory(&self, kept: Option<&KeptMemory>) -> (Memory, MemoryOf) {
        use MemoryChoice::{BestKnown, Latest, Recorded};
        match (kept, self.memory) {
            (Some(KeptMemory::Beginning(memory)), BestKnown | Recorded) => {
                (memory.clone(), MemoryOf::Beginning(memory.len()))
            }
            (Some(KeptMemory::End(memory)), BestKnown | Latest) => (memory.clone(), MemoryOf::End(memory.len())),
            _ => (Memory::new(), MemoryOf::Nothing),
        }
    }
}
