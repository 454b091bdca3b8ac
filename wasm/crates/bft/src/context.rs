//! The types that the core decides over.

use malachitebft_core_types as core;
use malachitebft_core_types::{
    Context, LinearTimeouts, NilOrVal, Round, SignedExtension, SigningScheme, ValidatorSet as _, VoteType,
};
use std::fmt;
use std::sync::Arc;

/// A raw ed25519 key, by which validators are known and ordered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(pub [u8; 32]);

/// A CID of an epoch's header: what is agreed on, and its own id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cid(pub [u8; 36]);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Height(pub u64);

pub type Signature = [u8; 64];

macro_rules! as_hex {
    ($($name:ty),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}
as_hex!(Key, Cid);

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::Address for Key {}

impl core::Value for Cid {
    type Id = Self;

    fn id(&self) -> Self {
        *self
    }
}

impl core::Height for Height {
    const ZERO: Self = Self(0);
    const INITIAL: Self = Self(1);

    fn increment_by(&self, n: u64) -> Self {
        Self(self.0.saturating_add(n))
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator {
    pub key: Key,
    pub power: u64,
}

impl core::Validator<Mesh> for Validator {
    fn address(&self) -> &Key {
        &self.key
    }

    fn public_key(&self) -> &Key {
        &self.key
    }

    fn voting_power(&self) -> u64 {
        self.power
    }
}

/// In the order of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators(pub Arc<Vec<Validator>>);

impl core::ValidatorSet<Mesh> for Validators {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn total_voting_power(&self) -> u64 {
        self.0.iter().map(|validator| validator.power).sum()
    }

    fn get_by_address(&self, key: &Key) -> Option<&Validator> {
        self.0.binary_search_by_key(key, |validator| validator.key).ok().map(|at| &self.0[at])
    }

    fn get_by_index(&self, index: usize) -> Option<&Validator> {
        self.0.get(index)
    }
}

impl Validators {
    /// The one of round 0 is drawn by power, the ones of later rounds follow it in the order of the keys.
    pub fn proposer(&self, height: u64, round: u32) -> &Validator {
        let mut drawn = splitmix64(height) % self.total_voting_power();
        let mut first = 0;
        while drawn >= self.0[first].power {
            drawn -= self.0[first].power;
            first += 1;
        }
        &self.0[(first + round as usize) % self.0.len()]
    }
}

/// The first number of Vigna's generator with this seed (prng.di.unimi.it/splitmix64.c).
pub fn splitmix64(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    pub kind: VoteType,
    pub height: Height,
    pub round: Round,
    pub value: NilOrVal<Cid>,
    pub validator: Key,
    pub extension: Option<SignedExtension<Mesh>>,
}

impl core::Vote<Mesh> for Vote {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<Cid> {
        &self.value
    }

    fn take_value(self) -> NilOrVal<Cid> {
        self.value
    }

    fn vote_type(&self) -> VoteType {
        self.kind
    }

    fn validator_address(&self) -> &Key {
        &self.validator
    }

    fn extension(&self) -> Option<&SignedExtension<Mesh>> {
        self.extension.as_ref()
    }

    fn take_extension(&mut self) -> Option<SignedExtension<Mesh>> {
        self.extension.take()
    }

    fn extend(self, extension: SignedExtension<Mesh>) -> Self {
        Self { extension: Some(extension), ..self }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub height: Height,
    pub round: Round,
    pub value: Cid,
    pub pol_round: Round,
    pub validator: Key,
}

impl core::Proposal<Mesh> for Proposal {
    fn height(&self) -> Height {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &Cid {
        &self.value
    }

    fn take_value(self) -> Cid {
        self.value
    }

    fn pol_round(&self) -> Round {
        self.pol_round
    }

    fn validator_address(&self) -> &Key {
        &self.validator
    }
}

/// Blocks travel beside the engine: it sees their CIDs only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPart;

impl core::ProposalPart<Mesh> for NoPart {
    fn is_first(&self) -> bool {
        true
    }

    fn is_last(&self) -> bool {
        true
    }
}

/// Signatures and keys are bytes here; `keys.rs` reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw;

impl SigningScheme for Raw {
    type DecodingError = &'static str;
    type Signature = Signature;
    type PublicKey = Key;
    type PrivateKey = ();

    fn decode_signature(bytes: &[u8]) -> Result<Signature, &'static str> {
        bytes.try_into().map_err(|_| "not 64 bytes")
    }

    fn encode_signature(signature: &Signature) -> Vec<u8> {
        signature.to_vec()
    }

    fn decode_public_key(bytes: &[u8]) -> Result<Key, &'static str> {
        bytes.try_into().map(Key).map_err(|_| "not 32 bytes")
    }

    fn encode_public_key(key: &Key) -> Vec<u8> {
        key.0.to_vec()
    }
}

#[derive(Clone, Debug)]
pub struct Mesh;

impl Context for Mesh {
    type Address = Key;
    type Height = Height;
    type ProposalPart = NoPart;
    type Proposal = Proposal;
    type Validator = Validator;
    type ValidatorSet = Validators;
    type Timeouts = LinearTimeouts;
    type Value = Cid;
    type Vote = Vote;
    type Extension = Vec<u8>;
    type SigningScheme = Raw;

    fn select_proposer<'a>(&self, validators: &'a Validators, height: Height, round: Round) -> &'a Validator {
        validators.proposer(height.0, round.as_u32().unwrap_or(0))
    }

    fn new_proposal(&self, height: Height, round: Round, value: Cid, pol_round: Round, validator: Key) -> Proposal {
        Proposal { height, round, value, pol_round, validator }
    }

    fn new_prevote(&self, height: Height, round: Round, value: NilOrVal<Cid>, validator: Key) -> Vote {
        Vote { kind: VoteType::Prevote, height, round, value, validator, extension: None }
    }

    fn new_precommit(&self, height: Height, round: Round, value: NilOrVal<Cid>, validator: Key) -> Vote {
        Vote { kind: VoteType::Precommit, height, round, value, validator, extension: None }
    }
}
