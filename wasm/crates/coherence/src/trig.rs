//! Sine and cosine of many angles, without a table.

use crate::lanes::{F32x4, F64x2, Lanes};

/// Above this (rad) the three-part reduction of `sincos_f64` loses bits; such angles go through `libm`.
const MAX_ANGLE_F64: f64 = 1.0e6;
/// Above this (rad) a float has fewer than five bits for the fraction of a half turn, and the magic number none to spare.
const MAX_ANGLE_F32: f32 = 1.0e6;

// Adding 1.5·2^52 (1.5·2^23) rounds to the nearest integer, ties to even, and leaves it in the low bits.
const ROUND_F64: f64 = 6_755_399_441_055_744.0;
const ROUND_F32: f32 = 12_582_912.0;

// π/2 in three parts of 33 bits (fdlibm, e_rem_pio2.c): n times the first two is exact for |n| < 2^20.
const HALF_PI: [f64; 3] = [1.570_796_326_734_125_6, 6.077_100_506_303_966e-11, 2.022_266_248_795_950_7e-21];

// fdlibm's k_sin.c and k_cos.c on [-π/4, π/4].
const SIN: [f64; 6] = [
    -1.666_666_666_666_663_2e-1,
    8.333_333_333_322_49e-3,
    -1.984_126_982_985_795e-4,
    2.755_731_370_707_006_8e-6,
    -2.505_076_025_340_686_3e-8,
    1.589_690_995_211_55e-10,
];
const COS: [f64; 6] = [
    4.166_666_666_666_66e-2,
    -1.388_888_888_887_411e-3,
    2.480_158_728_947_673e-5,
    -2.755_731_435_139_066_3e-7,
    2.087_572_321_298_175e-9,
    -1.135_964_755_778_819_5e-11,
];

/// Sine and cosine to 2 ulp of 1.
///
/// * `angle` - rad, |angle| <= [`MAX_ANGLE_F64`]
#[inline(always)]
fn sincos_f64(angle: F64x2) -> (F64x2, F64x2) {
    let magic = F64x2::splat(ROUND_F64);
    let quarter = angle * F64x2::splat(core::f64::consts::FRAC_2_PI) + magic;
    let n = quarter - magic;
    let r = angle - n * F64x2::splat(HALF_PI[0]) - n * F64x2::splat(HALF_PI[1]) - n * F64x2::splat(HALF_PI[2]);
    let z = r * r;
    let sine = r + r * z * polynomial(z, &SIN);
    let cosine = F64x2::splat(1.0) - z * F64x2::splat(0.5) + z * z * polynomial(z, &COS);
    let (sin, cos) = quarter.swap_if_odd(sine, cosine);
    (quarter.flip_if_half(0, sin), quarter.flip_if_half(1, cos))
}

// sin(πf)/f and cos(πf) in f² on [-½, ½], minimax; errors 7e-9 and 5e-8 before rounding.
const SIN_F32: [f32; 5] = [core::f32::consts::PI, -5.167_710_3, 2.550_077_7, -0.598_292_2, 0.077_659_406];
const COS_F32: [f32; 5] = [0.999_999_94, -4.934_793, 4.058_412, -1.331_880_2, 0.219_696_8];

/// Sine and cosine to 3e-7 plus the rounding of the angle itself.
///
/// * `angle` - rad, |angle| <= [`MAX_ANGLE_F32`]
#[inline(always)]
fn sincos_f32(angle: F32x4) -> (F32x4, F32x4) {
    let magic = F32x4::splat(ROUND_F32);
    let halves = angle * F32x4::splat(core::f32::consts::FRAC_1_PI);
    let nearest = halves + magic;
    let f = halves - (nearest - magic);
    let z = f * f;
    (nearest.flip_if_odd(f * polynomial(z, &SIN_F32)), nearest.flip_if_odd(polynomial(z, &COS_F32)))
}

/// Estrin's scheme, lowest power first: its halves do not wait for each other.
#[inline(always)]
fn polynomial<L: Lanes, const N: usize>(z: L, c: &[L::Scalar; N]) -> L {
    let pair = |low: usize| L::splat(c[low]) + L::splat(c[low + 1]) * z;
    let square = z * z;
    let high = if N == 6 { pair(4) } else { L::splat(c[4]) };
    pair(0) + (pair(2) + high * square) * square
}

/// (sine, cosine) of any angle in rad; (0, 0) when it is not finite: garbage dissipates.
fn sincos_any(angle: f64) -> (f64, f64) {
    if angle.is_finite() { libm::sincos(angle) } else { (0.0, 0.0) }
}

/// The angle less whole turns, in [-π, π], as exact as its sine and cosine are.
pub fn within_turn(angle: f64) -> f64 {
    let (sin, cos) = libm::sincos(angle);
    libm::atan2(sin, cos)
}

/// Registers worked on at once, so that one operation need not wait for the last.
pub const AT_ONCE: usize = 4;

/// Lanes that are angles in rad.
pub trait Angles: Lanes {
    /// (sines, cosines) of any angles; (0, 0) where one is not finite.
    fn units<const N: usize>(angles: [Self; N]) -> ([Self; N], [Self; N]);
}

macro_rules! angles {
    ($lanes:ident, $scalar:ty, $max:ident, $sincos:ident) => {
        impl Angles for $lanes {
            #[inline(always)]
            fn units<const N: usize>(angles: [Self; N]) -> ([Self; N], [Self; N]) {
                let units =
                    if Self::all_within(&angles, $max) { angles.map($sincos) } else { angles.map(Self::slow_unit) };
                (units.map(|(sin, _)| sin), units.map(|(_, cos)| cos))
            }
        }

        impl $lanes {
            /// Each lane by itself: what an angle gives must not depend on those beside it.
            #[inline(never)]
            fn slow_unit(self) -> (Self, Self) {
                let (mut angles, mut sines, mut cosines) = ([0.0; Self::WIDTH], [0.0; Self::WIDTH], [0.0; Self::WIDTH]);
                let (sin, cos) = $sincos(self);
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
angles!(F64x2, f64, MAX_ANGLE_F64, sincos_f64);
angles!(F32x4, f32, MAX_ANGLE_F32, sincos_f32);

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
            assert!(within.abs() <= core::f64::consts::PI, "{angle}");
            assert!((libm::sin(within) - libm::sin(angle)).abs() <= 2.0 * f64::EPSILON, "{angle}");
            assert!((libm::cos(within) - libm::cos(angle)).abs() <= 2.0 * f64::EPSILON, "{angle}");
        }
    }
}
