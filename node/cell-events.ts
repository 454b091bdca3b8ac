import { namesOf } from './cell-operations.ts'
import type { CellService, CellStatusDocument } from './cell/types.ts'
import type { EventLog } from './events.ts'
import type { Parts } from './parts.ts'

type Seen = Pick<CellStatusDocument, 'leader' | 'term' | 'voters' | 'learners' | 'problem'>
type Change = { change: string } & Record<string, unknown>

/** Tells watchers who leads the cell, who comes and goes, and what is wrong. */
export function publishCellEvents(
  cell: Pick<CellService, 'status' | 'observe'>,
  events: Pick<EventLog, 'publish'>,
  parts: Pick<Parts, 'membership'>,
): void {
  const nameOf = namesOf(parts)
  let last: Seen = cell.status
  cell.observe.onChange = () => {
    const now = cell.status
    for (const change of changesOf(last, now)) {
      const { peerId } = change
      const name = typeof peerId === 'string' ? { name: nameOf(peerId) } : {}
      events.publish('cell', { cell: now.cell, ...change, ...name })
    }
    last = now
  }
}

function* changesOf(before: Seen, now: Seen): Generator<Change> {
  if (now.leader !== before.leader) yield { change: 'leader', peerId: now.leader, term: now.term }
  const was = new Set([...before.voters, ...before.learners])
  const is = new Set([...now.voters, ...now.learners])
  for (const peerId of is) if (!was.has(peerId)) yield { change: 'joined', peerId }
  for (const peerId of now.voters) {
    if (was.has(peerId) && !before.voters.includes(peerId)) yield { change: 'promoted', peerId }
  }
  for (const peerId of was) if (!is.has(peerId)) yield { change: 'removed', peerId }
  if (now.problem?.code !== before.problem?.code) {
    yield now.problem === null ? { change: 'recovered' } : { change: 'problem', ...now.problem }
  }
}
