import { readFile } from 'node:fs/promises'
import { RealCell } from '../helpers/cell.ts'
import { gcFigures } from './content-gc.ts'
import { quantile, type Bench, type Figure, type Report } from './figure.ts'
import { clusterVersion } from './kubo-cluster.ts'
import { measureInside } from './kubo-peers.ts'
import { kuboVersion } from './kubo.ts'
import { millionFigures } from './pins-million.ts'
import { byClients, pinRates, type PinRates } from './pins-rate.ts'

const PINS = 2_000
const PIN_BYTES = 1024
const CLIENTS = 64
const NAMES = ['a', 'b', 'c'] as const
/** What IPFS Cluster is asked for, too: rounds of few pins, by few clients. */
const FEW = 100
const FEW_ROUNDS = 3
const FEW_CLIENTS = 16

/** Pins of three nodes, real processes and disks, beside those of IPFS Cluster; a million of them in one; gc beside reads. */
export const benchPins: Bench = async (peers) => {
  const ours = await cellFigures()
  const theirs = peers.has('kubo') ? await besideCluster() : { figures: [], remarks: [] }
  const figures = [...ours, ...theirs.figures, ...(await millionFigures()), ...(await gcFigures())]
  return { figures, remarks: theirs.remarks }
}

function besideCluster(): Promise<Report> {
  const name = 'IPFS Cluster'
  const versions = { ipfs: kuboVersion(), 'ipfs-cluster-service': clusterVersion() }
  const args = ['pins', FEW_ROUNDS, FEW, PIN_BYTES, FEW_CLIENTS]
  return measureInside<PinRates[]>({ name, beside: 'pins', versions }, args, (rounds) => ({
    figures: fewFigures(name, rounds),
    remarks: [
      `${name} ${versions['ipfs-cluster-service']} agrees by Raft, with Kubo ${versions.ipfs} beside each of its three peers; these sync no block.`,
    ],
  }))
}

function fewFigures(who: string, rounds: readonly PinRates[]): Figure[] {
  const median = (of: (rates: PinRates) => number): number => quantile(rounds.map(of), 0.5)
  const name = `${who}: ${FEW} of 1 KiB by ${FEW_CLIENTS} clients`
  return [
    { name: `${name}, committed`, value: median(({ committed }) => committed), unit: 'pins/s' },
    { name: `${name}, three copies seen pinned`, value: median(({ held }) => held), unit: 'pins/s' },
  ]
}

async function cellFigures(): Promise<Figure[]> {
  const cell = await RealCell.of(NAMES.length)
  try {
    const [imported, added] = [await addBlocks(cell, 'import', PINS), await addBlocks(cell, 'add', PINS)]
    const ingest = await watched(cell, PINS, () => importAll(cell, imported))
    const asked = await watched(cell, PINS, () => addAll(cell, CLIENTS, added))
    const few: PinRates[] = []
    for (let round = 0; round < FEW_ROUNDS; round++) {
      const cids = await addBlocks(cell, `few ${round}`, FEW)
      few.push(await watched(cell, FEW, () => addAll(cell, FEW_CLIENTS, cids)))
    }
    return [
      { name: 'pins: imported, committed by three nodes', value: ingest.committed, unit: 'pins/s', target: '≥ 1000' },
      {
        name: 'pins: imported, of 1 KiB, three copies seen pinned',
        value: ingest.held,
        unit: 'pins/s',
        target: '≥ 500',
      },
      { name: `pins: added by ${CLIENTS} clients, committed by three nodes`, value: asked.committed, unit: 'pins/s' },
      { name: `pins: added by ${CLIENTS} clients, three copies seen pinned`, value: asked.held, unit: 'pins/s' },
      ...fewFigures('pins', few),
    ]
  } finally {
    await cell.close()
  }
}

async function watched(cell: RealCell, pins: number, work: () => Promise<void>): Promise<PinRates> {
  const before = await Promise.all(NAMES.map((name) => pinned(cell, name)))
  const held = async (): Promise<number> => {
    const now = await Promise.all(NAMES.map((name) => pinned(cell, name)))
    return Math.min(...now.map((count, at) => count - before[at]!))
  }
  return pinRates(pins, work, held)
}

async function pinned(cell: RealCell, name: string): Promise<number> {
  return (await cell.get<{ pins: { pinned: number } }>(name, 'repo')).pins.pinned
}

/** @returns CIDs of blocks that one node has */
async function addBlocks(cell: RealCell, seed: string, count: number): Promise<string[]> {
  const cids: string[] = []
  const texts = Array.from({ length: count }, (_, n) => `${seed} ${n} `)
  await byClients(16, texts, async (text) => {
    const body = Buffer.alloc(PIN_BYTES, text)
    const answer = await request(cell, 'add', { body, type: 'application/octet-stream' })
    cids.push((JSON.parse(answer.split('\n')[0]!) as { cid: string }).cid)
  })
  return cids
}

async function importAll(cell: RealCell, cids: readonly string[]): Promise<void> {
  const body = Buffer.from(cids.map((cid) => `${JSON.stringify({ cid })}\n`).join(''))
  const text = await request(cell, 'state/import', { body, type: 'application/x-ndjson' })
  const end = JSON.parse(text.trim().split('\n').at(-1)!) as { imported?: number; refused?: number }
  if (end.imported !== PINS) throw new Error(`imported: ${text.slice(-300)}`)
}

function addAll(cell: RealCell, clients: number, cids: readonly string[]): Promise<void> {
  return byClients(clients, cids, (path) => cell.post('a', 'pins/add', { path }))
}

async function request(cell: RealCell, route: string, { body, type }: { body: Buffer; type: string }): Promise<string> {
  const [url, token] = await Promise.all(
    ['api', 'api.token'].map((file) => readFile(cell.stage.path('a', file), 'utf8')),
  )
  const response = await fetch(`${url!.trim()}/api/v1/${route}`, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${token!.trim()}`, 'content-type': type },
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${route}: ${text.slice(0, 300)}`)
  return text
}
