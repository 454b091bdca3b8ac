//! Phase-locking values: the mean resultant length of phase differences.
//!
//! PLV = |Σ e^{i(a_k - b_k)}| / N with N fixed: a sample whose phase is not finite in either series counts as 0.

use crate::fault::{Fault, require};
use crate::lanes::{F32x4, F64x2};
use crate::memory::{F32Array, F64Array, filled};
use crate::phasors;
use crate::trig::{AT_ONCE, Angles};
use core::array::from_fn;
use wasm_bindgen::prelude::wasm_bindgen;

// Floats are summed over no more than this many before they go on in doubles.
const STRETCH: usize = 512;
// Phasors of a stretch of 64 channels fit the second cache.
const MATRIX_STRETCH: usize = 256;
pub const MAX_CHANNELS: usize = 4096;

#[inline(always)]
fn value_of<L: Angles>(a: &[L::Scalar], b: &[L::Scalar]) -> f64 {
    let many = AT_ONCE * L::WIDTH;
    let (mut re, mut im) = (0.0, 0.0);
    for (a, b) in a.chunks(STRETCH).zip(b.chunks(STRETCH)) {
        let (mut sum_re, mut sum_im) = ([L::splat(L::ZERO); AT_ONCE], [L::splat(L::ZERO); AT_ONCE]);
        let (a, b) = (a.chunks_exact(many), b.chunks_exact(many));
        for (a, b) in a.remainder().iter().zip(b.remainder()) {
            let ([sin], [cos]) = L::units([L::splat(*a) - L::splat(*b)]);
            re += cos.first().into();
            im += sin.first().into();
        }
        for (a, b) in a.zip(b) {
            let (sin, cos) =
                L::units(from_fn::<_, AT_ONCE, _>(|n| L::load(&a[n * L::WIDTH..]) - L::load(&b[n * L::WIDTH..])));
            sum_re = from_fn(|n| sum_re[n] + cos[n]);
            sum_im = from_fn(|n| sum_im[n] + sin[n]);
        }
        for n in 0..AT_ONCE {
            re += sum_re[n].sum();
            im += sum_im[n].sum();
        }
    }
    (re * re + im * im).sqrt() / a.len() as f64
}

macro_rules! value {
    ($name:ident, $array:ident, $lanes:ident) => {
        /// Phase-locking value of the first `length` samples of two series.
        ///
        /// * `a`, `b` - phases, rad
        ///
        /// Returns it in [0, 1]; 0 of no samples. Errors: E_KERNEL_LENGTH when a series is shorter than `length`.
        #[wasm_bindgen]
        pub fn $name(a: &$array, b: &$array, length: usize) -> Result<f64, Fault> {
            require(length <= a.values.len().min(b.values.len()), Fault::Length)?;
            Ok(if length == 0 { 0.0 } else { value_of::<$lanes>(&a.values[..length], &b.values[..length]).min(1.0) })
        }
    };
}
value!(phase_locking_f64, F64Array, F64x2);
value!(phase_locking_f32, F32Array, F32x4);

/// Σ u_a·conj(u_b) of all pairs a <= b, a stretch of samples at a time.
struct Sums<L: Angles> {
    /// channels, made even
    channels: usize,
    re: Vec<L::Scalar>,
    im: Vec<L::Scalar>,
    /// pairs by rows: re, im
    pairs: Vec<[f64; 2]>,
}

impl<L: Angles> Sums<L> {
    fn new(channels: usize) -> Result<Self, Fault> {
        let channels = channels.next_multiple_of(2);
        let phasors = || filled(channels * MATRIX_STRETCH, L::ZERO);
        Ok(Self { channels, re: phasors()?, im: phasors()?, pairs: filled(channels * channels, [0.0; 2])? })
    }

    /// * `phases` - one slice a channel, of equal length <= `MATRIX_STRETCH`
    fn add<'a>(&mut self, phases: impl Iterator<Item = &'a [L::Scalar]>)
    where
        L::Scalar: 'a,
    {
        let mut length = 0;
        let rows = self.re.chunks_exact_mut(MATRIX_STRETCH).zip(self.im.chunks_exact_mut(MATRIX_STRETCH));
        for (phases, (re, im)) in phases.zip(rows) {
            length = phases.len().next_multiple_of(L::WIDTH);
            phasors::fill::<L>(phases, re, im);
            re[phases.len()..length].fill(L::ZERO);
            im[phases.len()..length].fill(L::ZERO);
        }
        for a in (0..self.channels).step_by(2) {
            for b in (a..self.channels).step_by(2) {
                self.add_square(a, b, length);
            }
        }
    }

    /// The four pairs of channels a, a+1 with b, b+1: each phasor that is loaded serves twice.
    #[inline(always)]
    fn add_square(&mut self, a: usize, b: usize, length: usize) {
        let re = |channel: usize| self.re[channel * MATRIX_STRETCH..][..length].chunks_exact(L::WIDTH);
        let im = |channel: usize| self.im[channel * MATRIX_STRETCH..][..length].chunks_exact(L::WIDTH);
        let mut sums = [[L::splat(L::ZERO); 2]; 4];
        let left = re(a).zip(im(a)).zip(re(a + 1).zip(im(a + 1)));
        let right = re(b).zip(im(b)).zip(re(b + 1).zip(im(b + 1)));
        for (((a0r, a0i), (a1r, a1i)), ((b0r, b0i), (b1r, b1i))) in left.zip(right) {
            let left = [[L::load(a0r), L::load(a0i)], [L::load(a1r), L::load(a1i)]];
            let right = [[L::load(b0r), L::load(b0i)], [L::load(b1r), L::load(b1i)]];
            for pair in 0..4 {
                let ([ar, ai], [br, bi]) = (left[pair / 2], right[pair % 2]);
                sums[pair][0] = sums[pair][0] + ar * br + ai * bi;
                sums[pair][1] = sums[pair][1] + ai * br - ar * bi;
            }
        }
        for (pair, [re, im]) in sums.into_iter().enumerate() {
            let sum = &mut self.pairs[(a + pair / 2) * self.channels + b + pair % 2];
            *sum = [sum[0] + re.sum(), sum[1] + im.sum()];
        }
    }
}

fn matrix<L: Angles>(phases: &[L::Scalar], channels: usize, length: usize, values: &mut [f64]) -> Result<(), Fault> {
    let mut sums = Sums::<L>::new(channels)?;
    for from in (0..length).step_by(MATRIX_STRETCH) {
        let to = (from + MATRIX_STRETCH).min(length);
        sums.add((0..channels).map(|channel| &phases[channel * length + from..channel * length + to]));
    }
    for a in 0..channels {
        for b in a..channels {
            let [re, im] = sums.pairs[a * sums.channels + b];
            let value = if length == 0 { 0.0 } else { ((re * re + im * im).sqrt() / length as f64).min(1.0) };
            values[a * channels + b] = value;
            values[b * channels + a] = value;
        }
    }
    Ok(())
}

macro_rules! matrix {
    ($name:ident, $array:ident, $lanes:ident) => {
        /// Phase-locking values of all pairs of channels.
        ///
        /// * `phases` - rad, `channels` series of `length` samples one after the other
        /// * `channels` - 1 to 4096
        /// * `values` - channels² values by rows, written; symmetric, the share of finite samples on the diagonal
        ///
        /// Errors: E_KERNEL_LENGTH when an array is too short, E_KERNEL_RANGE, E_KERNEL_MEMORY.
        #[wasm_bindgen]
        pub fn $name(phases: &$array, channels: usize, length: usize, values: &mut F64Array) -> Result<(), Fault> {
            require((1..=MAX_CHANNELS).contains(&channels), Fault::Range)?;
            let samples = channels.checked_mul(length).ok_or(Fault::Length)?;
            require(samples <= phases.values.len() && channels * channels <= values.values.len(), Fault::Length)?;
            matrix::<$lanes>(&phases.values[..samples], channels, length, &mut values.values)
        }
    };
}
matrix!(phase_locking_matrix_f64, F64Array, F64x2);
matrix!(phase_locking_matrix_f32, F32Array, F32x4);
