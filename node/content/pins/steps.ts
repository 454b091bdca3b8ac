import type { CID } from 'multiformats/cid'
import { CodedError } from '../../../protocols/shared/errors.ts'
import type { PinMode } from '../../operations-pins.ts'
import type { Transaction } from './ledger.ts'
import * as rows from './records.ts'
import type { PinRecord } from './records.ts'
import type { HeldStat } from './types.ts'

/** A block that is durable and leased, with what the walk found in it. */
export interface HeldBlock {
  cid: CID
  bytes: number
  /** Links to follow, at this depth; absent in mode direct. */
  links?: { cids: CID[]; depth: number }
  /** Of the root of a pin. */
  totalBytes?: number | null
  /** Milliseconds since 1970, of a pin that has no block but this one: it is pinned with it. */
  pinnedAt?: number
}

/** What every step on a pin reads. */
export const readsOf = (root: Uint8Array): Uint8Array[] => [rows.pinKey(root), rows.TOTALS_KEY]

/** What `hold` reads. */
export function holdReads(root: Uint8Array, cid: CID): Uint8Array[] {
  const multihash = cid.multihash.bytes
  return [...readsOf(root), rows.memberKey(root, multihash), rows.countKey(multihash)]
}

/** What `release` reads. */
export function releaseReads(root: Uint8Array, multihashes: readonly Uint8Array[]): Uint8Array[] {
  return [...readsOf(root), ...multihashes.map((multihash) => rows.countKey(multihash))]
}

/** Writes the root record before anything else of a pin; of one that is as wanted it changes nothing. */
export async function begin(tx: Transaction, root: CID, mode: PinMode, since: number): Promise<PinRecord> {
  const before = await readPin(tx, root.bytes)
  if (before?.mode === mode && before.state === 'pinned') return before
  const { error: _, ...kept } = before ?? { blocks: 0, bytes: 0, links: 0, totalBytes: null, error: undefined }
  const record: PinRecord = { ...kept, mode, state: 'pinning', since }
  if (mode === 'recursive' && before?.mode !== mode) {
    record.links = 0
    tx.put(rows.wantedKey(root.bytes, rows.asV1(root)), rows.encodeVarints([0]))
  }
  await writePin(tx, root.bytes, before, record)
  return record
}

/**
 * Counts a block for a pin, once, and notes the links that it leads to in the same step: so a row of
 * the block says that its links are rows, too, and a walk never repeats it.
 *
 * @throws {CodedError} E_DAG_TOO_LARGE
 */
export async function hold(tx: Transaction, root: Uint8Array, block: HeldBlock, maxLinks: number): Promise<PinRecord> {
  const before = await readPin(tx, root)
  if (before === undefined) throw new CodedError('E_PIN_UNKNOWN', `${block.cid} is of a pin that is not there`)
  const record = { ...before, totalBytes: block.totalBytes ?? before.totalBytes }
  const memberKey = rows.memberKey(root, block.cid.multihash.bytes)
  const member = await tx.get(memberKey)
  const codecs = member === undefined ? [] : rows.decodeVarints(member)
  if (block.links !== undefined && !codecs.includes(block.cid.code)) {
    record.links += block.links.cids.length
    if (record.links > maxLinks) throw tooManyLinks(maxLinks)
    codecs.push(block.cid.code)
    const depth = rows.encodeVarints([block.links.depth])
    for (const cid of block.links.cids) tx.put(rows.wantedKey(root, cid), depth)
  }
  tx.del(rows.wantedKey(root, block.cid))
  tx.put(memberKey, rows.encodeVarints(codecs))
  if (member === undefined) {
    record.blocks++
    record.bytes += block.bytes
    await count(tx, block.cid.multihash.bytes, block.bytes)
  }
  if (block.pinnedAt !== undefined) Object.assign(record, { state: 'pinned', since: block.pinnedAt })
  await writePin(tx, root, before, record)
  return record
}

/** The last step of a pin, or of an attempt that failed. */
export async function end(
  tx: Transaction,
  root: Uint8Array,
  change: Pick<PinRecord, 'state' | 'since' | 'error'>,
): Promise<PinRecord | undefined> {
  const before = await readPin(tx, root)
  if (before === undefined) return undefined
  const record = { ...before, ...change }
  await writePin(tx, root, before, record)
  return record
}

/**
 * A block that a pin counts is gone: it is wanted again, with its links, and the pin is what `change` says.
 *
 * @returns false where the pin or its row of the block is gone meanwhile
 */
export async function lose(
  tx: Transaction,
  root: Uint8Array,
  { multihash }: CID,
  change: Pick<PinRecord, 'state' | 'since' | 'error'>,
): Promise<boolean> {
  const member = await tx.get(rows.memberKey(root, multihash.bytes))
  if (member === undefined || (await end(tx, root, change)) === undefined) return false
  const codecs = rows.decodeVarints(member)
  // Its depth is not known any more, and was within the limits.
  for (const codec of codecs) tx.put(rows.wantedKey(root, rows.cidOf(multihash.bytes, codec)), rows.encodeVarints([0]))
  tx.put(rows.memberKey(root, multihash.bytes), rows.encodeVarints([]))
  return true
}

/** From here on it is no pin; its rows follow by `release`, also after a crash. */
export async function leave(tx: Transaction, root: Uint8Array): Promise<void> {
  const before = await readPin(tx, root)
  if (before === undefined) return
  tx.put(rows.leavingKey(root), new Uint8Array())
  await writePin(tx, root, before, undefined)
}

/** Takes the rows of these blocks, which are there, off a root; the blocks themselves are for gc. */
export async function release(tx: Transaction, root: Uint8Array, multihashes: readonly Uint8Array[]): Promise<void> {
  const before = await readPin(tx, root)
  const record = before === undefined ? undefined : { ...before }
  for (const multihash of multihashes) {
    tx.del(rows.memberKey(root, multihash))
    const bytes = await uncount(tx, multihash)
    if (record !== undefined) {
      record.blocks--
      record.bytes -= bytes
    }
  }
  await writePin(tx, root, before, record)
}

/** The only row that is left says that the root is held and that its links were not taken. */
export async function keepBare(tx: Transaction, root: CID): Promise<void> {
  const memberKey = rows.memberKey(root.bytes, root.multihash.bytes)
  if ((await tx.get(memberKey)) !== undefined) tx.put(memberKey, new Uint8Array())
}

async function readPin(tx: Transaction, root: Uint8Array): Promise<PinRecord | undefined> {
  const bytes = await tx.get(rows.pinKey(root))
  return bytes === undefined ? undefined : rows.decodePin(bytes)
}

async function writePin(
  tx: Transaction,
  root: Uint8Array,
  before: PinRecord | undefined,
  after: PinRecord | undefined,
): Promise<void> {
  if (after === undefined) tx.del(rows.pinKey(root))
  else tx.put(rows.pinKey(root), rows.encodeJson(after))
  if (before?.state === after?.state) return
  await changeTotals(tx, ({ pins }) => {
    if (before !== undefined) pins[before.state]--
    if (after !== undefined) pins[after.state]++
  })
}

async function count(tx: Transaction, multihash: Uint8Array, bytes: number): Promise<void> {
  const key = rows.countKey(multihash)
  const before = await tx.get(key)
  const pins = before === undefined ? 0 : rows.decodeCount(before).pins
  tx.put(key, rows.encodeCount({ pins: pins + 1, bytes }))
  if (pins === 0) await changeHeld(tx, 1, bytes)
}

async function uncount(tx: Transaction, multihash: Uint8Array): Promise<number> {
  const key = rows.countKey(multihash)
  const { pins, bytes } = rows.decodeCount((await tx.get(key)) ?? new Uint8Array())
  if (pins > 1) {
    tx.put(key, rows.encodeCount({ pins: pins - 1, bytes }))
  } else {
    tx.del(key)
    await changeHeld(tx, -1, -bytes)
  }
  return bytes
}

async function changeHeld(tx: Transaction, blocks: number, bytes: number): Promise<void> {
  await changeTotals(tx, (totals) => {
    totals.blocks += blocks
    totals.bytes += bytes
  })
}

async function changeTotals(tx: Transaction, change: (totals: HeldStat) => void): Promise<void> {
  const totals = rows.decodeTotals(await tx.get(rows.TOTALS_KEY))
  change(totals)
  tx.put(rows.TOTALS_KEY, rows.encodeJson(totals))
}

function tooManyLinks(maxLinks: number): CodedError {
  return new CodedError('E_DAG_TOO_LARGE', `the content has more than ${maxLinks} links`, {
    hint: 'pin its parts, each by itself',
  })
}
