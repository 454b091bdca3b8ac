import type { CID } from 'multiformats/cid'
import { CodedError, codeOf } from '../../../protocols/shared/errors.ts'
import type { Sublevel } from '../../storage/sublevel.ts'
import type { GetBlock } from '../dag.ts'
import { MAX_BLOCK_BYTES } from '../constants.ts'
import { Semaphore } from '../semaphore.ts'
import { MAX_PIN_CONCURRENCY, MIN_PIN_CONCURRENCY, PIN_AHEAD_BYTES, WIDE_BLOCK_BYTES } from './constants.ts'
import { Frontier, type Wanted } from './frontier.ts'
import type { Leases } from './leases.ts'
import type { Ledger, Transaction } from './ledger.ts'
import { checkWalkable, isLeaf, linksOf, statedBytes } from './links.ts'
import { asV1, decodeVarints, memberKey, wantedKey, type PinRecord } from './records.ts'
import type { Place, Room } from './room.ts'
import { hold, holdReads } from './steps.ts'
import type { Sweeps } from './sweeps.ts'
import type { PinStore } from './types.ts'

export interface WalkLimits {
  depth: number
  links: number
}

export interface WalkInit {
  sublevel: Sublevel
  ledger: Ledger
  leases: Leases
  store: PinStore
  limits: WalkLimits
  get: GetBlock
  signal: AbortSignal
  now: () => number
  /** Of all walks. */
  room: Room
  sweeps: Sweeps
  /** How large the next block is likely to be; as large as any can be when absent. */
  blockBytes?: () => number
  /** With the block that is under way for longest. */
  report: (record: Pick<PinRecord, 'blocks' | 'bytes' | 'totalBytes'>, missing: CID | undefined) => void
}

/** Blocks with many links are decoded one at a time, of all walks together. */
const wide = new Semaphore(1)

/** Holds one block, for mode direct, and for each block of a walk. */
export async function holdBlock(root: CID, wanted: Wanted, init: WalkInit, isDirect = false): Promise<HeldLinks> {
  const place = await init.room.take(init.blockBytes?.() ?? MAX_BLOCK_BYTES, init.signal)
  const lease = init.leases.hold()
  try {
    await lease.add(wanted.cid)
    const bytes = await storedBlock(wanted.cid, place, init)
    const write = (): Promise<HeldLinks> => writeBlock(root, wanted, bytes, init, isDirect)
    const isWide = bytes.byteLength > WIDE_BLOCK_BYTES && !isLeaf(wanted.cid)
    return await (isWide ? wide.run(write, init.signal) : write())
  } finally {
    lease.release()
    place.release()
  }
}

/** Where the store is full, what nothing holds makes room. */
async function storedBlock(cid: CID, place: Place, init: WalkInit): Promise<Uint8Array> {
  for (;;) {
    try {
      const bytes = await init.get(cid, init.signal)
      place.resize(bytes.byteLength)
      // Also for one that `get` found here: only `put` says that it is durable.
      await init.store.put(cid, bytes)
      return bytes
    } catch (error) {
      if (codeOf(error) !== 'E_QUOTA' || !(await init.sweeps.makeRoom())) throw error
      init.signal.throwIfAborted()
    }
  }
}

interface HeldLinks {
  record: PinRecord
  cids: CID[]
  bytes: number
}

async function writeBlock(
  root: CID,
  { cid, depth }: Wanted,
  bytes: Uint8Array,
  init: WalkInit,
  isDirect: boolean,
): Promise<HeldLinks> {
  const cids = isDirect ? [] : linksOf(cid, bytes)
  const isRoot = cid.equals(asV1(root))
  const block = {
    cid,
    bytes: bytes.byteLength,
    ...(isDirect ? {} : { links: { cids, depth: depth + 1 } }),
    ...(isRoot ? { totalBytes: isDirect ? bytes.byteLength : statedBytes(cid, bytes) } : {}),
    ...(isRoot && !isDirect && cids.length === 0 ? { pinnedAt: init.now() } : {}),
  }
  const step = (tx: Transaction): Promise<PinRecord> => hold(tx, root.bytes, block, init.limits.links)
  const record = await init.ledger.run(step, holdReads(root.bytes, cid))
  return { record, cids, bytes: bytes.byteLength }
}

/**
 * Holds every block below a root, some at once, in the order of their links as far as memory has room.
 * The links that wait are on disk, so memory is bounded for every DAG, and a walk that was cut
 * off goes on where it was. The first failure ends it.
 *
 * @param begun - undefined for a new pin, whose first rows may still be on their way to the disk
 * @returns what the last of its steps has written, undefined when there was none
 */
export async function walk(root: CID, begun: PinRecord | undefined, outer: WalkInit): Promise<PinRecord | undefined> {
  const failed = new AbortController()
  const ahead = new Ahead()
  const signal = AbortSignal.any([outer.signal, failed.signal])
  const init: WalkInit = { ...outer, signal, blockBytes: () => ahead.averageBytes }
  const frontier = new Frontier(init.sublevel, root.bytes, begun === undefined)
  if (begun === undefined) frontier.add([asV1(root)], 0)
  const running = new Set<Wanted>()
  let latest = begun
  let ended = 0
  let changed = Promise.withResolvers<void>()
  const fail = (error: unknown): undefined => void failed.abort(error)
  const run = async (wanted: Wanted): Promise<void> => {
    try {
      const held = await visit(root, wanted, init)
      if (held !== undefined) {
        frontier.add(held.cids, wanted.depth + 1)
        latest = held.record
        ahead.saw(held.bytes)
      }
    } catch (error) {
      fail(error)
    } finally {
      frontier.done(wanted)
      running.delete(wanted)
      ended++
      changed.resolve()
      changed = Promise.withResolvers()
    }
  }
  for (;;) {
    const before = ended
    const next = init.signal.aborted ? undefined : await frontier.next().catch(fail)
    if (next !== undefined) {
      running.add(next)
      void run(next)
      if (running.size < ahead.blocks) continue
    } else if (ended !== before) {
      continue
    }
    if (running.size === 0) break
    init.report(latest ?? NOTHING_YET, firstOf(running)?.cid)
    await changed.promise
  }
  init.signal.throwIfAborted()
  return latest
}

const NOTHING_YET = { blocks: 0, bytes: 0, totalBytes: null }

/** How many blocks to have under way: many small ones, few large ones. */
class Ahead {
  averageBytes = PIN_AHEAD_BYTES / MIN_PIN_CONCURRENCY

  get blocks(): number {
    const blocks = Math.floor(PIN_AHEAD_BYTES / Math.max(1, this.averageBytes))
    return Math.min(Math.max(blocks, MIN_PIN_CONCURRENCY), MAX_PIN_CONCURRENCY)
  }

  saw(bytes: number): void {
    this.averageBytes += (bytes - this.averageBytes) / 8
  }
}

/** @returns undefined when the block was held already */
async function visit(root: CID, wanted: Wanted, init: WalkInit): Promise<HeldLinks | undefined> {
  const { cid, depth } = wanted
  if (depth > init.limits.depth) throw tooDeep(init.limits.depth)
  checkWalkable(cid)
  const member = await init.sublevel.get(memberKey(root.bytes, cid.multihash.bytes))
  if (member === undefined || !decodeVarints(member).includes(cid.code)) return holdBlock(root, wanted, init)
  await init.ledger.run(async (tx) => tx.del(wantedKey(root.bytes, cid)))
  return undefined
}

function firstOf<T>(values: Iterable<T>): T | undefined {
  for (const value of values) return value
  return undefined
}

function tooDeep(maxDepth: number): CodedError {
  return new CodedError('E_DAG_TOO_LARGE', `the content is more than ${maxDepth} links deep`, {
    hint: 'pin its parts, each by itself',
  })
}
