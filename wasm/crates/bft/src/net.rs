//! Validators of one height in one process, for the tests: every message arrives, at once and in order.

use crate::context::{Cid, Height, Key, Mesh, Proposal, Validator, Validators, Vote};
use crate::effects::Effect;
use crate::hand::Host;
use crate::input::{Input, Start};
use crate::keys::Signer;
use crate::message::{encode_proposal, encode_vote};
use crate::node::{Node, Refusal};
use crate::record;
use crate::signed::{MeshId, extension_bytes, proposal_bytes, vote_bytes};
use malachitebft_core_consensus::ProposedValue;
use malachitebft_core_types::{
    NilOrVal, Round, SignedExtension, SignedProposal, SignedVote, Timeout, TimeoutKind, Validity, VoteType,
};
use std::collections::VecDeque;
use std::sync::Arc;

pub const MESH: MeshId = [7; 36];
pub const HEIGHT: u64 = 5;

pub struct Talker;

impl Host for Talker {
    fn extension(&self, round: u32, _: &[u8]) -> Vec<u8> {
        vec![1, round as u8]
    }

    fn is_extension(&self, _: &[u8], bytes: &[u8]) -> bool {
        bytes.first() == Some(&1)
    }
}

pub fn cid(tag: u8) -> Cid {
    Cid([tag; 36])
}

pub struct Member {
    pub seed: [u8; 32],
    pub key: Key,
    pub node: Node,
    pub log: Vec<Vec<u8>>,
    pub said: Vec<Vec<u8>>,
    pub timeouts: Vec<Timeout>,
    pub decided: Option<Cid>,
    pub accused: usize,
}

pub struct Net {
    pub validators: Validators,
    pub members: Vec<Member>,
    wire: VecDeque<(usize, Vec<u8>)>,
    building: VecDeque<(usize, u32)>,
}

impl Net {
    pub fn new(count: u8) -> Self {
        let mut seeds: Vec<([u8; 32], Key)> = (1..=count).map(|n| ([n; 32], Signer::new(&[n; 32]).public())).collect();
        seeds.sort_by_key(|(_, key)| *key);
        let validators = Validators(Arc::new(seeds.iter().map(|(_, key)| Validator { key: *key, power: 1 }).collect()));
        let members = seeds.iter().map(|(seed, _)| member(&validators, *seed)).collect();
        Self { validators, members, wire: VecDeque::new(), building: VecDeque::new() }
    }

    /// And one more who is no validator.
    pub fn with_listener(mut self) -> Self {
        self.members.push(member(&self.validators, [99; 32]));
        self
    }

    pub fn proposer(&self, round: u32) -> usize {
        let key = self.validators.proposer(HEIGHT, round).key;
        self.members.iter().position(|member| member.key == key).unwrap()
    }

    pub fn start(&mut self) {
        for at in 0..self.members.len() {
            self.give(at, Input::Start).unwrap();
        }
    }

    pub fn give(&mut self, at: usize, input: Input) -> Result<usize, Refusal> {
        let effects = self.members[at].node.effects_of(input)?;
        let count = effects.len();
        for effect in effects {
            self.act(at, effect);
        }
        Ok(count)
    }

    fn act(&mut self, at: usize, effect: Effect) {
        let member = &mut self.members[at];
        match effect {
            Effect::Log(bytes) => member.log.push(bytes),
            Effect::Publish(bytes) => {
                member.said.push(bytes.clone());
                self.wire.push_back((at, bytes));
            }
            Effect::Timeout(timeout) => member.timeouts.push(timeout),
            Effect::CancelTimeouts => member.timeouts.clear(),
            Effect::GetValue(round) => self.building.push_back((at, round)),
            Effect::Decide(certificate) => member.decided = Some(certificate.value_id),
            Effect::Equivocation(..) => member.accused += 1,
            Effect::Round(..) | Effect::Restream { .. } => {}
        }
    }

    /// Builds and carries until nobody has anything to say.
    pub fn settle(&mut self) {
        loop {
            if let Some((at, round)) = self.building.pop_front() {
                self.build(at, round);
            } else if let Some((from, bytes)) = self.wire.pop_front() {
                for at in (0..self.members.len()).filter(|at| *at != from) {
                    let _ = self.give(at, Input::Message(&bytes));
                }
            } else {
                return;
            }
        }
    }

    fn build(&mut self, at: usize, round: u32) {
        let (value, proposer) = (cid(round as u8 + 1), self.members[at].key);
        for other in (0..self.members.len()).filter(|other| *other != at) {
            let _ = self.give(other, Input::Block(block(round, value, proposer, true)));
        }
        let _ = self.give(at, Input::Propose(round, value));
    }

    /// The timers of a kind run out, everywhere.
    pub fn elapse(&mut self, kind: TimeoutKind) {
        for at in 0..self.members.len() {
            let timeouts = std::mem::take(&mut self.members[at].timeouts);
            let (due, later) = timeouts.into_iter().partition(|timeout| timeout.kind == kind);
            self.members[at].timeouts = later;
            let due: Vec<Timeout> = due;
            for timeout in due {
                self.give(at, Input::Timeout(timeout)).unwrap();
            }
        }
        self.settle();
    }

    /// Starts anew from what is in the log.
    pub fn restart(&mut self, at: usize) {
        let Member { seed, log, .. } = &self.members[at];
        self.members[at].node = node(&self.validators, *seed, log);
        self.members[at].timeouts.clear();
        self.give(at, Input::Start).unwrap();
    }

    /// What is under way is lost.
    pub fn lose(&mut self) {
        self.wire.clear();
        self.building.clear();
    }

    pub fn vote(&self, at: usize, kind: VoteType, round: u32, value: Option<Cid>) -> SignedVote<Mesh> {
        let Member { seed, key, .. } = &self.members[at];
        let signer = Signer::new(seed);
        let round = Round::new(round);
        let extension = value.filter(|_| kind == VoteType::Precommit).map(|value| {
            let signed = extension_bytes(&MESH, HEIGHT, round, &value, key, &[1]);
            SignedExtension::new(vec![1], signer.sign(&signed))
        });
        let value = value.map_or(NilOrVal::Nil, NilOrVal::Val);
        let vote = Vote { kind, height: Height(HEIGHT), round, value, validator: *key, extension };
        let signature = signer.sign(&vote_bytes(&MESH, &vote));
        SignedVote::new(vote, signature)
    }

    pub fn proposal(&self, round: u32, value: Cid, pol_round: Round) -> SignedProposal<Mesh> {
        let Member { seed, key, .. } = &self.members[self.proposer(round)];
        let proposal = Proposal { height: Height(HEIGHT), round: Round::new(round), value, pol_round, validator: *key };
        let signature = Signer::new(seed).sign(&proposal_bytes(&MESH, &proposal));
        SignedProposal::new(proposal, signature)
    }

    pub fn hear_vote(&mut self, at: usize, vote: &SignedVote<Mesh>) -> Result<usize, Refusal> {
        self.give(at, Input::Message(&encode_vote(vote)))
    }

    pub fn hear_proposal(&mut self, at: usize, proposal: &SignedProposal<Mesh>) -> Result<usize, Refusal> {
        self.give(at, Input::Message(&encode_proposal(proposal)))
    }
}

pub fn block(round: u32, value: Cid, proposer: Key, is_valid: bool) -> ProposedValue<Mesh> {
    let (height, round, validity) = (Height(HEIGHT), Round::new(round), Validity::from_bool(is_valid));
    ProposedValue { height, round, valid_round: Round::Nil, proposer, value, validity }
}

pub fn node(validators: &Validators, seed: [u8; 32], log: &[Vec<u8>]) -> Node {
    let log = log.iter().map(|bytes| (bytes.clone(), record::decode(bytes, HEIGHT).unwrap())).collect();
    let start = Start { mesh: MESH, height: HEIGHT, validators: validators.clone(), seed, log };
    Node::new(start, Box::new(Talker))
}

fn member(validators: &Validators, seed: [u8; 32]) -> Member {
    let (key, node) = (Signer::new(&seed).public(), node(validators, seed, &[]));
    Member { seed, key, node, log: vec![], said: vec![], timeouts: vec![], decided: None, accused: 0 }
}
