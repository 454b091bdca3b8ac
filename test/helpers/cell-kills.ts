import type { CellWriters } from './cell-writers.ts'
import type { RealCell } from './cell.ts'

const WRITES = 20

export type Whom = 'leader' | 'follower' | 'any' | 'all'

export interface KillOutcome {
  /** acknowledged writes that are not there any more */
  lost: string[]
  /** from the leader's death to the acknowledgement of a write that began after it; of `leader` only */
  electionMs: number | undefined
}

/** kill -9 under load, of one node or of the whole cell; then all run again, and what was acknowledged is looked for. */
export async function killCycle(cell: RealCell, writers: CellWriters, whom: Whom): Promise<KillOutcome> {
  const leader = await cell.leader()
  await writers.serves(WRITES)
  const victims = victimsOf(cell, leader, whom)
  await Promise.all(victims.map((name) => cell.kill(name)))
  const electionMs = whom === 'leader' ? await writers.serves(1) : undefined
  await Promise.all(victims.map((name) => cell.run(name)))
  await writers.serves(WRITES)
  return { lost: await writers.lost(anyOf(cell.names)), electionMs }
}

/** For a line that a person reads. */
export function timesText(times: readonly (number | undefined)[]): string {
  const sorted = times.filter((time) => time !== undefined).toSorted((a, b) => a - b)
  const [median, greatest] = [sorted[Math.floor(sorted.length / 2)]!, sorted.at(-1)!].map(Math.round)
  return `${sorted.length} kills of a leader, next acknowledged write after p50 ${median} ms, max ${greatest} ms`
}

function victimsOf(cell: RealCell, leader: string, whom: Whom): string[] {
  if (whom === 'all') return cell.running
  if (whom === 'leader') return [leader]
  return [anyOf(whom === 'any' ? cell.running : cell.running.filter((name) => name !== leader))]
}

export function anyOf<T>(many: readonly T[]): T {
  return many[Math.floor(Math.random() * many.length)]!
}
