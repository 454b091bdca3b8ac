import { hash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { BlockIndex, type Change } from '../../node/content/blocks/block-index.ts'
import { BlockStore, collect } from '../../node/content/blocks/index.ts'
import { createLocalPins } from '../../node/content/pins/index.ts'
import { countKey, encodeCount } from '../../node/content/pins/records.ts'
import { openDatabase } from '../../node/storage/database.ts'
import type { Write } from '../../node/storage/sublevel.ts'
import { fatal } from './content-node.ts'
import { quantile, type Figure } from './figure.ts'

const BLOCKS = 1_000_000
const BLOCK_BYTES = 64
const AT_ONCE = 10_000
const HELD_SHARE = 4
const READERS = 4
const MEASURED_MS = 15_000
const RAW = 0x55
const SHA2_256 = 0x12

/** gc over a store of small blocks, one in four of them held, while these are read; the first so many seconds of it. */
export async function gcFigures(): Promise<Figure[]> {
  const root = await mkdtemp(join(tmpdir(), 'k-gc-'))
  const database = await openDatabase(join(root, 'database'), { onFatal: fatal })
  try {
    const sublevel = database.sublevel('local-pins')
    await plantBlocks(join(root, 'blocks'))
    await sublevelBatches(held(), (writes) => sublevel.batch(writes, { sync: false }))
    const store = new BlockStore({
      path: join(root, 'blocks'),
      quotaBytes: 2 ** 40,
      maxBlockBytes: 2 ** 21,
      onStored: () => undefined,
    })
    await store.open()
    const pins = createLocalPins({ sublevel, store })
    await pins.open()
    const end = new AbortController()
    await readFor(store, MEASURED_MS / 3)
    const calm = await readFor(store, MEASURED_MS)
    const swept = sweep(pins.gc(end.signal))
    const busy = await readFor(store, MEASURED_MS)
    end.abort()
    const removedPerSecond = await swept
    await pins.close()
    await store.close()
    const [before, during] = [quantile(calm, 0.99), quantile(busy, 0.99)]
    return [
      { name: 'gc over a million blocks: reads during it, p99', value: during, unit: 'ms' },
      { name: 'gc over a million blocks: reads before it, p99', value: before, unit: 'ms' },
      { name: 'gc over a million blocks: reads, p99', value: during / before, unit: '× calm', target: '≤ 2' },
      { name: 'gc over a million blocks, with reads: removed', value: Math.round(removedPerSecond), unit: 'blocks/s' },
    ]
  } finally {
    await database.close()
    await rm(root, { recursive: true, force: true })
  }
}

/** As if they had been put, without a sync for each few. */
async function plantBlocks(path: string): Promise<void> {
  const store = new BlockStore({ path, quotaBytes: 2 ** 40, maxBlockBytes: 2 ** 21, onStored: () => undefined })
  await store.open()
  await store.close()
  const index = new BlockIndex(path, { onFatal: fatal, canReopen: async () => false })
  for (let at = 0; at < BLOCKS; at += AT_ONCE) {
    const changes = Array.from({ length: AT_ONCE }, (_, n): Change => {
      const bytes = bytesOf(at + n)
      const row = { bytes: bytes.byteLength, packed: true, codecs: [RAW] }
      return { key: cidOf(at + n).multihash.bytes, row, before: undefined, bytes }
    })
    await index.commit(changes)
  }
  await index.close()
}

function* held(): Generator<Write> {
  const value = encodeCount({ pins: 1, bytes: BLOCK_BYTES })
  for (let n = 0; n < BLOCKS; n += HELD_SHARE) yield { type: 'put', key: countKey(cidOf(n).multihash.bytes), value }
}

async function sublevelBatches(writes: Iterable<Write>, write: (writes: Write[]) => Promise<void>): Promise<void> {
  let batch: Write[] = []
  for (const next of writes) {
    batch.push(next)
    if (batch.length < AT_ONCE) continue
    await write(batch)
    batch = []
  }
  await write(batch)
}

/** @returns how long each read took, ms */
async function readFor(store: BlockStore, ms: number): Promise<number[]> {
  const until = performance.now() + ms
  const times: number[] = []
  const reader = async (): Promise<void> => {
    while (performance.now() < until) {
      const cid = cidOf(HELD_SHARE * Math.floor((Math.random() * BLOCKS) / HELD_SHARE))
      const began = performance.now()
      await collect(store.get(cid))
      times.push(performance.now() - began)
      await delay(1)
    }
  }
  await Promise.all(Array.from({ length: READERS }, reader))
  return times
}

/** @returns blocks removed a second */
async function sweep(rows: AsyncIterable<{ removed: number }>): Promise<number> {
  const began = performance.now()
  let removed = 0
  try {
    for await (const row of rows) removed = row.removed
  } catch {
    // It was ended.
  }
  return (removed * 1000) / (performance.now() - began)
}

function cidOf(n: number): CID {
  return CID.createV1(RAW, createDigest(SHA2_256, hash('sha256', bytesOf(n), 'buffer')))
}

function bytesOf(n: number): Uint8Array {
  return Buffer.alloc(BLOCK_BYTES, `block ${n} `)
}
