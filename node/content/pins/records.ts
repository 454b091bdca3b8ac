import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { decode as readVarint, encode as varint, encodingLength } from 'uint8-varint'
import { concat } from 'uint8arrays/concat'
import type { Range } from '../../storage/sublevel.ts'
import type { HeldStat, LocalPin } from './types.ts'

/**
 * The rows of the index. A CID and a multihash tell their own length, so no key is the beginning of
 * another pin's key.
 *
 * | key                  | value                                                              |
 * |----------------------|--------------------------------------------------------------------|
 * | `p` root             | PinRecord, JSON                                                    |
 * | `m` root multihash   | codecs by which its links were taken, varints; empty in mode direct |
 * | `w` root CIDv1       | depth, varint: a block that the walk wants yet                     |
 * | `c` multihash        | pins that hold the block, and its bytes                            |
 * | `u` root             | nothing: what is left of the rows of this root goes                |
 * | `t`                  | HeldStat, JSON                                                     |
 */
export interface PinRecord extends Omit<LocalPin, 'cid'> {
  /** Followed so far, repeated ones too. */
  links: number
  totalBytes: number | null
}

export interface Count {
  pins: number
  bytes: number
}

export const TOTALS_KEY = key('t')
export const pinKey = (root: Uint8Array): Uint8Array => key('p', root)
export const memberKey = (root: Uint8Array, multihash: Uint8Array): Uint8Array => key('m', root, multihash)
export const wantedKey = (root: Uint8Array, cid: CID): Uint8Array => key('w', root, cid.bytes)
export const countKey = (multihash: Uint8Array): Uint8Array => key('c', multihash)
export const leavingKey = (root: Uint8Array): Uint8Array => key('u', root)

export const allPins = (): Range => under(key('p'))
export const allCounts = (): Range => under(key('c'))
export const allLeaving = (): Range => under(key('u'))
export const membersOf = (root: Uint8Array): Range => under(key('m', root))
export const wantedOf = (root: Uint8Array): Range => under(key('w', root))

/** What follows the letter, and the root where there is one. */
export const keyEnd = (bytes: Uint8Array, root: Uint8Array = new Uint8Array()): Uint8Array =>
  bytes.subarray(1 + root.byteLength)

export const encodeJson = (value: PinRecord | HeldStat): Uint8Array => Buffer.from(JSON.stringify(value))
export const decodePin = (bytes: Uint8Array): PinRecord => JSON.parse(Buffer.from(bytes).toString()) as PinRecord

export function localPin(root: Uint8Array, record: PinRecord): LocalPin {
  const { mode, state, blocks, bytes, since, error } = record
  const cid = CID.decode(root).toString()
  return { cid, mode, state, blocks, bytes, since, ...(error === undefined ? {} : { error }) }
}

export function decodeTotals(bytes: Uint8Array | undefined): HeldStat {
  if (bytes === undefined) return { pins: { pinning: 0, pinned: 0, failed: 0 }, blocks: 0, bytes: 0 }
  return JSON.parse(Buffer.from(bytes).toString()) as HeldStat
}

export function encodeCount({ pins, bytes }: Count): Uint8Array {
  return concat([varint(pins), varint(bytes)])
}

export function decodeCount(value: Uint8Array): Count {
  const [pins = 0, bytes = 0] = decodeVarints(value)
  return { pins, bytes }
}

export const encodeVarints = (numbers: readonly number[]): Uint8Array => concat(numbers.map((n) => varint(n)))

export function decodeVarints(bytes: Uint8Array): number[] {
  const numbers: number[] = []
  for (let at = 0; at < bytes.byteLength; at += encodingLength(numbers.at(-1)!)) numbers.push(readVarint(bytes, at))
  return numbers
}

/** Blocks are the same in both versions; rows know them by version 1. */
export const asV1 = (cid: CID): CID => CID.createV1(cid.code, cid.multihash)

/** The CID of a row's block; of one whose codec no row has, as raw bytes. */
export function cidOf(multihash: Uint8Array, codec: number = raw.code): CID {
  return CID.createV1(codec, Digest.decode(multihash))
}

/** The first key that does not begin with `prefix`. */
export function beyond(prefix: Uint8Array): Uint8Array {
  const end = prefix.slice(0, prefix.findLastIndex((byte) => byte !== 0xff) + 1)
  end[end.length - 1]!++
  return end
}

function under(prefix: Uint8Array): Range & { gte: Uint8Array } {
  return { gte: prefix, lt: beyond(prefix) }
}

function key(letter: string, ...parts: Uint8Array[]): Uint8Array {
  return concat([Uint8Array.of(letter.charCodeAt(0)), ...parts])
}
