//! Which messages of members the crate is given. It trusts who speaks to it, and traps on what a member that keeps the
//! rules never sends; here is all that such a member does send.

use crate::input::Step;
use crate::storage::Log;
use kairos_wire::MAX_WHOLE;
use prost::Message as _;
use raft::eraftpb::{
    ConfChangeSingle, ConfChangeTransition, ConfChangeType, ConfChangeV2, ConfState, Entry, EntryType, Message,
    MessageType, Snapshot,
};
use raft::{Raft, StateRole};

/// Data of one entry. An append holds this, or `MAX_APPEND` of smaller ones and at most half as much again for their
/// frames (6 bytes to an entry of 4 or more): less than the 1 MiB that a transport takes.
pub const MAX_ENTRY: usize = 512 << 10;
/// Of a question of a read, and of what a candidate or a heartbeat says besides.
const MAX_CONTEXT: usize = 64;
/// Entries that one message proposes.
const MAX_PROPOSED: usize = 4096;
/// Ids that one configuration, or a change of one, names.
const MAX_NAMED: usize = 256;
// Room for counting on from whatever a member says.
const MAX_COUNT: u64 = MAX_WHOLE / 2;
// Elections that a member may have missed.
const MAX_TERM_STEP: u64 = 1 << 32;

/// Whether the crate can take a message in its present state.
pub fn is_sound(step: &Step, message: &Message, raft: &Raft<Log>) -> bool {
    // Who forwards a proposal or a question signs it: nobody speaks for another.
    let is_ours = message.to == raft.id && message.from == step.from && ![0, raft.id].contains(&step.from);
    // The crate's accessors trap on a number that names nothing.
    let is_known = MessageType::from_i32(message.msg_type).is_some();
    is_known
        && is_ours
        && is_counted(message, raft.term)
        && is_offered(step, message)
        && is_whole(message)
        && is_here(message, raft)
}

fn is_counted(message: &Message, term: u64) -> bool {
    let Message { index, log_term, commit, commit_term, reject_hint, .. } = *message;
    [message.term, index, log_term, commit, commit_term, reject_hint].iter().all(|count| *count < MAX_COUNT)
        && message.term <= term + MAX_TERM_STEP
        && message.context.len() <= MAX_CONTEXT
        // Nobody in a cell uses these.
        && (message.request_snapshot, message.priority, message.deprecated_priority) == (0, 0, 0)
}

/// The blocks of a snapshot come before its message: those that the envelope names.
fn is_offered(step: &Step, message: &Message) -> bool {
    let is_empty = |snapshot: &Snapshot| *snapshot == Snapshot::default();
    match (message.get_msg_type(), step.snapshot) {
        (MessageType::MsgSnapshot, Some((index, root))) => {
            let snapshot = message.get_snapshot();
            snapshot.get_metadata().index == index && snapshot.data == root
        }
        (MessageType::MsgSnapshot, None) | (_, Some(_)) => false,
        (_, None) => message.snapshot.as_ref().is_none_or(is_empty),
    }
}

/// By itself, whatever the receiver's state.
fn is_whole(message: &Message) -> bool {
    let entries = &message.entries;
    match message.get_msg_type() {
        MessageType::MsgPropose => {
            message.term == 0 && (1..=MAX_PROPOSED).contains(&entries.len()) && entries.iter().all(is_command)
        }
        MessageType::MsgReadIndex => message.term == 0 && is_question(entries),
        MessageType::MsgReadIndexResp => message.term > 0 && is_question(entries),
        MessageType::MsgAppend => message.term > 0 && is_run(message),
        MessageType::MsgSnapshot => {
            let snapshot = message.get_snapshot().get_metadata();
            let is_placed = (1..MAX_COUNT).contains(&snapshot.index) && (1..=message.term).contains(&snapshot.term);
            entries.is_empty() && is_placed && is_configuration(snapshot.get_conf_state())
        }
        MessageType::MsgAppendResponse
        | MessageType::MsgRequestVote
        | MessageType::MsgRequestVoteResponse
        | MessageType::MsgRequestPreVote
        | MessageType::MsgRequestPreVoteResponse
        | MessageType::MsgHeartbeat
        | MessageType::MsgHeartbeatResponse
        | MessageType::MsgTimeoutNow => message.term > 0 && entries.is_empty(),
        _ => false,
    }
}

/// Against what the receiver has.
fn is_here(message: &Message, raft: &Raft<Log>) -> bool {
    let last = raft.raft_log.last_index();
    let is_of_term = message.term == raft.term;
    // A term has one leader.
    let is_leader = !is_of_term || [0, message.from].contains(&raft.leader_id);
    match message.get_msg_type() {
        MessageType::MsgHeartbeat => is_leader && (message.term < raft.term || message.commit <= last),
        MessageType::MsgAppend | MessageType::MsgReadIndexResp => is_leader,
        MessageType::MsgSnapshot => {
            let snapshot = message.get_snapshot().get_metadata();
            let is_other = || !raft.raft_log.match_term(snapshot.index, snapshot.term);
            is_leader && !(snapshot.index == raft.raft_log.committed && is_other())
        }
        MessageType::MsgAppendResponse => {
            let is_answer = raft.state == StateRole::Leader && is_of_term;
            !is_answer || (message.index <= last && message.reject_hint <= last)
        }
        _ => true,
    }
}

fn is_plain(entry: &Entry) -> bool {
    entry.data.len() <= MAX_ENTRY && entry.context.is_empty()
}

/// The configuration is changed by who leads, never for another.
fn is_command(entry: &Entry) -> bool {
    is_plain(entry) && !entry.data.is_empty() && entry.entry_type == EntryType::EntryNormal as i32
}

fn is_question(entries: &[Entry]) -> bool {
    entries.len() == 1 && is_command(&entries[0]) && entries[0].data.len() <= MAX_CONTEXT
}

/// A contiguous piece of a log.
fn is_run(message: &Message) -> bool {
    let mut before = (message.index, message.log_term);
    if (message.index == 0) != (message.log_term == 0) {
        return false;
    }
    for entry in &message.entries {
        let follows = entry.index == before.0 + 1 && entry.term >= before.1.max(1) && entry.term <= message.term;
        if !follows || !is_plain(entry) || !(entry.entry_type == EntryType::EntryNormal as i32 || is_change(entry)) {
            return false;
        }
        before = (entry.index, entry.term);
    }
    true
}

fn is_change(entry: &Entry) -> bool {
    entry.entry_type == EntryType::EntryConfChangeV2 as i32 && change_of(&entry.data).is_some()
}

/// The crate takes a change without looking whether it knows its kinds.
pub fn change_of(data: &[u8]) -> Option<ConfChangeV2> {
    let is_one = |one: &ConfChangeSingle| {
        (1..MAX_WHOLE).contains(&one.node_id) && ConfChangeType::from_i32(one.change_type).is_some()
    };
    let change = ConfChangeV2::decode(data).ok()?;
    let is_named = change.changes.len() <= MAX_NAMED && change.changes.iter().all(is_one);
    (is_named && ConfChangeTransition::from_i32(change.transition).is_some()).then_some(change)
}

/// One that the crate can have reached by changes: everybody votes or learns, and nobody twice.
fn is_configuration(state: &ConfState) -> bool {
    let ConfState { voters, learners, voters_outgoing, learners_next, auto_leave } = state;
    let is_joint = !voters_outgoing.is_empty();
    let are_apart = |one: &[u64], other: &[u64]| one.iter().all(|id| !other.contains(id));
    let is_set = |ids: &&Vec<u64>| {
        let are_ids = ids.len() <= MAX_NAMED && ids.iter().all(|id| (1..MAX_WHOLE).contains(id));
        are_ids && ids.iter().enumerate().all(|(at, id)| !ids[..at].contains(id))
    };
    [voters, learners, voters_outgoing, learners_next].iter().all(is_set)
        && !voters.is_empty()
        && (is_joint || !auto_leave)
        && are_apart(learners, voters)
        && are_apart(learners, voters_outgoing)
        && are_apart(learners_next, voters)
        && learners_next.iter().all(|id| voters_outgoing.contains(id))
}
