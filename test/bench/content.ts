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
import { quantile, type Bench, type Figure, type Report } from './figure.ts'
import type { KuboTimes } from './kubo-inside.ts'
import { measureInside } from './kubo-peers.ts'
import { kuboVersion } from './kubo.ts'

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

/**
 * Ours and Kubo in as many rounds, best of each; plain Helia, which needs half a minute for its small blocks, once. The disk takes
 * its turns with `add`: on a machine of many it is fast at first and slower after, so medians are held against medians.
 */
export const benchContent: Bench = async (peers) => {
  const added: Added[] = []
  const fetched: Fetched[] = []
  await syncedWriteSpeed(ADDED_BYTES)
  for (let i = 0; i < ROUNDS; i++) added.push(await add())
  for (let i = 0; i < ROUNDS; i++) fetched.push(await fetchOurs())
  const helia = await fetchByHelia()
  const ours = {
    file: Math.max(...fetched.map(({ file }) => file)),
    small: Math.max(...fetched.map(({ small }) => small)),
  }
  const kubo = peers.has('kubo') ? await besideKubo() : { figures: [], remarks: [] }
  const remarks = [
    'Ours is on the disk when it is counted; Helia on blockstore-fs syncs nothing. Both over the same libp2p.',
  ]
  return {
    figures: [
      ...addFigures(added),
      ...fetchFigures('content', ours, 'plain Helia'),
      ...fetchFigures('plain Helia', helia),
      ...kubo.figures,
    ],
    remarks: [...remarks, ...kubo.remarks],
  }
}

const DISK = 'disk: 256 MiB written in order and synced'

const FILE = '64 MiB fetched and pinned'
const SMALL = '2 000 blocks of 4 KiB fetched and pinned'

function addFigures(added: readonly Added[]): Figure[] {
  const [add, disk] = [
    quantile(
      added.map(({ add }) => add),
      0.5,
    ),
    quantile(
      added.map(({ disk }) => disk),
      0.5,
    ),
  ]
  return [
    { name: 'content: add 256 MiB', value: Math.round(add / MIB), unit: 'MiB/s', baseline: DISK },
    { name: DISK, value: Math.round(disk / MIB), unit: 'MiB/s' },
    { name: 'content: add, of what the disk takes', value: Math.round((100 * add) / disk), unit: '%', target: '≥ 80' },
  ]
}

/** @param beside - whose figures ours are held against */
function fetchFigures(who: string, { file, small }: Fetched, beside?: string): Figure[] {
  const figures = [
    { name: `${who}: ${FILE}`, value: Math.round(file / MIB), unit: 'MiB/s' },
    { name: `${who}: ${SMALL}`, value: Math.round(small), unit: 'blocks/s' },
  ]
  if (beside === undefined) return figures
  const [targets, names] = [
    ['≥ 100', '≥ 2000'],
    [FILE, SMALL],
  ]
  return figures.map((figure, at) => ({ ...figure, target: targets[at]!, baseline: `${beside}: ${names[at]}` }))
}

function besideKubo(): Promise<Report> {
  const version = kuboVersion()
  const peer = { name: 'Kubo', beside: 'content', versions: { ipfs: version } }
  const sizes = [ROUNDS, ADDED_BYTES, FILE_BYTES, SMALL_FILES, SMALL_BYTES]
  return measureInside<KuboTimes[]>(peer, ['content', ...sizes], (rounds) => {
    const added = quantile(
      rounds.map(({ add }) => ADDED_BYTES / add),
      0.5,
    )
    const fetched = {
      file: Math.max(...rounds.map(({ file }) => FILE_BYTES / file)),
      small: Math.max(...rounds.map(({ small }) => SMALL_FILES / small)),
    }
    const add = { name: 'Kubo: add 256 MiB', value: Math.round(added / MIB), unit: 'MiB/s' }
    const remarks = [`Kubo ${version} cuts as ours does and syncs nothing.`]
    return { figures: [add, ...fetchFigures('Kubo', fetched)], remarks }
  })
}

async function add(): Promise<Added> {
  const node = await startDurableNode()
  try {
    const bytes = randomBytes(ADDED_BYTES)
    const seconds = await timed(() => addFiles(node, [{ path: 'file', bytes }]))
    return { add: ADDED_BYTES / seconds, disk: await syncedWriteSpeed(ADDED_BYTES) }
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
