import { readFile } from 'node:fs/promises'
import { decode } from '@ipld/dag-cbor'
import { CELL_OPTIONS } from '../../consensus/cell/init.ts'
import {
  EMPTY,
  entries as allEntries,
  fromSorted,
  set,
  type Tree,
  type TreeEntry,
} from '../../consensus/state/index.ts'
import { StateStore } from '../../node/cell/state-store.ts'
import { openDatabase } from '../../node/storage/database.ts'
import { RealCell } from '../helpers/cell.ts'
import { eventually } from '../helpers/processes.ts'
import type { Figure } from './figure.ts'

const LONGEST_MS = 120_000
const WRITES = CELL_OPTIONS.keepEntries + 500
const LABELS = 32

export interface StateCase {
  readonly what: string
  /** Gives node `a`, which does not run, its state. */
  plant(cell: RealCell): Promise<unknown>
  readonly maxRssMb: number
}

/** A node whose state is planted, its restart, its snapshots, and a node that joins it: real processes and disks. */
export async function nodeFigures({ what, plant, maxRssMb }: StateCase): Promise<Figure[]> {
  const cell = await RealCell.open()
  try {
    await cell.found('a')
    await cell.leader()
    await cell.end('a')
    await plant(cell)
    const restart = await seconds(async () => {
      await cell.run('a')
      await cell.leader()
    })
    const afterStart = await memoryOf(cell, 'a')
    const first = await snapshotSeconds(cell)
    await write(cell)
    const next = await snapshotSeconds(cell)
    const fetch = await seconds(() => followed(cell))
    const [leader, follower] = [await memoryOf(cell, 'a'), await memoryOf(cell, 'b')]
    const rss = (name: string, value: number) => ({ name: `${what}: ${name}`, value, unit: 'MB' })
    return [
      { name: `${what}: restart of a node`, value: restart, unit: 's', target: '≤ 20' },
      { name: `${what}: first snapshot`, value: first, unit: 's' },
      { name: `${what}: snapshot after a few changes`, value: next, unit: 's' },
      { name: `${what}: fresh follower, from its start to the same state`, value: fetch, unit: 's', target: '≤ 60' },
      { ...rss('RSS after the restart', afterStart.now), target: `≤ ${maxRssMb}` },
      { ...rss('RSS of the leader after snapshots and fetch', leader.now), target: `≤ ${maxRssMb}` },
      { ...rss('RSS of the follower after the fetch', follower.now), target: `≤ ${maxRssMb}` },
      rss('RSS of the leader at its highest', leader.highest),
      rss('RSS of the follower at its highest', follower.highest),
    ]
  } finally {
    await cell.close()
  }
}

/** As if commands had led there: what the node had, and the entries, ascending, under the same applied index. */
export async function plant(cell: RealCell, added: (before: Tree) => Iterable<TreeEntry>): Promise<void> {
  const database = await openDatabase(cell.stage.path('a', 'cell', 'state'), { onFatal: () => undefined })
  const stamp = decode((await database.sublevel('cell-state').get('stamp'))!) as { incarnation: Uint8Array }
  const store = await StateStore.open(database, stamp.incarnation)
  let before = EMPTY
  for await (const [key, value] of store.load()) before = set(before, key, value)
  let tree = fromSorted(added(before))
  for (const [key, value] of allEntries(before)) tree = set(tree, key, value)
  await store.replaceAll(store.applied, allEntries(tree))
  await database.close()
}

/** So many commands that a follower cannot have them from the log, and needs the snapshot. */
async function write(cell: RealCell): Promise<void> {
  let n = 0
  const work = async () => {
    while (n < WRITES) {
      const done = await cell.setLabel('a', 'a', `key-${n % LABELS}`, `changed-${n++}`)
      if (!done.ok) throw new Error(`label: ${done.code}`)
    }
  }
  await Promise.all(Array.from({ length: LABELS }, work))
}

async function followed(cell: RealCell): Promise<void> {
  await cell.join('b', 'a')
  const hasAll = async () => {
    // Who takes a million entries may be silent for a while.
    const [leader, follower] = await Promise.all(['a', 'b'].map((name) => cell.status(name).catch(() => undefined)))
    return leader !== undefined && follower?.stateRoot === leader.stateRoot
  }
  await eventually('the follower has the state', hasAll, LONGEST_MS)
}

async function snapshotSeconds(cell: RealCell): Promise<number> {
  return seconds(async () => {
    const answer = await cell.call('a', 'cell/snapshot', { body: {}, timeoutMs: LONGEST_MS })
    if (!answer.ok) throw new Error(`snapshot: ${answer.code}`)
  })
}

export async function memoryOf(cell: RealCell, name: string): Promise<{ now: number; highest: number }> {
  const status = await readFile(`/proc/${cell.pid(name)}/status`, 'utf8')
  const megabytes = (field: string) => Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1000)
  return { now: megabytes('VmRSS'), highest: megabytes('VmHWM') }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}
