//! The crate draws election timeouts from the thread's own generator; ours take their place, so that a run replays.

use crate::storage::Log;
use raft::{RawNode, StateRole};

pub struct Timeout {
    random: u64,
    election_ticks: usize,
    /// after which a member stands for election
    pub ticks: usize,
    /// term, role and elapsed ticks when it was drawn
    drawn: (u64, StateRole, usize),
}

impl Timeout {
    pub fn new(seed: u64, id: u64, election_ticks: usize) -> Self {
        // An xorshift must not start from zero.
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ id | 1;
        Self { random, election_ticks, ticks: 0, drawn: (0, StateRole::Follower, 0) }
    }

    /// After every input: the crate has drawn its own when it began to wait anew.
    pub fn keep(&mut self, raw: &mut RawNode<Log>) {
        let raft = &raw.raft;
        let (term, role, elapsed) = self.drawn;
        let is_reset = raft.term != term || raft.state != role || raft.election_elapsed < elapsed;
        self.drawn = (raft.term, raft.state, raft.election_elapsed);
        if is_reset {
            self.draw(raw);
        } else {
            raw.raft.set_randomized_election_timeout(self.ticks);
        }
    }

    pub fn draw(&mut self, raw: &mut RawNode<Log>) {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.ticks = self.election_ticks + (self.random % self.election_ticks as u64) as usize;
        raw.raft.set_randomized_election_timeout(self.ticks);
    }
}
