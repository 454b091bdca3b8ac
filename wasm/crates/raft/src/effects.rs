//! What the engine has the host do, encoded.

use kairos_wire::Writer;
use prost::Message as _;
use raft::eraftpb::{ConfChangeV2, ConfState, Entry, EntryType, HardState, Message, Snapshot};
use raft::{ReadState, StateRole};

#[derive(Default)]
pub struct Effects {
    pub number: u64,
    pub messages: Vec<Message>,
    pub persisted_messages: Vec<Message>,
    pub entries: Vec<Entry>,
    pub hard_state: Option<HardState>,
    pub snapshot: Option<Snapshot>,
    pub committed: Vec<Entry>,
    pub reads: Vec<ReadState>,
    pub configuration: Option<ConfState>,
    /// messages that were none, or not for this node
    pub refused: u64,
}

pub struct Status {
    pub role: StateRole,
    pub leader: u64,
    pub term: u64,
    pub commit: u64,
    pub last: u64,
    /// id, match, active
    pub progress: Vec<(u64, u64, bool)>,
}

impl Effects {
    /// Adds entries to append; a later ready may replace the end of an earlier one.
    pub fn append(&mut self, entries: Vec<Entry>) {
        if let Some(first) = entries.first() {
            self.entries.retain(|entry| entry.index < first.index);
            self.entries.extend(entries);
        }
    }

    /// In the memory of `room`, whatever it holds.
    pub fn encode(&self, status: &Status, mut room: Vec<u8>) -> Vec<u8> {
        room.clear();
        let mut writer = Writer { bytes: room };
        writer.whole(self.number);
        writer.list(&self.messages, message);
        writer.list(&self.persisted_messages, message);
        writer.list(&self.entries, entry);
        writer.option(self.hard_state.as_ref(), |writer, hard_state| {
            writer.wholes(&[hard_state.term, hard_state.vote, hard_state.commit]);
        });
        writer.option(self.snapshot.as_ref(), snapshot);
        writer.list(&self.committed, |writer, committed| {
            entry(writer, committed);
            writer.bytes(&context_of(committed));
        });
        writer.list(&self.reads, |writer, read| {
            writer.whole(read.index);
            writer.bytes(&read.request_ctx);
        });
        writer.byte(match status.role {
            StateRole::Follower => 0,
            StateRole::Candidate => 1,
            StateRole::Leader => 2,
            StateRole::PreCandidate => 3,
        });
        writer.wholes(&[status.leader, status.term, status.commit, status.last]);
        writer.list(&status.progress, |writer, (id, matched, active)| {
            writer.whole(*id);
            writer.whole(*matched);
            writer.byte(u8::from(*active));
        });
        writer.option(self.configuration.as_ref(), configuration);
        writer.whole(self.refused);
        writer.bytes
    }
}

fn message(writer: &mut Writer, message: &Message) {
    writer.whole(message.to);
    encoded(writer, message);
    let offered = message.snapshot.as_ref().filter(|snapshot| snapshot.get_metadata().index > 0);
    writer.option(offered, snapshot);
}

/// Bytes as any others, written where they are to be.
fn encoded(writer: &mut Writer, message: &Message) {
    let from = writer.bytes.len();
    writer.raw(&[0; 4]);
    message.encode(&mut writer.bytes).expect("a Vec has room");
    let length = (writer.bytes.len() - from - 4) as u32;
    writer.bytes[from..from + 4].copy_from_slice(&length.to_le_bytes());
}

fn entry(writer: &mut Writer, entry: &Entry) {
    writer.whole(entry.index);
    writer.whole(entry.term);
    writer.byte(u8::from(entry.get_entry_type() != EntryType::EntryNormal));
    writer.bytes(&entry.data);
}

fn context_of(entry: &Entry) -> Vec<u8> {
    if entry.get_entry_type() == EntryType::EntryNormal {
        return Vec::new();
    }
    ConfChangeV2::decode(&entry.data[..]).map(|change| change.context).unwrap_or_default()
}

fn snapshot(writer: &mut Writer, snapshot: &Snapshot) {
    let metadata = snapshot.get_metadata();
    writer.whole(metadata.index);
    writer.whole(metadata.term);
    configuration(writer, metadata.get_conf_state());
    writer.bytes(&snapshot.data);
}

fn configuration(writer: &mut Writer, state: &ConfState) {
    for members in [&state.voters, &state.learners, &state.voters_outgoing, &state.learners_next] {
        writer.wholes(members);
    }
}
