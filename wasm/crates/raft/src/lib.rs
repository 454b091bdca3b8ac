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
mod wire;

use node::{Node, Refusal};
use wasm_bindgen::prelude::wasm_bindgen;
use wire::{MAX_INPUT, MAX_START};

// What the crate draws by itself is replaced by draws from the host's seed (`timeout.rs`).
fn no_entropy(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    bytes.fill(0);
    Ok(())
}
getrandom::register_custom_getrandom!(no_entropy);

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

    /// Takes one input, at most 2 MiB, and returns all that follows from it.
    ///
    /// Errors: E_RAFT_INPUT, E_RAFT_MESSAGE, E_RAFT_DROPPED; the node goes on as if the input had not come.
    pub fn input(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Refused> {
        if bytes.len() > MAX_INPUT {
            return Err(Refused(Refusal::Input));
        }
        let input = input::decode(bytes).map_err(|_| Refused(Refusal::Input))?;
        Ok(self.0.input(input)?)
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
