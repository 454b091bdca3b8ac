//! Frequency synthesis by a 32-bit phase accumulator (direct digital synthesis): an integer that wraps cannot drift.

use crate::fault::{Fault, require};
use crate::lanes::{F32x4, F64x2};
use crate::memory::{F32Array, F64Array};
use crate::trig::Angles;
use core::f64::consts::PI;
use wasm_bindgen::prelude::wasm_bindgen;

const TURN: f64 = 4_294_967_296.0;

/// Phases of the first `length` samples.
///
/// * `step` - round(f·2^32/fs); `start` - accumulator at the first sample
/// * `phases` - rad, in [0, 2π), written
///
/// Returns the accumulator after the last sample: what the next call starts from. Errors: E_KERNEL_LENGTH.
#[wasm_bindgen]
pub fn synthesise_phases(step: u32, start: u32, phases: &mut F64Array, length: usize) -> Result<u32, Fault> {
    require(length <= phases.values.len(), Fault::Length)?;
    let mut accumulator = start;
    for phase in &mut phases.values[..length] {
        *phase = f64::from(accumulator) / TURN * 2.0 * PI;
        accumulator = accumulator.wrapping_add(step);
    }
    Ok(accumulator)
}

/// cos of the accumulator's angle, taken in [-π, π) where it has the most bits.
#[inline(always)]
fn tone<L: Angles>(step: u32, start: u32, values: &mut [L::Scalar]) -> u32 {
    let mut accumulator = start;
    let mut angles = [L::ZERO; 4];
    for values in values.chunks_mut(L::WIDTH) {
        for angle in &mut angles[..values.len()] {
            *angle = L::narrow(f64::from(accumulator as i32) * (2.0 * PI / TURN));
            accumulator = accumulator.wrapping_add(step);
        }
        let (_, [cos]) = L::units([L::load(&angles)]);
        let mut stored = [L::ZERO; 4];
        cos.store(&mut stored);
        values.copy_from_slice(&stored[..values.len()]);
    }
    accumulator
}

macro_rules! tone {
    ($name:ident, $array:ident, $lanes:ident) => {
        /// A cosine of amplitude 1: the first `length` samples.
        ///
        /// Arguments, result and errors as [`synthesise_phases`].
        #[wasm_bindgen]
        pub fn $name(step: u32, start: u32, values: &mut $array, length: usize) -> Result<u32, Fault> {
            require(length <= values.values.len(), Fault::Length)?;
            Ok(tone::<$lanes>(step, start, &mut values.values[..length]))
        }
    };
}
tone!(synthesise_tone_f64, F64Array, F64x2);
tone!(synthesise_tone_f32, F32Array, F32x4);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accumulator_wraps_without_drift_however_it_is_cut() {
        for (step, start) in [(39_370_534, 0), (u32::MAX, 7), (1 << 31, u32::MAX), (0, 5)] {
            let mut whole = [0.0_f64; 1001];
            let end = tone::<F64x2>(step, start, &mut whole);
            assert_eq!(end, (u64::from(start) + u64::from(step) * 1001) as u32);
            for cut in [0, 1, 2, 3, 500, 1000, 1001] {
                let mut pieces = [0.0; 1001];
                let (head, tail) = pieces.split_at_mut(cut);
                assert_eq!(tone::<F64x2>(step, tone::<F64x2>(step, start, head), tail), end);
                assert_eq!(pieces, whole, "{step} {start} {cut}");
            }
            let last = (u64::from(start) + u64::from(step) * 1000) as u32;
            assert!((whole[1000] - (f64::from(last) / TURN * 2.0 * PI).cos()).abs() < 1e-14);
        }
    }
}
