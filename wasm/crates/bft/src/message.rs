//! What validators say to each other, as bytes (`wasm/bft/messages.ts` is the twin and tells the layout).

use crate::context::{Cid, Height, Key, Mesh, Proposal, Vote};
use kairos_wire::{MAX_WHOLE, Malformed, Reader, Writer};
use malachitebft_core_types::{
    NilOrVal, PolkaCertificate, PolkaSignature, Round, RoundCertificate, RoundCertificateType, RoundSignature,
    SignedExtension, SignedProposal, SignedVote, VoteType,
};

pub const MAX_MESSAGE: usize = 131_072;
pub const MAX_EXTENSION: usize = 65_536;
pub const MAX_VALIDATORS: usize = 64;
/// Rounds are below: as signed numbers they have room for `none`, and counting one up overflows nothing.
pub const MAX_ROUND: u32 = (1 << 31) - 1;

const VOTE: u8 = 1;
const PROPOSAL: u8 = 2;
const POLKA: u8 = 3;
const ROUND: u8 = 4;

#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    Vote(SignedVote<Mesh>),
    Proposal(SignedProposal<Mesh>),
    Polka(PolkaCertificate<Mesh>),
    Round(RoundCertificate<Mesh>),
}

impl Message {
    pub fn height(&self) -> u64 {
        match self {
            Self::Vote(vote) => vote.height.0,
            Self::Proposal(proposal) => proposal.height.0,
            Self::Polka(polka) => polka.height.0,
            Self::Round(certificate) => certificate.height.0,
        }
    }
}

pub fn vote_kind(kind: VoteType) -> u8 {
    match kind {
        VoteType::Prevote => 1,
        VoteType::Precommit => 2,
    }
}

/// A round as a signed number in two's complement: -1 for none.
pub fn signed_round(round: Round) -> u32 {
    round.as_u32().unwrap_or(u32::MAX)
}

pub fn decode(bytes: &[u8]) -> Result<Message, Malformed> {
    if bytes.len() > MAX_MESSAGE {
        return Err(Malformed);
    }
    let mut reader = Reader::new(bytes);
    let message = match reader.byte()? {
        VOTE => Message::Vote(read_vote(&mut reader)?),
        PROPOSAL => Message::Proposal(read_proposal(&mut reader)?),
        POLKA => Message::Polka(read_polka(&mut reader)?),
        ROUND => Message::Round(read_certificate(&mut reader)?),
        _ => return Err(Malformed),
    };
    reader.end()?;
    Ok(message)
}

fn read_kind(reader: &mut Reader) -> Result<VoteType, Malformed> {
    match reader.byte()? {
        1 => Ok(VoteType::Prevote),
        2 => Ok(VoteType::Precommit),
        _ => Err(Malformed),
    }
}

fn read_height(reader: &mut Reader) -> Result<Height, Malformed> {
    let height = reader.u64_be()?;
    if height < MAX_WHOLE { Ok(Height(height)) } else { Err(Malformed) }
}

pub fn read_round(reader: &mut Reader) -> Result<u32, Malformed> {
    let round = reader.u32_be()?;
    if round < MAX_ROUND { Ok(round) } else { Err(Malformed) }
}

fn read_value(reader: &mut Reader) -> Result<NilOrVal<Cid>, Malformed> {
    Ok(reader.option(Reader::array)?.map_or(NilOrVal::Nil, |cid| NilOrVal::Val(Cid(cid))))
}

fn read_vote(reader: &mut Reader) -> Result<SignedVote<Mesh>, Malformed> {
    let kind = read_kind(reader)?;
    let (height, round) = (read_height(reader)?, Round::new(read_round(reader)?));
    let (value, validator, signature) = (read_value(reader)?, Key(reader.array()?), reader.array()?);
    let extension = reader.option(|reader| {
        let length = reader.u32_be()? as usize;
        if length > MAX_EXTENSION {
            return Err(Malformed);
        }
        Ok(SignedExtension::new(reader.take(length)?.to_vec(), reader.array()?))
    })?;
    Ok(SignedVote::new(Vote { kind, height, round, value, validator, extension }, signature))
}

/// -1 for none, or a round below `round`.
pub fn read_pol_round(reader: &mut Reader, round: u32) -> Result<Round, Malformed> {
    match reader.u32_be()? {
        u32::MAX => Ok(Round::Nil),
        earlier if earlier < round && earlier < MAX_ROUND => Ok(Round::new(earlier)),
        _ => Err(Malformed),
    }
}

fn read_proposal(reader: &mut Reader) -> Result<SignedProposal<Mesh>, Malformed> {
    let (height, round) = (read_height(reader)?, read_round(reader)?);
    let pol_round = read_pol_round(reader, round)?;
    let (value, validator) = (Cid(reader.array()?), Key(reader.array()?));
    let proposal = Proposal { height, round: Round::new(round), value, pol_round, validator };
    Ok(SignedProposal::new(proposal, reader.array()?))
}

fn read_many<T>(reader: &mut Reader, item: impl Fn(&mut Reader) -> Result<T, Malformed>) -> Result<Vec<T>, Malformed> {
    let count = reader.byte()? as usize;
    if count > MAX_VALIDATORS {
        return Err(Malformed);
    }
    (0..count).map(|_| item(reader)).collect()
}

fn read_polka(reader: &mut Reader) -> Result<PolkaCertificate<Mesh>, Malformed> {
    let (height, round) = (read_height(reader)?, Round::new(read_round(reader)?));
    let value_id = Cid(reader.array()?);
    let polka_signatures = read_many(reader, |reader| Ok(PolkaSignature::new(Key(reader.array()?), reader.array()?)))?;
    Ok(PolkaCertificate { height, round, value_id, polka_signatures })
}

fn read_certificate(reader: &mut Reader) -> Result<RoundCertificate<Mesh>, Malformed> {
    let (height, round) = (read_height(reader)?, Round::new(read_round(reader)?));
    let cert_type = match reader.byte()? {
        1 => RoundCertificateType::Precommit,
        2 => RoundCertificateType::Skip,
        _ => return Err(Malformed),
    };
    let round_signatures = read_many(reader, |reader| {
        let (kind, value) = (read_kind(reader)?, read_value(reader)?);
        Ok(RoundSignature::new(kind, value, Key(reader.array()?), reader.array()?))
    })?;
    Ok(RoundCertificate { height, round, cert_type, round_signatures })
}

fn begin(tag: u8) -> Writer {
    Writer { bytes: vec![tag] }
}

fn write_place(writer: &mut Writer, height: Height, round: Round) {
    writer.u64_be(height.0);
    writer.u32_be(signed_round(round));
}

fn write_value(writer: &mut Writer, value: &NilOrVal<Cid>) {
    let value = match value {
        NilOrVal::Nil => None,
        NilOrVal::Val(value) => Some(value),
    };
    writer.option(value, |writer, value| writer.raw(&value.0));
}

pub fn encode_vote(vote: &SignedVote<Mesh>) -> Vec<u8> {
    let mut writer = begin(VOTE);
    writer.byte(vote_kind(vote.kind));
    write_place(&mut writer, vote.height, vote.round);
    write_value(&mut writer, &vote.value);
    writer.raw(&vote.validator.0);
    writer.raw(&vote.signature);
    writer.option(vote.message.extension.as_ref(), |writer, extension| {
        writer.u32_be(extension.message.len() as u32);
        writer.raw(&extension.message);
        writer.raw(&extension.signature);
    });
    writer.bytes
}

pub fn encode_proposal(proposal: &SignedProposal<Mesh>) -> Vec<u8> {
    let mut writer = begin(PROPOSAL);
    write_place(&mut writer, proposal.height, proposal.round);
    writer.u32_be(signed_round(proposal.pol_round));
    writer.raw(&proposal.value.0);
    writer.raw(&proposal.validator.0);
    writer.raw(&proposal.signature);
    writer.bytes
}

pub fn encode_polka(polka: &PolkaCertificate<Mesh>) -> Vec<u8> {
    let mut writer = begin(POLKA);
    write_place(&mut writer, polka.height, polka.round);
    writer.raw(&polka.value_id.0);
    writer.byte(polka.polka_signatures.len() as u8);
    for each in &polka.polka_signatures {
        writer.raw(&each.address.0);
        writer.raw(&each.signature);
    }
    writer.bytes
}

pub fn encode_round(certificate: &RoundCertificate<Mesh>) -> Vec<u8> {
    let mut writer = begin(ROUND);
    write_place(&mut writer, certificate.height, certificate.round);
    writer.byte(match certificate.cert_type {
        RoundCertificateType::Precommit => 1,
        RoundCertificateType::Skip => 2,
    });
    writer.byte(certificate.round_signatures.len() as u8);
    for each in &certificate.round_signatures {
        writer.byte(vote_kind(each.vote_type));
        write_value(&mut writer, &each.value_id);
        writer.raw(&each.address.0);
        writer.raw(&each.signature);
    }
    writer.bytes
}
