import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import { addFiles, collectAll, type ContentNode } from '../helpers/content-node.ts'
import type { TestLibp2p } from '../helpers/libp2p-pair.ts'
import { syncedWriteSpeed } from './content-disk.ts'
import { startPlainHelia } from './content-helia.ts'
import { startDurableNode } from './content-node.ts'
import type { Bench, Figure } from './figure.ts'

const MIB = 2 ** 20
const ADDED_BYTES = 256 * MIB
const FILE_BYTES = 64 * MIB
const SMALL_FILES = 2000
const SMALL_BYTES = 4096
const ROUNDS = 3

interface Fetched {
  /** bytes/s, pinned */
  file: number
  /** blocks/s, pinned */
  small: number
}

interface Added {
  /** bytes/s */
  add: number
  disk: number
}

/** Best of a few rounds each, in turn; plain Helia, which needs half a minute for its small blocks, once. */
export const benchContent: Bench = async () => {
  const added: Added[] = []
  const fetched: Fetched[] = []
  for (let i = 0; i < ROUNDS; i++) {
    added.push(await add())
    fetched.push(await fetchOurs())
  }
  const helia = await fetchByHelia()
  const best = (values: number[]): number => Math.max(...values)
  const share = best(added.map(({ add, disk }) => add / disk))
  const shown = (bytesPerSecond: number): number => Math.round(bytesPerSecond / MIB)
  const figures: Figure[] = [
    { name: 'content: add 256 MiB', value: shown(best(added.map(({ add }) => add))), unit: 'MiB/s', baseline: DISK },
    { name: DISK, value: shown(best(added.map(({ disk }) => disk))), unit: 'MiB/s' },
    { name: 'content: add, of the disk in the same round', value: Math.round(share * 100), unit: '%', target: '≥ 80' },
    ...pairOfFigures('64 MiB fetched and pinned', 'MiB/s', '≥ 100', {
      ours: shown(best(fetched.map(({ file }) => file))),
      helia: shown(helia.file),
    }),
    ...pairOfFigures('2 000 blocks of 4 KiB fetched and pinned', 'blocks/s', '≥ 2000', {
      ours: Math.round(best(fetched.map(({ small }) => small))),
      helia: Math.round(helia.small),
    }),
  ]
  const remarks = [
    'Ours is on the disk when it is counted; Helia on blockstore-fs syncs nothing. Both over the same libp2p.',
  ]
  return { figures, remarks }
}

const DISK = 'disk: 256 MiB written in order and synced'

function pairOfFigures(
  what: string,
  unit: string,
  target: string,
  { ours, helia }: { ours: number; helia: number },
): Figure[] {
  const other = `plain Helia: ${what}`
  return [
    { name: `content: ${what}`, value: ours, unit, target, baseline: other },
    { name: other, value: helia, unit },
  ]
}

/** The disk before and after: it is as fast as its neighbours let it be. */
async function add(): Promise<Added> {
  const node = await startDurableNode()
  try {
    const bytes = randomBytes(ADDED_BYTES)
    const before = await syncedWriteSpeed(ADDED_BYTES)
    const seconds = await timed(() => addFiles(node, [{ path: 'file', bytes }]))
    const after = await syncedWriteSpeed(ADDED_BYTES)
    return { add: ADDED_BYTES / seconds, disk: Math.max(before, after) }
  } finally {
    await node.stop()
  }
}

async function fetchOurs(): Promise<Fetched> {
  const node = await startDurableNode()
  return withHolder('kairos', node, (root) => pin(node, root))
}

async function fetchByHelia(): Promise<Fetched> {
  const node = await startPlainHelia()
  return withHolder('helia', node, (root) => collectAll(node.helia.pins.add(CID.parse(root))))
}

async function pin({ content }: ContentNode, root: string): Promise<void> {
  const { signal } = new AbortController()
  await content.local.pin(CID.parse(root), { mode: 'recursive', get: content.fetching(), signal })
}

async function withHolder(
  kind: 'kairos' | 'helia',
  node: { libp2p: TestLibp2p; stop(): Promise<void> },
  fetch: (root: string) => Promise<unknown>,
): Promise<Fetched> {
  const sizes = [FILE_BYTES, SMALL_FILES, SMALL_BYTES].map(String)
  const holder = fork(fileURLToPath(new URL('./content-holder.ts', import.meta.url)), [kind, ...sizes])
  try {
    const [ready] = (await once(holder, 'message')) as [{ file: string; directory: string; addresses: string[] }]
    await node.libp2p.dial(ready.addresses.map((address) => multiaddr(address)))
    const file = FILE_BYTES / (await timed(() => fetch(ready.file)))
    const small = SMALL_FILES / (await timed(() => fetch(ready.directory)))
    return { file, small }
  } finally {
    if (holder.connected) holder.disconnect()
    await Promise.all([holder.exitCode ?? once(holder, 'exit'), node.stop()])
  }
}

/** @returns seconds */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}
