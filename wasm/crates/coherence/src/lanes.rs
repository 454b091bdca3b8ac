//! Two doubles or four floats that are worked on at once.
//!
//! One SIMD register where the target has `simd128`, an array elsewhere. Both forms do the same IEEE 754 operations in
//! the same order, so the SIMD build, the plain build and the native tests agree bit for bit.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[path = "lanes/simd.rs"]
mod form;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[path = "lanes/array.rs"]
mod form;

pub use form::{F32x4, F64x2};

use core::ops::{Add, Mul, Sub};

/// What a kernel needs of either width.
pub trait Lanes: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    type Scalar: Copy + Into<f64> + Add<Output = Self::Scalar> + Sub<Output = Self::Scalar>;
    const WIDTH: usize;
    const ZERO: Self::Scalar;

    fn narrow(value: f64) -> Self::Scalar;
    fn splat(value: Self::Scalar) -> Self;
    /// The first `WIDTH` values of a slice that has them.
    fn load(values: &[Self::Scalar]) -> Self;
    fn store(self, values: &mut [Self::Scalar]);
    fn first(self) -> Self::Scalar;
    /// The sum of the lanes, two by two.
    fn sum(self) -> f64;
}

macro_rules! operators {
    ($lanes:ident) => {
        impl Add for $lanes {
            type Output = Self;
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self.plus(other)
            }
        }
        impl Sub for $lanes {
            type Output = Self;
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                self.minus(other)
            }
        }
        impl Mul for $lanes {
            type Output = Self;
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                self.times(other)
            }
        }
    };
}
operators!(F64x2);
operators!(F32x4);
