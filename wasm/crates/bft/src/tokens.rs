//! In place of `keys.rs` for simulations: what stands for a signature is a hash that everybody can make. It keeps whole
//! meshes cheap in one process, and is not shipped.

use crate::context::{Key, Signature, splitmix64};

pub struct Signer {
    key: Key,
}

impl Signer {
    pub fn new(seed: &[u8; 32]) -> Self {
        let mut key = [0; 32];
        key.copy_from_slice(&token(seed, b"key")[..32]);
        Self { key: Key(key) }
    }

    pub fn public(&self) -> Key {
        self.key
    }

    pub fn sign(&self, bytes: &[u8]) -> Signature {
        token(&self.key.0, bytes)
    }
}

pub struct Verifier(Key);

impl Verifier {
    pub fn new(key: &Key) -> Self {
        Self(*key)
    }

    pub fn verify(&self, bytes: &[u8], signature: &Signature) -> bool {
        token(&self.0.0, bytes) == *signature
    }
}

fn token(key: &[u8; 32], bytes: &[u8]) -> Signature {
    let (mut one, mut other) = (0x6b61_6972_6f73_0001_u64, bytes.len() as u64);
    for chunk in key.chunks(8).chain(bytes.chunks(8)) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        one = (one ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        other = (other.rotate_left(13) ^ one).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    let mut token = [0; 64];
    for (at, place) in (0_u64..).zip(token.chunks_exact_mut(8)) {
        place.copy_from_slice(&(splitmix64(one.wrapping_add(at)) ^ other.rotate_left(7 * at as u32)).to_le_bytes());
    }
    token
}
