//! The log as the engine reads it: entries that the host has been given to make durable, and the last snapshot's place.

use raft::eraftpb::{ConfState, Entry, HardState, Snapshot, SnapshotMetadata};
use raft::{Error, GetEntriesContext, RaftState, Result, Storage, StorageError};
use std::collections::VecDeque;

pub struct Log {
    pub hard_state: HardState,
    /// in force at the applied index when the engine started
    pub configuration: ConfState,
    /// index and term of the entry before the first
    pub compacted: (u64, u64),
    entries: VecDeque<Entry>,
    /// the newest that the host holds durably
    pub snapshot: Snapshot,
}

impl Log {
    /// A log that begins after its snapshot, without entries yet.
    pub fn new(hard_state: HardState, configuration: ConfState, snapshot: Snapshot) -> Self {
        let compacted = (snapshot.get_metadata().index, snapshot.get_metadata().term);
        Self { hard_state, configuration, compacted, entries: VecDeque::new(), snapshot }
    }

    pub fn first(&self) -> u64 {
        self.compacted.0 + 1
    }

    pub fn last(&self) -> u64 {
        self.compacted.0 + self.entries.len() as u64
    }

    /// Takes entries in, in place of what there is from the first one's index on. They follow on what there is: the
    /// engine made them so.
    pub fn append(&mut self, entries: &[Entry]) {
        if let Some(first) = entries.first() {
            self.entries.truncate(first.index.saturating_sub(self.first()) as usize);
            self.entries.extend(entries.iter().cloned());
        }
    }

    /// A leader's snapshot takes the place of everything.
    pub fn install(&mut self, snapshot: &Snapshot) {
        let metadata = snapshot.get_metadata();
        self.entries.clear();
        self.compacted = (metadata.index, metadata.term);
        self.hard_state.commit = self.hard_state.commit.max(metadata.index);
        self.configuration = metadata.get_conf_state().clone();
        self.snapshot = snapshot.clone();
    }

    /// Forgets entries up to `index`, which is one of them.
    pub fn compact(&mut self, index: u64) {
        if index < self.first() || index > self.last() {
            return;
        }
        let count = (index - self.compacted.0) as usize;
        self.compacted = (index, self.entries[count - 1].term);
        self.entries.drain(..count);
    }

    fn at(&self, index: u64) -> Option<&Entry> {
        self.entries.get(index.checked_sub(self.first())? as usize)
    }
}

impl Storage for Log {
    fn initial_state(&self) -> Result<RaftState> {
        Ok(RaftState::new(self.hard_state.clone(), self.configuration.clone()))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _: GetEntriesContext,
    ) -> Result<Vec<Entry>> {
        if low < self.first() {
            return Err(Error::Store(StorageError::Compacted));
        }
        if high > self.last() + 1 {
            return Err(Error::Store(StorageError::Unavailable));
        }
        let start = (low - self.first()) as usize;
        let mut entries: Vec<Entry> = self.entries.range(start..start + (high - low) as usize).cloned().collect();
        raft::util::limit_size(&mut entries, max_size.into());
        Ok(entries)
    }

    fn term(&self, index: u64) -> Result<u64> {
        if index == self.compacted.0 {
            return Ok(self.compacted.1);
        }
        let missing = if index < self.compacted.0 { StorageError::Compacted } else { StorageError::Unavailable };
        self.at(index).map(|entry| entry.term).ok_or(Error::Store(missing))
    }

    fn first_index(&self) -> Result<u64> {
        Ok(self.first())
    }

    fn last_index(&self) -> Result<u64> {
        Ok(self.last())
    }

    /// Who is no member in a snapshot's own configuration would refuse it: it waits for a newer one.
    fn snapshot(&self, request_index: u64, to: u64) -> Result<Snapshot> {
        let metadata = self.snapshot.get_metadata();
        let state = metadata.get_conf_state();
        let members = [&state.voters, &state.learners, &state.voters_outgoing, &state.learners_next];
        let is_member = members.iter().any(|ids| ids.contains(&to));
        if metadata.index == 0 || metadata.index < request_index || !is_member {
            return Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable));
        }
        Ok(self.snapshot.clone())
    }
}

pub fn snapshot_of(index: u64, term: u64, configuration: ConfState, root: &[u8]) -> Snapshot {
    let metadata = SnapshotMetadata { conf_state: Some(configuration), index, term };
    Snapshot { data: root.to_vec(), metadata: Some(metadata) }
}
