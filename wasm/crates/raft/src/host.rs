//! A host for the tests: it does what a driver does with an engine, and speaks for the other members.

use crate::effects::Effects;
use crate::input::{Input, Step, decode_start};
use crate::node::Node;
use crate::storage::snapshot_of;
use crate::tests::{next, start_of};
use prost::Message as _;
use raft::StateRole;
use raft::eraftpb::{ConfChangeSingle, ConfChangeType, ConfState, Entry, EntryType, Message, MessageType};

pub const ROOT: &[u8] = b"root";

/// What a driver does with an engine: late, and now and then not at all.
pub struct Host {
    pub node: Node,
    random: u64,
    pub number: u64,
    pub committed: u64,
}

impl Host {
    pub fn new(id: u64, voters: &[u64], random: u64) -> Self {
        let start = decode_start(&start_of(id, voters, &[4], &[])).unwrap_or_else(|_| panic!("a start"));
        let node = Node::new(start).unwrap_or_else(|_| panic!("a node"));
        Self { node, random, number: 0, committed: 0 }
    }

    pub fn draw(&mut self, below: u64) -> u64 {
        next(&mut self.random) % below
    }

    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.draw(all.len() as u64) as usize]
    }

    pub fn give(&mut self, input: Input) -> u64 {
        let Ok(effects) = self.node.effects_of(input) else { return 0 };
        self.note(&effects);
        for entry in effects.committed.iter().filter(|entry| entry.get_entry_type() != EntryType::EntryNormal) {
            let _ = self.node.effects_of(Input::Configure(&entry.data));
        }
        effects.refused
    }

    fn note(&mut self, effects: &Effects) {
        self.number = self.number.max(effects.number);
        let installed = effects.snapshot.as_ref().map(|snapshot| snapshot.get_metadata().index);
        let applied = effects.committed.last().map(|entry| entry.index);
        self.committed = self.committed.max(installed.max(applied).unwrap_or(0));
    }

    pub fn settle(&mut self) {
        self.give(Input::Persisted(self.number));
        self.give(Input::Applied(self.committed));
    }

    pub fn hear(&mut self, message: &Message) -> u64 {
        let snapshot = (message.get_msg_type() == MessageType::MsgSnapshot)
            .then(|| (message.get_snapshot().get_metadata().index, ROOT));
        self.give(Input::Step(vec![Step { from: message.from, snapshot, bytes: &message.encode_to_vec() }]))
    }

    /// A message of member 2 in this term, as an honest one would look.
    pub fn message(&self, kind: MessageType) -> Message {
        let raft = self.node.raft();
        let mut message = Message { from: 2, to: raft.id, term: raft.term.max(1), ..Default::default() };
        message.set_msg_type(kind);
        message
    }

    pub fn append(&self, count: u64) -> Message {
        let raft = self.node.raft();
        let (index, log_term) = (raft.raft_log.last_index(), raft.raft_log.last_term());
        let mut message = Message { index, log_term, ..self.message(MessageType::MsgAppend) };
        let entry_of =
            |at| Entry { index: index + at, term: message.term, data: b"data".to_vec(), ..Default::default() };
        let entries: Vec<Entry> = (1..=count).map(entry_of).collect();
        message.entries = entries;
        message.commit = index + count / 2;
        message
    }

    fn until(mut self, role: StateRole) -> Self {
        for _ in 0..100 {
            if self.node.raft().state == role {
                break;
            }
            self.settle();
            self.give(Input::Tick);
            let pre_vote = self.message(MessageType::MsgRequestPreVoteResponse);
            let vote = self.message(MessageType::MsgRequestVoteResponse);
            match (self.node.raft().state, role) {
                (StateRole::PreCandidate, StateRole::Candidate | StateRole::Leader) => {
                    self.hear(&Message { term: pre_vote.term + 1, ..pre_vote })
                }
                (StateRole::Candidate, StateRole::Leader) => self.hear(&vote),
                _ => 0,
            };
        }
        assert_eq!(self.node.raft().state, role);
        self
    }
}

/// In what a message may find a member.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    New,
    Follower,
    /// with entries that are not durable
    Unwritten,
    /// with a snapshot that is not applied
    Installing,
    PreCandidate,
    Candidate,
    Elected,
    Leader,
    /// a leader that has forgotten entries
    Compacted,
    /// a leader that is about to hand over its vote
    Leaving,
    Alone,
    Learner,
}

pub const ROLES: [Role; 12] = [
    Role::New,
    Role::Follower,
    Role::Unwritten,
    Role::Installing,
    Role::PreCandidate,
    Role::Candidate,
    Role::Elected,
    Role::Leader,
    Role::Compacted,
    Role::Leaving,
    Role::Alone,
    Role::Learner,
];

pub fn host(role: Role, random: u64) -> Host {
    let three = || Host::new(1, &[1, 2, 3], random);
    let mut host = match role {
        Role::New | Role::Follower | Role::Unwritten | Role::Installing => three(),
        Role::PreCandidate => three().until(StateRole::PreCandidate),
        Role::Candidate => three().until(StateRole::Candidate),
        Role::Elected | Role::Leader | Role::Compacted | Role::Leaving => three().until(StateRole::Leader),
        Role::Alone => Host::new(1, &[1], random).until(StateRole::Leader),
        Role::Learner => Host::new(4, &[1, 2, 3], random),
    };
    match role {
        Role::Follower | Role::Unwritten | Role::Learner => {
            host.hear(&host.append(5));
            if role == Role::Follower {
                host.settle();
            }
        }
        Role::Installing => {
            host.hear(&offer(&host, 9, 1));
            host.give(Input::Persisted(host.number));
        }
        Role::Leader | Role::Compacted | Role::Leaving => {
            host.settle();
            host.give(Input::Propose(vec![b"one", b"two"]));
            host.settle();
            let last = host.node.raft().raft_log.last_index();
            host.hear(&Message { index: last, ..host.message(MessageType::MsgAppendResponse) });
            host.settle();
        }
        _ => {}
    }
    match role {
        Role::Compacted => {
            let configuration = ConfState { voters: vec![1, 2, 3], learners: vec![4], ..Default::default() };
            let (term, applied) = (host.node.raft().term, host.node.raft().raft_log.applied);
            host.give(Input::Snapshot(snapshot_of(applied, term, configuration, ROOT), applied));
        }
        Role::Leaving => {
            let change = |node_id, kind| {
                let mut change = ConfChangeSingle { node_id, ..Default::default() };
                change.set_change_type(kind);
                change
            };
            let changes = vec![change(1, ConfChangeType::RemoveNode), change(4, ConfChangeType::AddNode)];
            host.give(Input::Change(changes, b""));
        }
        _ => {}
    }
    host
}

pub fn offer(host: &Host, index: u64, term: u64) -> Message {
    let voters = if host.node.raft().id == 4 { vec![2, 3, 4] } else { vec![1, 2, 3] };
    let configuration = ConfState { voters, ..Default::default() };
    let mut message = host.message(MessageType::MsgSnapshot);
    message.snapshot = Some(snapshot_of(index, term, configuration, ROOT));
    message
}
