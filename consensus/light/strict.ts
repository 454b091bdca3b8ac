import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes } from './bytes.ts'

/**
 * Whether a signature is valid by the one strict rule (RFC 8032, cofactorless, canonical encodings, no small-order key
 * or R). Never throws. In Node `verifyBytes` of protocols/shared/signature.ts says the same by OpenSSL.
 *
 * @param key - raw ed25519 key
 */
export type Verifier = (key: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean

const { Point } = ed25519
const { Fn } = Point

/** In plain TypeScript, for pages; some milliseconds. */
export const verifyStrict: Verifier = (key, message, signature) => {
  try {
    return signature.length === 64 && isStrictlyValid(key, message, signature)
  } catch {
    return false
  }
}

/** Noble's own `verify` clears the cofactor and takes what others refuse, so the equation is written out: R = sB − kA. */
function isStrictlyValid(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const a = Point.fromBytes(key, false)
  if (a.isSmallOrder()) return false
  const r = signature.subarray(0, 32)
  const s = littleEndian(signature.subarray(32))
  if (s >= Fn.ORDER) return false
  const k = Fn.create(littleEndian(sha512(concatBytes(r, key, message))))
  const expected = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k))
  // Encoding what was computed refuses each other encoding of the same R.
  return !expected.isSmallOrder() && equalBytes(expected.toBytes(), r)
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
}
