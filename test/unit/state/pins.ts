import { base32 } from 'multiformats/bases/base32'
import { entries, pinOf, type PinSpec, type Result, type Tree } from '../../../consensus/state/index.ts'
import { counterRecord, KEY } from '../../../consensus/state/records.ts'
import { pinRecord } from '../../../consensus/state/pin-records.ts'
import { bytes, peer, Replica, type Body } from './cell.ts'

/** Of content that never was: CIDv1, raw, sha2-256. */
export function cidOf(number: number): string {
  const digest = new Uint8Array(32)
  new DataView(digest.buffer).setUint32(0, Math.imul(number, 0x9e3779b1))
  new DataView(digest.buffer).setUint32(4, number)
  return base32.encode(Uint8Array.of(1, 0x55, 0x12, 32, ...digest))
}

export const join = (name: string, incarnation = 1): Body => ({
  type: 'member-join',
  peerId: peer(name),
  incarnation: bytes(incarnation),
})
export const label = (name: string, key: string, value: string): Body => ({
  type: 'label-set',
  peerId: peer(name),
  key,
  value,
})
export const drain = (name: string, on = true): Body => ({ type: 'member-drain', peerId: peer(name), on })
export const space = (name: string, freeBytes: number, totalBytes = 1e12): Body => ({
  type: 'space-set',
  peerId: peer(name),
  freeBytes,
  totalBytes,
})

/** A cell whose first member votes, with labels as `A: domain`. */
export function cellOf(names: string, domains: Readonly<Record<string, string>> = {}): Replica {
  const replica = new Replica()
  for (const name of names) replica.run(join(name))
  for (const [name, domain] of Object.entries(domains)) replica.run(label(name, 'domain', domain))
  return replica
}

export function pin(replica: Replica, number: number, options: Partial<PinSpec> = {}, time = 1000): Result | undefined {
  return replica.run({ type: 'pin-set', pins: [{ cid: cidOf(number), owner: peer('A'), ...options }] }, time)
}

/** Names of those that are to hold it, together. */
export function holders({ tree }: Replica, number: number): string | undefined {
  const allocations = pinOf(tree, cidOf(number))?.allocations
  return allocations?.map((peerId) => peerId['12D3KooW'.length]).join('')
}

export const refused = (code: string, more: object = {}) => ({ ok: false, code, ...more })

/** Counters of the state beside what they must be. */
export function counted(tree: Tree): { told: Record<string, number>; found: Record<string, number> } {
  const found: Record<string, number> = {}
  const add = (key: string) => (found[key] = (found[key] ?? 0) + 1)
  for (const [, value] of entries(tree, { prefix: 'pin/' })) {
    add(KEY.pinCount)
    for (const seat of pinRecord.decode(value).seats) add(KEY.seatPins(seat))
  }
  const told: Record<string, number> = {}
  for (const [key, value] of entries(tree))
    if (key === KEY.pinCount || key.startsWith('seat-pins/')) told[key] = counterRecord.decode(value)
  return { told, found }
}
