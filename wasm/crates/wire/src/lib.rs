//! The bytes between host and engine: fields in a fixed order, little-endian but where they are to be signed, every length
//! checked before it is used; and the memory through which they go (`wasm/raft/bytes.ts` is the twin).

mod face;
mod reader;
mod writer;

pub use face::{effects, input, room};
pub use reader::{Malformed, Reader};
pub use writer::Writer;

/// Greatest start: the log of a restarting node.
pub const MAX_START: usize = 1 << 30;
// What JavaScript can count.
pub const MAX_WHOLE: u64 = 1 << 53;
