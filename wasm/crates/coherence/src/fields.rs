//! The small kernels that the source documents name (coherence.md, "Small kernels").

use crate::fault::{Fault, require};
use crate::lanes::F64x2;
use crate::memory::F64Array;
use crate::phasors;
use core::f64::consts::PI;
use wasm_bindgen::prelude::wasm_bindgen;

const BREATH_S: f64 = 10.0;
const INHALE_S: f64 = 4.0;
const HARMONICS_HZ: [f64; 7] = [396.0, 417.0, 528.0, 639.0, 741.0, 852.0, 963.0];
// 2π(1 - 1/φ) = π(3 - √5)
const GOLDEN_ANGLE: f64 = PI * (3.0 - 2.23606797749979);

/// Angles worked on at once in the kernels below.
const STRETCH: usize = 256;

/// Breathing rhythm: 10 s a cycle, 4 s in and 6 s out, each a raised cosine.
///
/// * `times` - seconds, any sign; `depths` - 0 empty to 1 full, written; 0 for a time that is not finite
///
/// Errors: E_KERNEL_LENGTH.
#[wasm_bindgen]
pub fn breathing(times: &F64Array, depths: &mut F64Array, length: usize) -> Result<(), Fault> {
    require(length <= times.values.len().min(depths.values.len()), Fault::Length)?;
    let (mut angles, mut re, mut im) = ([0.0; STRETCH], [0.0; STRETCH], [0.0; STRETCH]);
    for (times, depths) in times.values[..length].chunks(STRETCH).zip(depths.values[..length].chunks_mut(STRETCH)) {
        for (angle, time) in angles.iter_mut().zip(times) {
            let within = time - BREATH_S * (time / BREATH_S).floor();
            // Out is in played on from the full breath: the cosine's second half turn.
            *angle = if within < INHALE_S {
                PI * (within / INHALE_S)
            } else {
                PI + PI * ((within - INHALE_S) / (BREATH_S - INHALE_S))
            };
        }
        phasors::fill::<F64x2>(&angles[..times.len()], &mut re, &mut im);
        for ((depth, cos), angle) in depths.iter_mut().zip(&re).zip(&angles) {
            *depth = if angle.is_finite() { (1.0 - cos) / 2.0 } else { 0.0 };
        }
    }
    Ok(())
}

/// Nearness to the nearest of seven harmonics: max_h 1/(1+|f-h|).
///
/// * `frequencies` - Hz; `scores` - in [0, 1], written; 0 for a frequency that is not finite
///
/// Errors: E_KERNEL_LENGTH.
#[wasm_bindgen]
pub fn harmonic_resonance(frequencies: &F64Array, scores: &mut F64Array, length: usize) -> Result<(), Fault> {
    require(length <= frequencies.values.len().min(scores.values.len()), Fault::Length)?;
    for (frequency, score) in frequencies.values[..length].iter().zip(&mut scores.values) {
        let nearest =
            HARMONICS_HZ.iter().fold(f64::INFINITY, |least, harmonic| least.min((frequency - harmonic).abs()));
        *score = if frequency.is_finite() { 1.0 / (1.0 + nearest) } else { 0.0 };
    }
    Ok(())
}

/// Field coherence, a variance score: 1/(1 + population variance) of the first `length` values.
///
/// Returns it in [0, 1]; 1 of one value or none. Errors: E_KERNEL_LENGTH.
#[wasm_bindgen]
pub fn field_coherence(values: &F64Array, length: usize) -> Result<f64, Fault> {
    require(length <= values.values.len(), Fault::Length)?;
    let values = &values.values[..length];
    if values.is_empty() {
        return Ok(1.0);
    }
    let mean = values.iter().sum::<f64>() / length as f64;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / length as f64;
    Ok(1.0 / (1.0 + variance))
}

/// Golden-angle lattice (Vogel 1979): point k at angle k·2π(1-1/φ), radius √k.
///
/// * `x`, `y` - coordinates of the first `length` points, written
///
/// Errors: E_KERNEL_LENGTH.
#[wasm_bindgen]
pub fn golden_lattice(x: &mut F64Array, y: &mut F64Array, length: usize) -> Result<(), Fault> {
    require(length <= x.values.len().min(y.values.len()), Fault::Length)?;
    let (x, y) = (&mut x.values[..length], &mut y.values[..length]);
    let mut angles = [0.0; STRETCH];
    for (stretch, (x, y)) in x.chunks_mut(STRETCH).zip(y.chunks_mut(STRETCH)).enumerate() {
        for (at, angle) in angles.iter_mut().enumerate() {
            *angle = ((stretch * STRETCH + at) as f64 * GOLDEN_ANGLE) % (2.0 * PI);
        }
        phasors::fill::<F64x2>(&angles[..x.len()], x, y);
        for (at, (x, y)) in x.iter_mut().zip(y).enumerate() {
            let radius = ((stretch * STRETCH + at) as f64).sqrt();
            *x *= radius;
            *y *= radius;
        }
    }
    Ok(())
}
