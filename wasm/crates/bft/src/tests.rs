use crate::context::{Key, Validator, Validators};
use crate::effects::Effect;
use crate::hand::Host;
use crate::input::{self, Input, decode_start};
use crate::keys::{Signer, Verifier};
use crate::message::{self, Message};
use crate::net::{HEIGHT, MESH, Net, block, cid};
use crate::node::Refusal;
use kairos_wire::{Malformed, Reader, Writer};
use malachitebft_core_types::{NilOrVal, Round, Timeout, TimeoutKind, VoteType};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A generator that gives the same numbers each time.
pub fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn four_decide_what_the_first_proposes() {
    let mut net = Net::new(4).with_listener();
    net.start();
    net.settle();
    assert!(net.members.iter().all(|member| member.decided == Some(cid(1))));
    assert!(net.members[4].said.is_empty(), "who is no validator says nothing");
}

#[test]
fn one_alone_decides_at_once() {
    let mut net = Net::new(1);
    net.start();
    net.settle();
    assert_eq!(net.members[0].decided, Some(cid(1)));
}

#[test]
fn without_a_proposal_the_next_round_decides() {
    let mut net = Net::new(4);
    net.start();
    net.lose();
    net.elapse(TimeoutKind::Propose);
    net.elapse(TimeoutKind::Precommit);
    assert!(net.members.iter().all(|member| member.decided == Some(cid(2))));
}

#[test]
fn an_invalid_block_is_prevoted_nil() {
    let mut net = Net::new(4);
    net.start();
    net.lose();
    let (value, proposer) = (cid(9), net.proposer(0));
    let proposal = net.proposal(0, value, Round::Nil);
    let voter = (proposer + 1) % 4;
    net.hear_proposal(voter, &proposal).unwrap();
    let key = net.members[proposer].key;
    net.give(voter, Input::Block(block(0, value, key, false))).unwrap();
    let said = message::decode(net.members[voter].said.last().unwrap()).unwrap();
    assert!(matches!(said, Message::Vote(vote) if vote.value == NilOrVal::Nil && vote.kind == VoteType::Prevote));
}

/// The values that a key signed, by kind and round.
fn sayings(said: &[Vec<u8>], own: Key) -> BTreeMap<(u8, i64), Vec<Vec<u8>>> {
    let mut found: BTreeMap<(u8, i64), Vec<Vec<u8>>> = BTreeMap::new();
    for bytes in said {
        let (place, what) = match message::decode(bytes).unwrap() {
            Message::Vote(vote) if vote.validator == own => {
                ((message::vote_kind(vote.kind), vote.round.as_i64()), bytes.clone())
            }
            Message::Proposal(proposal) if proposal.validator == own => ((0, proposal.round.as_i64()), bytes.clone()),
            _ => continue,
        };
        let all = found.entry(place).or_default();
        if !all.contains(&what) {
            all.push(what);
        }
    }
    found
}

#[test]
fn after_a_crash_at_any_record_nothing_is_said_that_contradicts() {
    for at in 0..4 {
        let mut whole = Net::new(4);
        whole.start();
        whole.elapse(TimeoutKind::Propose);
        let log = whole.members[at].log.clone();
        for kept in 0..=log.len() {
            let mut net = Net::new(4);
            net.start();
            net.elapse(TimeoutKind::Propose);
            net.members[at].log.truncate(kept);
            net.members[at].decided = None;
            net.restart(at);
            net.settle();
            let all = sayings(&net.members[at].said, net.members[at].key);
            let before = sayings(&whole.members[at].said, net.members[at].key);
            // What was not in the log had not left: only what was there binds.
            let bound = before.iter().filter(|(_, said)| log[..kept].contains(&said[0]));
            for (place, said) in bound {
                assert_eq!(all[place], *said, "{place:?} after {kept} records of {at}");
            }
            let logged = &net.members[at].log;
            assert!(logged.iter().enumerate().all(|(n, record)| !logged[..n].contains(record)), "each record once");
        }
    }
}

#[test]
fn whoever_was_said_to_have_voted_does_not_vote_otherwise() {
    let mut net = Net::new(4);
    net.start();
    net.lose();
    let (proposer, key) = (net.proposer(0), net.members[net.proposer(0)].key);
    let own = (proposer + 1) % 4;
    let twin = net.vote(own, VoteType::Prevote, 0, Some(cid(77)));
    net.hear_vote(own, &twin).unwrap();
    let proposal = net.proposal(0, cid(1), Round::Nil);
    net.hear_proposal(own, &proposal).unwrap();
    net.give(own, Input::Block(block(0, cid(1), key, true))).unwrap();
    let said = sayings(&net.members[own].said, net.members[own].key);
    assert_eq!(said[&(1, 0)], vec![message::encode_vote(&twin)]);
    net.restart(own);
    assert_eq!(sayings(&net.members[own].said, net.members[own].key)[&(1, 0)].len(), 1);
}

#[test]
fn our_own_signature_is_no_proof_of_what_it_was_not_made_for() {
    let mut net = Net::new(4);
    net.start();
    net.lose();
    let own = (net.proposer(0) + 1) % 4;
    net.give(own, Input::Timeout(Timeout::propose(Round::ZERO))).unwrap();
    let Ok(Message::Vote(mut forged)) = message::decode(&net.members[own].said[0]) else { panic!("a vote") };
    forged.message.value = NilOrVal::Val(cid(3));
    assert_eq!(net.hear_vote(own, &forged), Err(Refusal::Signature));
    assert_eq!(net.members[own].accused, 0);
}

#[test]
fn twins_are_told_once() {
    let mut net = Net::new(4);
    net.start();
    let votes = [1, 2, 2, 1].map(|tag| net.vote(3, VoteType::Prevote, 0, Some(cid(tag))));
    for vote in &votes {
        let _ = net.hear_vote(0, vote);
    }
    assert_eq!(net.members[0].accused, 1);
    let (first, second) = (net.proposal(0, cid(1), Round::Nil), net.proposal(0, cid(2), Round::Nil));
    let voter = (net.proposer(0) + 1) % 4;
    for proposal in [&first, &second, &second] {
        let _ = net.hear_proposal(voter, proposal);
    }
    assert_eq!(net.members[voter].accused, if voter == 0 { 2 } else { 1 });
}

#[test]
fn a_vote_that_contradicts_is_logged_once_however_often_it_comes() {
    for kind in [VoteType::Prevote, VoteType::Precommit] {
        let mut net = Net::new(4);
        net.start();
        net.lose();
        let votes = [1, 2].map(|tag| net.vote(3, kind, 0, Some(cid(tag))));
        for vote in votes.iter().cycle().take(100) {
            net.hear_vote(0, vote).unwrap();
        }
        let log = &net.members[0].log;
        let logged = votes.map(|vote| log.iter().filter(|record| **record == message::encode_vote(&vote)).count());
        assert_eq!(logged, [1, 1]);
    }
}

#[test]
fn junk_blocks_take_no_place_of_the_one_that_is_proposed() {
    let mut net = Net::new(4);
    net.start();
    net.lose();
    let (proposer, key) = (net.proposer(0), net.members[net.proposer(0)].key);
    let voter = (proposer + 1) % 4;
    for tag in 10..200 {
        net.give(voter, Input::Block(block(0, cid(tag), key, tag % 2 == 0))).unwrap();
    }
    let proposal = net.proposal(0, cid(1), Round::Nil);
    net.hear_proposal(voter, &proposal).unwrap();
    net.give(voter, Input::Block(block(0, cid(1), key, true))).unwrap();
    assert!(sayings(&net.members[voter].said, net.members[voter].key).contains_key(&(1, 0)));
    assert!(net.members[voter].log.len() < 80, "what is kept is bounded");
}

#[test]
fn inputs_out_of_place_are_refused() {
    let mut net = Net::new(4);
    assert_eq!(net.give(0, Input::Timeout(Timeout::propose(Round::ZERO))), Err(Refusal::Input));
    net.start();
    assert_eq!(net.give(0, Input::Start), Err(Refusal::Input));
    let other = (net.proposer(0) + 1) % 4;
    assert_eq!(net.give(other, Input::Propose(0, cid(1))), Err(Refusal::Input));
    let key = net.members[0].key;
    assert_eq!(net.give(0, Input::Block(block(11, cid(1), key, true))), Err(Refusal::Round));
}

#[test]
fn an_extension_is_asked_for_once_and_kept() {
    struct Once(std::cell::Cell<bool>);
    impl Host for Once {
        fn extension(&self, _: u32, _: &[u8]) -> Vec<u8> {
            assert!(!self.0.replace(true), "asked twice");
            vec![1]
        }
        fn is_extension(&self, _: &[u8], _: &[u8]) -> bool {
            panic!("it was checked before it was logged")
        }
    }
    let mut net = Net::new(4);
    net.start();
    net.settle();
    let log = net.members[0].log.iter().map(|record| (record.clone(), crate::record::decode(record, HEIGHT).unwrap()));
    let (validators, seed) = (net.validators.clone(), net.members[0].seed);
    let start = crate::input::Start { mesh: MESH, height: HEIGHT, validators, seed, log: log.collect() };
    let host = Once(true.into());
    let effects = crate::node::Node::new(start, Box::new(host)).effects_of(Input::Start).unwrap();
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Decide(_))));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Log(_))));
}

#[test]
fn the_proposer_is_who_the_vectors_say() {
    let vectors = include_str!("../../../../test/fixtures/bft-proposers.json");
    let mut count = 0;
    for vector in vectors.split("\"powers\"").skip(1) {
        let numbers: Vec<u64> =
            vector.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect();
        let [powers @ .., height, round, proposer] = &numbers[..] else { panic!("a vector") };
        let keyed = |(at, power): (u8, &u64)| Validator { key: Key([at; 32]), power: *power };
        let validators = Validators(Arc::new((0..).zip(powers).map(keyed).collect()));
        let found = validators.proposer(*height, *round as u32).key;
        assert_eq!(u64::from(found.0[0]), *proposer, "{vector}");
        count += 1;
    }
    assert!(count >= 200);
}

#[test]
fn mutated_starts_inputs_and_messages_are_refused_and_never_panic() {
    let net = Net::new(4);
    let mut start = Writer::default();
    start.bytes(&MESH);
    start.whole(HEIGHT);
    start.list(&net.validators.0, |writer, each| {
        writer.bytes(&each.key.0);
        writer.whole(each.power);
    });
    start.bytes(&[1; 32]);
    start.list(&[message::encode_vote(&net.vote(0, VoteType::Precommit, 0, Some(cid(1))))], |writer, it| {
        writer.bytes(it);
    });
    assert!(decode_start(&start.bytes).is_ok());
    let proposal = message::encode_proposal(&net.proposal(3, cid(1), Round::new(1)));
    let vote = message::encode_vote(&net.vote(0, VoteType::Precommit, 0, Some(cid(1))));
    let mut framed = Writer { bytes: vec![1] };
    framed.bytes(&vote);
    let good = [start.bytes, proposal, vote, framed.bytes];
    let mut random = 42;
    for round in 0..100_000 {
        let mut bytes = good[round % good.len()].clone();
        for _ in 0..1 + next(&mut random) % 4 {
            let at = next(&mut random) as usize % bytes.len();
            bytes[at] = next(&mut random) as u8;
        }
        bytes.truncate(next(&mut random) as usize % (bytes.len() + 1));
        let _ = decode_start(&bytes);
        let _ = input::decode(&bytes, HEIGHT);
        if let Ok(message) = message::decode(&bytes) {
            assert!(message.height() < 1 << 53);
        }
    }
}

#[test]
fn a_list_makes_no_room_for_more_than_there_is() {
    let mut reader = Reader::new(&[0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0]);
    assert_eq!(reader.list(1, Reader::byte), Err(Malformed));
}

#[test]
fn keys_that_are_no_canonical_points_have_no_signatures() {
    let signer = Signer::new(&[3; 32]);
    let signature = signer.sign(b"it");
    assert!(Verifier::new(&signer.public()).verify(b"it", &signature));
    assert!(!Verifier::new(&signer.public()).verify(b"not it", &signature));
    let mut high = [0xff; 32];
    (high[0], high[31]) = (0xed, 0x7f);
    assert!(!Verifier::new(&Key(high)).verify(b"it", &signature));
    assert!(!Verifier::new(&Key([0; 32])).verify(b"it", &signature));
}

#[test]
fn a_record_of_another_height_is_no_start() {
    let net = Net::new(4);
    let vote = message::encode_vote(&net.vote(0, VoteType::Prevote, 0, None));
    assert!(crate::record::decode(&vote, HEIGHT).is_ok());
    assert_eq!(crate::record::decode(&vote, HEIGHT + 1).err(), Some(Malformed));
}
