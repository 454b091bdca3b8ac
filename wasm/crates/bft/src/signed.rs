//! What validators sign (`wasm/bft/signed-bytes.ts` says the same): a domain, a zero byte, then fixed fields, big-endian.

use crate::context::{Cid, Key, Proposal, Vote};
use crate::message::{signed_round, vote_kind};
use kairos_wire::Writer;
use malachitebft_core_types::{NilOrVal, Round};

/// The mesh id: in everything that is signed.
pub type MeshId = [u8; 36];

fn begin(domain: &[u8], mesh: &MeshId, height: u64, round: Round) -> Writer {
    let mut writer = Writer::default();
    writer.raw(domain);
    writer.raw(mesh);
    writer.u64_be(height);
    writer.u32_be(round.as_u32().unwrap_or(0));
    writer
}

pub fn vote_bytes(mesh: &MeshId, vote: &Vote) -> Vec<u8> {
    let mut writer = begin(b"kairos/bft/vote/1\0", mesh, vote.height.0, vote.round);
    writer.byte(vote_kind(vote.kind));
    match &vote.value {
        NilOrVal::Nil => writer.byte(0),
        NilOrVal::Val(value) => {
            writer.byte(1);
            writer.raw(&value.0);
        }
    }
    writer.bytes
}

pub fn proposal_bytes(mesh: &MeshId, proposal: &Proposal) -> Vec<u8> {
    let mut writer = begin(b"kairos/bft/proposal/1\0", mesh, proposal.height.0, proposal.round);
    writer.u32_be(signed_round(proposal.pol_round));
    writer.raw(&proposal.value.0);
    writer.bytes
}

pub fn extension_bytes(
    mesh: &MeshId,
    height: u64,
    round: Round,
    value: &Cid,
    validator: &Key,
    bytes: &[u8],
) -> Vec<u8> {
    let mut writer = begin(b"kairos/bft/extension/1\0", mesh, height, round);
    writer.raw(&value.0);
    writer.raw(&validator.0);
    writer.raw(bytes);
    writer.bytes
}
