import { MAX_BLOCK_BYTES, PART_BYTES } from './constants.ts'
import { CodedError } from '../shared/errors.ts'
import type { Envelope } from './links.ts'

/** A block cut into parts. @throws {CodedError} E_BFT_BLOCK_TOO_LARGE */
export function blockParts(
  height: number,
  round: number,
  { value, bytes }: { readonly value: Uint8Array; readonly bytes: Uint8Array },
): Envelope[] {
  if (bytes.byteLength > MAX_BLOCK_BYTES || bytes.byteLength === 0) {
    throw new CodedError(
      'E_BFT_BLOCK_TOO_LARGE',
      `a block of ${bytes.byteLength} bytes, the limit is ${MAX_BLOCK_BYTES}`,
    )
  }
  const total = Math.ceil(bytes.byteLength / PART_BYTES)
  return Array.from({ length: total }, (_, index) => {
    const part = bytes.subarray(index * PART_BYTES, (index + 1) * PART_BYTES)
    return { frame: { type: 'part', height, round, value, index, total, bytes: part }, priority: 'part', height }
  })
}

export function reportsFrame(envelopes: readonly Uint8Array[]): Envelope {
  return { frame: { type: 'reports', envelopes: [...envelopes] }, priority: 'other', height: 0 }
}
