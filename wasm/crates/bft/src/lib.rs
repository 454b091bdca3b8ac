//! The decisions of Tendermint (arXiv 1807.04938), by Malachite's core crates, behind `input(bytes) -> effects`: no clock,
//! no sockets, no disk. Signatures are made and checked inside.

mod accused;
mod context;
mod effects;
mod hand;
mod input;
#[cfg(not(kairos_tokens))]
mod keys;
#[cfg(kairos_tokens)]
#[path = "tokens.rs"]
mod keys;
mod message;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod net;
mod node;
mod record;
mod signed;
mod sound;
#[cfg(test)]
mod tests;
mod voice;

use hand::Host;
use kairos_wire::MAX_START;
use node::{Node, Refusal};
use wasm_bindgen::prelude::wasm_bindgen;

/// Greatest input but for a start: a message and its frame.
const MAX_INPUT: usize = 1 << 18;

#[wasm_bindgen]
extern "C" {
    /// What an engine asks in the middle of an input (`wasm/bft/load.ts`).
    pub type BftHost;

    #[wasm_bindgen(method)]
    fn extension(this: &BftHost, round: u32, value: &[u8]) -> Vec<u8>;

    #[wasm_bindgen(method, js_name = isExtension)]
    fn is_extension(this: &BftHost, validator: &[u8], bytes: &[u8]) -> bool;
}

impl Host for BftHost {
    fn extension(&self, round: u32, value: &[u8]) -> Vec<u8> {
        self.extension(round, value)
    }

    fn is_extension(&self, validator: &[u8], bytes: &[u8]) -> bool {
        self.is_extension(validator, bytes)
    }
}

/// Makes room for an input of `length` bytes, at most 256 KiB; what was written there stays. Returns its address, which is
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

/// The key of a seed, 32 bytes each; nothing of a seed of another length.
#[wasm_bindgen]
pub fn public_key(seed: &[u8]) -> Vec<u8> {
    seed.try_into().map(|seed| keys::Signer::new(seed).public().0.to_vec()).unwrap_or_default()
}

/// A signature as the engine makes them, 64 bytes; nothing with a seed of another length than 32 bytes.
#[wasm_bindgen]
pub fn sign(seed: &[u8], bytes: &[u8]) -> Vec<u8> {
    seed.try_into().map(|seed| keys::Signer::new(seed).sign(bytes).to_vec()).unwrap_or_default()
}

/// Whether a signature is valid by the rule that the engine holds to.
#[wasm_bindgen]
pub fn verify(key: &[u8], bytes: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (key.try_into(), signature.try_into()) else { return false };
    keys::Verifier::new(&context::Key(key)).verify(bytes, &signature)
}

/// One height of one validator.
#[wasm_bindgen]
pub struct BftNode(Node);

#[wasm_bindgen]
impl BftNode {
    /// * `start` - set, seed and log (`wasm/bft/codec.ts`), at most 1 GiB
    /// * `host` - is asked while an input is under way, and must not throw
    ///
    /// Errors: E_BFT_INPUT when it is not a start, or its log not of this height.
    #[wasm_bindgen(constructor)]
    pub fn new(start: &[u8], host: BftHost) -> Result<BftNode, Refused> {
        if start.len() > MAX_START {
            return Err(Refused);
        }
        let start = input::decode_start(start).map_err(|_| Refused)?;
        Ok(Self(Node::new(start, Box::new(host))))
    }

    /// Takes the input that the first `length` bytes of the room are. Returns how many bytes of effects follow from it.
    ///
    /// Refusals: -1 E_BFT_INPUT, -2 E_BFT_MESSAGE, -3 E_BFT_HEIGHT, -4 E_BFT_ROUND, -5 E_BFT_VALIDATOR, -6 E_BFT_SIGNATURE,
    /// -7 E_BFT_CERTIFICATE, -8 E_BFT_EXTENSION; the node goes on as if the input had not come.
    pub fn input(&mut self, length: usize) -> i32 {
        let taken = kairos_wire::input(length, |bytes, room| {
            let bytes = bytes.ok_or(Refusal::Input)?;
            let input = input::decode(bytes, self.0.height()).map_err(|_| Refusal::Input)?;
            self.0.input(input, room)
        });
        taken.unwrap_or_else(|refusal: Refusal| -1 - refusal as i32)
    }
}

/// A start that is none, as the host gets it: its code, thrown as a string.
pub struct Refused;

impl From<Refused> for wasm_bindgen::JsValue {
    fn from(_: Refused) -> Self {
        Self::from_str("E_BFT_INPUT")
    }
}
