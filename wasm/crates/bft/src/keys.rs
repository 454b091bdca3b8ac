//! Signatures: ed25519 by the one strict rule of the mesh (RFC 8032, cofactorless, canonical, no small order).

use crate::context::{Key, Signature};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};

pub struct Signer {
    key: SigningKey,
}

impl Signer {
    pub fn new(seed: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(seed) }
    }

    pub fn public(&self) -> Key {
        Key(self.key.verifying_key().to_bytes())
    }

    pub fn sign(&self, bytes: &[u8]) -> Signature {
        self.key.sign(bytes).to_bytes()
    }
}

/// A key that was read once, for many signatures.
pub struct Verifier(Option<VerifyingKey>);

impl Verifier {
    /// Of what is no canonical point no signature is valid.
    pub fn new(key: &Key) -> Self {
        Self(if is_canonical(&key.0) { VerifyingKey::from_bytes(&key.0).ok() } else { None })
    }

    pub fn verify(&self, bytes: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.0.is_some_and(|key| key.verify_strict(bytes, &signature).is_ok())
    }
}

/// Whether y < p = 2^255 - 19: decompression reduces without a word. (A zero x with a sign is of small order.)
fn is_canonical(key: &[u8; 32]) -> bool {
    let is_high = key[31] & 0x7f == 0x7f && key[1..31].iter().all(|byte| *byte == 0xff);
    !(is_high && key[0] >= 0xed)
}
