import { z } from 'zod'
import { pinOf, pins, type AgreedPin, type Tree } from '../../consensus/state/index.ts'
import { defineCodec } from '../../protocols/shared/codec.ts'
import type { Sublevel, Write } from '../storage/sublevel.ts'

const PREFIX = 'pin/'
const AT_KEY = '\u0000at'
const NOTHING = new Uint8Array()
/** Rows that are written before other work gets its turn. */
const CATCH_UP_BATCH = 2048

const at = defineCodec('pin catalog position', 64, z.int().min(0))
const facts = defineCodec(
  'pin catalog entry',
  16_384,
  z.tuple([z.string(), z.int(), z.int().nullable(), z.record(z.string(), z.string()), z.array(z.string())]),
)
type Facts = ReturnType<typeof facts.decode>

/** Which pins, in the order of their keys. */
export type Index =
  | { readonly by: 'name'; readonly prefix: string }
  | { readonly by: 'created'; readonly from?: number; readonly to?: number }
  | { readonly by: 'expires'; readonly to: number }
  | { readonly by: 'metadata'; readonly key: string; readonly value: string }
  | { readonly by: 'holder'; readonly peerId: string }

export interface Found {
  readonly cid: string
  /** to go on after it */
  readonly cursor: string
}

/**
 * The pinset by name, age, end, metadata and holder, so that no list loads all of it. It follows from the agreed state
 * and is no part of it: written behind it, and compared with all of it where a crash has cut it off.
 */
export class Catalog {
  readonly #store: Sublevel
  #queue: Promise<void> = Promise.resolve()

  constructor(store: Sublevel) {
    this.#store = store
  }

  /** Brings it up to a state. What comes meanwhile waits. */
  open(tree: Tree, applied: number): void {
    this.#enqueue(async () => {
      const position = await this.#store.get(AT_KEY)
      // Only a clean stop says where it is.
      await this.#store.del(AT_KEY)
      if (position === undefined || at.decode(position) !== applied) await this.#compare(tree)
    })
  }

  /** So that the next start need not compare all. Nothing may follow. */
  async close(applied: number): Promise<void> {
    this.#enqueue(() => this.#store.put(AT_KEY, at.encode(applied)))
    await this.#queue
  }

  /** After entries were applied. @param changed - keys of the state, of whatever */
  update(changed: Iterable<string>, tree: Tree): void {
    const cids = [...changed].filter((key) => key.startsWith(PREFIX)).map((key) => key.slice(PREFIX.length))
    if (cids.length === 0) return
    this.#enqueue(async () => {
      const change = async (cid: string) => changeOf(cid, await this.#store.get(rowKey(cid)), pinOf(tree, cid))
      await this.#store.batch((await Promise.all(cids.map(change))).flat(), { sync: false })
    })
  }

  /** Resolves when it has all that it was told of. @throws {CodedError} what a write has failed with */
  settled(): Promise<void> {
    return this.#queue
  }

  /** @param after - a cursor of the same index */
  async *find(index: Index, after?: string): AsyncGenerator<Found> {
    await this.#queue
    const { gte, lt } = rangeOf(index)
    const from = after === undefined ? { gte } : { gt: Buffer.from(after, 'base64url') }
    for await (const key of this.#store.keys({ ...from, lt })) {
      const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength)
      yield { cid: bytes.toString('latin1', bytes.lastIndexOf(0) + 1), cursor: bytes.toString('base64url') }
    }
  }

  #enqueue(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(work)
    // The database tells its failures to the node; who waits for the catalog is told here.
    this.#queue.catch(() => undefined)
  }

  /** Both in the order of the CIDs: read side by side, each once. */
  async #compare(tree: Tree): Promise<void> {
    let writes: Write[] = []
    for await (const [cid, stored, pin] of sideBySide(this.#rows(), pins(tree))) {
      writes.push(...changeOf(cid, stored, pin))
      if (writes.length < CATCH_UP_BATCH) continue
      await this.#store.batch(writes, { sync: false })
      writes = []
    }
    await this.#store.batch(writes, { sync: false })
  }

  async *#rows(): AsyncGenerator<readonly [cid: string, value: Uint8Array]> {
    for await (const [key, value] of this.#store.entries({ gte: rowKey(''), lt: 'p\u0001' }))
      yield [Buffer.from(key).toString('latin1', 2), value]
  }
}

type Pair = readonly [cid: string, stored: Uint8Array | undefined, pin: AgreedPin | undefined]

async function* sideBySide(
  rows: AsyncIterator<readonly [string, Uint8Array]>,
  agreed: Iterator<AgreedPin>,
): AsyncGenerator<Pair> {
  let [row, pin] = [await rows.next(), agreed.next()]
  while (row.done !== true || pin.done !== true) {
    const stored = row.done === true ? undefined : row.value
    const now = pin.done === true ? undefined : pin.value
    const isRow = stored !== undefined && (now === undefined || stored[0] <= now.cid)
    const isPin = now !== undefined && (stored === undefined || now.cid <= stored[0])
    yield [isPin ? now.cid : stored![0], isRow ? stored[1] : undefined, isPin ? now : undefined]
    if (isRow) row = await rows.next()
    if (isPin) pin = agreed.next()
  }
}

/** What makes the rows of a pin those that it is to have. */
function changeOf(cid: string, stored: Uint8Array | undefined, pin: AgreedPin | undefined): Write[] {
  const wanted = pin && facts.encode(factsOf(pin))
  if (stored === undefined ? wanted === undefined : wanted !== undefined && Buffer.compare(stored, wanted) === 0)
    return []
  const gone = stored === undefined ? [] : [...keysOf(cid, facts.decode(stored))]
  const writes = gone.map((key): Write => ({ type: 'del', key }))
  if (pin === undefined || wanted === undefined) return [...writes, { type: 'del', key: rowKey(cid) }]
  for (const key of keysOf(cid, factsOf(pin))) writes.push({ type: 'put', key, value: NOTHING })
  return [...writes, { type: 'put', key: rowKey(cid), value: wanted }]
}

function rowKey(cid: string): string {
  return `p\u0000${cid}`
}

function factsOf({ name, created, expires, metadata, allocations }: AgreedPin): Facts {
  return [name, created, expires ?? null, { ...metadata }, [...allocations]]
}

function* keysOf(cid: string, [name, created, expires, metadata, holders]: Facts): Generator<string> {
  yield `n\u0000${name}\u0000${cid}`
  yield `t\u0000${padded(created)}\u0000${cid}`
  if (expires !== null) yield `e\u0000${padded(expires)}\u0000${cid}`
  for (const [key, value] of Object.entries(metadata)) yield `m\u0000${key}\u0000${value}\u0000${cid}`
  for (const peerId of holders) yield `a\u0000${peerId}\u0000${cid}`
}

function rangeOf(index: Index): { gte: string | Uint8Array; lt: string | Uint8Array } {
  switch (index.by) {
    case 'name':
      return { gte: `n\u0000${index.prefix}`, lt: afterAll(`n\u0000${index.prefix}`) }
    case 'created':
      return {
        gte: `t\u0000${padded(index.from ?? 0)}`,
        lt: `t\u0000${index.to === undefined ? '~' : padded(index.to)}`,
      }
    case 'expires':
      return { gte: 'e\u0000', lt: `e\u0000${padded(index.to + 1)}` }
    case 'metadata':
      return within(`m\u0000${index.key}\u0000${index.value}`)
    case 'holder':
      return within(`a\u0000${index.peerId}`)
  }
}

function within(prefix: string): { gte: string; lt: string } {
  return { gte: `${prefix}\u0000`, lt: `${prefix}\u0001` }
}

/** Behind every key that begins so: no UTF-8 has this byte. */
function afterAll(prefix: string): Uint8Array {
  return Buffer.concat([Buffer.from(prefix), Buffer.of(0xff)])
}

function padded(value: number): string {
  return String(value).padStart(16, '0')
}
