import { CID } from 'multiformats/cid'
import { entries, type TreeEntry } from '../../consensus/state/index.ts'
import { pinRecord } from '../../consensus/state/pin-records.ts'
import { counterRecord, KEY, memberRecord } from '../../consensus/state/records.ts'
import { encodeJson, pinKey, TOTALS_KEY } from '../../node/content/pins/records.ts'
import { openDatabase } from '../../node/storage/database.ts'
import type { Write } from '../../node/storage/sublevel.ts'
import type { RealCell } from '../helpers/cell.ts'
import { pins } from './state-entries.ts'
import { plant } from './state-nodes.ts'

const AT_ONCE = 10_000
const CREATED = 1_760_000_000_000

/** As if the cell of this one node, which must not run, had agreed on so many pins, and the node held them. @returns CIDs */
export async function plantPins(cell: RealCell, count: number): Promise<string[]> {
  const cids = [...pins(count)].map(([key]) => key.slice(KEY.pin('').length))
  await plant(cell, (tree) => agreed(cids, seatIn(entries(tree))))
  await plantHeld(cell, cids)
  return cids
}

function* agreed(cids: readonly string[], seat: number): Generator<TreeEntry> {
  yield [KEY.pinCount, counterRecord.encode(cids.length)]
  for (const [n, cid] of cids.entries()) {
    const pin = { revision: 1, created: CREATED + n, owner: seat, seats: [seat], name: `pin ${n}` }
    yield [
      KEY.pin(cid),
      pinRecord.encode({ ...pin, mode: 'recursive', metadata: { batch: String(n % 1000) }, origins: [], priority: 0 }),
    ]
  }
  yield [KEY.seatPins(seat), counterRecord.encode(cids.length)]
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
  const totals = {
    pins: { pinning: 0, pinned: cids.length, failed: 0 },
    blocks: cids.length,
    bytes: 1024 * cids.length,
  }
  await sublevel.put(TOTALS_KEY, encodeJson(totals))
  await database.close()
}
