import { hash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import type { TreeEntry } from '../../consensus/state/index.ts'

const RAW = 0x55
const SHA2_256 = 0x12
export const LABELS_EACH = 50
const PIN_BYTES = 200
const encoder = new TextEncoder()

/** Labels of peers that are no members: 71 characters of key, 12 bytes of value; ascending. */
export function* labels(count: number): Generator<TreeEntry> {
  for (let n = 0; n < count; n++) {
    yield [
      `label/${peerOf(Math.floor(n / LABELS_EACH))}/key-${String(n % LABELS_EACH).padStart(8, '0')}`,
      textOf(`rack-${n % 100_000}`),
    ]
  }
}

/** Of the form of a peer id, in ascending order. */
export function peerOf(n: number): string {
  const digits = n.toString(9).padStart(8, '0')
  return `12D3KooW${digits.replaceAll(/./g, (digit) => String(Number(digit) + 1))}`.padEnd(52, 'y')
}

/** CIDs under `pin/`, 63 characters of key, 200 bytes of value; ascending. */
export function* pins(count: number): Generator<TreeEntry> {
  const keys = Array.from({ length: count }, (_, n) => pinOf(n)).sort()
  for (const [n, key] of keys.entries()) yield [key, new Uint8Array(PIN_BYTES).fill(n)]
}

function pinOf(n: number): string {
  const digest = createDigest(SHA2_256, hash('sha256', `pin ${n}`, 'buffer'))
  return `pin/${CID.createV1(RAW, digest).toString()}`
}

/** dag-cbor, as records of text are. */
function textOf(text: string): Uint8Array {
  const bytes = encoder.encode(text)
  return Uint8Array.from([0x60 + bytes.length, ...bytes])
}
