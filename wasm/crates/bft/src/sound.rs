//! What is refused before any work is done for it.

use crate::context::{Key, Mesh, Validators};
use crate::hand::{is_extended_rightly, proposer_of};
use crate::message::{MAX_ROUND, Message};
use crate::node::Refusal;
use malachitebft_core_types::{
    PolkaCertificate, Round, RoundCertificate, RoundCertificateType, ThresholdParam, ThresholdParams,
    ValidatorSet as _, VoteType,
};
use std::collections::BTreeSet;

/// As many rounds ahead as the core takes votes and proposals of.
pub const LOOKAHEAD: u32 = malachitebft_core_consensus::MAX_FUTURE_ROUND_LOOKAHEAD;

const SPARE_ROUNDS: u32 = 1 << 20;

/// Where the engine is.
pub struct Place<'a> {
    pub height: u64,
    pub round: Round,
    pub validators: &'a Validators,
}

impl Place<'_> {
    pub fn check(&self, message: &Message) -> Result<(), Refusal> {
        if message.height() != self.height {
            return Err(Refusal::Height);
        }
        match message {
            Message::Vote(vote) => {
                self.check_round(vote.round)?;
                self.check_known(&vote.validator)?;
                if is_extended_rightly(&vote.message) { Ok(()) } else { Err(Refusal::Extension) }
            }
            Message::Proposal(proposal) => {
                self.check_round(proposal.round)?;
                let proposer = proposer_of(self.validators, self.height, proposal.round);
                if proposer == proposal.validator { Ok(()) } else { Err(Refusal::Validator) }
            }
            Message::Polka(polka) => self.check_polka(polka),
            Message::Round(certificate) => self.check_certificate(certificate),
        }
    }

    pub fn check_round(&self, round: Round) -> Result<(), Refusal> {
        let is_near = round.as_i64() <= self.round.as_i64() + i64::from(LOOKAHEAD);
        if is_near { Ok(()) } else { Err(Refusal::Round) }
    }

    fn check_known(&self, key: &Key) -> Result<(), Refusal> {
        self.validators.get_by_address(key).map(|_| ()).ok_or(Refusal::Validator)
    }

    fn check_polka(&self, polka: &PolkaCertificate<Mesh>) -> Result<(), Refusal> {
        check_reach(polka.round)?;
        let keys = polka.polka_signatures.iter().map(|each| each.address);
        self.check_power(keys, ThresholdParams::default().quorum)
    }

    fn check_certificate(&self, certificate: &RoundCertificate<Mesh>) -> Result<(), Refusal> {
        check_reach(certificate.round)?;
        let keys = certificate.round_signatures.iter().map(|each| each.address);
        let ThresholdParams { quorum, honest } = ThresholdParams::default();
        if certificate.cert_type == RoundCertificateType::Skip {
            return self.check_power(keys, honest);
        }
        let is_prevote = |kind: VoteType| kind == VoteType::Prevote;
        if certificate.round_signatures.iter().any(|each| is_prevote(each.vote_type)) {
            return Err(Refusal::Certificate);
        }
        self.check_power(keys, quorum)
    }

    /// Every signer once, all of them validators, and enough power.
    fn check_power(&self, keys: impl Iterator<Item = Key>, threshold: ThresholdParam) -> Result<(), Refusal> {
        let mut seen = BTreeSet::new();
        let mut power = 0;
        for key in keys {
            power += self.validators.get_by_address(&key).ok_or(Refusal::Validator)?.power;
            if !seen.insert(key) {
                return Err(Refusal::Certificate);
            }
        }
        let is_met = threshold.is_met(power, self.validators.total_voting_power());
        if is_met { Ok(()) } else { Err(Refusal::Certificate) }
    }
}

/// A certificate carries whoever was away to any round, but for those from which counting up would soon end.
fn check_reach(round: Round) -> Result<(), Refusal> {
    if round < Round::new(MAX_ROUND - SPARE_ROUNDS) { Ok(()) } else { Err(Refusal::Round) }
}
