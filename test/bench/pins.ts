import { readFile } from 'node:fs/promises'
import { RealCell } from '../helpers/cell.ts'
import { eventually } from '../helpers/processes.ts'
import type { Bench, Figure } from './figure.ts'
import { gcFigures } from './content-gc.ts'
import { millionFigures } from './pins-million.ts'

const PINS = 2_000
const PIN_BYTES = 1024
const CLIENTS = 64
const NAMES = ['a', 'b', 'c'] as const
const LONGEST_MS = 60_000

/** Pins of three nodes, real processes and disks; a million of them in one; gc beside reads. */
export const benchPins: Bench = async () => [
  ...(await cellFigures()),
  ...(await millionFigures()),
  ...(await gcFigures()),
]

async function cellFigures(): Promise<Figure[]> {
  const cell = await RealCell.of(NAMES.length)
  try {
    const [imported, added] = [await addBlocks(cell, 'import'), await addBlocks(cell, 'add')]
    const ingest = await watched(cell, () => importAll(cell, imported))
    const asked = await watched(cell, () => addAll(cell, added))
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
    ]
  } finally {
    await cell.close()
  }
}

/** @returns pins/s: acknowledged, and from the first request until all three nodes say that they hold all of them */
async function watched(cell: RealCell, work: () => Promise<void>): Promise<{ committed: number; held: number }> {
  const before = await Promise.all(NAMES.map((name) => pinned(cell, name)))
  const began = performance.now()
  const perSecond = (): number => Math.round((PINS * 1000) / (performance.now() - began))
  await work()
  const committed = perSecond()
  const areHeld = async (): Promise<boolean> => {
    const now = await Promise.all(NAMES.map((name) => pinned(cell, name)))
    return now.every((count, at) => count - before[at]! >= PINS)
  }
  await eventually('three copies of each pin', areHeld, LONGEST_MS)
  return { committed, held: perSecond() }
}

async function pinned(cell: RealCell, name: string): Promise<number> {
  return (await cell.get<{ pins: { pinned: number } }>(name, 'repo')).pins.pinned
}

/** @returns CIDs of blocks that one node has */
async function addBlocks(cell: RealCell, seed: string): Promise<string[]> {
  const cids: string[] = []
  const numbers = Array.from({ length: PINS }, (_, n) => n).values()
  const client = async (): Promise<void> => {
    for (const n of numbers) {
      const body = Buffer.alloc(PIN_BYTES, `${seed} ${n} `)
      const text = await request(cell, 'add', { body, type: 'application/octet-stream' })
      cids.push((JSON.parse(text.split('\n')[0]!) as { cid: string }).cid)
    }
  }
  await Promise.all(Array.from({ length: 16 }, client))
  return cids
}

async function importAll(cell: RealCell, cids: readonly string[]): Promise<void> {
  const body = Buffer.from(cids.map((cid) => `${JSON.stringify({ cid })}\n`).join(''))
  const text = await request(cell, 'state/import', { body, type: 'application/x-ndjson' })
  const end = JSON.parse(text.trim().split('\n').at(-1)!) as { imported?: number; refused?: number }
  if (end.imported !== PINS) throw new Error(`imported: ${text.slice(-300)}`)
}

async function addAll(cell: RealCell, cids: readonly string[]): Promise<void> {
  const left = cids.values()
  const client = async (): Promise<void> => {
    for (const path of left) await cell.post('a', 'pins/add', { path })
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
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
