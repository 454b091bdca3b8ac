import { hash } from 'node:crypto'
import { decode, encode } from '@ipld/dag-cbor'

const MARK_BYTES = 8

/** The identity record of a store, as a release to come would write it. */
export function newerIdentity(record: Uint8Array): Uint8Array {
  const identity = decode<{ version: number }>(record.subarray(0, record.byteLength - MARK_BYTES))
  const body = encode({ ...identity, version: 2, purpose: 'unknown here' })
  const mark = hash('sha256', Buffer.concat([Buffer.from('identity'), body]), 'buffer').subarray(0, MARK_BYTES)
  return Buffer.concat([body, mark])
}
