//! Memory that the caller writes into and the kernels work on: no copy per call.

use crate::fault::{Fault, require};
use core::hint::black_box;
use wasm_bindgen::prelude::wasm_bindgen;

/// Values in one allocation; a peer of 2^31 bytes of memory cannot be asked for more.
pub const MAX_VALUES: usize = 1 << 27;

/// Bytes that are left in any case: the object around the values has its place there, and nothing can refuse that one.
const HEADROOM: usize = 1 << 10;

/// `length` values, all `value`; a machine without the memory is a fault, not a trap.
pub fn filled<T: Clone>(length: usize, value: T) -> Result<Vec<T>, Fault> {
    require(length <= MAX_VALUES, Fault::Memory)?;
    let mut values = Vec::new();
    values.try_reserve_exact(length).map_err(|_| Fault::Memory)?;
    let mut headroom = Vec::<u8>::new();
    headroom.try_reserve_exact(HEADROOM).map_err(|_| Fault::Memory)?;
    // Unseen, an allocation that nobody uses is left out.
    black_box(headroom.as_ptr());
    values.resize(length, value);
    Ok(values)
}

macro_rules! array {
    ($name:ident, $scalar:ty) => {
        #[wasm_bindgen]
        pub struct $name {
            pub(crate) values: Vec<$scalar>,
        }

        #[wasm_bindgen]
        impl $name {
            /// `length` zeros.
            #[wasm_bindgen(constructor)]
            pub fn new(length: usize) -> Result<$name, Fault> {
                Ok(Self { values: filled(length, Default::default())? })
            }
            /// Where the values are; the memory may grow, and views of it must then be made anew.
            #[wasm_bindgen(getter)]
            pub fn pointer(&self) -> *const $scalar {
                self.values.as_ptr()
            }
        }
    };
}
array!(F64Array, f64);
array!(F32Array, f32);
array!(I32Array, i32);
