//! A bank of Goertzel filters (coherence.md §8): one coefficient per frequency of a block of real samples.
//!
//! X_f = (2/M)·Σ (x_j - mean)·e^{-iω_f j}, summed by Horner's scheme over groups of 16 samples with the group's powers in
//! a table: as fast as Goertzel's recursion, without its loss of digits at low ω. A group is folded about its middle, where
//! x·e^{iωd} + y·e^{-iωd} = (x+y)·cos ωd + i·(x-y)·sin ωd takes half the products. Every 1024 samples the power is made
//! anew, so that no rounding accumulates (P10), and the sum goes on in doubles.

use crate::fault::{Fault, require};
use crate::lanes::{F32x4, F64x2, Lanes};
use crate::memory::{F64Array, filled};
use crate::trig::AT_ONCE;
use wasm_bindgen::prelude::wasm_bindgen;

const GROUP: usize = 16;
/// Pairs of samples equally far from the middle of a group.
const PAIRS: usize = GROUP / 2;
/// From the first sample of a group to its middle.
const MIDDLE: f64 = (GROUP as f64 - 1.0) / 2.0;
const STRETCH: usize = 1024;
pub const MAX_FREQUENCIES: usize = 1 << 16;

/// Real and imaginary parts.
type Row<L> = [[L; AT_ONCE]; 2];

struct Bank<L: Lanes> {
    count: usize,
    /// rad a sample
    angles: Vec<f64>,
    /// powers e^{-iωd}, d = ½ to 7½ and 16, of as many frequencies as are worked on at once
    powers: Vec<[Row<L>; PAIRS + 1]>,
    values: Vec<L::Scalar>,
    /// values less their mean, padded with zeros to whole groups and folded: sum and difference of each pair, inner first
    folded: Vec<L::Scalar>,
    re: Vec<f64>,
    im: Vec<f64>,
}

impl<L: Lanes> Bank<L> {
    const LANES: usize = AT_ONCE * L::WIDTH;

    fn new(angles: &[f64], max_values: usize) -> Result<Self, Fault> {
        let count = angles.len();
        require((1..=MAX_FREQUENCIES).contains(&count) && max_values >= 1, Fault::Range)?;
        require(angles.iter().all(|angle| angle.is_finite()), Fault::Range)?;
        let padded = count.next_multiple_of(Self::LANES);
        let mut all = filled(padded, 0.0)?;
        all[..count].copy_from_slice(angles);
        let mut bank = Self {
            count,
            angles: all,
            powers: filled(padded / Self::LANES, [[[L::splat(L::ZERO); AT_ONCE]; 2]; PAIRS + 1])?,
            values: filled(max_values, L::ZERO)?,
            folded: filled(max_values.next_multiple_of(GROUP), L::ZERO)?,
            re: filled(padded, 0.0)?,
            im: filled(padded, 0.0)?,
        };
        bank.fill_powers();
        Ok(bank)
    }

    fn fill_powers(&mut self) {
        for (angles, powers) in self.angles.chunks_exact(Self::LANES).zip(&mut self.powers) {
            for (pair, row) in powers.iter_mut().enumerate() {
                let distance = if pair == PAIRS { GROUP as f64 } else { pair as f64 + 0.5 };
                for (n, angles) in angles.chunks_exact(L::WIDTH).enumerate() {
                    let (mut re, mut im) = ([L::ZERO; 4], [L::ZERO; 4]);
                    for (lane, angle) in angles.iter().enumerate() {
                        let (sin, cos) = libm::sincos(angle * distance);
                        (re[lane], im[lane]) = (L::narrow(cos), L::narrow(-sin));
                    }
                    (row[0][n], row[1][n]) = (L::load(&re), L::load(&im));
                }
            }
        }
    }

    fn transform(&mut self, length: usize) -> Result<(), Fault> {
        require(length <= self.values.len(), Fault::Length)?;
        self.re.fill(0.0);
        self.im.fill(0.0);
        if length == 0 {
            return Ok(());
        }
        self.fold(length);
        for (bank, powers) in self.powers.iter().enumerate() {
            let lanes = bank * Self::LANES..((bank + 1) * Self::LANES).min(self.count);
            for (stretch, values) in self.folded[..length.next_multiple_of(GROUP)].chunks(STRETCH).enumerate() {
                let mut part = [[0.0; 16]; 2];
                sum_stretch::<L>(values, powers, &mut part);
                for (lane, at) in lanes.clone().enumerate() {
                    let (sin, cos) = libm::sincos(-self.angles[at] * ((stretch * STRETCH) as f64 + MIDDLE));
                    self.re[at] += part[0][lane] * cos - part[1][lane] * sin;
                    self.im[at] += part[0][lane] * sin + part[1][lane] * cos;
                }
            }
        }
        let scale = 2.0 / length as f64;
        self.re.iter_mut().chain(&mut self.im).for_each(|part| *part *= scale);
        Ok(())
    }

    fn fold(&mut self, length: usize) {
        let values = &self.values[..length];
        let mean = values.iter().fold(0.0, |sum, value| sum + (*value).into()) / length as f64;
        for (values, folded) in values.chunks(GROUP).zip(self.folded.chunks_exact_mut(GROUP)) {
            let mut centred = [L::ZERO; GROUP];
            centred.iter_mut().zip(values).for_each(|(centred, value)| *centred = L::narrow((*value).into() - mean));
            for pair in 0..PAIRS {
                let (before, after) = (centred[PAIRS - 1 - pair], centred[PAIRS + pair]);
                (folded[2 * pair], folded[2 * pair + 1]) = (after + before, after - before);
            }
        }
    }
}

/// Σ x_j·e^{-iω(j - 7½)} of up to 1024 samples.
#[inline(always)]
fn sum_stretch<L: Lanes>(values: &[L::Scalar], powers: &[Row<L>; PAIRS + 1], part: &mut [[f64; 16]; 2]) {
    let (mut re, mut im) = ([L::splat(L::ZERO); AT_ONCE], [L::splat(L::ZERO); AT_ONCE]);
    let [turn_re, turn_im] = &powers[PAIRS];
    for group in values.chunks_exact(GROUP).rev() {
        for n in 0..AT_ONCE {
            let turned = re[n] * turn_re[n] - im[n] * turn_im[n];
            im[n] = re[n] * turn_im[n] + im[n] * turn_re[n];
            re[n] = turned;
        }
        for (pair, [row_re, row_im]) in group.chunks_exact(2).zip(powers) {
            let (sum, difference) = (L::splat(pair[0]), L::splat(pair[1]));
            for n in 0..AT_ONCE {
                re[n] = re[n] + sum * row_re[n];
                im[n] = im[n] + difference * row_im[n];
            }
        }
    }
    for (lanes, part) in [re, im].iter().zip(part) {
        for (lanes, part) in lanes.iter().zip(part.chunks_exact_mut(L::WIDTH)) {
            let mut stored = [L::ZERO; 4];
            lanes.store(&mut stored);
            part.iter_mut().zip(stored).for_each(|(part, value)| *part = value.into());
        }
    }
}

macro_rules! bank {
    ($name:ident, $scalar:ty, $lanes:ty) => {
        /// Coefficients of one block of real samples at many frequencies.
        #[wasm_bindgen]
        pub struct $name(Bank<$lanes>);

        #[wasm_bindgen]
        impl $name {
            /// * `angles` - ω·h of each frequency, rad a sample, 1 to 2^16 of them; copied
            /// * `max_values` - samples of the longest block, 1 or more
            ///
            /// Errors: E_KERNEL_RANGE, E_KERNEL_MEMORY.
            #[wasm_bindgen(constructor)]
            pub fn new(angles: &F64Array, max_values: usize) -> Result<$name, Fault> {
                Ok(Self(Bank::new(&angles.values, max_values)?))
            }
            /// The block, written by the caller.
            #[wasm_bindgen(getter)]
            pub fn values(&self) -> *const $scalar {
                self.0.values.as_ptr()
            }
            #[wasm_bindgen(getter)]
            pub fn re(&self) -> *const f64 {
                self.0.re[..self.0.count].as_ptr()
            }
            #[wasm_bindgen(getter)]
            pub fn im(&self) -> *const f64 {
                self.0.im[..self.0.count].as_ptr()
            }
            /// `re` and `im` of every frequency from the first `length` samples; 0 from none.
            ///
            /// Errors: E_KERNEL_LENGTH when the block is shorter.
            pub fn transform(&mut self, length: usize) -> Result<(), Fault> {
                self.0.transform(length)
            }
        }
    };
}
bank!(GoertzelBankF64, f64, F64x2);
bank!(GoertzelBankF32, f32, F32x4);
