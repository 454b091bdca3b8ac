//! What the host tells the engine, decoded and checked.

use crate::storage::{Log, snapshot_of};
use kairos_wire::{Malformed, Reader};
use raft::eraftpb::{ConfChangeSingle, ConfChangeType, ConfState, Entry, EntryType, HardState, Snapshot};

pub enum Input<'a> {
    Tick,
    Step(Vec<Step<'a>>),
    Propose(Vec<&'a [u8]>),
    Change(Vec<ConfChangeSingle>, &'a [u8]),
    Read(&'a [u8]),
    Persisted(u64),
    Applied(u64),
    Configure(&'a [u8]),
    Transfer(u64),
    Campaign,
    Unreachable(u64),
    SnapshotSent(u64, bool),
    Snapshot(Snapshot, u64),
}

/// A message of a member as it came: in an envelope, which the transport vouches for.
pub struct Step<'a> {
    pub from: u64,
    /// index and root of a snapshot whose blocks are here
    pub snapshot: Option<(u64, &'a [u8])>,
    pub bytes: &'a [u8],
}

pub fn decode(bytes: &[u8]) -> Result<Input<'_>, Malformed> {
    let mut reader = Reader::new(bytes);
    let input = match reader.byte()? {
        0 => Input::Tick,
        1 => Input::Step(reader.list(13, step)?),
        2 => Input::Propose(reader.list(4, Reader::bytes)?),
        3 => Input::Change(reader.list(9, change)?, reader.bytes()?),
        4 => Input::Read(reader.bytes()?),
        5 => Input::Persisted(reader.whole()?),
        6 => Input::Applied(reader.whole()?),
        7 => Input::Configure(reader.bytes()?),
        8 => Input::Transfer(reader.whole()?),
        9 => Input::Campaign,
        10 => Input::Unreachable(reader.whole()?),
        11 => Input::SnapshotSent(reader.whole()?, reader.bool()?),
        12 => Input::Snapshot(snapshot(&mut reader)?, reader.whole()?),
        _ => return Err(Malformed),
    };
    reader.end()?;
    Ok(input)
}

/// What a node starts from.
pub struct Start {
    pub id: u64,
    pub applied: u64,
    pub election_ticks: u64,
    pub heartbeat_ticks: u64,
    pub seed: u64,
    pub log: Log,
}

/// Refuses a log that does not hang together: the engine would trap on it.
pub fn decode_start(bytes: &[u8]) -> Result<Start, Malformed> {
    let mut reader = Reader::new(bytes);
    let (id, applied) = (reader.whole()?, reader.whole()?);
    let (election_ticks, heartbeat_ticks, seed) = (reader.whole()?, reader.whole()?, reader.whole()?);
    let hard_state = HardState { term: reader.whole()?, vote: reader.whole()?, commit: reader.whole()? };
    let configuration = configuration(&mut reader)?;
    let snapshot = snapshot(&mut reader)?;
    let entries = reader.list(21, entry)?;
    reader.end()?;
    let (index, term) = (snapshot.get_metadata().index, snapshot.get_metadata().term);
    let mut log = Log::new(hard_state, configuration, snapshot);
    let mut before = (index, term);
    for entry in &entries {
        if entry.index != before.0 + 1 || entry.term < before.1 || entry.term > log.hard_state.term {
            return Err(Malformed);
        }
        before = (entry.index, entry.term);
    }
    log.append(&entries);
    let is_ranged = index <= applied && applied <= log.hard_state.commit && log.hard_state.commit <= log.last();
    let is_timed = (1..1000).contains(&heartbeat_ticks) && (heartbeat_ticks + 1..10_000).contains(&election_ticks);
    if id == 0 || !is_ranged || !is_timed {
        return Err(Malformed);
    }
    Ok(Start { id, applied, election_ticks, heartbeat_ticks, seed, log })
}

fn step<'a>(reader: &mut Reader<'a>) -> Result<Step<'a>, Malformed> {
    let (from, bytes) = (reader.whole()?, reader.bytes()?);
    let snapshot = if reader.bool()? { Some((reader.whole()?, reader.bytes()?)) } else { None };
    Ok(Step { from, snapshot, bytes })
}

fn change(reader: &mut Reader) -> Result<ConfChangeSingle, Malformed> {
    let kind = match reader.byte()? {
        0 => ConfChangeType::AddNode,
        1 => ConfChangeType::AddLearnerNode,
        2 => ConfChangeType::RemoveNode,
        _ => return Err(Malformed),
    };
    let mut change = ConfChangeSingle { node_id: reader.whole()?, ..Default::default() };
    change.set_change_type(kind);
    if change.node_id == 0 { Err(Malformed) } else { Ok(change) }
}

fn configuration(reader: &mut Reader) -> Result<ConfState, Malformed> {
    let [voters, learners, voters_outgoing, learners_next] =
        [reader.wholes()?, reader.wholes()?, reader.wholes()?, reader.wholes()?];
    let auto_leave = !voters_outgoing.is_empty();
    Ok(ConfState { voters, learners, voters_outgoing, learners_next, auto_leave })
}

fn snapshot(reader: &mut Reader) -> Result<Snapshot, Malformed> {
    let (index, term) = (reader.whole()?, reader.whole()?);
    let configuration = configuration(reader)?;
    let root = reader.bytes()?;
    Ok(snapshot_of(index, term, configuration, root))
}

fn entry(reader: &mut Reader) -> Result<Entry, Malformed> {
    let (index, term) = (reader.whole()?, reader.whole()?);
    let is_change = reader.bool()?;
    let mut entry = Entry { index, term, data: reader.bytes()?.to_vec(), ..Default::default() };
    entry.set_entry_type(if is_change { EntryType::EntryConfChangeV2 } else { EntryType::EntryNormal });
    Ok(entry)
}
