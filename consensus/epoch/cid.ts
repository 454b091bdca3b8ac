import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '../light/bytes.ts'

/** CIDv1, dag-cbor, sha2-256 of 32 bytes. */
const PREFIX = Uint8Array.of(0x01, 0x71, 0x12, 0x20)
export const CID_BYTES = 36

/** @returns the CID of a dag-cbor block, 36 bytes; of a header, the value that its epoch was voted for under */
export function cidOf(block: Uint8Array): Uint8Array {
  return concatBytes(PREFIX, sha256(block))
}

/** sha-256, 32 bytes */
export function digestOf(bytes: Uint8Array): Uint8Array {
  return sha256(bytes)
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** A key or digest as the key of a map. */
export function hex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX[byte]
  return text
}
