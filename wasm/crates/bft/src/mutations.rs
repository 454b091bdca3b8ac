//! No message of a validator traps the engine, whatever it says, rightly signed, and whenever it comes.

use crate::context::{Cid, Height, Mesh};
use crate::input::Input;
use crate::message::{MAX_ROUND, encode_polka, encode_round};
use crate::net::{HEIGHT, Net, block, cid};
use crate::tests::next;
use malachitebft_core_types::{
    PolkaCertificate, Round, RoundCertificate, RoundCertificateType, SignedVote, Timeout, TimeoutKind, VoteType,
};

struct Drawn {
    net: Net,
    random: u64,
}

const ROUNDS: [u32; 12] = [0, 0, 0, 1, 1, 2, 3, 9, 10, 11, MAX_ROUND - 2, MAX_ROUND - 1];

impl Drawn {
    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[next(&mut self.random) as usize % all.len()]
    }

    fn round(&mut self) -> u32 {
        self.one_of(&ROUNDS)
    }

    fn value(&mut self) -> Cid {
        cid(self.one_of(&[1, 1, 1, 2, 3]))
    }

    fn kind(&mut self) -> VoteType {
        self.one_of(&[VoteType::Prevote, VoteType::Precommit])
    }

    fn maybe_value(&mut self) -> Option<Cid> {
        if self.one_of(&[true, true, false]) { Some(self.value()) } else { None }
    }

    fn vote(&mut self) -> SignedVote<Mesh> {
        let (at, kind, round, value) = (self.one_of(&[0, 1, 2, 3]), self.kind(), self.round(), self.maybe_value());
        self.net.vote(at, kind, round, value)
    }

    /// Of one round, of as many as there are.
    fn votes(&mut self, kind: Option<VoteType>, round: u32, value: Option<Option<Cid>>) -> Vec<SignedVote<Mesh>> {
        let count = self.one_of(&[0, 1, 2, 3, 4]);
        let mut votes = vec![];
        for at in 0..count {
            let kind = kind.unwrap_or_else(|| self.one_of(&[VoteType::Prevote, VoteType::Precommit]));
            let value = value.unwrap_or_else(|| [None, Some(cid(1)), Some(cid(2))][self.random as usize % 3]);
            votes.push(self.net.vote(at, kind, round, value));
        }
        votes
    }

    fn step(&mut self) {
        let at = self.one_of(&[0, 1, 2, 3, 4]);
        match next(&mut self.random) % 12 {
            0..=2 => {
                let vote = self.vote();
                let _ = self.net.hear_vote(at, &vote);
            }
            3 | 4 => {
                let (round, value) = (self.round(), self.value());
                let pol_round = self.one_of(&[None, None, Some(0), Some(1)]);
                let pol_round = pol_round.filter(|pol| *pol < round).map_or(Round::Nil, Round::new);
                let proposal = self.net.proposal(round, value, pol_round);
                let _ = self.net.hear_proposal(at, &proposal);
            }
            5 => self.polka(at),
            6 => self.certificate(at),
            7 => {
                let (round, value) = (self.round(), self.value());
                let (key, is_valid) = (self.net.members[self.net.proposer(0)].key, self.one_of(&[true, true, false]));
                let _ = self.net.give(at, Input::Block(block(round, value, key, is_valid)));
            }
            8 => {
                let (round, value) = (self.round(), self.value());
                let _ = self.net.give(at, Input::Propose(round, value));
            }
            9 => self.net.restart(at),
            10 => {
                let kind = self.one_of(&[TimeoutKind::Propose, TimeoutKind::Prevote, TimeoutKind::Precommit]);
                self.net.elapse(kind);
            }
            _ => {
                let round = Round::new(self.round());
                let kinds =
                    [TimeoutKind::Propose, TimeoutKind::Prevote, TimeoutKind::Precommit, TimeoutKind::Rebroadcast];
                let kind = self.one_of(&kinds);
                let _ = self.net.give(at, Input::Timeout(Timeout::new(round, kind)));
            }
        }
        if self.one_of(&[true, false, false]) {
            self.net.lose();
        }
    }

    fn polka(&mut self, at: usize) {
        let (round, value) = (self.round(), self.value());
        let votes = self.votes(Some(VoteType::Prevote), round, Some(Some(value)));
        let polka = PolkaCertificate::<Mesh>::new(Height(HEIGHT), Round::new(round), value, votes);
        let _ = self.net.give(at, Input::Message(&encode_polka(&polka)));
    }

    fn certificate(&mut self, at: usize) {
        let cause =
            if self.one_of(&[true, false]) { RoundCertificateType::Skip } else { RoundCertificateType::Precommit };
        let round = self.round();
        let votes = self.votes(None, round, None);
        let certificate = RoundCertificate::<Mesh>::new_from_votes(Height(HEIGHT), Round::new(round), cause, votes);
        let _ = self.net.give(at, Input::Message(&encode_round(&certificate)));
    }
}

#[test]
fn whatever_validators_sign_and_hosts_tell_nothing_traps() {
    for seed in 1..=60 {
        let mut drawn = Drawn { net: Net::new(4).with_listener(), random: seed * 0x9e37_79b9 };
        drawn.net.start();
        for _ in 0..40 {
            drawn.step();
        }
    }
}
