import { CID } from 'multiformats/cid'
import { entries, type TreeEntry } from '../../consensus/state/index.ts'
import { counterRecord, KEY, memberRecord } from '../../consensus/state/records.ts'
import { pinRecord } from '../../consensus/state/pin-records.ts'
import { encodeJson, pinKey, TOTALS_KEY } from '../../node/content/pins/records.ts'
import { openDatabase } from '../../node/storage/database.ts'
import type { Write } from '../../node/storage/sublevel.ts'
import { RealCell } from '../helpers/cell.ts'
import { quantile, type Figure } from './figure.ts'
import { pins } from './state-entries.ts'
import { memoryOf, plant } from './state-nodes.ts'

const PINS = 1_000_000
const AT_ONCE = 10_000
const ASKED = 200
const LONGEST_MS = 120_000
const CREATED = 1_760_000_000_000

/** A node whose cell has agreed on a million pins, all of which it holds. */
export async function millionFigures(): Promise<Figure[]> {
  const cell = await RealCell.open()
  try {
    await cell.found('a')
    await cell.leader()
    await cell.end('a')
    const cids = [...pins(PINS)].map(([key]) => key.slice(KEY.pin('').length))
    await plant(cell, (tree) => agreed(cids, seatIn(entries(tree))))
    await plantHeld(cell, cids)
    await cell.run('a')
    await cell.leader()
    // The first page by name waits until the catalog is there.
    const began = performance.now()
    await cell.call('a', 'pins?order=name&limit=1', { timeoutMs: LONGEST_MS })
    const catalog = (performance.now() - began) / 1000
    const list = await times(cell, () => 'pins?limit=100')
    const named = await times(cell, () => 'pins?order=name&limit=100')
    const status = await times(cell, (n) => `pins/status?path=${cids[(n * 7919) % PINS]}`)
    const { now, highest } = await memoryOf(cell, 'a')
    const of = (name: string, values: number[], target: string): Figure[] => [
      { name: `a million pins: ${name}, p99`, value: quantile(values, 0.99), unit: 'ms', target },
      { name: `a million pins: ${name}, median`, value: quantile(values, 0.5), unit: 'ms' },
    ]
    return [
      ...of('pin ls, first page of 100', list, '≤ 50'),
      ...of('pin ls by name, first page of 100', named, '≤ 50'),
      ...of('status of one pin', status, '≤ 20'),
      { name: 'a million pins: RSS after these', value: now, unit: 'MB', target: '≤ 700' },
      { name: 'a million pins: RSS at its highest', value: highest, unit: 'MB' },
      { name: 'a million pins: catalog made anew, after the start', value: catalog, unit: 's' },
    ]
  } finally {
    await cell.close()
  }
}

function* agreed(cids: readonly string[], seat: number): Generator<TreeEntry> {
  yield [KEY.pinCount, counterRecord.encode(PINS)]
  for (const [n, cid] of cids.entries()) {
    const pin = { revision: 1, created: CREATED + n, owner: seat, seats: [seat], name: `pin ${n}` }
    yield [
      KEY.pin(cid),
      pinRecord.encode({ ...pin, mode: 'recursive', metadata: { batch: String(n % 1000) }, origins: [], priority: 0 }),
    ]
  }
  yield [KEY.seatPins(seat), counterRecord.encode(PINS)]
}

function seatIn(state: Iterable<TreeEntry>): number {
  for (const [key, value] of state) if (key.startsWith(KEY.member(''))) return memberRecord.decode(value).seat
  throw new Error('the cell has no member')
}

/** Only what a status and a start look at. */
async function plantHeld(cell: RealCell, cids: readonly string[]): Promise<void> {
  const database = await openDatabase(cell.stage.path('a', 'db'), { onFatal: () => undefined })
  const sublevel = database.sublevel('local-pins')
  const record = { mode: 'recursive', state: 'pinned', blocks: 1, bytes: 1024, since: CREATED } as const
  const value = encodeJson({ ...record, links: 0, totalBytes: 1024 })
  for (let at = 0; at < cids.length; at += AT_ONCE) {
    const some = cids.slice(at, at + AT_ONCE)
    const writes = some.map((cid): Write => ({ type: 'put', key: pinKey(CID.parse(cid).bytes), value }))
    await sublevel.batch(writes, { sync: false })
  }
  const totals = { pins: { pinning: 0, pinned: PINS, failed: 0 }, blocks: PINS, bytes: 1024 * PINS }
  await sublevel.put(TOTALS_KEY, encodeJson(totals))
  await database.close()
}

async function times(cell: RealCell, route: (n: number) => string): Promise<number[]> {
  const taken: number[] = []
  for (let n = 0; n < ASKED; n++) {
    const began = performance.now()
    await cell.get('a', route(n))
    taken.push(performance.now() - began)
  }
  return taken
}
