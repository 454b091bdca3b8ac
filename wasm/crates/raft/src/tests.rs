//! The engine alone: decoding that never panics, and one member that leads itself.

use crate::host::{ROOT, Role, host, offer};
use crate::input::{Input, Step, decode, decode_start};
use crate::node::{Node, Refusal};
use kairos_wire::{Malformed, Reader, Writer};
use prost::Message as _;
use raft::eraftpb::{Entry, Message, MessageType};

fn configuration(writer: &mut Writer, voters: &[u64], learners: &[u64]) {
    writer.wholes(voters);
    writer.wholes(learners);
    (0..2).for_each(|_| writer.wholes(&[]));
}

/// A member with an empty log, alone in its cell.
fn start(entries: &[(u64, u64)]) -> Vec<u8> {
    start_of(1, &[1], &[], entries)
}

pub fn start_of(id: u64, voters: &[u64], learners: &[u64], entries: &[(u64, u64)]) -> Vec<u8> {
    let mut writer = Writer::default();
    for value in [id, 0, 10, 1, 7] {
        writer.whole(value);
    }
    for value in [entries.last().map_or(0, |entry| entry.1), 0, 0] {
        writer.whole(value);
    }
    configuration(&mut writer, voters, learners);
    writer.whole(0);
    writer.whole(0);
    configuration(&mut writer, &[], &[]);
    writer.bytes(&[]);
    writer.list(entries, |writer, (index, term)| {
        writer.whole(*index);
        writer.whole(*term);
        writer.byte(0);
        writer.bytes(b"data");
    });
    writer.bytes
}

fn node() -> Node {
    Node::new(decode_start(&start(&[])).unwrap_or_else(|_| panic!("a start"))).unwrap_or_else(|_| panic!("a node"))
}

fn give(node: &mut Node, input: Input) -> Result<Vec<u8>, Refusal> {
    node.input(input, Vec::new())
}

/// A generator that gives the same numbers each time.
pub fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn a_log_with_a_gap_or_a_falling_term_is_no_start() {
    assert!(decode_start(&start(&[(1, 1), (2, 1)])).is_ok());
    assert!(decode_start(&start(&[(1, 1), (3, 1)])).is_err());
    assert!(decode_start(&start(&[(1, 2), (2, 1)])).is_err());
    assert!(decode_start(&start(&[(2, 1)])).is_err());
}

#[test]
fn mutated_starts_and_inputs_are_refused_and_never_panic() {
    let mut random = 42;
    let good = [
        start(&[(1, 1), (2, 1)]),
        encoded(1, |writer| {
            writer.list(&[b"message"], |writer, it| {
                writer.whole(2);
                writer.bytes(*it);
                writer.option(Some(9), Writer::whole);
                writer.bytes(b"root");
            });
        }),
    ];
    for round in 0..200_000 {
        let mut bytes = good[round % 2].clone();
        for _ in 0..1 + next(&mut random) % 4 {
            let at = next(&mut random) as usize % bytes.len();
            bytes[at] = next(&mut random) as u8;
        }
        bytes.truncate(next(&mut random) as usize % (bytes.len() + 1));
        let _ = decode_start(&bytes);
        let _ = decode(&bytes);
    }
}

fn encoded(tag: u8, fields: impl Fn(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.byte(tag);
    fields(&mut writer);
    writer.bytes
}

#[test]
fn a_list_makes_no_room_for_more_than_there_is() {
    let mut reader = Reader::new(&[0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0]);
    assert_eq!(reader.wholes(), Err(Malformed));
}

#[test]
fn random_bytes_from_a_peer_are_counted_and_change_nothing() {
    let mut node = node();
    let mut random = 7;
    for _ in 0..20_000 {
        let message: Vec<u8> = (0..next(&mut random) % 40).map(|_| next(&mut random) as u8).collect();
        let effects = node.effects_of(Input::Step(vec![Step { from: 2, snapshot: None, bytes: &message }]));
        assert_eq!(effects.map(|effects| effects.refused), Ok(1));
    }
    assert!(give(&mut node, Input::Campaign).is_ok());
}

#[test]
fn what_is_out_of_place_is_refused_and_the_node_goes_on() {
    let mut node = node();
    assert_eq!(give(&mut node, Input::Propose(vec![b"early"])), Err(Refusal::Dropped));
    assert_eq!(give(&mut node, Input::Propose(vec![])), Err(Refusal::Input));
    assert_eq!(give(&mut node, Input::Applied(9)), Err(Refusal::Input));
    assert_eq!(give(&mut node, Input::Configure(b"\xff")), Err(Refusal::Input));
    assert!(give(&mut node, Input::Campaign).is_ok());
    assert!(give(&mut node, Input::Persisted(u64::MAX >> 12)).is_ok());
    assert!(give(&mut node, Input::Propose(vec![b"one", b"two"])).is_ok());
}

#[test]
fn the_same_inputs_have_the_same_effects() {
    let run = || -> Vec<Vec<u8>> {
        let mut node = node();
        (0..100).map(|_| give(&mut node, Input::Tick).unwrap_or_default()).collect()
    };
    assert_eq!(run(), run());
}

#[test]
fn a_member_speaks_only_as_itself() {
    let mut host = host(Role::Follower, 1);
    let beat = host.message(MessageType::MsgHeartbeat).encode_to_vec();
    let mut refused = |from| host.give(Input::Step(vec![Step { from, snapshot: None, bytes: &beat }]));
    assert_eq!([0, 1, 2, 3].map(&mut refused), [1, 1, 0, 1]);
}

#[test]
fn a_snapshot_comes_in_an_envelope_that_names_it_and_nothing_else_does() {
    let mut host = host(Role::Follower, 1);
    let snapshot = offer(&host, 9, 1).encode_to_vec();
    let beat = host.message(MessageType::MsgHeartbeat).encode_to_vec();
    let mut refused = |snapshot, bytes: &[u8]| host.give(Input::Step(vec![Step { from: 2, snapshot, bytes }]));
    assert_eq!(refused(None, &snapshot), 1);
    assert_eq!(refused(Some((8, ROOT)), &snapshot), 1);
    assert_eq!(refused(Some((9, b"another")), &snapshot), 1);
    assert_eq!(refused(Some((9, ROOT)), &beat), 1);
    assert_eq!(refused(Some((9, ROOT)), &snapshot), 0);
    assert_eq!(host.committed, 9);
}

#[test]
fn a_term_has_one_leader() {
    let mut host = host(Role::Follower, 1);
    let beat = host.message(MessageType::MsgHeartbeat);
    assert_eq!(host.hear(&Message { from: 3, ..beat.clone() }), 1);
    assert_eq!(host.hear(&Message { from: 3, term: beat.term + 1, ..beat }), 0);
}

#[test]
fn who_does_not_lead_forwards_its_own_proposals_and_nobody_elses() {
    let mut host = host(Role::Follower, 1);
    let mut effects = |input| host.node.effects_of(input).map(|effects| (effects.messages, effects.persisted_messages));
    let sent = effects(Input::Propose(vec![b"mine"])).map(|(now, later)| now.len() + later.len());
    assert_eq!(sent, Ok(1));
    let entries = vec![Entry { data: b"theirs".to_vec(), ..Default::default() }];
    let mut proposal = Message { from: 3, to: 1, entries, ..Default::default() };
    proposal.set_msg_type(MessageType::MsgPropose);
    let bytes = proposal.encode_to_vec();
    let sent = effects(Input::Step(vec![Step { from: 3, snapshot: None, bytes: &bytes }]));
    assert_eq!(sent, Ok((vec![], vec![])));
}

#[test]
fn whoever_does_not_lead_hands_nothing_over() {
    let mut host = host(Role::Follower, 1);
    assert_eq!(give(&mut host.node, Input::Transfer(2)), Err(Refusal::Dropped));
}

#[test]
fn nobody_is_elected_with_entries_that_are_not_durable() {
    let mut host = host(Role::Unwritten, 1);
    for _ in 0..100 {
        host.give(Input::Tick);
    }
    assert_eq!(host.give(Input::Campaign), 0);
    assert_eq!(host.hear(&host.message(MessageType::MsgTimeoutNow)), 0);
    assert_eq!(host.node.raft().state, raft::StateRole::Follower);
    host.settle();
    host.hear(&host.message(MessageType::MsgTimeoutNow));
    assert_eq!(host.node.raft().state, raft::StateRole::Candidate);
}

/// What a transport takes (`protocols/raft/constants.ts`).
const MAX_MESSAGE: usize = 1 << 20;
const MAX_WAITING: usize = 4 << 20;

#[test]
fn appends_to_a_member_that_lags_fit_a_message_and_a_queue() {
    for (size, at_once) in [(1, 512), (200, 512), (100_000, 5)] {
        let mut host = host(Role::Leader, 1);
        let command = vec![7; size];
        for _ in 0..100 {
            host.give(Input::Propose(vec![&command; at_once]));
            host.settle();
        }
        let matched = Message { from: 3, index: 1, ..host.message(MessageType::MsgAppendResponse) };
        let bytes = matched.encode_to_vec();
        let effects = host.node.effects_of(Input::Step(vec![Step { from: 3, snapshot: None, bytes: &bytes }]));
        let messages = effects.map(|effects| effects.messages).unwrap_or_default();
        let sizes: Vec<usize> = messages.iter().map(Message::encoded_len).collect();
        assert!(!sizes.is_empty() && sizes.iter().all(|size| *size < MAX_MESSAGE), "{sizes:?}");
        assert!(size > 65_536 || sizes.iter().sum::<usize>() < MAX_WAITING, "{sizes:?}");
    }
}

#[test]
fn the_greatest_entry_fits_a_message() {
    let mut host = host(Role::Leader, 1);
    let command = vec![7; crate::sound::MAX_ENTRY];
    let effects = host.node.effects_of(Input::Propose(vec![&command]));
    let messages = effects.map(|effects| effects.messages).unwrap_or_default();
    assert!(!messages.is_empty() && messages.iter().all(|message| message.encoded_len() < MAX_MESSAGE));
    let more = vec![7; crate::sound::MAX_ENTRY + 1];
    assert_eq!(give(&mut host.node, Input::Propose(vec![&more])), Err(Refusal::Input));
}

#[test]
fn what_no_member_that_keeps_the_rules_says_is_refused() {
    let mut follower = host(Role::Follower, 1);
    let last = follower.node.raft().raft_log.last_index();
    let term = follower.node.raft().term;
    let beyond = |mut message: Message| {
        message.entries.iter_mut().for_each(|entry| entry.index += 9);
        Message { index: last + 9, log_term: 0, ..message }
    };
    let other = offer(&follower, follower.node.raft().raft_log.committed, term + 1);
    let question = Entry { data: b"question".to_vec(), ..Default::default() };
    let with_term = |kind| Message { entries: vec![question.clone()], ..follower.message(kind) };
    let messages = [
        beyond(follower.append(2)),
        Message { index: 0, ..follower.append(0) },
        Message { term: term + 1, ..other },
        with_term(MessageType::MsgPropose),
        with_term(MessageType::MsgReadIndex),
        follower.message(MessageType::MsgTransferLeader),
        Message { term: 0, ..follower.message(MessageType::MsgRequestVote) },
        Message { term: term + (1 << 33), ..follower.message(MessageType::MsgHeartbeat) },
        Message { commit: last + 1, ..follower.message(MessageType::MsgHeartbeat) },
        Message { context: vec![7; 65], ..follower.message(MessageType::MsgHeartbeat) },
    ];
    assert_eq!(messages.map(|message| follower.hear(&message)), [1; 10]);
    let mut leader = host(Role::Leader, 1);
    let last = leader.node.raft().raft_log.last_index();
    let answer = leader.message(MessageType::MsgAppendResponse);
    assert_eq!(leader.hear(&Message { index: last + 1, ..answer.clone() }), 1);
    assert_eq!(leader.hear(&Message { reject: true, reject_hint: last + 1, ..answer.clone() }), 1);
    assert_eq!(leader.hear(&Message { reject: true, request_snapshot: 1, ..answer }), 1);
}
