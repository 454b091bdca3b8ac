//! Messages of one validator that contradict each other: each pair is told once.

use crate::context::{Mesh, Vote};
use crate::effects::Effect;
use crate::message::{encode_proposal, encode_vote};
use malachitebft_core_types::{SignedProposal, SignedVote};
use std::collections::BTreeSet;

#[derive(Default)]
pub struct Accused {
    told: BTreeSet<(Vec<u8>, Vec<u8>)>,
    /// pairs that the core holds, and never gives up
    looked_at: usize,
}

impl Accused {
    /// Whether there are pairs that were not looked at; from now on they were.
    pub fn is_more(&mut self, pairs: usize) -> bool {
        pairs > std::mem::replace(&mut self.looked_at, pairs)
    }

    /// What was said beside the votes proves nothing and is left out.
    pub fn votes(&mut self, (one, other): &(SignedVote<Mesh>, SignedVote<Mesh>)) -> Option<Effect> {
        let bare = |vote: &SignedVote<Mesh>| {
            encode_vote(&SignedVote::new(Vote { extension: None, ..vote.message.clone() }, vote.signature))
        };
        self.pair(bare(one), bare(other))
    }

    /// Two proposals of one value in one round only differ in what they refer to: that is no proof of a fault.
    pub fn proposals(&mut self, (one, other): &(SignedProposal<Mesh>, SignedProposal<Mesh>)) -> Option<Effect> {
        if one.value == other.value {
            return None;
        }
        self.pair(encode_proposal(one), encode_proposal(other))
    }

    fn pair(&mut self, one: Vec<u8>, other: Vec<u8>) -> Option<Effect> {
        let pair = if one < other { (one, other) } else { (other, one) };
        self.told.insert(pair.clone()).then_some(Effect::Equivocation(pair.0, pair.1))
    }
}
