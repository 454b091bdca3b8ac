//! Sine and cosine of many angles.

use crate::lanes::{F32x4, F64x2, Lanes};
use core::array::from_fn;
use core::f64::consts::TAU;
use core::hint::black_box;

/// Above this (rad) the reduction of doubles loses bits; such angles go through `libm`.
const MAX_ANGLE_F64: f64 = 1.0e6;
/// Above this (rad) a float has fewer than five bits for the fraction of a half turn, and the magic number none to spare.
const MAX_ANGLE_F32: f32 = 1.0e6;

// Adding 1.5·2^52 (1.5·2^23) rounds to the nearest integer, ties to even, and leaves it in the low bits.
const ROUND_F64: f64 = 6_755_399_441_055_744.0;
const ROUND_F32: f32 = 12_582_912.0;

// 2π in two parts, the first of 24 bits, so that n times it is exact for |n| < 2^29. TAU alone is 2.4e-16 too small.
const TURN_HIGH: f64 = TAU as f32 as f64;
const TURN_LOW: f64 = (TAU - TURN_HIGH) + 2.449_293_598_294_706_4e-16;

/// A power of two, so that a part of a turn has a turn's bits.
const PARTS: usize = 1024;

/// (cosine, sine) of every part of a turn.
static UNITS: [[f64; 2]; PARTS] = {
    let (eighth, quarter) = (PARTS / 8, PARTS / 4);
    let mut units = [[0.0; 2]; PARTS];
    let mut part = 0;
    while part < PARTS {
        // Within an eighth of a turn, where the rounding of the angle is nothing; the rest by quarter turns.
        let [cos, sin] = unit((((part + eighth) % quarter) as f64 - eighth as f64) * (TAU / PARTS as f64));
        units[part] = match (part + eighth) / quarter % 4 {
            0 => [cos, sin],
            1 => [-sin, cos],
            2 => [-cos, -sin],
            _ => [sin, -cos],
        };
        part += 1;
    }
    units
};

/// [cosine, sine] of an angle within ±π/4 rad by their series, when this is compiled.
const fn unit(angle: f64) -> [f64; 2] {
    let square = angle * angle;
    let (mut cos, mut sin, mut n) = (1.0, 1.0, 18.0);
    while n > 0.0 {
        cos = 1.0 - square * cos / (n * (n - 1.0));
        sin = 1.0 - square * sin / (n * (n + 1.0));
        n -= 2.0;
    }
    [cos, angle * sin]
}

/// What `sincos_f64` multiplies by: in memory, and out of the compiler's sight (`black_box`), because V8 makes a constant
/// register anew in every turn of a loop, which takes longer than loading it.
struct FactorsF64 {
    round: [f64; 2],
    per_radian: [f64; 2],
    /// rad, the sum of both
    part: [[f64; 2]; 2],
    sin: [[f64; 2]; 2],
    cos: [[f64; 2]; 2],
}

static FACTORS_F64: FactorsF64 = FactorsF64 {
    round: [ROUND_F64; 2],
    per_radian: [PARTS as f64 / TAU; 2],
    part: [[TURN_HIGH / PARTS as f64; 2], [TURN_LOW / PARTS as f64; 2]],
    sin: [[1.0 / 6.0; 2], [1.0 / 120.0; 2]],
    cos: [[1.0 / 2.0; 2], [1.0 / 24.0; 2]],
};

/// Sine and cosine to 2 ulp of 1: those of the nearest part of a turn, turned by the rest r, |r| <= π/1024, with
/// 1 - r²/2 + r⁴/24 and r - r³/6 + r⁵/120.
///
/// * `angle` - rad, |angle| <= [`MAX_ANGLE_F64`]
#[inline(always)]
fn sincos_f64(angle: F64x2, factors: &FactorsF64) -> (F64x2, F64x2) {
    let [round, per_radian] = [&factors.round, &factors.per_radian].map(|factor| F64x2::load(factor));
    let nearest = angle * per_radian + round;
    let n = nearest - round;
    let r = angle - n * F64x2::load(&factors.part[0]) - n * F64x2::load(&factors.part[1]);
    let z = r * r;
    let (cos, sin) = nearest.look_up(&UNITS);
    let less = z * (F64x2::load(&factors.cos[0]) - z * F64x2::load(&factors.cos[1]));
    let beside = r - r * z * (F64x2::load(&factors.sin[0]) - z * F64x2::load(&factors.sin[1]));
    (sin + (cos * beside - sin * less), cos - (cos * less + sin * beside))
}

/// Likewise for `sincos_f32`: sin(πf)/f and cos(πf) in f² on [-½, ½], minimax; errors 7e-9 and 5e-8 before rounding.
struct FactorsF32 {
    round: [f32; 4],
    per_radian: [f32; 4],
    sin: [[f32; 4]; 5],
    cos: [[f32; 4]; 5],
}

static FACTORS_F32: FactorsF32 = FactorsF32 {
    round: [ROUND_F32; 4],
    per_radian: [core::f32::consts::FRAC_1_PI; 4],
    sin: [[core::f32::consts::PI; 4], [-5.167_710_3; 4], [2.550_077_7; 4], [-0.598_292_2; 4], [0.077_659_406; 4]],
    cos: [[0.999_999_94; 4], [-4.934_793; 4], [4.058_412; 4], [-1.331_880_2; 4], [0.219_696_8; 4]],
};

/// Sine and cosine to 3e-7 plus the rounding of the angle itself.
///
/// * `angle` - rad, |angle| <= [`MAX_ANGLE_F32`]
#[inline(always)]
fn sincos_f32(angle: F32x4, factors: &FactorsF32) -> (F32x4, F32x4) {
    let [round, per_radian] = [&factors.round, &factors.per_radian].map(|factor| F32x4::load(factor));
    let halves = angle * per_radian;
    let nearest = halves + round;
    let f = halves - (nearest - round);
    let z = f * f;
    let square = z * z;
    // Estrin's scheme: its halves do not wait for each other.
    let polynomial = |c: &[[f32; 4]; 5]| {
        let [c0, c1, c2, c3, c4] = from_fn(|n| F32x4::load(&c[n]));
        c0 + c1 * z + (c2 + c3 * z + c4 * square) * square
    };
    (nearest.flip_if_odd(f * polynomial(&factors.sin)), nearest.flip_if_odd(polynomial(&factors.cos)))
}

/// (sine, cosine) of any angle in rad; (0, 0) when it is not finite: garbage dissipates.
fn sincos_any(angle: f64) -> (f64, f64) {
    if angle.is_finite() { libm::sincos(angle) } else { (0.0, 0.0) }
}

/// The angle less whole turns, within ±π by 1e-9, as exact as its sine and cosine are.
pub fn within_turn(angle: f64) -> f64 {
    if angle.abs() <= MAX_ANGLE_F64 {
        let turns = angle * (1.0 / TAU) + ROUND_F64 - ROUND_F64;
        angle - turns * TURN_HIGH - turns * TURN_LOW
    } else {
        let (sin, cos) = libm::sincos(angle);
        libm::atan2(sin, cos)
    }
}

/// Registers worked on at once, so that one operation need not wait for the last.
pub const AT_ONCE: usize = 4;

/// Lanes that are angles in rad.
pub trait Angles: Lanes {
    /// (sines, cosines) of any angles; (0, 0) where one is not finite.
    fn units<const N: usize>(angles: [Self; N]) -> ([Self; N], [Self; N]);
}

macro_rules! angles {
    ($lanes:ident, $scalar:ty, $max:ident, $sincos:ident, $factors:ident) => {
        impl Angles for $lanes {
            #[inline(always)]
            fn units<const N: usize>(angles: [Self; N]) -> ([Self; N], [Self; N]) {
                let factors = black_box(&$factors);
                let units = if Self::all_within(&angles, $max) {
                    angles.map(|angle| $sincos(angle, factors))
                } else {
                    angles.map(Self::slow_unit)
                };
                (units.map(|(sin, _)| sin), units.map(|(_, cos)| cos))
            }
        }

        impl $lanes {
            /// Each lane by itself: what an angle gives must not depend on those beside it.
            #[inline(never)]
            fn slow_unit(self) -> (Self, Self) {
                let (mut angles, mut sines, mut cosines) = ([0.0; Self::WIDTH], [0.0; Self::WIDTH], [0.0; Self::WIDTH]);
                let (sin, cos) = $sincos(self, &$factors);
                self.store(&mut angles);
                sin.store(&mut sines);
                cos.store(&mut cosines);
                for ((angle, sin), cos) in angles.into_iter().zip(&mut sines).zip(&mut cosines) {
                    if !(-$max..=$max).contains(&angle) {
                        let unit = sincos_any(angle.into());
                        (*sin, *cos) = (unit.0 as $scalar, unit.1 as $scalar);
                    }
                }
                (Self::load(&sines), Self::load(&cosines))
            }
        }
    };
}
angles!(F64x2, f64, MAX_ANGLE_F64, sincos_f64, FACTORS_F64);
angles!(F32x4, f32, MAX_ANGLE_F32, sincos_f32, FACTORS_F32);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::{F32x4, F64x2};

    /// Angles up to `max`, dense near 0, and the neighbours of the multiples of π/4.
    fn angles(max: f64) -> impl Iterator<Item = f64> {
        let spread = (0..100_000).map(move |k| max * (f64::from(k) / 50_000.0 - 1.0));
        let small = (0..2000).map(|k| 10.0_f64.powf(f64::from(k) / 100.0 - 20.0));
        let folds = (-4000..4000).map(|k| f64::from(k) * core::f64::consts::FRAC_PI_4);
        spread.chain(small).chain(folds.flat_map(|fold| [fold.next_down(), fold, fold.next_up()]))
    }

    #[test]
    fn doubles_are_within_two_ulp_of_one_up_to_the_limit() {
        for angle in angles(MAX_ANGLE_F64) {
            let ([sin], [cos]) = F64x2::units([F64x2::splat(angle)]);
            let (wanted_sin, wanted_cos) = libm::sincos(angle);
            assert!((sin.first() - wanted_sin).abs() <= 2.0 * f64::EPSILON, "sin {angle}");
            assert!((cos.first() - wanted_cos).abs() <= 2.0 * f64::EPSILON, "cos {angle}");
        }
    }

    #[test]
    fn floats_are_within_their_bound_and_the_rounding_of_the_angle() {
        for angle in angles(f64::from(MAX_ANGLE_F32)) {
            let angle = angle as f32;
            let ([sin], [cos]) = F32x4::units([F32x4::splat(angle)]);
            let (wanted_sin, wanted_cos) = libm::sincos(angle.into());
            let bound = 3e-7 + f64::from(angle.abs()) * 2.0_f64.powi(-23);
            assert!((f64::from(sin.first()) - wanted_sin).abs() <= bound, "sin {angle}");
            assert!((f64::from(cos.first()) - wanted_cos).abs() <= bound, "cos {angle}");
        }
    }

    #[test]
    fn an_angle_gives_the_same_beside_any_other() {
        for beside in [0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e7, -1e300] {
            for angle in [0.3, -2.0, 999_999.0, 1e6, 1e6_f64.next_up(), 1e15, f64::NAN, f64::INFINITY] {
                let ([sin, _], [cos, _]) = F64x2::units([F64x2::load(&[angle, beside]), F64x2::splat(beside)]);
                let ([sin_alone], [cos_alone]) = F64x2::units([F64x2::splat(angle)]);
                assert_eq!([sin.first(), cos.first()], [sin_alone.first(), cos_alone.first()], "{angle} by {beside}");
            }
        }
    }

    #[test]
    fn what_is_not_finite_dissipates() {
        for angle in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let ([sin], [cos]) = F32x4::units([F32x4::splat(angle)]);
            assert_eq!([sin.first(), cos.first()], [0.0, 0.0]);
        }
    }

    #[test]
    fn an_angle_within_a_turn_has_the_same_sine_and_cosine() {
        for angle in angles(1e15) {
            let within = within_turn(angle);
            assert!(within.abs() <= core::f64::consts::PI + 1e-9, "{angle}");
            assert!((libm::sin(within) - libm::sin(angle)).abs() <= 2.0 * f64::EPSILON, "{angle}");
            assert!((libm::cos(within) - libm::cos(angle)).abs() <= 2.0 * f64::EPSILON, "{angle}");
        }
    }
}
