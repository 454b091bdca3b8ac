//! What the host tells the engine, decoded and checked.

use crate::context::{Cid, Height, Key, Mesh, Validator, Validators};
use crate::message::{MAX_ROUND, MAX_VALIDATORS};
use crate::record;
use crate::signed::MeshId;
use kairos_wire::{Malformed, Reader};
use malachitebft_core_consensus::{Input as CoreInput, ProposedValue};
use malachitebft_core_types::{Round, Timeout, Validity};
use std::sync::Arc;

const MAX_TOTAL_POWER: u64 = 1 << 33;

pub enum Input<'a> {
    Start,
    Message(&'a [u8]),
    Timeout(Timeout),
    Propose(u32, Cid),
    Block(ProposedValue<Mesh>),
}

pub fn decode(bytes: &[u8], height: u64) -> Result<Input<'_>, Malformed> {
    let mut reader = Reader::new(bytes);
    let input = match reader.byte()? {
        0 => Input::Start,
        1 => Input::Message(reader.bytes()?),
        2 => {
            let kind = record::timeout_of(reader.byte()?)?;
            Input::Timeout(Timeout::new(Round::new(round(&mut reader)?), kind))
        }
        3 => Input::Propose(round(&mut reader)?, Cid(reader.exact()?)),
        4 => Input::Block(block(&mut reader, height)?),
        _ => return Err(Malformed),
    };
    reader.end()?;
    Ok(input)
}

fn round(reader: &mut Reader) -> Result<u32, Malformed> {
    let round = reader.whole()?;
    if round < u64::from(MAX_ROUND) { Ok(round as u32) } else { Err(Malformed) }
}

fn block(reader: &mut Reader, height: u64) -> Result<ProposedValue<Mesh>, Malformed> {
    let round = round(reader)?;
    // One more than it is, so that none is zero.
    let valid_round = match reader.whole()? {
        0 => Round::Nil,
        more if more <= u64::from(round) => Round::new(more as u32 - 1),
        _ => return Err(Malformed),
    };
    let (proposer, value) = (Key(reader.exact()?), Cid(reader.exact()?));
    let validity = Validity::from_bool(reader.bool()?);
    Ok(ProposedValue { height: Height(height), round: Round::new(round), valid_round, proposer, value, validity })
}

/// What a height starts from.
pub struct Start {
    pub mesh: MeshId,
    pub height: u64,
    pub validators: Validators,
    pub seed: [u8; 32],
    pub log: Vec<(Vec<u8>, CoreInput<Mesh>)>,
}

/// Refuses a set that is none, and records that are not of this height.
pub fn decode_start(bytes: &[u8]) -> Result<Start, Malformed> {
    let mut reader = Reader::new(bytes);
    let (mesh, height) = (reader.exact()?, reader.whole()?);
    let validators = reader.list(44, |reader| Ok(Validator { key: Key(reader.exact()?), power: reader.whole()? }))?;
    let seed = reader.exact()?;
    let log = reader.list(4, |reader| {
        let bytes = reader.bytes()?;
        Ok((bytes.to_vec(), record::decode(bytes, height)?))
    })?;
    reader.end()?;
    if height == 0 || !is_set(&validators) {
        return Err(Malformed);
    }
    Ok(Start { mesh, height, validators: Validators(Arc::new(validators)), seed, log })
}

fn is_set(validators: &[Validator]) -> bool {
    let is_sized = (1..=MAX_VALIDATORS).contains(&validators.len());
    let is_ordered = validators.is_sorted_by(|one, next| one.key < next.key);
    let powers = validators.iter().map(|validator| validator.power);
    is_sized
        && is_ordered
        && powers.clone().all(|power| power > 0)
        && powers.map(u128::from).sum::<u128>() < u128::from(MAX_TOTAL_POWER)
}
