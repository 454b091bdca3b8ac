import type { MeshEvents } from '../../../consensus/mesh/index.ts'
import { blockOf, decide, Scripted } from './scripted.ts'
import { settle } from './ports.ts'

export const block = (height: number) => blockOf(height, `b${height}`)
export const certificate = (height: number) => ({ height, round: 0, value: block(height).value, signatures: [] })
export const started = (node: Scripted) => node.engines.map(({ start }) => start.height)

/** A node that has the blocks of four heights on its disk. */
export function heights() {
  const node = new Scripted()
  /** what the events that are noted told */
  const seen: unknown[] = []
  for (const height of [1, 2, 3, 4]) node.disk.blocks.set(String(block(height).value), block(height))

  const note = <K extends keyof MeshEvents>(event: K) => {
    node.events = { ...node.events, [event]: (...what: unknown[]) => seen.push(what) }
  }

  /** The engine of a height takes inputs. */
  const running = async (height: number) => {
    await node.clock.until(() => node.engines.at(-1)?.start.height === height && node.mesh.status.step === 'deciding')
    await settle()
  }

  const begin = async () => {
    node.start()
    await running(1)
  }

  const decideHere = async (height: number) => {
    node.do(decide(height, block(height)))
    await node.clock.until(() => node.disk.chain.length === height)
    await settle()
  }

  return { node, seen, note, running, begin, decideHere }
}
