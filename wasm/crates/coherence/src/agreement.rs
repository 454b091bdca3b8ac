//! What nodes must agree on, bit for bit (coherence.md P7, P8, P11).
//!
//! Integers, and doubles with + - * / and square root in a fixed order: exact in IEEE 754, so this, its TypeScript twin
//! and every machine have the same bits.

use crate::fault::{Fault, require};
use crate::memory::{F64Array, I32Array};
use wasm_bindgen::prelude::wasm_bindgen;

/// One in Q1.30.
const ONE: f64 = 1_073_741_824.0;
const ONE_BITS: u32 = 30;
const MAX_TOTAL_WEIGHT: f64 = 8_589_934_592.0;
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;
const WEISZFELD_STEPS: usize = 64;
// A report on the median itself would divide by zero; the floor is one unit of Q1.30.
const LEAST_DISTANCE: f64 = 1.0 / ONE;

/// Q1.30 of `value`, round half to even.
fn q30(value: f64) -> Result<i32, Fault> {
    let rounded = (value * ONE).round_ties_even();
    require((-ONE..=ONE).contains(&rounded), Fault::QuantiseRange)?;
    Ok(rounded as i32)
}

/// Quantises the first `length` values to Q1.30, round half to even.
///
/// * `values` - in [-1, 1]
/// * `quantised` - integers in [-2^30, 2^30], written
///
/// Errors: E_QUANTISE_RANGE when a value is not a number or clearly outside (nothing after it is written),
/// E_KERNEL_LENGTH.
#[wasm_bindgen]
pub fn quantise(values: &F64Array, quantised: &mut I32Array, length: usize) -> Result<(), Fault> {
    require(length <= values.values.len().min(quantised.values.len()), Fault::Length)?;
    for (value, quantised) in values.values[..length].iter().zip(&mut quantised.values) {
        *quantised = q30(*value)?;
    }
    Ok(())
}

/// Reports as columns: whole weights, and T in Q1.30.
struct Reports<'a> {
    weights: &'a [f64],
    re: &'a [i32],
    im: &'a [i32],
}

impl<'a> Reports<'a> {
    fn new(weights: &'a F64Array, re: &'a I32Array, im: &'a I32Array, length: usize) -> Result<Self, Fault> {
        let shortest = weights.values.len().min(re.values.len()).min(im.values.len());
        require(length <= shortest, Fault::Length)?;
        let reports = Self { weights: &weights.values[..length], re: &re.values[..length], im: &im.values[..length] };
        let mut total = 0.0;
        for (weight, re, im) in reports.iter() {
            let (re, im) = (f64::from(re), f64::from(im));
            let is_whole = (0.0..=MAX_SAFE_INTEGER).contains(&weight) && weight.trunc() == weight;
            let is_fair = re.abs() <= ONE && im.abs() <= ONE && re * re + im * im <= (ONE + 1.0) * (ONE + 1.0);
            require(is_whole && is_fair, Fault::ReportRange)?;
            total += weight;
        }
        require(total < MAX_TOTAL_WEIGHT, Fault::ReportRange)?;
        Ok(reports)
    }

    fn iter(&self) -> impl Iterator<Item = (f64, i32, i32)> + use<'a> {
        let parts = self.re.iter().zip(self.im);
        self.weights.iter().zip(parts).map(|(weight, (re, im))| (*weight, *re, *im))
    }

    fn mean(&self) -> [i32; 2] {
        let (mut re, mut im, mut total) = (0_i64, 0_i64, 0_i64);
        for (weight, part_re, part_im) in self.iter() {
            let weight = weight as i64;
            re += weight * i64::from(part_re);
            im += weight * i64::from(part_im);
            total += weight;
        }
        if total == 0 { [0, 0] } else { [re.div_euclid(total) as i32, im.div_euclid(total) as i32] }
    }

    fn median(&self) -> Result<[i32; 2], Fault> {
        if self.weights.iter().all(|weight| *weight == 0.0) {
            return Ok([0, 0]);
        }
        let mut median = self.centre(|weight, _, _| weight);
        for _ in 0..WEISZFELD_STEPS {
            let [from_re, from_im] = median;
            median = self.centre(|weight, re, im| {
                let (d_re, d_im) = (re - from_re, im - from_im);
                let distance = (d_re * d_re + d_im * d_im).sqrt();
                weight / if distance < LEAST_DISTANCE { LEAST_DISTANCE } else { distance }
            });
        }
        Ok([q30(median[0])?, q30(median[1])?])
    }

    /// The mean under weights that may depend on where a report lies.
    fn centre(&self, pull: impl Fn(f64, f64, f64) -> f64) -> [f64; 2] {
        let (mut re, mut im, mut total) = (0.0, 0.0, 0.0);
        for (weight, part_re, part_im) in self.iter() {
            let (part_re, part_im) = (f64::from(part_re) / ONE, f64::from(part_im) / ONE);
            let weight = pull(weight, part_re, part_im);
            re += weight * part_re;
            im += weight * part_im;
            total += weight;
        }
        [re / total, im / total]
    }
}

fn write<const N: usize>(result: &mut I32Array, values: [i32; N]) -> Result<(), Fault> {
    require(result.values.len() >= N, Fault::Length)?;
    result.values[..N].copy_from_slice(&values);
    Ok(())
}

/// T_global = ⌊Σ w·T / Σw⌋ in Q1.30 of the first `length` reports.
///
/// * `weights` - whole, >= 0, Σw < 2^33
/// * `re`, `im` - T in Q1.30, in the unit disc
/// * `result` - re, im, written; 0 when nobody of weight reports
///
/// Errors: E_REPORT_RANGE, E_KERNEL_LENGTH.
#[wasm_bindgen]
pub fn weighted_sum(
    weights: &F64Array,
    re: &I32Array,
    im: &I32Array,
    length: usize,
    result: &mut I32Array,
) -> Result<(), Fault> {
    write(result, Reports::new(weights, re, im, length)?.mean())
}

/// Weighted geometric median of the first `length` reports, by 64 Weiszfeld steps from the weighted mean, in Q1.30.
///
/// Arguments and errors as [`weighted_sum`]; the order of the reports is part of the result.
#[wasm_bindgen]
pub fn geometric_median(
    weights: &F64Array,
    re: &I32Array,
    im: &I32Array,
    length: usize,
    result: &mut I32Array,
) -> Result<(), Fault> {
    write(result, Reports::new(weights, re, im, length)?.median()?)
}

/// Which of the first `length` reports carry a global collapse: |T|² >= I_c, and within acos(2·I_c - 1) of the median's
/// direction by r > 0 and r² >= (2·I_c - 1)²·|T|²·|m|², r = Re(T·conj m), in integers.
///
/// * `threshold` - I_c in Q1.30, 0 to 2^30
/// * `standing` - one a report, written: 0 not collapsed, 1 collapsed in another direction, 2 collapsed and near
/// * `result` - the median's re, im, written
///
/// Returns the weight of the reports of standing 2. Errors as [`weighted_sum`], E_KERNEL_RANGE.
#[wasm_bindgen]
pub fn decision(
    weights: &F64Array,
    re: &I32Array,
    im: &I32Array,
    length: usize,
    threshold: i32,
    standing: &mut I32Array,
    result: &mut I32Array,
) -> Result<f64, Fault> {
    require((0..=1 << ONE_BITS).contains(&threshold), Fault::Range)?;
    require(length <= standing.values.len(), Fault::Length)?;
    let reports = Reports::new(weights, re, im, length)?;
    let median = reports.median()?;
    let mut agreeing = 0.0;
    for ((weight, re, im), standing) in reports.iter().zip(&mut standing.values) {
        let is_strong = power([re, im]) >= (threshold as u64) << ONE_BITS;
        let is_near = is_strong && is_near([re, im], median, i64::from(threshold));
        *standing = i32::from(is_strong) + i32::from(is_near);
        agreeing += if is_near { weight } else { 0.0 };
    }
    write(result, median)?;
    Ok(agreeing)
}

fn power([re, im]: [i32; 2]) -> u64 {
    (i64::from(re) * i64::from(re) + i64::from(im) * i64::from(im)) as u64
}

fn is_near(t: [i32; 2], median: [i32; 2], threshold: i64) -> bool {
    let projection = i64::from(t[0]) * i64::from(median[0]) + i64::from(t[1]) * i64::from(median[1]);
    let cosine = 2 * threshold - (1 << ONE_BITS);
    let square = |value: i64| u128::from(value.unsigned_abs()) * u128::from(value.unsigned_abs());
    let powers = u128::from(power(t)) * u128::from(power(median));
    projection > 0 && product(square(projection), 1 << (2 * ONE_BITS)) >= product(powers, square(cosine) as u64)
}

/// a·b as (high bits, low 64 bits); a < 2^125 keeps the high part in range.
fn product(a: u128, b: u64) -> (u128, u64) {
    let b = u128::from(b);
    let low = (a & u128::from(u64::MAX)) * b;
    ((a >> 64) * b + (low >> 64), low as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// a·b as 256 bits in 32-bit digits, lowest first: long multiplication.
    fn slow_product(a: u128, b: u128) -> [u32; 8] {
        let digits = |value: u128| core::array::from_fn::<u64, 4, _>(|n| u64::from((value >> (32 * n)) as u32));
        let mut product = [0_u32; 8];
        for (n, a) in digits(a).into_iter().enumerate() {
            let mut carry = 0;
            for (m, b) in digits(b).into_iter().enumerate() {
                let sum = u64::from(product[n + m]) + a * b + carry;
                (product[n + m], carry) = (sum as u32, sum >> 32);
            }
            product[n + 4] = carry as u32;
        }
        product
    }

    /// The same question as `is_near`, all of it in 256 bits.
    fn slow_is_near(t: [i32; 2], median: [i32; 2], threshold: i64) -> bool {
        let projection = i128::from(t[0]) * i128::from(median[0]) + i128::from(t[1]) * i128::from(median[1]);
        let cosine = (2 * threshold - (1 << ONE_BITS)).unsigned_abs();
        let left = slow_product(projection.unsigned_abs().pow(2), 1 << (2 * ONE_BITS));
        let right = slow_product(u128::from(power(t)) * u128::from(power(median)), u128::from(cosine).pow(2));
        projection > 0 && left.iter().rev().ge(right.iter().rev())
    }

    fn random(seed: u64) -> impl FnMut() -> u64 {
        let mut state = seed;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state ^ (state >> 33)
        }
    }

    #[test]
    fn a_product_of_125_and_64_bits_is_long_multiplication() {
        let mut next = random(1);
        for _ in 0..100_000 {
            let a = (u128::from(next()) << 61) ^ u128::from(next()) >> (next() % 64);
            let b = next() >> (next() % 64);
            let (high, low) = product(a, b);
            let digits = slow_product(a, b.into());
            assert_eq!(low, u64::from(digits[1]) << 32 | u64::from(digits[0]), "{a} {b}");
            let wanted = digits[2..6].iter().rev().fold(0_u128, |high, digit| high << 32 | u128::from(*digit));
            assert_eq!(high, wanted, "{a} {b}");
        }
    }

    #[test]
    fn nearness_is_what_256_bits_say_also_on_its_edge() {
        let one = 1 << ONE_BITS;
        let mut next = random(2);
        let mut near = 0;
        for _ in 0..200_000 {
            let threshold = (next() % (one as u64 + 1)) as i64;
            let angle = (2.0 * threshold as f64 / ONE - 1.0).acos();
            let turn = next() as f64 / u64::MAX as f64 * 6.3;
            let mut off = || (next() % 5) as i32 - 2;
            let at = |turn: f64, off: [i32; 2]| {
                [((ONE - 3.0) * turn.cos()) as i32 + off[0], ((ONE - 3.0) * turn.sin()) as i32 + off[1]]
            };
            let (median, t) = (at(turn, [off(), off()]), at(turn + angle, [off(), off()]));
            assert_eq!(
                is_near(t, median, threshold),
                slow_is_near(t, median, threshold),
                "{t:?} {median:?} {threshold}"
            );
            near += u32::from(is_near(t, median, threshold));
        }
        assert!((20_000..180_000).contains(&near), "the edge was met from both sides: {near}");
    }

    #[test]
    fn nearness_holds_at_the_ends_of_the_range() {
        let one = 1 << ONE_BITS;
        for (t, median) in [([one, 0], [one, 0]), ([0, -one], [0, -one]), ([one, 0], [-one, 0]), ([one, 0], [0, 0])] {
            for threshold in [0, i64::from(one) / 2, i64::from(one)] {
                assert_eq!(is_near(t, median, threshold), slow_is_near(t, median, threshold));
            }
        }
    }
}
