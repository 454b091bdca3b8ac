//! WebAssembly's 128-bit registers.

use super::Lanes;
use core::arch::wasm32::*;

macro_rules! register {
    ($name:ident, $scalar:ty, $width:literal, $splat:ident, $add:ident, $sub:ident, $mul:ident, $abs:ident, $le:ident, $lane:ident) => {
        #[derive(Clone, Copy)]
        pub struct $name(v128);

        impl $name {
            #[inline(always)]
            pub fn plus(self, other: Self) -> Self {
                Self($add(self.0, other.0))
            }
            #[inline(always)]
            pub fn minus(self, other: Self) -> Self {
                Self($sub(self.0, other.0))
            }
            #[inline(always)]
            pub fn times(self, other: Self) -> Self {
                Self($mul(self.0, other.0))
            }
            /// Whether |x| <= limit in every lane of all; false when one is not a number.
            #[inline(always)]
            pub fn all_within<const N: usize>(all: &[Self; N], limit: $scalar) -> bool {
                let within = |lanes: &Self| $le($abs(lanes.0), $splat(limit));
                let first = within(&all[0]);
                u8x16_bitmask(all[1..].iter().fold(first, |mask, lanes| v128_and(mask, within(lanes)))) == u16::MAX
            }
        }

        impl Lanes for $name {
            type Scalar = $scalar;
            const WIDTH: usize = $width;
            const ZERO: $scalar = 0.0;

            #[inline(always)]
            fn narrow(value: f64) -> $scalar {
                value as $scalar
            }
            #[inline(always)]
            fn splat(value: $scalar) -> Self {
                Self($splat(value))
            }
            #[inline(always)]
            fn load(values: &[$scalar]) -> Self {
                let values: &[$scalar; $width] = values[..$width].try_into().unwrap();
                // SAFETY: the array has exactly 16 bytes, and v128.load needs no alignment.
                Self(unsafe { v128_load(values.as_ptr().cast()) })
            }
            #[inline(always)]
            fn store(self, values: &mut [$scalar]) {
                let values: &mut [$scalar; $width] = (&mut values[..$width]).try_into().unwrap();
                // SAFETY: the array has exactly 16 bytes, and v128.store needs no alignment.
                unsafe { v128_store(values.as_mut_ptr().cast(), self.0) }
            }
            #[inline(always)]
            fn first(self) -> $scalar {
                $lane::<0>(self.0)
            }
            #[inline(always)]
            fn sum(self) -> f64 {
                let mut values = [0.0; $width];
                self.store(&mut values);
                values.chunks_exact(2).map(|pair| f64::from(pair[0]) + f64::from(pair[1])).sum()
            }
        }
    };
}
register!(F64x2, f64, 2, f64x2_splat, f64x2_add, f64x2_sub, f64x2_mul, f64x2_abs, f64x2_le, f64x2_extract_lane);
register!(F32x4, f32, 4, f32x4_splat, f32x4_add, f32x4_sub, f32x4_mul, f32x4_abs, f32x4_le, f32x4_extract_lane);

impl F32x4 {
    /// `value`, its sign turned over where the lowest bit of `self` is set.
    #[inline(always)]
    pub fn flip_if_odd(self, value: Self) -> Self {
        Self(v128_xor(value.0, i32x4_shl(self.0, 31)))
    }
}

impl F64x2 {
    /// (first, second) of the two pairs that the low bits of the lanes are numbers of.
    #[inline(always)]
    pub fn look_up<const N: usize>(self, pairs: &[[f64; 2]; N]) -> (Self, Self) {
        const { assert!(N.is_power_of_two()) };
        let [a, b] = [i32x4_extract_lane::<0>(self.0), i32x4_extract_lane::<2>(self.0)]
            .map(|lane| Self::load(&pairs[lane as usize & (N - 1)]).0);
        (Self(i64x2_shuffle::<0, 2>(a, b)), Self(i64x2_shuffle::<1, 3>(a, b)))
    }
}
