//! The decisions of Raft, by TiKV's crate `raft`, behind `input(bytes) -> effects`: no clock, no sockets, no disk, and no
//! randomness but the host's.

mod effects;
#[cfg(test)]
mod host;
mod input;
#[cfg(test)]
mod mutations;
mod node;
mod sound;
mod storage;
#[cfg(test)]
mod tests;
mod timeout;

use kairos_wire::MAX_START;
use node::{Node, Refusal};
use wasm_bindgen::prelude::wasm_bindgen;

/// Greatest input but for a start: a message of 1 MiB of entries and its frame.
const MAX_INPUT: usize = 2 << 20;

// What the crate draws by itself is replaced by draws from the host's seed (`timeout.rs`).
fn no_entropy(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    bytes.fill(0);
    Ok(())
}
getrandom::register_custom_getrandom!(no_entropy);

/// Makes room for an input of `length` bytes, at most 2 MiB; what was written there stays. Returns its address, which is
/// good until the next call, or 0 when that is too much.
#[wasm_bindgen]
pub fn room(length: usize) -> *mut u8 {
    kairos_wire::room(length, MAX_INPUT)
}

/// Where the effects of the last input are, until the next one.
#[wasm_bindgen]
pub fn effects() -> *const u8 {
    kairos_wire::effects()
}

/// One member of one cell.
#[wasm_bindgen]
pub struct RaftNode(Node);

#[wasm_bindgen]
impl RaftNode {
    /// * `start` - what the log holds (`wasm/raft/codec.ts`), at most 1 GiB
    ///
    /// Errors: E_RAFT_INPUT when it is not a start, or a log that does not hang together.
    #[wasm_bindgen(constructor)]
    pub fn new(start: &[u8]) -> Result<RaftNode, Refused> {
        if start.len() > MAX_START {
            return Err(Refused(Refusal::Input));
        }
        let start = input::decode_start(start).map_err(|_| Refused(Refusal::Input))?;
        Ok(Self(Node::new(start)?))
    }

    /// Takes the input that the first `length` bytes of the room are. Returns how many bytes of effects follow from it.
    ///
    /// Refusals: -1 E_RAFT_INPUT, -2 E_RAFT_MESSAGE, -3 E_RAFT_DROPPED; the node goes on as if the input had not come.
    pub fn input(&mut self, length: usize) -> i32 {
        let taken = kairos_wire::input(length, |bytes, room| {
            let input = input::decode(bytes.ok_or(Refusal::Input)?).map_err(|_| Refusal::Input)?;
            self.0.input(input, room)
        });
        match taken {
            Ok(length) => length,
            Err(Refusal::Input) => -1,
            Err(Refusal::Message) => -2,
            Err(Refusal::Dropped) => -3,
        }
    }
}

/// A refusal as the host gets it: its code, thrown as a string.
pub struct Refused(Refusal);

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl From<Refused> for wasm_bindgen::JsValue {
    fn from(Refused(refusal): Refused) -> Self {
        Self::from_str(match refusal {
            Refusal::Message => "E_RAFT_MESSAGE",
            Refusal::Dropped => "E_RAFT_DROPPED",
            Refusal::Input => "E_RAFT_INPUT",
        })
    }
}
