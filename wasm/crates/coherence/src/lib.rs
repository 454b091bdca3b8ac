//! Coherence kernels, batched, on memory that stays in WebAssembly.
//!
//! The mathematics is coherence.md's; every kernel has a TypeScript twin in `wasm/coherence/twin`. Arrays are allocated
//! here and written by the host through views; arguments are checked, and what is refused is a coded error.

mod agreement;
mod fault;
mod fields;
mod goertzel;
mod lanes;
mod leaky;
mod memory;
mod phase_locking;
mod phasors;
mod synthesis;
mod trig;

pub use agreement::*;
pub use fields::*;
pub use goertzel::{GoertzelBankF32, GoertzelBankF64};
pub use leaky::{LeakyBankF32, LeakyBankF64};
pub use memory::{F32Array, F64Array, I32Array};
pub use phase_locking::*;
pub use phasors::{phasors_f32, phasors_f64};
pub use synthesis::*;
