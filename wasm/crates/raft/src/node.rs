//! A Raft node that decides and does nothing else.

use crate::effects::{Effects, Status};
use crate::input::{Input, Start};
use prost::Message as _;
use raft::eraftpb::{ConfChangeV2, Entry, EntryType, Message, MessageType};
use raft::{Config, Error, RawNode, SnapshotStatus, StateRole, StorageError};
use slog::{Discard, Logger, o};

/// Why an input was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A message that is not one, is for another node, or could not come from a member that keeps the rules.
    Message,
    /// A proposal that nobody can take now: there is no leader, a change or a transfer is under way, or too much waits.
    Dropped,
    /// An input that is not one, or out of place.
    Input,
}

pub const MAX_ENTRY: usize = 1 << 20;
const MAX_MESSAGE: u64 = 512 << 10;
const MAX_INFLIGHT: usize = 256;
const MAX_UNCOMMITTED: u64 = 64 << 20;
const MAX_APPLY: u64 = 4 << 20;

pub struct Node {
    raw: RawNode<crate::storage::Log>,
    random: u64,
    election_ticks: usize,
    timeout: usize,
    /// term, role and elapsed ticks when the election timeout was drawn
    drawn: (u64, StateRole, usize),
    /// number of the last ready that the host has yet to make durable, 0 when there is none
    waiting: u64,
    effects: Effects,
}

impl Node {
    pub fn new(start: Start) -> Result<Self, Refusal> {
        let election_ticks = start.election_ticks as usize;
        let config = Config {
            id: start.id,
            election_tick: election_ticks,
            heartbeat_tick: start.heartbeat_ticks as usize,
            applied: start.applied,
            max_size_per_msg: MAX_MESSAGE,
            max_inflight_msgs: MAX_INFLIGHT,
            max_uncommitted_size: MAX_UNCOMMITTED,
            max_committed_size_per_ready: MAX_APPLY,
            check_quorum: true,
            pre_vote: true,
            batch_append: true,
            ..Default::default()
        };
        let raw = RawNode::new(&config, start.log, &Logger::root(Discard, o!())).map_err(|_| Refusal::Input)?;
        // An xorshift must not start from zero.
        let random = start.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ start.id | 1;
        let drawn = (0, StateRole::Follower, 0);
        let mut node = Self { raw, random, election_ticks, timeout: 0, drawn, waiting: 0, effects: Effects::default() };
        node.draw_timeout();
        Ok(node)
    }

    pub fn input(&mut self, input: Input) -> Result<Vec<u8>, Refusal> {
        // The host configures in the middle of what it was given: what is ready must wait until it is through with that.
        let is_last = !matches!(input, Input::Configure(_));
        let taken = self.take(input);
        self.keep_timeout();
        taken?;
        if is_last {
            self.collect();
        }
        let effects = std::mem::take(&mut self.effects);
        Ok(effects.encode(&self.status()))
    }

    fn take(&mut self, input: Input) -> Result<(), Refusal> {
        let is_installing = self.is_installing();
        let raw = &mut self.raw;
        match input {
            // Who takes a snapshot in cannot stand for election: the entries that it would look through are gone.
            Input::Tick if is_installing => Ok(()),
            Input::Campaign if is_installing => Err(Refusal::Dropped),
            Input::Tick => {
                raw.tick();
                Ok(())
            }
            Input::Step(messages) => {
                for bytes in messages {
                    self.effects.refused += u64::from(self.step(bytes).is_err());
                }
                Ok(())
            }
            Input::Propose(commands) => {
                self.propose(EntryType::EntryNormal, commands.into_iter().map(<[u8]>::to_vec).collect())
            }
            Input::Change(changes, context) => {
                if raw.raft.has_pending_conf() {
                    return Err(Refusal::Dropped);
                }
                let change = ConfChangeV2 { changes, context: context.to_vec(), ..Default::default() };
                self.propose(EntryType::EntryConfChangeV2, vec![change.encode_to_vec()])
            }
            Input::Read(context) => {
                raw.read_index(context.to_vec());
                Ok(())
            }
            Input::Persisted(number) => {
                raw.on_persist_ready(number);
                self.waiting = if number < self.waiting { self.waiting } else { 0 };
                Ok(())
            }
            Input::Applied(index) => self.applied(index),
            Input::Configure(data) => self.configure(data),
            Input::Transfer(to) => {
                raw.transfer_leader(to);
                Ok(())
            }
            Input::Campaign => raw.campaign().map_err(refusal_of),
            Input::Unreachable(id) => {
                raw.report_unreachable(id);
                Ok(())
            }
            Input::SnapshotSent(id, ok) => {
                raw.report_snapshot(id, if ok { SnapshotStatus::Finish } else { SnapshotStatus::Failure });
                Ok(())
            }
            Input::Snapshot(snapshot, compact) => {
                let index = snapshot.get_metadata().index;
                let is_newer = index >= raw.store().snapshot.get_metadata().index;
                if !is_newer || index > raw.raft.raft_log.applied || compact > index {
                    return Err(Refusal::Input);
                }
                let store = raw.mut_store();
                store.snapshot = snapshot;
                store.compact(compact);
                Ok(())
            }
        }
    }

    /// By way of a message, so that a change is always of the second version, whatever it holds.
    fn propose(&mut self, kind: EntryType, all: Vec<Vec<u8>>) -> Result<(), Refusal> {
        if all.is_empty() || all.iter().any(|data| data.len() > MAX_ENTRY) {
            return Err(Refusal::Input);
        }
        let entry_of = |data| {
            let mut entry = Entry { data, ..Default::default() };
            entry.set_entry_type(kind);
            entry
        };
        let entries = all.into_iter().map(entry_of).collect();
        let mut message = Message { from: self.raw.raft.id, entries, ..Default::default() };
        message.set_msg_type(MessageType::MsgPropose);
        self.raw.raft.step(message).map_err(refusal_of)
    }

    fn step(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let message = Message::decode(bytes).map_err(|_| Refusal::Message)?;
        let raft = &self.raw.raft;
        if message.to != raft.id || message.from == 0 || message.from == raft.id || !is_sound(&message) {
            return Err(Refusal::Message);
        }
        let commits_beyond = message.get_msg_type() == MessageType::MsgHeartbeat
            && message.term >= raft.term
            && message.commit > raft.raft_log.last_index();
        if commits_beyond {
            return Err(Refusal::Message);
        }
        if message.get_msg_type() == MessageType::MsgTimeoutNow && self.is_installing() {
            return Ok(());
        }
        match self.raw.step(message) {
            // A member that was removed, or that this node does not know yet.
            Ok(()) | Err(Error::StepPeerNotFound) => Ok(()),
            Err(Error::StepLocalMsg) => Err(Refusal::Message),
            Err(error) => Err(refusal_of(error)),
        }
    }

    fn applied(&mut self, index: u64) -> Result<(), Refusal> {
        let log = &self.raw.raft.raft_log;
        if index < log.applied || index > log.committed.min(log.persisted) {
            return Err(Refusal::Input);
        }
        self.raw.advance_apply_to(index);
        Ok(())
    }

    fn configure(&mut self, data: &[u8]) -> Result<(), Refusal> {
        let change = ConfChangeV2::decode(data).map_err(|_| Refusal::Input)?;
        let configuration = match self.raw.apply_conf_change(&change) {
            Ok(configuration) => configuration,
            // A change that the configuration of its time does not allow leaves it as it is, on every node alike.
            Err(_) => self.raw.raft.prs().conf().to_conf_state(),
        };
        let raft = &mut self.raw.raft;
        let votes = configuration.voters.contains(&raft.id) || configuration.voters_outgoing.contains(&raft.id);
        if raft.state == StateRole::Leader && !votes {
            // Who leads without a vote would lead for ever, and the crate traps on its own missing progress.
            let term = raft.term;
            raft.become_follower(term, raft::INVALID_ID);
        }
        self.effects.configuration = Some(configuration);
        Ok(())
    }

    /// A leader's snapshot has taken the place of the log, and the host has not applied it yet.
    fn is_installing(&self) -> bool {
        self.raw.raft.raft_log.applied < self.raw.store().compacted.0
    }

    /// Takes all that is ready. What is to be persisted counts as readable at once, as durable when the host says so.
    fn collect(&mut self) {
        while self.raw.has_ready() {
            let mut ready = self.raw.ready();
            let store = self.raw.mut_store();
            if !ready.snapshot().get_metadata().eq(&Default::default()) {
                let snapshot = ready.snapshot().clone();
                store.install(&snapshot);
                self.effects.entries.clear();
                self.effects.configuration = Some(snapshot.get_metadata().get_conf_state().clone());
                self.effects.snapshot = Some(snapshot);
            }
            store.append(ready.entries());
            let mut is_durable = self.waiting == 0 && ready.entries().is_empty() && self.effects.snapshot.is_none();
            if let Some(hard_state) = ready.hs() {
                // The commit index alone may be lost: it need not be durable before anything is sent.
                is_durable &= (hard_state.term, hard_state.vote) == (store.hard_state.term, store.hard_state.vote);
                store.hard_state = hard_state.clone();
                self.effects.hard_state = Some(hard_state.clone());
            }
            self.effects.append(ready.take_entries());
            self.effects.messages.extend(ready.take_messages());
            let promises = ready.take_persisted_messages();
            self.effects.committed.extend(ready.take_committed_entries());
            self.effects.reads.extend(ready.take_read_states());
            let number = ready.number();
            self.raw.advance_append_async(ready);
            if is_durable {
                self.effects.messages.extend(promises);
                self.raw.on_persist_ready(number);
            } else {
                self.effects.persisted_messages.extend(promises);
                self.effects.number = number;
                self.waiting = number;
            }
        }
    }

    fn status(&self) -> Status {
        let raft = &self.raw.raft;
        let is_leader = raft.state == StateRole::Leader;
        let progress = raft.prs().iter().map(|(id, progress)| {
            let is_self = *id == raft.id;
            (*id, progress.matched, is_self || progress.recent_active)
        });
        let mut progress: Vec<_> = if is_leader { progress.collect() } else { Vec::new() };
        progress.sort_unstable();
        Status {
            role: raft.state,
            leader: raft.leader_id,
            term: raft.term,
            commit: raft.raft_log.committed,
            last: raft.raft_log.last_index(),
            progress,
        }
    }

    /// The crate draws election timeouts from the thread's own generator; ours take their place, so that a run replays.
    fn keep_timeout(&mut self) {
        let raft = &self.raw.raft;
        let (term, role, elapsed) = self.drawn;
        let is_reset = raft.term != term || raft.state != role || raft.election_elapsed < elapsed;
        self.drawn = (raft.term, raft.state, raft.election_elapsed);
        if is_reset {
            self.draw_timeout();
        } else {
            self.raw.raft.set_randomized_election_timeout(self.timeout);
        }
    }

    fn draw_timeout(&mut self) {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.timeout = self.election_ticks + (self.random % self.election_ticks as u64) as usize;
        self.raw.raft.set_randomized_election_timeout(self.timeout);
    }
}

fn refusal_of(error: Error) -> Refusal {
    match error {
        Error::ProposalDropped | Error::Store(StorageError::SnapshotTemporarilyUnavailable) => Refusal::Dropped,
        _ => Refusal::Message,
    }
}

/// What a member that keeps the rules never sends, and the crate would trap on.
fn is_sound(message: &Message) -> bool {
    let (mut index, mut term) = (message.index, message.log_term);
    let carries = matches!(message.get_msg_type(), MessageType::MsgAppend);
    for entry in &message.entries {
        if entry.data.len() > MAX_ENTRY || entry.get_entry_type() == EntryType::EntryConfChange {
            return false;
        }
        if carries && (entry.index != index + 1 || entry.term < term || entry.term > message.term) {
            return false;
        }
        (index, term) = (index + 1, entry.term);
    }
    match message.get_msg_type() {
        MessageType::MsgSnapshot => {
            let snapshot = message.get_snapshot().get_metadata();
            snapshot.index > 0 && snapshot.term <= message.term && !snapshot.get_conf_state().voters.is_empty()
        }
        MessageType::MsgPropose => !message.entries.is_empty(),
        MessageType::MsgReadIndex => message.entries.len() == 1,
        _ => true,
    }
}
