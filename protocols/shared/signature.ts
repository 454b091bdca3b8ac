import { createPublicKey, verify as verifyOpenSsl, type KeyObject } from 'node:crypto'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { ed25519 } from '@noble/curves/ed25519.js'
import { concat } from 'uint8arrays/concat'
import { fromString } from 'uint8arrays/from-string'

/**
 * One strict ed25519 rule for all that feeds an agreement (blueprint): RFC 8032 §5.1.7 with
 * canonical encodings, and no small-order key or R. OpenSSL checks S < L and compares the bytes of
 * R (so a non-canonical R fails), but accepts small-order keys: those are refused by `isStrictKey`.
 */
export const SIGNATURE_BYTES = 64
const SPKI_PREFIX = fromString('302a300506032b6570032100', 'hex')
const MAX_CACHED_KEYS = 4096
const keys = new Map<string, KeyObject | undefined>()

/** Prepends the domain, so that a signature for one purpose is worth nothing for another. */
function withDomain(domain: string, body: Uint8Array): Uint8Array {
  return concat([fromString(`${domain}\0`), body])
}

export async function sign(key: Ed25519PrivateKey, domain: string, body: Uint8Array): Promise<Uint8Array> {
  return key.sign(withDomain(domain, body))
}

/**
 * @param publicKey - raw ed25519 key, 32 bytes
 * @returns false for anything but a strictly valid signature; never throws
 */
export function verify(publicKey: Uint8Array, domain: string, body: Uint8Array, signature: Uint8Array): boolean {
  return verifyBytes(publicKey, withDomain(domain, body), signature)
}

/** The same for a message whose bytes already begin with their domain. */
export function verifyBytes(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = keyFor(publicKey, signature)
  return key !== undefined && verifyOpenSsl(null, message, key, signature)
}

/** As {@link verify}, on another thread: for many at once. Never rejects. */
export async function verifyAside(
  publicKey: Uint8Array,
  domain: string,
  body: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const key = keyFor(publicKey, signature)
  if (key === undefined) return false
  const { promise, resolve } = Promise.withResolvers<boolean>()
  verifyOpenSsl(null, withDomain(domain, body), key, signature, (error, isValid) => resolve(error === null && isValid))
  return promise
}

/** @returns undefined when the key, or the form of the signature, makes it invalid whatever it signs */
function keyFor(publicKey: Uint8Array, signature: Uint8Array): KeyObject | undefined {
  if (signature.byteLength !== SIGNATURE_BYTES || isSmallOrder(signature.subarray(0, 32))) return undefined
  return strictKey(publicKey)
}

/** @returns whether the key is a canonical point outside the small-order subgroup */
export function isStrictKey(publicKey: Uint8Array): boolean {
  return strictKey(publicKey) !== undefined
}

function strictKey(publicKey: Uint8Array): KeyObject | undefined {
  const id = Buffer.from(publicKey).toString('base64')
  if (keys.has(id)) return keys.get(id)
  if (keys.size >= MAX_CACHED_KEYS) keys.clear()
  const key =
    publicKey.byteLength === 32 && isPoint(publicKey) && !isSmallOrder(publicKey)
      ? createPublicKey({ key: Buffer.from(concat([SPKI_PREFIX, publicKey])), format: 'der', type: 'spki' })
      : undefined
  keys.set(id, key)
  return key
}

function isPoint(encoded: Uint8Array): boolean {
  try {
    ed25519.Point.fromBytes(encoded, false)
    return true
  } catch {
    return false
  }
}

/** Canonical encodings of the eight points of order 1, 2, 4 and 8 (non-canonical ones fail `isPoint`, or OpenSSL for R). */
const SMALL_ORDER = new Set(
  [
    '0100000000000000000000000000000000000000000000000000000000000000',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000080',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  ].map((hex) => Buffer.from(hex, 'hex').toString('base64')),
)

function isSmallOrder(encoded: Uint8Array): boolean {
  return SMALL_ORDER.has(Buffer.from(encoded).toString('base64'))
}
