//! What the core asks for while an input is under way, done or written down: signing, checking, effects.

use crate::accused::Accused;
use crate::context::{Cid, Key, Mesh, Signature, Validators, Vote};
use crate::effects::Effect;
use crate::keys::Verifier;
use crate::message::{encode_polka, encode_proposal, encode_round, encode_vote};
use crate::node::Refusal;
use crate::record;
use crate::signed::{MeshId, extension_bytes, proposal_bytes, vote_bytes};
use crate::voice::Voice;
use malachitebft_core_consensus::{
    ConsensusMsg, Effect as Asked, Input, LivenessMsg, ProposedValue, Resumable, Resume, SignedConsensusMsg,
    VoteExtensionError,
};
use malachitebft_core_driver::proposal_keeper::EvidenceMap as ProposalEvidence;
use malachitebft_core_types::{
    CertificateError, CommitCertificate, Context, ExtendedCommitCertificate, NilOrVal, Round, SignedExtension,
    SignedVote, Timeout, TimeoutKind, VoteExtensions, VoteType,
};
use malachitebft_core_votekeeper::EvidenceMap as VoteEvidence;
use std::collections::{BTreeMap, BTreeSet};

/// What is asked of the host in the middle of an input.
pub trait Host {
    fn extension(&self, round: u32, value: &[u8]) -> Vec<u8>;
    fn is_extension(&self, validator: &[u8], bytes: &[u8]) -> bool;
}

/// What the core never asks of this engine.
#[derive(Debug)]
pub struct Unasked;

type Resumed = Result<Resume<Mesh>, Unasked>;

pub struct Hand {
    pub voice: Voice,
    verifiers: BTreeMap<Key, Verifier>,
    host: Box<dyn Host>,
    /// values that a proposer or a quorum has named
    pub named: BTreeSet<Cid>,
    /// records that the log holds already
    pub logged: BTreeSet<Vec<u8>>,
    pub is_replaying: bool,
    rebroadcast: Option<Round>,
    accused: Accused,
    pub effects: Vec<Effect>,
    /// of the input that is under way
    pub refusal: Option<Refusal>,
}

impl Hand {
    pub fn new(mesh: MeshId, height: u64, seed: &[u8; 32], validators: &Validators, host: Box<dyn Host>) -> Self {
        let verifiers = validators.0.iter().map(|each| (each.key, Verifier::new(&each.key))).collect();
        Self {
            voice: Voice::new(mesh, height, seed),
            verifiers,
            host,
            named: BTreeSet::new(),
            logged: BTreeSet::new(),
            is_replaying: false,
            rebroadcast: None,
            accused: Accused::default(),
            effects: Vec::new(),
            refusal: None,
        }
    }

    pub fn give(&mut self, asked: Asked<Mesh>) -> Resumed {
        match asked {
            Asked::CancelAllTimeouts(resume) => {
                self.rebroadcast = None;
                self.done(Effect::CancelTimeouts, resume)
            }
            // A timeout that is late does nothing: nobody needs to take it back.
            Asked::CancelTimeout(_, resume) => Ok(resume.resume_with(())),
            Asked::ScheduleTimeout(timeout, resume) => {
                self.schedule(timeout);
                Ok(resume.resume_with(()))
            }
            Asked::StartRound(_, round, proposer, _, resume) => {
                self.done(Effect::Round(round.as_u32().unwrap_or(0), proposer), resume)
            }
            Asked::PublishConsensusMsg(SignedConsensusMsg::Vote(vote), resume) => {
                self.publish(encode_vote(&vote), resume)
            }
            Asked::PublishConsensusMsg(SignedConsensusMsg::Proposal(proposal), resume) => {
                self.publish(encode_proposal(&proposal), resume)
            }
            Asked::PublishLivenessMsg(message, resume) => self.publish(encode_liveness(&message), resume),
            Asked::RepublishVote(vote, resume) => self.publish(encode_vote(&vote), resume),
            Asked::RepublishRoundCertificate(certificate, resume) => self.publish(encode_round(&certificate), resume),
            Asked::GetValue(_, round, _, resume) => self.done(Effect::GetValue(round.as_u32().unwrap_or(0)), resume),
            Asked::RestreamProposal(_, round, valid_round, _, value, resume) => {
                self.done(Effect::Restream { round, valid_round, value }, resume)
            }
            Asked::Decide(certificate, extensions, resume) => self.decide(certificate, extensions, resume),
            Asked::SignVote(vote, resume) => Ok(resume.resume_with(self.voice.sign_vote(vote))),
            Asked::SignProposal(proposal, resume) => Ok(resume.resume_with(self.voice.sign_proposal(proposal))),
            Asked::VerifySignature(message, key, resume) => {
                let is_valid = self.is_signed(&message.message, &key, &message.signature);
                Ok(resume.resume_with(is_valid))
            }
            // Of votes that were checked one by one.
            Asked::VerifyCommitCertificate(_, _, _, resume) => Ok(resume.resume_with(Ok(()))),
            Asked::VerifyPolkaCertificate(polka, _, _, resume) => {
                Ok(resume.resume_with(verdict(self.are_signed(polka.votes(&Mesh)))))
            }
            Asked::VerifyRoundCertificate(certificate, _, _, resume) => {
                Ok(resume.resume_with(verdict(self.are_signed(certificate.votes(&Mesh)))))
            }
            Asked::WalAppend(_, input, resume) => {
                self.log(&input);
                Ok(resume.resume_with(()))
            }
            Asked::ExtendVote(_, round, value, _, resume) => Ok(resume.resume_with(Some(self.extend(round, &value)))),
            Asked::VerifyVoteExtension(_, round, value, validator, extension, _, resume) => {
                Ok(resume.resume_with(self.check_extension(round, &value, &validator, &extension)))
            }
            Asked::Finalize(_, _, evidence, resume) => {
                self.accuse(&evidence.votes, &evidence.proposals);
                Ok(resume.resume_with(()))
            }
            // Values decided elsewhere never come in through the core.
            Asked::CertVerifiedSyncValue(..)
            | Asked::CertRejectedSyncValue(..)
            | Asked::VerifyExtendedCommitCertificate(..) => Err(Unasked),
        }
    }

    fn done(&mut self, effect: Effect, resume: impl Resumable<Mesh, Value = ()>) -> Resumed {
        self.effects.push(effect);
        Ok(resume.resume_with(()))
    }

    fn publish(&mut self, message: Vec<u8>, resume: impl Resumable<Mesh, Value = ()>) -> Resumed {
        self.done(Effect::Publish(message), resume)
    }

    /// The core asks for the same rebroadcast again and again; one runs at a time.
    pub fn schedule(&mut self, timeout: Timeout) {
        if timeout.kind == TimeoutKind::Rebroadcast && self.rebroadcast.replace(timeout.round) == Some(timeout.round) {
            return;
        }
        self.effects.push(Effect::Timeout(timeout));
    }

    pub fn rebroadcast_elapsed(&mut self) {
        self.rebroadcast = None;
    }

    fn decide(
        &mut self,
        certificate: CommitCertificate<Mesh>,
        extensions: VoteExtensions<Mesh>,
        resume: impl Resumable<Mesh, Value = ()>,
    ) -> Resumed {
        let whole = ExtendedCommitCertificate::from_commit_certificate_and_extensions(certificate, extensions);
        self.done(Effect::Decide(whole), resume)
    }

    fn log(&mut self, input: &Input<Mesh>) {
        match input {
            Input::Proposal(proposal) => drop(self.named.insert(proposal.value)),
            Input::PolkaCertificate(polka) => drop(self.named.insert(polka.value_id)),
            _ => {}
        }
        self.voice.note(input);
        let Some(record) = record::encode(input) else { return };
        let is_there = if self.is_replaying { self.logged.contains(&record) } else { self.logged.remove(&record) };
        if !is_there {
            self.effects.push(Effect::Log(record));
        }
    }

    /// Logs a block that waits for its proposal; the core will ask for the same record.
    pub fn keep(&mut self, block: &ProposedValue<Mesh>) {
        let record = record::encode_value(block);
        if !self.logged.contains(&record) {
            self.effects.push(Effect::Log(record.clone()));
            self.logged.insert(record);
        }
    }

    fn extend(&mut self, round: Round, value: &Cid) -> SignedExtension<Mesh> {
        let Self { voice, host, .. } = self;
        voice.extend(round, value, || host.extension(round.as_u32().unwrap_or(0), &value.0))
    }

    fn verify(&self, key: &Key, bytes: &[u8], signature: &Signature) -> bool {
        self.verifiers.get(key).is_some_and(|verifier| verifier.verify(bytes, signature))
    }

    /// What the log holds was checked before it came there.
    fn is_trusted(&self, key: &Key, bytes: &[u8], signature: &Signature) -> bool {
        self.is_replaying || self.voice.has_made(key, bytes, signature) || self.verify(key, bytes, signature)
    }

    fn is_signed(&mut self, message: &ConsensusMsg<Mesh>, key: &Key, signature: &Signature) -> bool {
        let bytes = match message {
            ConsensusMsg::Vote(vote) => vote_bytes(&self.voice.mesh, vote),
            ConsensusMsg::Proposal(proposal) => proposal_bytes(&self.voice.mesh, proposal),
        };
        let is_valid = self.is_trusted(key, &bytes, signature);
        if !is_valid {
            self.refusal = Some(Refusal::Signature);
        }
        is_valid
    }

    fn check_extension(
        &mut self,
        round: Round,
        value: &Cid,
        validator: &Key,
        extension: &SignedExtension<Mesh>,
    ) -> Result<(), VoteExtensionError> {
        let Voice { mesh, height, .. } = &self.voice;
        let bytes = extension_bytes(mesh, *height, round, value, validator, &extension.message);
        if !self.is_trusted(validator, &bytes, &extension.signature) {
            self.refusal = Some(Refusal::Signature);
            return Err(VoteExtensionError::InvalidSignature);
        }
        let is_own = self.voice.has_made(validator, &bytes, &extension.signature);
        if self.is_replaying || is_own || self.host.is_extension(&validator.0, &extension.message) {
            return Ok(());
        }
        self.refusal = Some(Refusal::Extension);
        Err(VoteExtensionError::InvalidVoteExtension)
    }

    /// Who signed and with what power was checked when the certificate came in (`sound.rs`).
    fn are_signed(&mut self, mut votes: impl Iterator<Item = SignedVote<Mesh>>) -> bool {
        let is_signed = |vote: SignedVote<Mesh>| {
            self.verify(&vote.validator, &vote_bytes(&self.voice.mesh, &vote.message), &vote.signature)
        };
        let are_signed = self.is_replaying || votes.all(is_signed);
        if !are_signed {
            self.refusal = Some(Refusal::Certificate);
        }
        are_signed
    }

    pub fn accuse(&mut self, votes: &VoteEvidence<Mesh>, proposals: &ProposalEvidence<Mesh>) {
        let of_votes: usize = votes.iter().map(|(_, pairs)| pairs.len()).sum();
        let of_proposals: usize = proposals.iter().map(|(_, pairs)| pairs.len()).sum();
        // After every input: a pair of votes may hold two of the longest extensions.
        if !self.accused.is_more(of_votes + of_proposals) {
            return;
        }
        let votes = votes.iter().flat_map(|(_, pairs)| pairs);
        self.effects.extend(votes.filter_map(|pair| self.accused.votes(pair)));
        let proposals = proposals.iter().flat_map(|(_, pairs)| pairs);
        self.effects.extend(proposals.filter_map(|pair| self.accused.proposals(pair)));
    }
}

#[allow(clippy::result_large_err, reason = "the core's own")]
fn verdict(is_valid: bool) -> Result<(), CertificateError<Mesh>> {
    if is_valid { Ok(()) } else { Err(CertificateError::VerificationError(None)) }
}

fn encode_liveness(message: &LivenessMsg<Mesh>) -> Vec<u8> {
    match message {
        LivenessMsg::Vote(vote) => encode_vote(vote),
        LivenessMsg::PolkaCertificate(polka) => encode_polka(polka),
        LivenessMsg::SkipRoundCertificate(certificate) => encode_round(certificate),
    }
}

/// Whether a vote carries an extension where it must, and nowhere else.
pub fn is_extended_rightly(vote: &Vote) -> bool {
    let must = vote.kind == VoteType::Precommit && matches!(vote.value, NilOrVal::Val(_));
    vote.extension.is_some() == must
}

/// Who proposes in a round.
pub fn proposer_of(validators: &Validators, height: u64, round: Round) -> Key {
    Mesh.select_proposer(validators, crate::context::Height(height), round).key
}
