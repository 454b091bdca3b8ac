//! Arrays in place of registers, for targets without `simd128`.

use super::Lanes;
use core::array::from_fn;

macro_rules! array {
    ($name:ident, $scalar:ty, $width:literal) => {
        #[derive(Clone, Copy)]
        pub struct $name([$scalar; $width]);

        impl $name {
            #[inline(always)]
            pub fn plus(self, other: Self) -> Self {
                Self(from_fn(|lane| self.0[lane] + other.0[lane]))
            }
            #[inline(always)]
            pub fn minus(self, other: Self) -> Self {
                Self(from_fn(|lane| self.0[lane] - other.0[lane]))
            }
            #[inline(always)]
            pub fn times(self, other: Self) -> Self {
                Self(from_fn(|lane| self.0[lane] * other.0[lane]))
            }
            /// Whether |x| <= limit in every lane of all; false when one is not a number.
            #[inline(always)]
            pub fn all_within<const N: usize>(all: &[Self; N], limit: $scalar) -> bool {
                all.iter().all(|lanes| lanes.0.iter().all(|value| value.abs() <= limit))
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
                Self([value; $width])
            }
            #[inline(always)]
            fn load(values: &[$scalar]) -> Self {
                Self(values[..$width].try_into().unwrap())
            }
            #[inline(always)]
            fn store(self, values: &mut [$scalar]) {
                values[..$width].copy_from_slice(&self.0);
            }
            #[inline(always)]
            fn first(self) -> $scalar {
                self.0[0]
            }
            #[inline(always)]
            fn sum(self) -> f64 {
                self.0.chunks_exact(2).map(|pair| f64::from(pair[0]) + f64::from(pair[1])).sum()
            }
        }
    };
}
array!(F64x2, f64, 2);
array!(F32x4, f32, 4);

impl F32x4 {
    /// `value`, its sign turned over where the lowest bit of `self` is set.
    #[inline(always)]
    pub fn flip_if_odd(self, value: Self) -> Self {
        Self(from_fn(|lane| f32::from_bits(value.0[lane].to_bits() ^ (self.0[lane].to_bits() << 31))))
    }
}

impl F64x2 {
    /// (first, second) of the two pairs that the low bits of the lanes are numbers of.
    #[inline(always)]
    pub fn look_up<const N: usize>(self, pairs: &[[f64; 2]; N]) -> (Self, Self) {
        const { assert!(N.is_power_of_two()) };
        let [a, b] = self.0.map(|lane| pairs[lane.to_bits() as usize & (N - 1)]);
        (Self([a[0], b[0]]), Self([a[1], b[1]]))
    }
}
