import { Members } from '../unit/consensus/members.ts'
import { eventually } from '../helpers/processes.ts'
import type { Figure } from './figure.ts'

const COMMANDS = 200_000
const AT_ONCE = 4096
const command = new Uint8Array(128)

/** Three members in this process, in memory: what engine and driver alone can do. */
export async function batchedEntries(): Promise<Figure> {
  const members = new Members([1, 2, 3])
  await members.startAll()
  const leader = await eventually('a leader', () => members.leader())
  const began = performance.now()
  let applied = 0
  const count = () => members.machines.get(leader.status.leader)!.applied
  const from = count()
  let n = 0
  while (applied < COMMANDS) {
    const batch = Array.from({ length: AT_ONCE }, () => leader.propose(`n${n++}`, named(n), 60_000))
    await Promise.all(batch)
    applied = count() - from
  }
  const seconds = (performance.now() - began) / 1000
  await members.stop()
  return {
    name: 'cell of three in one process, batched',
    value: Math.round(applied / seconds),
    unit: 'entries/s',
    target: '≥ 100000',
  }
}

/** 128 bytes that begin with `id:`. */
function named(n: number): Uint8Array {
  const bytes = command.slice()
  bytes.set(new TextEncoder().encode(`n${n - 1}:`))
  return bytes
}
