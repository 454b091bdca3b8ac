//! One height of one validator: takes inputs to the core, and says what follows from them.

use crate::context::{Cid, Height, Mesh};
use crate::effects::{self, Effect};
use crate::hand::{Hand, Host, proposer_of};
use crate::input::{Input, Start};
use crate::message::{self, Message, encode_proposal};
use crate::record::encode_value;
use crate::sound::Place;
use malachitebft_core_consensus::{
    Error, Input as CoreInput, LocallyProposedValue, Params, ProposedValue, State, ThresholdParams, process,
};
use malachitebft_core_driver::{Input as DriverInput, Output};
use malachitebft_core_types::{Round, Timeout, TimeoutKind, Validity, ValueOrigin, ValuePayload, VoteExtensionPolicy};
use std::collections::{BTreeMap, BTreeSet};

/// Of blocks that came before anyone had named them: more than honest proposers make in the rounds of the lookahead.
const MAX_UNNAMED: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Input,
    Message,
    Height,
    Round,
    Validator,
    Signature,
    Certificate,
    Extension,
}

pub struct Node {
    pub state: State<Mesh>,
    hand: Hand,
    height: u64,
    log: Vec<(Vec<u8>, CoreInput<Mesh>)>,
    is_started: bool,
    /// Valid blocks whose proposal did not come yet. The core would take two of a round only, and not from whom.
    unnamed: BTreeMap<Cid, ProposedValue<Mesh>>,
}

impl Node {
    pub fn new(start: Start, host: Box<dyn Host>) -> Self {
        let Start { mesh, height, validators, seed, log } = start;
        let hand = Hand::new(mesh, height, &seed, &validators, host);
        let params = Params {
            address: hand.voice.own,
            threshold_params: ThresholdParams::default(),
            value_payload: ValuePayload::ProposalAndParts,
            enabled: true,
        };
        // Nothing is queued in the core: what is not of this height is refused.
        let mut state = State::new(Mesh, Height(height), validators, params, 1, 1);
        state.vote_extension_policy = VoteExtensionPolicy::Required;
        Self { state, hand, height, log, is_started: false, unnamed: BTreeMap::new() }
    }

    /// Returns the effects encoded, in the memory of `room`.
    pub fn input(&mut self, input: Input, room: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        Ok(effects::encode(&self.effects_of(input)?, room))
    }

    pub fn height(&self) -> u64 {
        self.height
    }

    pub fn effects_of(&mut self, input: Input) -> Result<Vec<Effect>, Refusal> {
        if self.is_started == matches!(input, Input::Start) {
            return Err(Refusal::Input);
        }
        match input {
            Input::Start => self.start(),
            Input::Message(bytes) => self.message(bytes)?,
            Input::Timeout(timeout) => self.timeout(timeout),
            Input::Propose(round, value) => self.propose(round, value)?,
            Input::Block(block) => self.block(block)?,
        }
        self.accuse();
        let effects = std::mem::take(&mut self.hand.effects);
        match self.hand.refusal.take() {
            Some(refusal) if effects.is_empty() => Err(refusal),
            _ => Ok(effects),
        }
    }

    /// Begins round 0 as the core's own `StartHeight` would, which asks for the time and traps; then what the log holds.
    fn start(&mut self) {
        self.is_started = true;
        let log = std::mem::take(&mut self.log);
        self.begin();
        if log.is_empty() {
            return;
        }
        self.state.index_wal_entries(std::iter::empty());
        self.state.record_recovered_own_precommit_extensions(log.iter().map(|(_, input)| input));
        self.hand.is_replaying = true;
        for (record, input) in &log {
            self.hand.voice.note(input);
            self.hand.logged.insert(record.clone());
        }
        for (_, input) in log {
            self.replay(input);
        }
        self.state.reset_entries_index();
        self.hand.is_replaying = false;
        self.hand.logged = self.unnamed.values().map(encode_value).collect();
        self.after_replay();
    }

    fn begin(&mut self) {
        let round = Round::new(0);
        let proposer = proposer_of(self.state.validator_set(), self.height, round);
        self.hand.effects.extend([Effect::CancelTimeouts, Effect::Round(0, proposer)]);
        self.hand.schedule(Timeout::rebroadcast(round));
        let begun = self.state.driver.process(DriverInput::NewRound(Height(self.height), round, proposer));
        for output in begun.unwrap_or_default() {
            match output {
                Output::ScheduleTimeout(timeout) => self.hand.schedule(timeout),
                Output::GetValue(..) if self.state.is_active_validator() => self.hand.effects.push(Effect::GetValue(0)),
                _ => {}
            }
        }
    }

    fn replay(&mut self, input: CoreInput<Mesh>) {
        match input {
            CoreInput::ProposedValue(value, _) => self.take_block(value),
            input => self.feed(input),
        }
    }

    /// Of what the core did over again, the host needs what it said and decided, and where it is now.
    fn after_replay(&mut self) {
        let mut redone = std::mem::take(&mut self.hand.effects);
        let last = redone.iter().rposition(|effect| *effect == Effect::CancelTimeouts).unwrap_or(0);
        let (mut at, mut published) = (0, BTreeSet::new());
        redone.retain(|effect| {
            at += 1;
            match effect {
                Effect::CancelTimeouts | Effect::Round(..) | Effect::Timeout(_) => at > last,
                Effect::GetValue(_) | Effect::Restream { .. } => false,
                Effect::Publish(message) => published.insert(message.clone()),
                _ => true,
            }
        });
        self.hand.effects = redone;
        if self.state.driver.step_is_commit() {
            return;
        }
        let round = self.state.round();
        if let Some(proposal) = self.hand.voice.proposal(round) {
            let (valid_round, value) = (proposal.pol_round, proposal.value);
            let again = encode_proposal(proposal);
            if published.insert(again.clone()) {
                self.hand.effects.push(Effect::Publish(again));
            }
            self.hand.effects.push(Effect::Restream { round, valid_round, value });
        } else if self.is_to_propose() {
            self.hand.effects.push(Effect::GetValue(round.as_u32().unwrap_or(0)));
        }
    }

    fn is_to_propose(&self) -> bool {
        let round = self.state.round();
        self.state.driver.step_is_propose()
            && self.state.driver.valid_value().is_none()
            && self.hand.voice.proposal(round).is_none()
            && proposer_of(self.state.validator_set(), self.height, round) == self.hand.voice.own
    }

    fn message(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let message = message::decode(bytes).map_err(|_| Refusal::Message)?;
        self.place().check(&message)?;
        // The core would check and log it again each time that it comes.
        if matches!(&message, Message::Vote(vote) if self.state.driver.votes().has_equivocation_evidence(vote)) {
            return Ok(());
        }
        let is_certificate = matches!(message, Message::Polka(_) | Message::Round(_));
        self.feed(match message {
            Message::Vote(vote) => CoreInput::Vote(vote),
            Message::Proposal(proposal) => CoreInput::Proposal(proposal),
            Message::Polka(polka) => CoreInput::PolkaCertificate(polka),
            Message::Round(certificate) => CoreInput::RoundCertificate(certificate),
        });
        // Of one that is of no use any more the core looks at single votes.
        if is_certificate && self.hand.refusal == Some(Refusal::Signature) {
            self.hand.refusal = Some(Refusal::Certificate);
        }
        Ok(())
    }

    fn place(&self) -> Place<'_> {
        Place { height: self.height, round: self.state.round(), validators: self.state.validator_set() }
    }

    /// One whose step is over is not even written down.
    fn timeout(&mut self, timeout: Timeout) {
        let driver = &self.state.driver;
        let is_due = match timeout.kind {
            TimeoutKind::Propose => driver.step_is_propose(),
            TimeoutKind::Prevote => driver.step_is_prevote(),
            TimeoutKind::Precommit => !driver.step_is_commit(),
            _ => true,
        };
        if timeout.round != self.state.round() || !is_due {
            return;
        }
        if timeout.kind == TimeoutKind::Rebroadcast {
            self.hand.rebroadcast_elapsed();
            self.propose_again();
        }
        self.feed(CoreInput::TimeoutElapsed(timeout));
    }

    /// The core says its votes again, which are worth little to whoever missed the proposal.
    fn propose_again(&mut self) {
        if let Some(proposal) = self.hand.voice.proposal(self.state.round()) {
            self.hand.effects.push(Effect::Publish(encode_proposal(proposal)));
        }
    }

    /// A block that took too long to build is of no use any more, and no fault.
    fn propose(&mut self, round: u32, value: Cid) -> Result<(), Refusal> {
        let now = self.state.round();
        let proposer = proposer_of(self.state.validator_set(), self.height, Round::new(round));
        if Round::new(round) > now || proposer != self.hand.voice.own {
            return Err(Refusal::Input);
        }
        if Round::new(round) == now && self.is_to_propose() {
            let (height, round) = (Height(self.height), now);
            self.feed(CoreInput::Propose(LocallyProposedValue { height, round, value }));
        }
        Ok(())
    }

    fn block(&mut self, block: ProposedValue<Mesh>) -> Result<(), Refusal> {
        self.place().check_round(block.round)?;
        self.take_block(block);
        Ok(())
    }

    fn take_block(&mut self, block: ProposedValue<Mesh>) {
        let known = self.state.full_proposal_keeper.get_value_by_id(&block.height, &block.value);
        if known.is_some_and(|(_, validity)| validity.is_valid() || block.validity.is_invalid()) {
            return;
        }
        if self.hand.named.contains(&block.value) {
            self.feed(CoreInput::ProposedValue(block, ValueOrigin::Consensus));
        } else if block.validity == Validity::Valid && self.unnamed.len() < MAX_UNNAMED {
            self.hand.keep(&block);
            self.unnamed.insert(block.value, block);
        }
    }

    fn feed(&mut self, input: CoreInput<Mesh>) {
        let named = match &input {
            CoreInput::Proposal(proposal) => Some(proposal.value),
            CoreInput::PolkaCertificate(polka) => Some(polka.value_id),
            _ => None,
        };
        self.run(input);
        let Some(value) = named.filter(|value| self.hand.named.contains(value)) else { return };
        if let Some(block) = self.unnamed.remove(&value) {
            self.run(CoreInput::ProposedValue(block, ValueOrigin::Consensus));
        }
    }

    /// An input that the core gives up on has the effects that came before; nothing unsaid is said for it later.
    fn run(&mut self, input: CoreInput<Mesh>) {
        let Self { state, hand, .. } = self;
        let _: Result<(), Box<Error<Mesh>>> =
            process!(input: input, state: state, metrics: &(), with: asked => hand.give(asked));
    }

    fn accuse(&mut self) {
        let Self { state, hand, .. } = self;
        hand.accuse(state.driver.votes().evidence(), state.driver.proposals().evidence());
    }
}
