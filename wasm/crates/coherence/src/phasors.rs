//! Phasors from phases (coherence.md §1): u = e^{iφ}, 0 for a phase that is not finite.

use crate::fault::{Fault, require};
use crate::lanes::{F32x4, F64x2};
use crate::memory::{F32Array, F64Array};
use crate::trig::{AT_ONCE, Angles};
use core::array::from_fn;
use wasm_bindgen::prelude::wasm_bindgen;

/// Cosines and sines of as many phases as there are.
#[inline(always)]
pub fn fill<L: Angles>(phases: &[L::Scalar], re: &mut [L::Scalar], im: &mut [L::Scalar]) {
    let many = AT_ONCE * L::WIDTH;
    let parts = re.chunks_mut(many).zip(im.chunks_mut(many));
    for (phases, (re, im)) in phases.chunks(many).zip(parts) {
        if phases.len() == many {
            let (sin, cos) = L::units(from_fn::<_, AT_ONCE, _>(|n| L::load(&phases[n * L::WIDTH..])));
            for n in 0..AT_ONCE {
                cos[n].store(&mut re[n * L::WIDTH..]);
                sin[n].store(&mut im[n * L::WIDTH..]);
            }
        } else {
            for ((phase, re), im) in phases.iter().zip(re).zip(im) {
                let ([sin], [cos]) = L::units([L::splat(*phase)]);
                *re = cos.first();
                *im = sin.first();
            }
        }
    }
}

macro_rules! phasors {
    ($name:ident, $array:ident, $lanes:ident) => {
        /// Unit phasors of the first `length` phases.
        ///
        /// * `phases` - rad; one that is not finite gives 0
        /// * `re`, `im` - cosines and sines, written
        ///
        /// Errors: E_KERNEL_LENGTH when an array is shorter than `length`.
        #[wasm_bindgen]
        pub fn $name(phases: &$array, re: &mut $array, im: &mut $array, length: usize) -> Result<(), Fault> {
            let shortest = phases.values.len().min(re.values.len()).min(im.values.len());
            require(length <= shortest, Fault::Length)?;
            fill::<$lanes>(&phases.values[..length], &mut re.values[..length], &mut im.values[..length]);
            Ok(())
        }
    };
}
phasors!(phasors_f64, F64Array, F64x2);
phasors!(phasors_f32, F32Array, F32x4);
