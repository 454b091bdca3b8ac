import { createHash, timingSafeEqual } from 'node:crypto'
import type { CID } from 'multiformats/cid'
import { CodedError } from '../../../protocols/shared/errors.ts'

/** Code of the multicodec table → name in OpenSSL and bytes of the digest. */
const NATIVE: ReadonlyMap<number, readonly [name: string, bytes: number]> = new Map([
  [0x11, ['sha1', 20]],
  [0x12, ['sha256', 32]],
  [0x13, ['sha512', 64]],
  [0x14, ['sha3-512', 64]],
  [0x15, ['sha3-384', 48]],
  [0x16, ['sha3-256', 32]],
  [0x17, ['sha3-224', 28]],
  [0x20, ['sha384', 48]],
  [0x1013, ['sha224', 28]],
  [0x1014, ['sha512-224', 28]],
  [0x1015, ['sha512-256', 32]],
])
const KECCAK: ReadonlyMap<number, 224 | 256 | 384 | 512> = new Map([
  [0x1a, 224],
  [0x1b, 256],
  [0x1c, 384],
  [0x1d, 512],
])
const IDENTITY = 0x00
const BLAKE3 = 0x1e
const DOUBLE_SHA256 = 0x56
/** blake2b of n bytes is BLAKE2B + n, 1 ≤ n ≤ 64; blake2s of n is BLAKE2S + n, 1 ≤ n ≤ 32. */
const BLAKE2B = 0xb200
const BLAKE2S = 0xb240
const BLAKE2_END = 0xb260
/** A shorter digest can be met by search; the same bound as in Kubo (boxo/verifcid). */
const MIN_DIGEST_BYTES = 20
const MAX_BLAKE3_BYTES = 128

/** An identity CID is its own block: nothing is stored for it. */
export function isIdentity(cid: CID): boolean {
  return cid.multihash.code === IDENTITY
}

/** @throws {CodedError} E_HASH_UNSUPPORTED for a hash that `matches` cannot check, or whose digest is cut short */
export function requireCheckable(cid: CID): void {
  const { code, digest } = cid.multihash
  const bytes = digestBytes(code, digest.byteLength)
  if (bytes === digest.byteLength && bytes >= MIN_DIGEST_BYTES) return
  const what = bytes === undefined ? '' : ` with a digest of ${digest.byteLength} bytes`
  throw new CodedError('E_HASH_UNSUPPORTED', `${cid} uses hash 0x${code.toString(16)}${what}`, {
    hint: 'use sha1, sha2, sha3, keccak, blake2, blake3 or dbl-sha2-256 with its whole digest of 20 bytes or more',
  })
}

/**
 * Whether `bytes` are the block that `cid` names.
 *
 * @throws {CodedError} E_HASH_UNSUPPORTED
 */
export async function matches(cid: CID, bytes: Uint8Array): Promise<boolean> {
  const { code, digest } = cid.multihash
  if (isIdentity(cid)) return Buffer.compare(digest, bytes) === 0
  requireCheckable(cid)
  const native = NATIVE.get(code)
  const found = native === undefined ? await digestOf(cid, bytes) : createHash(native[0]).update(bytes).digest()
  return timingSafeEqual(found, digest)
}

/** @returns bytes that a digest of this hash has, `length` where any will do, undefined for an unknown hash */
function digestBytes(code: number, length: number): number | undefined {
  const bits = KECCAK.get(code)
  if (bits !== undefined) return bits / 8
  if (code === BLAKE3) return Math.min(length, MAX_BLAKE3_BYTES)
  if (code === DOUBLE_SHA256) return 32
  if (code > BLAKE2B && code <= BLAKE2S) return code - BLAKE2B
  if (code > BLAKE2S && code <= BLAKE2_END) return code - BLAKE2S
  return NATIVE.get(code)?.[1]
}

/** Those that OpenSSL has not; loaded when the first such block comes. */
async function digestOf({ multihash: { code, digest } }: CID, bytes: Uint8Array): Promise<Uint8Array> {
  const dkLen = digest.byteLength
  if (code === DOUBLE_SHA256) {
    return createHash('sha256').update(createHash('sha256').update(bytes).digest()).digest()
  }
  if (code === BLAKE3) return (await import('@noble/hashes/blake3.js')).blake3(bytes, { dkLen })
  const bits = KECCAK.get(code)
  if (bits !== undefined) return (await import('@noble/hashes/sha3.js'))[`keccak_${bits}` as const](bytes)
  const { blake2b, blake2s } = await import('@noble/hashes/blake2.js')
  return code > BLAKE2S ? blake2s(bytes, { dkLen }) : blake2b(bytes, { dkLen })
}
