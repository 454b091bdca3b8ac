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
use std::cell::RefCell;
use wasm_bindgen::prelude::wasm_bindgen;
use wire::{MAX_INPUT, MAX_START};

// What the crate draws by itself is replaced by draws from the host's seed (`timeout.rs`).
fn no_entropy(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    bytes.fill(0);
    Ok(())
}
getrandom::register_custom_getrandom!(no_entropy);

thread_local! {
    // Of all nodes of an instance: one input is under way at a time.
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static EFFECTS: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Makes room for an input of `length` bytes, at most 2 MiB; what was written there stays. Returns its address, which is
/// good until the next call, or 0 when that is too much.
#[wasm_bindgen]
pub fn room(length: usize) -> *mut u8 {
    if length > MAX_INPUT {
        return std::ptr::null_mut();
    }
    ROOM.with_borrow_mut(|room| {
        if room.len() < length {
            room.resize(length, 0);
        }
        room.as_mut_ptr()
    })
}

/// Where the effects of the last input are, until the next one.
#[wasm_bindgen]
pub fn effects() -> *const u8 {
    EFFECTS.with_borrow(|effects| effects.as_ptr())
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
        let taken = ROOM.with_borrow(|room| {
            let bytes = room.get(..length).ok_or(Refusal::Input)?;
            let input = input::decode(bytes).map_err(|_| Refusal::Input)?;
            EFFECTS.replace(self.0.input(input, EFFECTS.take())?);
            Ok(EFFECTS.with_borrow(Vec::len))
        });
        match taken {
            Ok(length) => length as i32,
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
