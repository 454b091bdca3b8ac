import { RealCell } from '../helpers/cell.ts'
import { quantile, type Figure } from './figure.ts'
import { plantPins } from './pins-planted.ts'
import { memoryOf } from './state-nodes.ts'

const PINS = 1_000_000
const ASKED = 200
const LONGEST_MS = 120_000

/** A node whose cell has agreed on a million pins, all of which it holds. */
export async function millionFigures(): Promise<Figure[]> {
  const cell = await RealCell.open()
  try {
    await cell.found('a')
    await cell.leader()
    await cell.end('a')
    const cids = await plantPins(cell, PINS)
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

async function times(cell: RealCell, route: (n: number) => string): Promise<number[]> {
  const taken: number[] = []
  for (let n = 0; n < ASKED; n++) {
    const began = performance.now()
    await cell.get('a', route(n))
    taken.push(performance.now() - began)
  }
  return taken
}
