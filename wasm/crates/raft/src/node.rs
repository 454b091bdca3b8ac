//! A Raft node that decides and does nothing else.

use crate::effects::{Effects, Status};
use crate::input::{Input, Start, Step};
use crate::sound::{MAX_ENTRY, change_of, is_sound};
use crate::timeout::Timeout;
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

// What is on its way to one member is less than a transport keeps for it (4 MiB): more would be dropped and sent again.
const MAX_APPEND: u64 = 64 << 10;
const MAX_INFLIGHT: usize = 48;
const MAX_UNCOMMITTED: u64 = 64 << 20;
const MAX_APPLY: u64 = 4 << 20;
/// Questions of reads that the leader has yet to answer.
const MAX_READS: usize = 4096;

pub struct Node {
    raw: RawNode<crate::storage::Log>,
    timeout: Timeout,
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
            max_size_per_msg: MAX_APPEND,
            max_inflight_msgs: MAX_INFLIGHT,
            max_uncommitted_size: MAX_UNCOMMITTED,
            max_committed_size_per_ready: MAX_APPLY,
            check_quorum: true,
            pre_vote: true,
            // Joined appends know no limit.
            batch_append: false,
            ..Default::default()
        };
        let mut raw = RawNode::new(&config, start.log, &Logger::root(Discard, o!())).map_err(|_| Refusal::Input)?;
        let mut timeout = Timeout::new(start.seed, start.id, election_ticks);
        timeout.draw(&mut raw);
        Ok(Self { raw, timeout, waiting: 0, effects: Effects::default() })
    }

    /// * `room` - memory for what is returned
    pub fn input(&mut self, input: Input, room: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        let effects = self.effects_of(input)?;
        Ok(effects.encode(&self.status(), room))
    }

    pub fn effects_of(&mut self, input: Input) -> Result<Effects, Refusal> {
        // The host configures in the middle of what it was given: what is ready must wait until it is through with that.
        let is_last = !matches!(input, Input::Configure(_));
        let taken = self.take(input);
        self.timeout.keep(&mut self.raw);
        taken?;
        if is_last {
            self.collect();
        }
        Ok(std::mem::take(&mut self.effects))
    }

    fn take(&mut self, input: Input) -> Result<(), Refusal> {
        let may_stand = self.may_stand();
        let is_leader = self.raw.raft.state == StateRole::Leader;
        let raw = &mut self.raw;
        match input {
            // Its time stands still until it may.
            Input::Tick if !may_stand && !is_leader && raw.raft.election_elapsed + 1 >= self.timeout.ticks => Ok(()),
            Input::Campaign if !may_stand => Err(Refusal::Dropped),
            Input::Tick => {
                raw.tick();
                Ok(())
            }
            Input::Step(steps) => {
                for step in steps {
                    self.effects.refused += u64::from(self.step(&step).is_err());
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
            Input::Transfer(_) if !is_leader => Err(Refusal::Dropped),
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

    fn step(&mut self, step: &Step) -> Result<(), Refusal> {
        let message = Message::decode(step.bytes).map_err(|_| Refusal::Message)?;
        if !is_sound(step, &message, &self.raw.raft) {
            return Err(Refusal::Message);
        }
        // What can still go wrong is nobody's fault: a member that this node does not know (yet, or any more), or a
        // proposal that it cannot take.
        if !self.comes_late(message.get_msg_type()) {
            let _ = self.raw.step(message);
        }
        Ok(())
    }

    /// What was true when it was sent and is of no use now; who sent it will ask again.
    fn comes_late(&self, kind: MessageType) -> bool {
        let raft = &self.raw.raft;
        match kind {
            // Forwarded once, or two members that take each other for the leader would do it for ever.
            MessageType::MsgPropose => raft.state != StateRole::Leader,
            MessageType::MsgReadIndex => {
                raft.state != StateRole::Leader || raft.read_only.pending_read_count() >= MAX_READS
            }
            MessageType::MsgTimeoutNow
            | MessageType::MsgRequestVoteResponse
            | MessageType::MsgRequestPreVoteResponse => !self.may_stand(),
            _ => false,
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
        let change = change_of(data).ok_or(Refusal::Input)?;
        let configuration = match self.raw.apply_conf_change(&change) {
            Ok(configuration) => configuration,
            // A change that the configuration of its time does not allow leaves it as it is, on every node alike.
            Err(_) => self.raw.raft.prs().conf().to_conf_state(),
        };
        let raft = &mut self.raw.raft;
        let votes = configuration.voters.contains(&raft.id) || configuration.voters_outgoing.contains(&raft.id);
        if raft.state != StateRole::Follower && !votes {
            // Who leads without a vote would lead for ever, and the crate traps on its own missing progress.
            let term = raft.term;
            raft.become_follower(term, raft::INVALID_ID);
        }
        self.effects.configuration = Some(configuration);
        Ok(())
    }

    /// The crate traps on who wins an election with entries that are not durable, or looks through entries whose place
    /// a snapshot has taken that is not applied.
    fn may_stand(&self) -> bool {
        let log = &self.raw.raft.raft_log;
        let is_durable = self.waiting == 0 && log.persisted == log.last_index();
        let is_installed = log.unstable_snapshot().is_none() && log.applied >= self.raw.store().compacted.0;
        is_durable && is_installed
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

    #[cfg(test)]
    pub fn raft(&self) -> &raft::Raft<crate::storage::Log> {
        &self.raw.raft
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
}

fn refusal_of(error: Error) -> Refusal {
    match error {
        Error::ProposalDropped | Error::Store(StorageError::SnapshotTemporarilyUnavailable) => Refusal::Dropped,
        _ => Refusal::Message,
    }
}
