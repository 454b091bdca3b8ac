//! What one key says at one height: it is signed here, and never contradicted.

use crate::context::{Cid, Key, Mesh, Proposal, Signature, Vote};
use crate::keys::Signer;
use crate::message::MAX_EXTENSION;
use crate::signed::{MeshId, extension_bytes, proposal_bytes, vote_bytes};
use malachitebft_core_consensus::Input;
use malachitebft_core_types::{Round, SignedExtension, SignedProposal, SignedVote, VoteType};
use std::collections::BTreeMap;

pub struct Voice {
    pub mesh: MeshId,
    pub height: u64,
    pub own: Key,
    signer: Signer,
    /// What this key has said, wherever it came from: nothing else is ever signed in its place.
    votes: BTreeMap<(VoteType, Round), SignedVote<Mesh>>,
    proposals: BTreeMap<Round, SignedProposal<Mesh>>,
    /// what was signed last, of messages and of extensions
    fresh: [Option<(Vec<u8>, Signature)>; 2],
}

impl Voice {
    pub fn new(mesh: MeshId, height: u64, seed: &[u8; 32]) -> Self {
        let signer = Signer::new(seed);
        let (votes, proposals) = (BTreeMap::new(), BTreeMap::new());
        Self { mesh, height, own: signer.public(), signer, votes, proposals, fresh: [None, None] }
    }

    /// Remembers what this key has said.
    pub fn note(&mut self, input: &Input<Mesh>) {
        match input {
            Input::Vote(vote) if vote.validator == self.own => {
                self.votes.entry((vote.kind, vote.round)).or_insert_with(|| vote.clone());
            }
            Input::Proposal(proposal) if proposal.validator == self.own => {
                self.proposals.entry(proposal.round).or_insert_with(|| proposal.clone());
            }
            Input::PolkaCertificate(polka) => {
                for vote in polka.votes(&Mesh).filter(|vote| vote.validator == self.own) {
                    self.votes.entry((vote.kind, vote.round)).or_insert(vote);
                }
            }
            _ => {}
        }
    }

    pub fn proposal(&self, round: Round) -> Option<&SignedProposal<Mesh>> {
        self.proposals.get(&round)
    }

    pub fn sign_vote(&mut self, vote: Vote) -> SignedVote<Mesh> {
        if let Some(said) = self.votes.get(&(vote.kind, vote.round)) {
            return said.clone();
        }
        let signature = self.sign(0, vote_bytes(&self.mesh, &vote));
        SignedVote::new(vote, signature)
    }

    pub fn sign_proposal(&mut self, proposal: Proposal) -> SignedProposal<Mesh> {
        if let Some(said) = self.proposals.get(&proposal.round) {
            return said.clone();
        }
        let signature = self.sign(0, proposal_bytes(&self.mesh, &proposal));
        SignedProposal::new(proposal, signature)
    }

    /// Signs what `ask` gives, unless a precommit of that round was signed before.
    pub fn extend(&mut self, round: Round, value: &Cid, ask: impl FnOnce() -> Vec<u8>) -> SignedExtension<Mesh> {
        let said = self.votes.get(&(VoteType::Precommit, round));
        if let Some(extension) = said.and_then(|vote| vote.message.extension.as_ref()) {
            return extension.clone();
        }
        // One that is too long would never be read back from the log.
        let bytes = Some(ask()).filter(|bytes| bytes.len() <= MAX_EXTENSION).unwrap_or_default();
        let signature = self.sign(1, extension_bytes(&self.mesh, self.height, round, value, &self.own, &bytes));
        SignedExtension::new(bytes, signature)
    }

    fn sign(&mut self, which: usize, bytes: Vec<u8>) -> Signature {
        let signature = self.signer.sign(&bytes);
        self.fresh[which] = Some((bytes, signature));
        signature
    }

    /// Whether a signature was just made here over just these bytes, so that it needs no check.
    pub fn has_made(&self, key: &Key, bytes: &[u8], signature: &Signature) -> bool {
        let is_it = |(made, by): &(Vec<u8>, Signature)| made == bytes && by == signature;
        *key == self.own && self.fresh.iter().flatten().any(is_it)
    }
}
