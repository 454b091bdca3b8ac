//! The leaky operator over many streams (coherence.md §3–4), from phases.
//!
//! With u = e^{iφ} all three forms are one: p_k = e^{i(r_k - φ_k)} with the reference angle
//! REF r_k = ωt_k, AUTO r_k = φ_{k-L} + ωLh, CYCLIC r_k = φ_{k-L} + ωt_k, at t_k = k·h.
//! A phase that is not finite stands for an invalid sample: p_k = 0, and T decays.
//!
//! Within a run of 16 samples S = a·S + p starts from zero in the width of the phases; at the run's end
//! T = a^16·T + (1-a)·S in doubles. So floats keep their precision whatever tau is. Runs are cut at multiples of 16 of
//! the stream's own count, so no result depends on how a stream is cut into calls.

use crate::fault::{Fault, require};
use crate::lanes::{F32x4, F64x2};
use crate::memory::filled;
use crate::trig::{AT_ONCE, Angles, within_turn};
use core::array::from_fn;
use wasm_bindgen::prelude::wasm_bindgen;

pub const RUN: usize = 16;
pub const MAX_STREAMS: usize = 1 << 20;

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Ref,
    Auto,
    Cyclic,
}

struct Bank<L: Angles> {
    form: Form,
    omega: f64,
    step: f64,
    decay: f64,
    /// of T over a run
    run_decay: f64,
    lag: usize,
    streams: usize,
    /// rows of one time step each
    phases: Vec<L::Scalar>,
    /// the last `lag` rows, oldest first
    past: Vec<L::Scalar>,
    /// T, re of all streams and then im
    t: Vec<f64>,
    /// S, likewise
    sums: Vec<L::Scalar>,
    /// of the row being worked on
    angles: Vec<L::Scalar>,
}

impl<L: Angles> Bank<L> {
    fn new(form: u32, size: [usize; 3], omega: f64, step: f64, tau: f64) -> Result<Self, Fault> {
        let [streams, max_steps, lag] = size;
        let form = *[Form::Ref, Form::Auto, Form::Cyclic].get(form as usize).ok_or(Fault::Range)?;
        let is_positive = |value: f64| value.is_finite() && value > 0.0;
        require(omega.is_finite() && is_positive(step) && is_positive(tau), Fault::Range)?;
        require((form == Form::Ref) == (lag == 0) && max_steps >= 1, Fault::Range)?;
        require((1..=MAX_STREAMS).contains(&streams), Fault::Range)?;
        let decay = libm::exp(-step / tau);
        let rows = |count: usize| count.checked_mul(streams).ok_or(Fault::Memory);
        Ok(Self {
            form,
            omega,
            step,
            decay,
            run_decay: libm::pow(decay, RUN as f64),
            lag,
            streams,
            phases: filled(rows(max_steps)?, L::ZERO)?,
            past: filled(rows(lag)?, L::narrow(f64::NAN))?,
            t: filled(rows(2)?, 0.0)?,
            sums: filled(rows(2)?, L::ZERO)?,
            angles: filled(streams, L::ZERO)?,
        })
    }

    fn advance(&mut self, steps: usize, count: f64) -> Result<(), Fault> {
        require(steps <= self.phases.len() / self.streams, Fault::Length)?;
        require((0.0..=9_007_199_254_740_992.0 - steps as f64).contains(&count), Fault::Range)?;
        require(count.trunc() == count, Fault::Range)?;
        for (row, at) in (count as u64..).take(steps).enumerate() {
            self.advance_row(row, at as f64);
            if (at + 1).is_multiple_of(RUN as u64) {
                self.fold();
            }
        }
        Ok(())
    }

    fn advance_row(&mut self, row: usize, at: f64) {
        let (streams, lag) = (self.streams, self.lag);
        let samples = if self.form == Form::Auto { lag as f64 } else { at };
        let shared = L::narrow(within_turn(self.omega * (samples * self.step)));
        let phases = &self.phases[row * streams..][..streams];
        if lag == 0 {
            set_angles::<L>(&mut self.angles, phases, shared, None);
        } else {
            let past = if row < lag { &self.past[row * streams..] } else { &self.phases[(row - lag) * streams..] };
            set_angles::<L>(&mut self.angles, phases, shared, Some(past));
        }
        let (re, im) = self.sums.split_at_mut(streams);
        leak::<L>(&self.angles, L::narrow(self.decay), re, im);
    }

    /// Takes the run into T and starts a new one.
    fn fold(&mut self) {
        let gain = 1.0 - self.decay;
        for (t, sum) in self.t.iter_mut().zip(&mut self.sums) {
            *t = self.run_decay * *t + gain * (*sum).into();
            *sum = L::ZERO;
        }
    }
}

/// r - φ of every stream.
#[inline(always)]
fn set_angles<L: Angles>(
    angles: &mut [L::Scalar],
    phases: &[L::Scalar],
    shared: L::Scalar,
    past: Option<&[L::Scalar]>,
) {
    match past {
        None => angles.iter_mut().zip(phases).for_each(|(angle, phase)| *angle = shared - *phase),
        Some(past) => {
            for ((angle, phase), past) in angles.iter_mut().zip(phases).zip(past) {
                *angle = *past - *phase + shared;
            }
        }
    }
}

/// S = a·S + e^{i·angle} of every stream.
#[inline(always)]
fn leak<L: Angles>(angles: &[L::Scalar], decay: L::Scalar, re: &mut [L::Scalar], im: &mut [L::Scalar]) {
    let many = AT_ONCE * L::WIDTH;
    let decay = L::splat(decay);
    let sums = re.chunks_mut(many).zip(im.chunks_mut(many));
    for (angles, (re, im)) in angles.chunks(many).zip(sums) {
        if angles.len() == many {
            let (sin, cos) = L::units(from_fn::<_, AT_ONCE, _>(|n| L::load(&angles[n * L::WIDTH..])));
            for n in 0..AT_ONCE {
                let (re, im) = (&mut re[n * L::WIDTH..], &mut im[n * L::WIDTH..]);
                (decay * L::load(re) + cos[n]).store(re);
                (decay * L::load(im) + sin[n]).store(im);
            }
        } else {
            for ((angle, re), im) in angles.iter().zip(re).zip(im) {
                let ([sin], [cos]) = L::units([L::splat(*angle)]);
                *re = (decay * L::splat(*re) + cos).first();
                *im = (decay * L::splat(*im) + sin).first();
            }
        }
    }
}

macro_rules! bank {
    ($name:ident, $scalar:ty, $lanes:ty) => {
        /// Many streams, each with its own T, advanced together.
        ///
        /// `phases` and `past` hold one row a time step, of all streams side by side; `t` and `sums` a row of real and
        /// one of imaginary parts. The caller writes `phases`, and after a call brings `past` up to date and reads
        /// T = a^m·t + (1-a)·sums, m = count mod 16.
        #[wasm_bindgen]
        pub struct $name(Bank<$lanes>);

        #[wasm_bindgen]
        impl $name {
            /// * `form` - 0 REF, 1 AUTO, 2 CYCLIC
            /// * `streams` - 1 to 2^20; `max_steps` - rows of `phases`, 1 or more; `lag` - L in samples, 0 for REF
            /// * `omega` - rad/s; `step` - h and `tau` in seconds, above 0
            ///
            /// Errors: E_KERNEL_RANGE, E_KERNEL_MEMORY.
            #[wasm_bindgen(constructor)]
            pub fn new(
                form: u32,
                streams: usize,
                max_steps: usize,
                lag: usize,
                omega: f64,
                step: f64,
                tau: f64,
            ) -> Result<$name, Fault> {
                Ok(Self(Bank::new(form, [streams, max_steps, lag], omega, step, tau)?))
            }
            #[wasm_bindgen(getter)]
            pub fn phases(&self) -> *const $scalar {
                self.0.phases.as_ptr()
            }
            #[wasm_bindgen(getter)]
            pub fn past(&self) -> *const $scalar {
                self.0.past.as_ptr()
            }
            #[wasm_bindgen(getter)]
            pub fn t(&self) -> *const f64 {
                self.0.t.as_ptr()
            }
            #[wasm_bindgen(getter)]
            pub fn sums(&self) -> *const $scalar {
                self.0.sums.as_ptr()
            }
            /// Advances every stream by the first `steps` rows of `phases`.
            ///
            /// * `count` - samples that each stream had before, a whole number under 2^53
            ///
            /// Errors: E_KERNEL_LENGTH when there are fewer rows, E_KERNEL_RANGE.
            pub fn advance(&mut self, steps: usize, count: f64) -> Result<(), Fault> {
                self.0.advance(steps, count)
            }
        }
    };
}
bank!(LeakyBankF64, f64, F64x2);
bank!(LeakyBankF32, f32, F32x4);

#[cfg(test)]
mod tests {
    use super::*;

    const STREAMS: usize = 11;
    const ROWS: usize = 67;

    fn phase(row: usize, stream: usize) -> f64 {
        let is_lost = (row * 7 + stream * 3).is_multiple_of(13);
        if is_lost { f64::NAN } else { ((row * row * 31 + stream * 17) % 1000) as f64 / 80.0 - 6.0 }
    }

    /// T and S after all rows, given in pieces that end where `cuts` say.
    fn after<L: Angles>(form: u32, lag: usize, cuts: &[usize]) -> (Vec<f64>, Vec<f64>) {
        let mut bank = Bank::<L>::new(form, [STREAMS, ROWS, lag], 2.3, 0.01, 0.2).unwrap();
        let mut from = 0;
        for to in cuts.iter().copied().chain([ROWS]) {
            for at in 0..(to - from) * STREAMS {
                bank.phases[at] = L::narrow(phase(from + at / STREAMS, at % STREAMS));
            }
            bank.advance(to - from, from as f64).unwrap();
            for at in 0..lag * STREAMS {
                let row = (to + at / STREAMS).checked_sub(lag);
                bank.past[at] = L::narrow(row.map_or(f64::NAN, |row| phase(row, at % STREAMS)));
            }
            from = to;
        }
        (bank.t, bank.sums.iter().map(|sum| (*sum).into()).collect())
    }

    fn held_by<L: Angles>() {
        for (form, lag) in [(0, 0), (1, 1), (1, 20), (2, 5), (2, 70)] {
            let whole = after::<L>(form, lag, &[]);
            for first in 0..=ROWS {
                assert_eq!(after::<L>(form, lag, &[first]), whole, "{form} {lag}: {first}");
                assert_eq!(after::<L>(form, lag, &[first / 2, first]), whole, "{form} {lag}: {first} halved");
            }
        }
    }

    #[test]
    fn runs_may_be_cut_at_any_place_in_doubles_and_in_floats() {
        held_by::<F64x2>();
        held_by::<F32x4>();
    }

    #[test]
    fn t_is_the_leaky_sum_and_stays_in_the_unit_disc() {
        let (t, sums) = after::<F64x2>(0, 0, &[]);
        let decay = libm::exp(-0.01 / 0.2);
        for stream in 0..STREAMS {
            let (mut re, mut im) = (0.0, 0.0);
            for row in 0..ROWS {
                let angle = 2.3 * (row as f64 * 0.01) - phase(row, stream);
                let (sin, cos) = if angle.is_finite() { libm::sincos(angle) } else { (0.0, 0.0) };
                (re, im) = (decay * re + (1.0 - decay) * cos, decay * im + (1.0 - decay) * sin);
            }
            let read = |at: usize| libm::pow(decay, (ROWS % RUN) as f64) * t[at] + (1.0 - decay) * sums[at];
            assert!((read(stream) - re).abs() < 1e-14 && (read(STREAMS + stream) - im).abs() < 1e-14);
            assert!(libm::hypot(re, im) <= 1.0);
        }
    }

    #[test]
    fn what_no_bank_can_be_is_refused() {
        let bank = |form, size, omega, step, tau| Bank::<F64x2>::new(form, size, omega, step, tau).map(|_| ());
        assert_eq!(bank(0, [1, 1, 0], 1.0, 1.0, 1.0), Ok(()));
        for size in [[0, 1, 0], [MAX_STREAMS + 1, 1, 0], [1, 0, 0], [1, 1, 1]] {
            assert_eq!(bank(0, size, 1.0, 1.0, 1.0), Err(Fault::Range), "{size:?}");
        }
        assert_eq!(bank(1, [1, 1, 0], 1.0, 1.0, 1.0), Err(Fault::Range));
        assert_eq!(bank(3, [1, 1, 1], 1.0, 1.0, 1.0), Err(Fault::Range));
        assert_eq!(bank(0, [1 << 20, usize::MAX, 0], 1.0, 1.0, 1.0), Err(Fault::Memory));
        for bad in [f64::NAN, f64::INFINITY] {
            assert_eq!(bank(0, [1, 1, 0], bad, 1.0, 1.0), Err(Fault::Range));
            assert_eq!(bank(0, [1, 1, 0], 1.0, bad, 1.0), Err(Fault::Range));
            assert_eq!(bank(0, [1, 1, 0], 1.0, 1.0, bad), Err(Fault::Range));
        }
        let mut bank = Bank::<F64x2>::new(0, [2, 3, 0], 1.0, 1.0, 1.0).unwrap();
        assert_eq!(bank.advance(4, 0.0), Err(Fault::Length));
        for count in [-1.0, 0.5, f64::NAN, 9_007_199_254_740_992.0] {
            assert_eq!(bank.advance(1, count), Err(Fault::Range), "{count}");
        }
    }
}
