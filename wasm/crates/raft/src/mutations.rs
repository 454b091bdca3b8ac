//! No message of a member traps the engine, whatever it says and whenever it comes.

use crate::host::{Host, ROLES, ROOT, host, offer};
use crate::input::{Input, Step, decode};
use crate::storage::snapshot_of;
use kairos_wire::Writer;
use prost::Message as _;
use raft::eraftpb::{ConfChangeSingle, ConfChangeV2, Entry, EntryType, Message, MessageType};

/// A number that is sound, just beside one, or beyond all.
fn edge(host: &mut Host) -> u64 {
    let log = &host.node.raft().raft_log;
    let (last, committed, persisted, term) = (log.last_index(), log.committed, log.persisted, host.node.raft().term);
    let near = [0, 1, last, last + 1, last + 2, committed, committed + 1, persisted, term, term + 1, term + 2];
    let far = [1 << 32, (1 << 52) - 1, 1 << 52, (1 << 53) - 1, 1 << 53, u64::MAX - 1, u64::MAX];
    if host.draw(8) == 0 { host.one_of(&far) } else { host.one_of(&near) }
}

fn sound(host: &mut Host, kind: MessageType) -> Message {
    let mut message = match kind {
        MessageType::MsgAppend => host.append(3),
        MessageType::MsgSnapshot => {
            let (index, term) = (edge(host), host.node.raft().term.max(1));
            offer(host, index, term)
        }
        _ => host.message(kind),
    };
    let command = Entry { data: b"question".to_vec(), ..Default::default() };
    match kind {
        MessageType::MsgPropose | MessageType::MsgReadIndex => {
            message.term = 0;
            message.entries = vec![command];
        }
        MessageType::MsgReadIndexResp => message.entries = vec![command],
        MessageType::MsgRequestPreVote | MessageType::MsgRequestPreVoteResponse | MessageType::MsgRequestVote => {
            message.term += 1;
            (message.index, message.log_term) = (edge(host), edge(host));
        }
        MessageType::MsgAppendResponse => message.index = edge(host),
        _ => {}
    }
    message
}

fn mutate(host: &mut Host, message: &mut Message) {
    let value = edge(host);
    match host.draw(20) {
        0 => message.from = host.one_of(&[0, 1, 2, 3, 4, 5, u64::MAX]),
        1 => message.to = value,
        2 => message.term = value,
        3 => message.index = value,
        4 => message.log_term = value,
        5 => message.commit = value,
        6 => (message.commit, message.commit_term) = (value, edge(host)),
        7 => (message.reject, message.reject_hint) = (true, value),
        8 => (message.reject, message.log_term, message.reject_hint) = (true, edge(host), value),
        9 => message.request_snapshot = value,
        10 => message.context = host.one_of(&[&b""[..], b"CampaignTransfer", b"question", &[7; 65]]).to_vec(),
        11 => message.priority = value as i64,
        12 => message.msg_type = host.one_of(&[-1, 0, 7, 19, 99]),
        13 => message.entries.clear(),
        14 => message.entries.extend(message.entries.clone().into_iter().chain([Entry::default()])),
        15..=17 => mutate_entries(host, message, value),
        18 => message.snapshot = Some(snapshot_of(value, edge(host), Default::default(), ROOT)),
        _ => mutate_snapshot(host, message),
    }
}

fn mutate_entries(host: &mut Host, message: &mut Message, value: u64) {
    let kind = host.one_of(&[0, 1, 2, 2, 3, -1]);
    let change = |node_id| ConfChangeV2 {
        changes: vec![ConfChangeSingle { node_id, change_type: kind }; 1 + value as usize % 3],
        transition: kind - 1,
        ..Default::default()
    };
    let data = [vec![], vec![7; 3], change(host.draw(6)).encode_to_vec(), change(value).encode_to_vec()];
    let (what, which) = (host.draw(5), host.draw(4) as usize);
    for entry in &mut message.entries {
        match what {
            0 => entry.index = value,
            1 => entry.term = value,
            2 => (entry.entry_type, entry.data) = (kind, data[which].clone()),
            3 => (entry.entry_type, entry.data) = (EntryType::EntryConfChangeV2 as i32, data[which].clone()),
            _ => entry.context = vec![1],
        }
    }
}

fn mutate_snapshot(host: &mut Host, message: &mut Message) {
    let (what, ids) =
        (host.draw(6), host.one_of(&[&[][..], &[1], &[1, 2], &[2, 2], &[0], &[u64::MAX], &[4, 1]]).to_vec());
    let Some(metadata) = message.snapshot.as_mut().and_then(|snapshot| snapshot.metadata.as_mut()) else { return };
    let Some(state) = metadata.conf_state.as_mut() else { return };
    match what {
        0 => state.voters = ids,
        1 => state.learners = ids,
        2 => state.voters_outgoing = ids,
        3 => (state.voters_outgoing, state.learners_next) = (vec![1, 2, 4], ids),
        4 => state.auto_leave = !state.auto_leave,
        _ => metadata.conf_state = None,
    }
}

fn act(host: &mut Host) {
    match host.draw(12) {
        0 => drop(host.give(Input::Propose(vec![b"mine"]))),
        1 => drop(host.give(Input::Read(b"mine"))),
        2 => drop(host.give(Input::Transfer(2))),
        3 => drop(host.give(Input::Campaign)),
        4 => drop(host.give(Input::Unreachable(2))),
        5 => drop(host.give(Input::SnapshotSent(2, true))),
        6 => drop(host.give(Input::Persisted(host.number))),
        7 => drop(host.give(Input::Applied(host.committed))),
        8 => host.settle(),
        _ => drop(host.give(Input::Tick)),
    }
}

fn kinds() -> Vec<MessageType> {
    (0..=18).filter_map(MessageType::from_i32).collect()
}

/// More of them when somebody waits for it: `RAFT_ROUNDS=400000 cargo test --release`.
fn rounds() -> u64 {
    std::env::var("RAFT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3_000)
}

#[test]
fn no_message_of_a_member_traps_the_engine() {
    let (mut taken, mut refused) = (0, 0);
    for round in 0..rounds() {
        let mut host = host(ROLES[round as usize % ROLES.len()], 0x9e37_79b9 * (round + 1));
        for _ in 0..40 {
            let mut steps = Vec::new();
            for _ in 0..host.one_of(&[1, 1, 1, 3]) {
                let kind = host.one_of(&kinds());
                let mut message = sound(&mut host, kind);
                for _ in 0..host.one_of(&[0, 1, 1, 2, 4]) {
                    mutate(&mut host, &mut message);
                }
                let place = message.get_snapshot().get_metadata().index;
                let is_offer = kind == MessageType::MsgSnapshot && host.draw(16) > 0;
                steps.push((message.from, is_offer.then_some((place, ROOT)), message.encode_to_vec()));
            }
            let count = steps.len() as u64;
            let steps = steps.iter().map(|(from, snapshot, bytes)| Step { from: *from, snapshot: *snapshot, bytes });
            let bad = host.give(Input::Step(steps.collect()));
            (taken, refused) = (taken + count - bad, refused + bad);
            act(&mut host);
        }
    }
    // Neither half is what the other one's is.
    assert!(taken > refused / 4 && refused > taken / 4, "{taken} taken, {refused} refused");
}

/// An input of the host's, as bytes: of a kind that there is, with numbers that may be out of place.
fn any_input(host: &mut Host) -> Vec<u8> {
    let mut writer = Writer::default();
    let (kind, value) = (host.one_of(&[0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), edge(host));
    let ids = [vec![], vec![1], vec![1, 2, 3], vec![2, 2], vec![value]];
    let (which, flag) = (host.draw(5) as usize, host.draw(3) as u8);
    let context = host.one_of(&[&b""[..], b"question", &[7; 65]]);
    let change = ConfChangeV2 {
        changes: ids[which].iter().map(|id| ConfChangeSingle { node_id: *id, change_type: flag.into() }).collect(),
        ..Default::default()
    };
    writer.byte(kind);
    match kind {
        2 => writer.list(&ids[which], |writer, _| writer.bytes(context)),
        3 => {
            writer.list(&ids[which], |writer, id| {
                writer.byte(flag);
                writer.whole(*id);
            });
            writer.bytes(context);
        }
        4 => writer.bytes(context),
        7 => writer.bytes(&change.encode_to_vec()),
        11 => {
            writer.whole(value);
            writer.byte(flag);
        }
        12 => {
            writer.whole(value);
            writer.whole(edge(host));
            (0..4).for_each(|at| writer.wholes(&ids[(which + at) % ids.len()]));
            writer.bytes(context);
            writer.whole(edge(host));
        }
        5 | 6 | 8 | 10 => writer.whole(value),
        _ => {}
    }
    if host.draw(8) == 0 {
        let (at, byte) = (host.draw(writer.bytes.len() as u64) as usize, host.draw(256) as u8);
        writer.bytes[at] = byte;
    }
    writer.bytes
}

#[test]
fn no_input_of_the_host_traps_the_engine() {
    let mut taken = 0;
    for round in 0..rounds() {
        let mut host = host(ROLES[round as usize % ROLES.len()], 0x9e37_79b9 * (round + 1));
        for _ in 0..40 {
            let bytes = any_input(&mut host);
            let Ok(input) = decode(&bytes) else { continue };
            host.give(input);
            taken += 1;
            act(&mut host);
        }
    }
    assert!(taken > rounds() * 20, "{taken} taken");
}
