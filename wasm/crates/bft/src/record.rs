//! What the log holds: inputs that were taken, each a message or one of two kinds of our own.

use crate::context::{Cid, Height, Key, Mesh};
use crate::message::{self, Message, read_pol_round, read_round, signed_round};
use kairos_wire::{Malformed, Reader, Writer};
use malachitebft_core_consensus::{Input, ProposedValue};
use malachitebft_core_types::{Round, Timeout, TimeoutKind, Validity, ValueOrigin};

const TIMEOUT: u8 = 16;
const VALUE: u8 = 17;

/// None of what the core never asks to keep.
pub fn encode(input: &Input<Mesh>) -> Option<Vec<u8>> {
    match input {
        Input::Vote(vote) => Some(message::encode_vote(vote)),
        Input::Proposal(proposal) => Some(message::encode_proposal(proposal)),
        Input::PolkaCertificate(polka) => Some(message::encode_polka(polka)),
        Input::TimeoutElapsed(timeout) => encode_timeout(timeout),
        Input::ProposedValue(value, _) => Some(encode_value(value)),
        _ => None,
    }
}

fn encode_timeout(timeout: &Timeout) -> Option<Vec<u8>> {
    let mut writer = Writer { bytes: vec![TIMEOUT] };
    writer.byte(timeout_kind(timeout.kind)?);
    writer.u32_be(signed_round(timeout.round));
    Some(writer.bytes)
}

pub fn encode_value(value: &ProposedValue<Mesh>) -> Vec<u8> {
    let mut writer = Writer { bytes: vec![VALUE] };
    writer.u32_be(signed_round(value.round));
    writer.u32_be(signed_round(value.valid_round));
    writer.raw(&value.proposer.0);
    writer.raw(&value.value.0);
    writer.byte(u8::from(value.validity.is_valid()));
    writer.bytes
}

pub fn decode(bytes: &[u8], height: u64) -> Result<Input<Mesh>, Malformed> {
    let mut reader = Reader::new(bytes);
    let input = match reader.byte()? {
        TIMEOUT => {
            let kind = timeout_of(reader.byte()?)?;
            Input::TimeoutElapsed(Timeout::new(Round::new(read_round(&mut reader)?), kind))
        }
        VALUE => {
            let round = read_round(&mut reader)?;
            let valid_round = read_pol_round(&mut reader, round)?;
            let (proposer, value) = (Key(reader.array()?), Cid(reader.array()?));
            let validity = Validity::from_bool(reader.bool()?);
            let (height, round) = (Height(height), Round::new(round));
            let value = ProposedValue { height, round, valid_round, proposer, value, validity };
            Input::ProposedValue(value, ValueOrigin::Consensus)
        }
        _ => return decode_message(bytes, height),
    };
    reader.end()?;
    Ok(input)
}

fn decode_message(bytes: &[u8], height: u64) -> Result<Input<Mesh>, Malformed> {
    let message = message::decode(bytes)?;
    if message.height() != height {
        return Err(Malformed);
    }
    match message {
        Message::Vote(vote) => Ok(Input::Vote(vote)),
        Message::Proposal(proposal) => Ok(Input::Proposal(proposal)),
        Message::Polka(polka) => Ok(Input::PolkaCertificate(polka)),
        Message::Round(_) => Err(Malformed),
    }
}

pub fn timeout_kind(kind: TimeoutKind) -> Option<u8> {
    match kind {
        TimeoutKind::Propose => Some(0),
        TimeoutKind::Prevote => Some(1),
        TimeoutKind::Precommit => Some(2),
        TimeoutKind::Rebroadcast => Some(3),
        TimeoutKind::FinalizeHeight(_) => None,
    }
}

pub fn timeout_of(kind: u8) -> Result<TimeoutKind, Malformed> {
    match kind {
        0 => Ok(TimeoutKind::Propose),
        1 => Ok(TimeoutKind::Prevote),
        2 => Ok(TimeoutKind::Precommit),
        3 => Ok(TimeoutKind::Rebroadcast),
        _ => Err(Malformed),
    }
}
