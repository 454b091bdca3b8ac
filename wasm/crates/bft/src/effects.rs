//! What the engine has the host do, in this order, encoded.

use crate::context::{Cid, Key, Mesh};
use crate::record::timeout_kind;
use kairos_wire::Writer;
use malachitebft_core_types::{ExtendedCommitCertificate, Round, Timeout};

#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Log(Vec<u8>),
    Publish(Vec<u8>),
    Timeout(Timeout),
    CancelTimeouts,
    Round(u32, Key),
    GetValue(u32),
    Restream { round: Round, valid_round: Round, value: Cid },
    Decide(ExtendedCommitCertificate<Mesh>),
    Equivocation(Vec<u8>, Vec<u8>),
}

/// In the memory of `room`, whatever it holds.
pub fn encode(effects: &[Effect], mut room: Vec<u8>) -> Vec<u8> {
    room.clear();
    let mut writer = Writer { bytes: room };
    writer.list(effects, write);
    writer.bytes
}

/// One more than it is, so that none is zero.
fn more(round: Round) -> u64 {
    (round.as_i64() + 1) as u64
}

fn write(writer: &mut Writer, effect: &Effect) {
    match effect {
        Effect::Log(record) => {
            writer.byte(0);
            writer.bytes(record);
        }
        Effect::Publish(message) => {
            writer.byte(1);
            writer.bytes(message);
        }
        Effect::Timeout(timeout) => {
            writer.byte(2);
            writer.byte(timeout_kind(timeout.kind).unwrap_or_default());
            writer.whole(more(timeout.round));
        }
        Effect::CancelTimeouts => writer.byte(3),
        Effect::Round(round, proposer) => {
            writer.byte(4);
            writer.whole(u64::from(*round));
            writer.bytes(&proposer.0);
        }
        Effect::GetValue(round) => {
            writer.byte(5);
            writer.whole(u64::from(*round));
        }
        Effect::Restream { round, valid_round, value } => {
            writer.byte(6);
            writer.whole(more(*round));
            writer.whole(more(*valid_round));
            writer.bytes(&value.0);
        }
        Effect::Decide(certificate) => {
            writer.byte(7);
            write_certificate(writer, certificate);
        }
        Effect::Equivocation(first, second) => {
            writer.byte(8);
            writer.bytes(first);
            writer.bytes(second);
        }
    }
}

fn write_certificate(writer: &mut Writer, certificate: &ExtendedCommitCertificate<Mesh>) {
    writer.whole(certificate.height.0);
    writer.whole(more(certificate.round));
    writer.bytes(&certificate.value_id.0);
    writer.list(&certificate.commit_signatures, |writer, each| {
        writer.bytes(&each.address.0);
        writer.bytes(&each.signature);
        writer.option(each.extension.as_ref(), |writer, extension| {
            writer.bytes(&extension.message);
            writer.bytes(&extension.signature);
        });
    });
}
